local similar = require "similar"
return { keep = function(rows)
  local t = setmetatable({}, { __index = function(_, k) return k end, __len = function() return 3 end })
  for k, v in pairs(rows[2]) do t[k] = tostring(v):upper():rep(2, ",") end
  table.sort(t, function(a, b) return a < b end)
  local ok, e = pcall(error, { string.format("%-5s|%q|%5.2f", "a", "b", 1.5) })
  for w in ("a b c"):gmatch("%a+") do t[#t + 1] = w:gsub("%w", { a = "x" }) end
  return select("#", table.unpack({ 1, 2 })) + (similar.distance("ab", "ac") or 0) - 1
end, merge = function(s, l) return { name = pgwinnow.null, id = #l + s.id } end }
