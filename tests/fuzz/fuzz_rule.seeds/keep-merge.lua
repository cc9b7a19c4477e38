-- Which of several listings of the same thing stays: one that people still see, with the most of what buyers ask for,
-- the newest of those. Tested by fullest_listing_test.lua:
--
--   pgwinnow hooks test plans/rules
local prefer = require "prefer"
local similar = require "similar"

local asked_for = { "title", "price", "phone", "description" }

local function first(survivor, losers, column)
  if survivor[column] ~= nil then return survivor[column] end
  for _, row in ipairs(losers) do
    if row[column] ~= nil then return row[column] end
  end
end

return {
  keep = function(rows)
    -- Different titles under one id are a mistake of the source's, not copies: a person should look at those.
    for i = 2, #rows do
      if similar.similarity(rows[1].title, rows[i].title) < 0.3 then return nil end
    end
    return prefer.by(rows, {
      function(row) return row.status == "active" end,
      { most_complete = asked_for },
      { newest = "scraped_at" },
    })
  end,

  merge = function(survivor, losers)
    local visits = survivor.visits or 0
    for _, row in ipairs(losers) do visits = visits + (row.visits or 0) end
    return { visits = visits, phone = first(survivor, losers, "phone") }
  end,
}
