-- similar: how alike two texts are. Characters are those of UTF-8; only the letters A to Z are folded, since case beyond
-- ASCII depends on the language: let SQL do that in the key (lower(name)) where it matters.
local similar = {}

-- Small letters, one space between words, none around them.
function similar.normalise(text)
  if text == nil then return nil end
  return (text:lower():gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function characters(text)
  local list = {}
  for character in text:gmatch("[\0-\x7F\xC2-\xFD][\x80-\xBF]*") do list[#list + 1] = character end
  return list
end

-- As pg_trgm makes them: of each word, with two spaces before it and one behind.
local function trigrams(text)
  local set, count = {}, 0
  for word in text:lower():gmatch("[%w\x80-\xFF]+") do
    local list = characters("  " .. word .. " ")
    for i = 1, #list - 2 do
      local three = list[i] .. list[i + 1] .. list[i + 2]
      if not set[three] then
        set[three] = true
        count = count + 1
      end
    end
  end
  return set, count
end

-- From 0 to 1: the trigrams that both have, of all that either has. 0 when one is NULL or has no words.
function similar.similarity(a, b)
  if a == nil or b == nil then return 0.0 end
  local left, left_count = trigrams(a)
  local right, right_count = trigrams(b)
  if left_count == 0 or right_count == 0 then return 0.0 end
  local both = 0
  for three in pairs(left) do
    if right[three] then both = both + 1 end
  end
  return both / (left_count + right_count - both)
end

-- Characters to insert, delete or replace to make one of the other (Levenshtein); nil when NULL, or more than `most`.
function similar.distance(a, b, most)
  if a == nil or b == nil then return nil end
  local left, right = characters(a), characters(b)
  most = most or math.max(#left, #right)
  if math.abs(#left - #right) > most then return nil end
  local row = {}
  for j = 0, #right do row[j] = j end
  for i = 1, #left do
    local corner, least = row[0], i
    row[0] = i
    for j = 1, #right do
      local cost = left[i] == right[j] and corner or 1 + math.min(corner, row[j], row[j - 1])
      corner, row[j] = row[j], cost
      if cost < least then least = cost end
    end
    if least > most then return nil end
  end
  return row[#right] <= most and row[#right] or nil
end

return similar
