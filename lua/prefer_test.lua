local check = require "check"
local prefer = require "prefer"

local function column(...)
  local rows = {}
  for i = 1, select("#", ...) do rows[i] = { v = (select(i, ...)) } end
  return rows
end

return {
  ["most_complete: the row with the most values, the first of equals"] = function()
    local rows = { { a = 1 }, { a = 1, b = "" }, { a = false, c = 2 } }
    check.equal(prefer.most_complete(rows), 2)
    check.equal(prefer.most_complete(rows, { "c" }), 3)
    check.equal(prefer.most_complete(rows, { "a" }), 1)
  end,

  ["newest and oldest: by the moment, not by the text"] = function()
    check.equal(prefer.newest(column("2024-02-01 10:00:00", "2024-02-01 10:00:00.5", "2024-01-31"), "v"), 2)
    check.equal(prefer.oldest(column("2024-02-01 10:00:00", "2024-02-01 10:00:00.5", "2024-01-31"), "v"), 3)
    check.equal(prefer.newest(column("9999-12-31", "10000-01-01"), "v"), 2)
    check.equal(prefer.newest(column("0044-03-15 BC", "0100-01-01 BC"), "v"), 1)
    check.equal(prefer.oldest(column("0001-01-01", "0001-12-31 BC"), "v"), 2)
    check.equal(prefer.newest(column("infinity", "5874897-12-31"), "v"), 1)
    check.equal(prefer.oldest(column("4713-01-01 00:00:00 BC", "-infinity"), "v"), 2)
    check.equal(prefer.newest(column("2024-01-01 23:30:00+00", "2024-01-02 00:30:00+02"), "v"), 1)
    check.equal(prefer.newest(column("2024-01-01 20:00:00-05:30", "2024-01-02 01:00:00+00"), "v"), 1)
    check.equal(prefer.oldest(column("2024-03-01", "2024-02-29"), "v"), 2)
    check.equal(prefer.newest(column("0044-03-15 12:00:00+00 BC", "0044-03-15 13:00:00+00 BC"), "v"), 2)
    check.equal(prefer.newest(column(1700000000, 1800000000), "v"), 2)
  end,

  ["newest: what is no date is an error"] = function()
    check.error(function() prefer.newest(column("soon"), "v") end, "the column 'v' holds 'soon', which is no date")
    check.error(function() prefer.newest(column("12:00:00"), "v") end, "no date or timestamp")
    check.error(function() prefer.newest(column("2024-01-01x"), "v") end, "no date or timestamp")
    check.error(function() prefer.newest(column("2024-01-01")) end, "which column?")
  end,

  ["highest and lowest: numbers, and numeric to the last digit"] = function()
    check.equal(prefer.highest(column(3, 20, 20), "v"), 2)
    check.equal(prefer.lowest(column(3.5, -1.0, -1.0), "v"), 2)
    check.equal(prefer.highest(column("9", "10"), "v"), 2)
    check.equal(prefer.highest(column("0.10", "0.1", "0.100000000000000000000000000001"), "v"), 3)
    check.equal(prefer.highest(column("12345678901234567890.1", "12345678901234567890.2"), "v"), 2)
    check.equal(prefer.lowest(column("-2.5", "-10", "-9.99"), "v"), 2)
    check.equal(prefer.highest(column("-0.00", "0", "0.0"), "v"), 1)
    check.equal(prefer.highest(column("5", "NaN", "Infinity"), "v"), 2)
    check.equal(prefer.lowest(column("-5", "-Infinity", "NaN"), "v"), 2)
    check.equal(prefer.highest(column(1.0, 0 / 0, math.huge), "v"), 2)
    check.equal(prefer.highest(column(false, true), "v"), 2)
    check.error(function() prefer.highest(column("many"), "v") end, "holds 'many', which is no number")
  end,

  ["longest: in characters"] = function()
    check.equal(prefer.longest(column("abc", "äöü", "äöüß"), "v"), 3)
    check.equal(prefer.longest(column("abc", "äöü"), "v"), 1)
    check.error(function() prefer.longest(column(5), "v") end, "is no text")
  end,

  ["NULL never wins; where all are NULL the first row stays"] = function()
    local rows = { {}, { v = "2024-01-01" }, {} }
    for _, name in ipairs { "newest", "oldest", "longest" } do check.equal(prefer[name](rows, "v"), 2, name) end
    for _, name in ipairs { "highest", "lowest" } do check.equal(prefer[name]({ {}, { v = "-1" } }, "v"), 2, name) end
    for _, name in ipairs { "newest", "oldest", "highest", "lowest", "longest" } do
      check.equal(prefer[name]({ {}, {} }, "v"), 1, name)
    end
    check.equal(prefer.highest({ {}, { v = false } }, "v"), 2)
  end,

  ["most_children: of all edges, or of one"] = function()
    local rows = {
      { children = { ["posts.x"] = 2, ["likes.x"] = 0 } },
      { children = { ["posts.x"] = 1, ["likes.x"] = 5 } },
    }
    check.equal(prefer.most_children(rows), 2)
    check.equal(prefer.most_children(rows, "posts.x"), 1)
    check.error(function() prefer.most_children(rows, "other.x") end, "does not list 'other.x'")
    check.error(function() prefer.most_children { {}, {} } end, "children = { \"table.column\" }")
  end,

  ["by: each wish narrows what the ones before it left"] = function()
    local rows = {
      { id = 1, active = false, phone = "1", seen_at = "2024-05-01" },
      { id = 2, active = true, seen_at = "2024-04-01" },
      { id = 3, active = true, phone = "3", seen_at = "2024-02-01" },
      { id = 4, active = true, phone = "4", seen_at = "2024-03-01" },
    }
    local active = function(row) return row.active end
    check.equal(prefer.by(rows, { active }), 2)
    check.equal(prefer.by(rows, { active, "phone" }), 3)
    check.equal(prefer.by(rows, { active, "phone", { newest = "seen_at" } }), 4)
    check.equal(prefer.by(rows, { { newest = "seen_at" }, active }), 1)
    check.equal(prefer.by(rows, { function() return false end, { oldest = "seen_at" } }), 3)
    check.equal(prefer.by(rows, { { most_complete = true } }), 1)
    check.equal(prefer.by(rows, { { lowest = "id" } }), 1)
    check.equal(prefer.by(rows, {}), 1)
    check.error(function() prefer.by(rows, { { newst = "seen_at" } }) end, "there is no wish 'newst'")
    check.error(function() prefer.by(rows, { 5 }) end, "a wish is a function")
  end,
}
