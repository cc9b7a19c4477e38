local check = require "check"
local rule = require "fullest_listing"

local function listing(changes)
  local row = { id = 1, title = "Sofa, hardly used", status = "active", visits = 1, scraped_at = "2024-05-01 10:00:00" }
  for column, value in pairs(changes) do row[column] = value end
  return row
end

return {
  ["an active listing stays before a fuller one"] = function()
    local rows = { listing { status = "expired", phone = "1", price = "20.00" }, listing {} }
    check.equal(rule.keep(rows), 2)
  end,

  ["of those the fullest stays, then the newest"] = function()
    check.equal(rule.keep { listing {}, listing { phone = "1" } }, 2)
    check.equal(rule.keep { listing {}, listing { scraped_at = "2024-05-02 10:00:00" } }, 2)
    check.equal(rule.keep { listing {}, listing {} }, 1)
  end,

  ["titles that have nothing in common are left to people"] = function()
    check.equal(rule.keep { listing {}, listing { title = "Washing machine" } }, nil)
    check.equal(rule.keep { listing {}, listing { title = "sofa hardly used!" } }, 1)
  end,

  ["merge adds up visits and fills the phone"] = function()
    local losers = { listing { visits = 5 }, listing { phone = "2" }, listing { phone = "3" } }
    check.same(rule.merge(listing {}, losers), { visits = 8, phone = "2" })
    check.same(rule.merge(listing { phone = "1" }, {}), { visits = 1, phone = "1" })
  end,
}
