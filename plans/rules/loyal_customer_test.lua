local check = require "check"
local rule = require "loyal_customer"

local function customer(orders, changes)
  local row = { id = 1, email = "a@example.com", tags = "{}", children = { ["orders.customer_id"] = orders } }
  for column, value in pairs(changes or {}) do row[column] = value end
  return row
end

return {
  ["the account with the most orders stays"] = function()
    check.equal(rule.keep { customer(1, { seen_at = "2026-01-10" }), customer(2), customer(0) }, 2)
  end,

  ["of those the one seen last, then the fullest"] = function()
    check.equal(rule.keep { customer(1, { seen_at = "2025-01-01" }), customer(1, { seen_at = "2026-01-01" }) }, 2)
    check.equal(rule.keep { customer(0), customer(0, { phone = "555-0102" }) }, 2)
    check.equal(rule.keep { customer(0), customer(0) }, 1)
  end,

  ["a blocked account keeps its group as it is"] = function()
    check.equal(rule.keep { customer(1), customer(0, { tags = "{vip,blocked}" }) }, nil)
    check.equal(rule.keep { customer(1), customer(0, { tags = "{unblocked}" }) }, 1)
  end,
}
