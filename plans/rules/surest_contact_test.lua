local check = require "check"
local rule = require "surest_contact"

local function contact(changes)
  local row = { name = "Ada Lovelace", score = "5.0", bounced = 0.0, created_at = "2024-01-02 00:00:00+00" }
  for column, value in pairs(changes) do row[column] = value end
  return row
end

return {
  ["the highest score stays, then the fewest bounces, then the oldest"] = function()
    check.equal(rule.keep { contact { score = "9.50" }, contact { score = "10" } }, 2)
    check.equal(rule.keep { contact { bounced = 0.5 }, contact {} }, 2)
    check.equal(rule.keep { contact {}, contact { created_at = "2024-01-01 23:00:00-02" } }, 1)
    check.equal(rule.keep { contact {}, contact { created_at = "2024-01-01 23:00:00+00" } }, 2)
  end,

  ["names three letters apart are one person, more are not"] = function()
    check.equal(rule.keep { contact {}, contact { name = " ada  lovelace" } }, 1)
    check.equal(rule.keep { contact {}, contact { name = "Adda Lovlace" } }, 1)
    check.equal(rule.keep { contact {}, contact { name = "Grace Hopper" } }, nil)
  end,

  ["merge takes the longest name and the newest address"] = function()
    local survivor = contact { name = "A. Lovelace", address = "old", seen_at = "2024-01-01" }
    local losers = { contact { address = "new", seen_at = "2024-03-01" }, contact { seen_at = nil } }
    check.same(rule.merge(survivor, losers), { name = "Ada Lovelace", address = "new" })
  end,
}
