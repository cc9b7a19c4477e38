-- prefer: which row of a group stays. Each function takes the rows and returns the index of the best one: the first of
-- those that are equally good (rows come in the order of their keys). NULL never wins against a value.
local prefer = {}
local fail = pgwinnow.fail

-- ---- comparing: a parser makes something comparable of a value, `less` compares two of these ----

local function decimal(text, column)
  if text == "NaN" then return { class = 3 } end
  if text == "Infinity" then return { class = 2 } end
  if text == "-Infinity" then return { class = -2 } end
  local sign, whole, fraction = text:match("^(-?)(%d+)%.?(%d*)$")
  if not sign then fail("the column '" .. column .. "' holds '" .. text .. "', which is no number") end
  whole, fraction = whole:gsub("^0+", ""), fraction:gsub("0+$", "")
  local zero = whole == "" and fraction == ""
  return { class = zero and 0 or sign == "-" and -1 or 1, whole = whole, fraction = fraction }
end

-- Digits of the same sign: the longer whole number is the larger, else the texts decide.
local function smaller(a, b)
  if #a.whole ~= #b.whole then return #a.whole < #b.whole end
  if a.whole ~= b.whole then return a.whole < b.whole end
  return a.fraction < b.fraction
end

local function decimal_less(a, b)
  if a.class ~= b.class then return a.class < b.class end
  if a.class == 1 then return smaller(a, b) end
  return a.class == -1 and smaller(b, a)
end

-- As the server orders them: NaN is the largest.
local function number_less(a, b)
  if a ~= a then return false end
  return b ~= b or a < b
end

-- Days since 1970-01-01 in the Gregorian calendar; year 0 is 1 BC.
local function days(year, month, day)
  if month <= 2 then year = year - 1 end
  local era = year // 400
  local year_of_era = year - era * 400
  local day_of_year = (153 * (month + (month > 2 and -3 or 9)) + 2) // 5 + day - 1
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
end

local function seconds(hours, minutes, rest)
  return tonumber(hours) * 3600 + tonumber(minutes ~= "" and minutes or 0) * 60 + tonumber(rest ~= "" and rest or 0)
end

-- A date or timestamp in ISO form, with or without a time, an offset, BC.
local function moment(text, column)
  if text == "infinity" then return { day = math.huge, second = 0 } end
  if text == "-infinity" then return { day = -math.huge, second = 0 } end
  local function no() fail("the column '" .. column .. "' holds '" .. text .. "', which is no date or timestamp") end
  local year, month, day, rest = text:match("^(%d%d%d%d+)%-(%d%d)%-(%d%d)(.*)$")
  if not year then no() end
  local time, offset, before = rest:match("^ ?([%d:.]*)([-+]?[%d:]*)( ?B?C?)$")
  if not time then no() end
  local second = 0
  if time ~= "" then
    local h, m, s = time:match("^(%d%d):(%d%d):?([%d.]*)$")
    if not h then no() end
    second = seconds(h, m, s)
  end
  if offset ~= "" then
    local sign, h, m, s = offset:match("^([-+])(%d%d):?(%d*):?(%d*)$")
    if not sign then no() end
    second = second + (sign == "+" and -1 or 1) * seconds(h, m, s)
  end
  year = math.tointeger(tonumber(year))
  if before:find("BC") then year = 1 - year end
  local carry = second // 86400
  return { day = days(year, tonumber(month), tonumber(day)) + carry, second = second - carry * 86400 }
end

-- Years of four digits, and all in the same zone: these texts sort as what they mean.
local function sort_as_text(rows, from, column)
  local zone
  for _, i in ipairs(from) do
    local value = rows[i][column]
    if value ~= nil then
      local own = type(value) == "string" and value:match("^%d%d%d%d%-%d%d%-%d%d[%d:. ]*([-+]?[%d:]*)$")
      if not own or (zone and own ~= zone) then return false end
      zone = own
    end
  end
  return true
end

local function moment_less(a, b)
  if a.day ~= b.day then return a.day < b.day end
  return a.second < b.second
end

local function same(value) return value end

local function boolean_less(a, b) return not a and b end

-- How a column's values are parsed and compared: by their type, texts by `of_text`.
local function way(value, of_text, text_less)
  local kind = type(value)
  if kind == "number" then return same, number_less end
  if kind == "boolean" then return same, boolean_less end
  return of_text, text_less
end

-- ---- choosing among the indexes in `from`: those that are best ----

local function best(from, score, better)
  local found, top = {}, nil
  for _, i in ipairs(from) do
    local value = score(i)
    if value ~= nil then
      if top == nil or better(value, top) then
        found, top = { i }, value
      elseif not better(top, value) then
        found[#found + 1] = i
      end
    end
  end
  return #found > 0 and found or from
end

local function more(a, b) return a > b end

local function less_text(a, b) return a < b end

local function by_column(rows, from, column, of_text, text_less, largest)
  if type(column) ~= "string" then fail("which column? A name is wanted, not a " .. type(column)) end
  local parse, less
  if of_text == moment and sort_as_text(rows, from, column) then parse, less = same, less_text end
  return best(from, function(i)
    local value = rows[i][column]
    if value == nil then return nil end
    if not parse then parse, less = way(value, of_text, text_less) end
    return parse(value, column)
  end, function(a, b)
    if largest then return less(b, a) end
    return less(a, b)
  end)
end

local function length(value, column)
  if type(value) ~= "string" then fail("the column '" .. column .. "' is no text, so it has no length") end
  return utf8.len(value) or #value
end

local function count_filled(row, columns)
  if type(columns) ~= "table" then return pgwinnow.filled(row) end
  local count = 0
  for _, column in ipairs(columns) do
    if row[column] ~= nil then count = count + 1 end
  end
  return count
end

local function count_children(row, edge)
  local children = rawget(row, "children")
  if not children then fail("child counts are not known: the rule file returns children = { \"table.column\" } too") end
  if type(edge) == "string" then
    return children[edge] or fail("the rule file does not list '" .. edge .. "' under children")
  end
  local count = 0
  for _, n in pairs(children) do count = count + n end
  return count
end

local choosers = {
  newest = function(rows, from, column) return by_column(rows, from, column, moment, moment_less, true) end,
  oldest = function(rows, from, column) return by_column(rows, from, column, moment, moment_less, false) end,
  highest = function(rows, from, column) return by_column(rows, from, column, decimal, decimal_less, true) end,
  lowest = function(rows, from, column) return by_column(rows, from, column, decimal, decimal_less, false) end,
  longest = function(rows, from, column)
    return best(from, function(i)
      local value = rows[i][column]
      if value == nil then return nil end
      return length(value, column)
    end, more)
  end,
  most_complete = function(rows, from, columns)
    return best(from, function(i) return count_filled(rows[i], columns) end, more)
  end,
  most_children = function(rows, from, edge)
    return best(from, function(i) return count_children(rows[i], edge) end, more)
  end,
}

local function all(rows)
  local from = {}
  for i = 1, #rows do from[i] = i end
  return from
end

for name, choose in pairs(choosers) do
  prefer[name] = function(rows, argument) return choose(rows, all(rows), argument)[1] end
end

-- ---- a ranking: each wish narrows what the ones before it left ----

local function holding(rows, from, condition)
  local found = {}
  for _, i in ipairs(from) do
    if condition(rows[i]) then found[#found + 1] = i end
  end
  return #found > 0 and found or from
end

local function narrow(rows, from, wish)
  if type(wish) == "function" then return holding(rows, from, wish) end
  if type(wish) == "string" then return holding(rows, from, function(row) return row[wish] ~= nil end) end
  if type(wish) ~= "table" then
    fail("a wish is a function, a column, or a table like { newest = \"seen_at\" }, not a " .. type(wish))
  end
  for name, argument in pairs(wish) do
    local choose = choosers[name] or fail("there is no wish '" .. tostring(name) .. "'")
    from = choose(rows, from, argument)
  end
  return from
end

-- A function: rows for which it is true; a column's name: rows that have a value there; { newest = column } and so on.
function prefer.by(rows, wishes)
  local from = all(rows)
  for _, wish in ipairs(wishes) do
    if #from == 1 then break end
    from = narrow(rows, from, wish)
  end
  return from[1]
end

return prefer
