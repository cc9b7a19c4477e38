-- Which contact of one e-mail address stays: the one with the highest score, the lowest bounce rate, the oldest. It takes the
-- longest way to write the name, and the address of the one that was seen last.
local prefer = require "prefer"
local similar = require "similar"

local function same_person(a, b)
  if a.name == nil or b.name == nil then return true end
  return similar.distance(similar.normalise(a.name), similar.normalise(b.name), 3) ~= nil
end

local function all_of(survivor, losers)
  return table.move(losers, 1, #losers, 2, { survivor })
end

return {
  keep = function(rows)
    for i = 2, #rows do
      if not same_person(rows[1], rows[i]) then return nil end
    end
    return prefer.by(rows, { { highest = "score" }, { lowest = "bounced" }, { oldest = "created_at" } })
  end,

  merge = function(survivor, losers)
    local rows = all_of(survivor, losers)
    return {
      name = rows[prefer.longest(rows, "name")].name,
      address = rows[prefer.newest(rows, "seen_at")].address,
    }
  end,
}
