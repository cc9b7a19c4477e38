-- check: what tests of rules assert. Each function raises, at the line of the test that called it, what was expected and
-- what came. Only `pgwinnow hooks test` has it.
local check = {}

local function shown(value)
  if type(value) == "string" then return string.format("%q", value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts, rest = {}, {}
  for i, item in ipairs(value) do parts[i] = shown(item) end
  for key, item in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= #parts) then
      local name = type(key) == "string" and key:find("^[%a_][%w_]*$") and key or "[" .. shown(key) .. "]"
      rest[#rest + 1] = name .. " = " .. shown(item)
    end
  end
  table.move(rest, 1, #rest, #parts + 1, parts)
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

local function path_of(path, key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return path .. "." .. key end
  return path .. "[" .. shown(key) .. "]"
end

-- Lines that say where the two differ, one for each place.
local function differences(got, expected, path, lines)
  if type(got) ~= "table" or type(expected) ~= "table" then
    if not (got == expected and math.type(got) == math.type(expected)) then
      local place = path == "" and "" or path .. ": "
      lines[#lines + 1] = place .. "expected " .. shown(expected) .. ", got " .. shown(got)
    end
    return lines
  end
  for key, value in pairs(expected) do differences(got[key], value, path_of(path, key), lines) end
  for key, value in pairs(got) do
    if expected[key] == nil then lines[#lines + 1] = path_of(path, key) .. ": not expected, got " .. shown(value) end
  end
  return lines
end

local function complain(what, lines)
  error(what .. "\n" .. table.concat(lines, "\n"), 3)
end

-- The same value: numbers, texts, booleans, nil.
function check.equal(got, expected, about)
  local same = got == expected and math.type(got) == math.type(expected)
  if not same then
    complain(about or "not equal", { "expected: " .. shown(expected), "got:      " .. shown(got) })
  end
end

-- Tables with the same keys and values, all the way down.
function check.same(got, expected, about)
  local lines = differences(got, expected, "", {})
  if #lines == 0 then return end
  lines[#lines + 1] = "expected: " .. shown(expected)
  lines[#lines + 1] = "got:      " .. shown(got)
  complain(about or "not the same", lines)
end

function check.truthy(got, about)
  if not got then complain(about or "not true", { "got: " .. shown(got) }) end
end

-- The function raises an error; with `text`, one that has this text in it.
function check.error(call, text, about)
  local fine, message = pcall(call)
  if fine then complain(about or "no error was raised", { "expected an error" .. (text and " with: " .. text or "") }) end
  if text and not tostring(message):find(text, 1, true) then
    complain(about or "another error", { "expected: " .. text, "got:      " .. tostring(message) })
  end
end

return check
