-- Which account of a customer stays: the one with the most orders, of those the one seen last, of those the fullest.
-- Accounts that were blocked are nobody's to merge: groups with one of them are left alone.
--
--   pgwinnow hooks test plans/rules
local prefer = require "prefer"

return {
  children = { "orders.customer_id" },     -- counted for the rule, as rows[i].children["orders.customer_id"]

  keep = function(rows)
    for _, row in ipairs(rows) do
      for tag in row.tags:gmatch("[%w_]+") do
        if tag == "blocked" then return nil end
      end
    end
    return prefer.by(rows, {
      { most_children = "orders.customer_id" },
      { newest = "seen_at" },
      { most_complete = { "name", "phone" } },
    })
  end,
}
