#!/bin/bash
# Keep by a rule in Lua, against a server: what the rule sees of each type, its answers, its failures, rows that changed since
# they were judged, a runner that is killed meanwhile. The expected survivors are named by hand.
. "$(dirname "$0")/lib.sh"
new_database lua
export NO_COLOR=1

rule() { cat >"$work/rule.lua"; }

# track_by TABLE CODE NAME ['more track options' ['steps between']]: $track
track_by() {
    printf 'plan: lua-%s\ntable: %s\nsteps:\n%s\n  - track: { duplicates: [g], keep: { lua: %s }%s }\n  - delete-children\n  - delete\n' \
        "$((tests + 1))" "$1" "${5:-  - discover}" "${limits:-rule.lua}" "${4:+, $4}" >"$work/plan.yaml"
    pgw run plan.yaml --until track
    is "$code" "$2" "$3" || diag "$all"
    track=pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs')
}
nothing_left() {
    is_sql "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace AND relkind = 'r'
              AND (relname LIKE 'judged%' OR relname = substring('$track' FROM 'track_.*'))" "${1:-}" 'no table of what it said is left'
}

# --- values

sql "CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN age AS int; CREATE DOMAIN label AS text; CREATE DOMAIN older AS age;
     CREATE TABLE \"Types\" (id int PRIMARY KEY, g int, i2 smallint, i8 bigint, low bigint, f4 real, f8 float8, nan float8, inf float8, yes boolean, no boolean,
         n numeric, money numeric(10,2), t text, odd text, backslash text, empty text, c char(3), b bytea, d date, ts timestamptz, iv interval, j jsonb, a int[], u uuid,
         m mood, dom age, dom2 older, domt label, r int4range, nothing int, \"Größe x\" int, gen int GENERATED ALWAYS AS (g + 1) STORED, o oid);
     INSERT INTO \"Types\" (id, g, i2, i8, low, f4, f8, nan, inf, yes, no, n, money, t, odd, backslash, empty, c, b, d, ts, iv, j, a, u, m, dom, dom2, domt, r, nothing, \"Größe x\", o) SELECT n, 7, -32768, 9223372036854775807, -9223372036854775808, 0.1, 1e300, 'NaN', '-Infinity', true, false,
         12345678901234567890.1230, 1.5, 'plain', E'a\tb\nc\\\\d\r\x0b\f\b\\\\N.\\\\t', E'\\\\N', '', 'x', '\x00ff5c', '2024-02-29', '2024-01-02 03:04:05.678+00', '1 day 02:00', '{\"k\": [1, \"\\\\n\"]}',
         '{1,NULL,3}', '00000000-0000-0000-0000-00000000000a', 'it''s ok', 42, 43, 'tag', '[1,5)', NULL, 99, 3000000000 FROM generate_series(1, 3) n"
rule <<'LUA'
local expected = {
  id = 1, g = 7, i2 = -32768, i8 = math.maxinteger, low = math.mininteger, f4 = tonumber("0.1"), f8 = 1e300, inf = -math.huge, yes = true, no = false,
  n = "12345678901234567890.1230", money = "1.50", t = "plain", odd = "a\tb\nc\\d\r\v\f\b\\N.\\t", backslash = "\\N", empty = "", c = "x  ", b = "\\x00ff5c",
  d = "2024-02-29", ts = "2024-01-02 03:04:05.678+00", iv = "1 day 02:00:00", j = '{"k": [1, "\\\\n"]}', a = "{1,NULL,3}",
  u = "00000000-0000-0000-0000-00000000000a", m = "it's ok", dom = 42, dom2 = 43, domt = "tag", r = "[1,5)", ["Größe x"] = 99, gen = 8, o = "3000000000",
}
return {
  keep = function(rows)
    if #rows ~= 3 then error("rows: " .. #rows) end
    local seen = 0
    for name, value in pairs(rows[1]) do
      seen = seen + 1
      local other = expected[name]
      if name ~= "nan" and (other == nil or other ~= value or math.type(other) ~= math.type(value)) then
        error(name .. " is " .. tostring(value) .. " (" .. (math.type(value) or type(value)) .. ")")
      end
    end
    if seen ~= 33 then error("columns: " .. seen) end
    if rows[1].nan == rows[1].nan then error("NaN") end
    if rows[1].nothing ~= nil then error("NULL") end
    for i = 1, 3 do if rows[i].id ~= i then error("order") end end
    return 2
  end,
}
LUA
PGTZ=America/New_York track_by '"\"Types\""' 75 'values of all types arrive as they should'
is_sql "SELECT string_agg(id || '>' || survivor_id, ' ' ORDER BY seq) FROM $track" '1>2 3>2' 'the row it names stays'
nothing_left "${track#*.}"
pgw run plan.yaml
is "$code" 0 'and the others go' || diag "$all"
is_sql 'SELECT string_agg(id::text, $$ $$) FROM "Types"' 2 'of all three'

# --- answers

load() {
    sql "DROP TABLE IF EXISTS rows CASCADE; CREATE TABLE rows (id int PRIMARY KEY, g text, n int, note text);
         INSERT INTO rows SELECT n, 'g' || n % 5, n * 7 % 11, CASE WHEN n % 3 > 0 THEN repeat('x', n) END FROM generate_series(1, 20) n; INSERT INTO rows VALUES (30, 'alone', 1), (31, NULL, 1), (32, NULL, 2)" 2>/dev/null
}
load
rule <<'LUA'
return { keep = function(rows)
  if rows[1].g == "g3" then return nil end
  local best = 1
  for i = 2, #rows do if rows[i].n > rows[best].n then best = i end end
  return best
end }
LUA
track_by rows 75 'the largest stays; nil leaves a group alone'
is_sql "SELECT count(*), count(*) FILTER (WHERE g = 'g3'), count(*) FILTER (WHERE survivor_id <> (SELECT o.id FROM rows o WHERE o.g = r.g ORDER BY n DESC, id LIMIT 1))
          FROM $track JOIN rows r USING (id)" '12|0|0' 'of the other groups all but the largest go; NULLs and rows that are alone are not asked about'
track_by rows 75 'nulls: equal' 'nulls: equal, where: id > 5'
is_sql "SELECT string_agg(id || '>' || survivor_id, ' ') FROM $track WHERE id > 30" '31>32' 'NULLs form a group'
is_sql "SELECT count(*) FROM $track WHERE id <= 5 OR survivor_id <= 5" 0 'other rows are not asked about'
load
rule <<'LUA'
return { keep = function() return 1 end }
LUA
track_by rows 75 'explain' 'expect: { groups: 5, rows: 15 }'
pgw explain plan.yaml
like "$all" '15 of 23 rows would go.*in 5 groups' 'explain counts what would go'
like "$all" 'COPY \(' 'and shows how groups are read'
track_by rows 3 'expect holds' 'expect: { rows: 14 }'
nothing_left

# --- moments: in the night when New York's clocks go back its own texts sort the wrong way round

sql "CREATE TABLE moments (at timestamptz PRIMARY KEY, g date);
     INSERT INTO moments VALUES ('2020-11-01 05:40+00', '2020-11-01'), ('2020-11-01 06:10:00.5+00', '2020-11-01'), ('0044-03-15 12:00+00 BC', '2020-11-02'),
       ('infinity', '2020-11-02'), ('-infinity', '2020-11-02'), ('0001-01-01 00:00+00', '2020-11-02'), ('0001-12-31 23:59:59+00 BC', '2020-11-02')"
rule <<'LUA'
local expected = { "-infinity", "0044-03-15 12:00:00+00 BC", "0001-12-31 23:59:59+00 BC", "0001-01-01 00:00:00+00", "infinity" }
return {
  keep = function(rows)
    if #rows == 2 then return rows[1].at > rows[2].at and 1 or 2 end
    for i, text in ipairs(expected) do if rows[i].at ~= text then error(rows[i].at .. " is not " .. text) end end
    return 3
  end,
}
LUA
for zone in America/New_York Asia/Kolkata; do
    PGTZ=$zone track_by moments 75 "moments are told in UTC to a role in $zone"
    is "$(PGTZ=UTC sql "SELECT string_agg(at || '>' || survivor_at, ', ' ORDER BY at) FROM $track")" \
        '-infinity>0001-12-31 23:59:59+00 BC, 0044-03-15 12:00:00+00 BC>0001-12-31 23:59:59+00 BC, 0001-01-01 00:00:00+00>0001-12-31 23:59:59+00 BC, 2020-11-01 05:40:00+00>2020-11-01 06:10:00.5+00, infinity>0001-12-31 23:59:59+00 BC' \
        'and come back as the moments they are'
done

# --- failures: exit code 6, and nothing is written

fails() { # NAME 'what it says'...
    local name=$1 said
    shift
    track_by rows 6 "$name: exit code 6"
    for said in "$@"; do like "$err" "$said" "$name: it says $said"; done
    nothing_left
    is_sql 'SELECT count(*) FROM rows' 23 "$name: nothing is removed"
}
rule <<'LUA'
return {
  keep = function(rows)
    if rows[1].g == "g3" then
      return rows[1].missing.field
    end
    return 1
  end,
}
LUA
fails 'an error in the rule' 'rule\.lua:4' 'g = g3' 'missing'
rule <<'LUA'
return { keep = function(rows) return #rows + 1 end }
LUA
fails 'a row that is not there' 'rule\.lua' 'g = g0'
rule <<'LUA'
return { keep = function(rows) return "first" end }
LUA
fails 'an answer that is no number' 'rule\.lua' 'g = g0'
rule <<'LUA'
return { keep = function(rows) while true do end end }
LUA
limits='{ file: rule.lua, time: 200ms }' fails 'a rule without end' 'rule\.lua:1' 'g = g0' 'time'
rule <<'LUA'
return { keep = function(rows) return 1 end }
LUA
limits='{ file: rule.lua, rows: 3 }' fails 'a group over the limit' 'g = g0 has 4 rows' 'more than the 3' 'rows'
limits='{ file: rule.lua, rows: 4 }' track_by rows 75 'a group at the limit'
sql "UPDATE rows SET note = repeat('y', 3000000) WHERE id = 5"
limits='{ file: rule.lua, memory: 2MB }' fails 'a group over the memory' 'g = g0' 'memory'
limits='{ file: rule.lua, memory: 64MB }' track_by rows 75 'and with enough of it'
rule <<'LUA'
return { keep = function(rows) return 1 end
LUA
track_by rows 6 'a rule file that is no Lua'
like "$err" 'rule\.lua:' 'with its line'
rule <<'LUA'
return { merge = function() return {} end }
LUA
track_by rows 2 'a rule file without keep'
like "$err" 'plan\.yaml:5:[0-9]+.*no function keep' 'with its place in the plan'
rule <<'LUA'
return { children = { "letters.row" }, keep = function(rows) return 1 end }
LUA
track_by rows 2 'children that are not there'
like "$err" 'letters\.row' 'are named'
limits=missing.lua track_by rows 2 'a rule file that is not there'
rule <<'LUA'
return { keep = function(rows) return 1 end }
LUA
track_by rows 1 'a condition that fails while the groups are read' "where: '1 / (id - 14) < 5'"
like "$err" 'reading groups of public.rows: division by zero' 'is told'
nothing_left

# --- the number of children, keys of two columns, partitions, names

sql "CREATE TABLE \"Par t\" (d int, \"K k\" text, g text, PRIMARY KEY (\"K k\", d)) PARTITION BY RANGE (d);
     CREATE TABLE par_2 PARTITION OF \"Par t\" FOR VALUES FROM (10) TO (20); CREATE TABLE par_1 PARTITION OF \"Par t\" FOR VALUES FROM (0) TO (10);
     INSERT INTO \"Par t\" SELECT n, 'k'' ' || n, 'g' || n % 4 FROM generate_series(1, 19) n;
     CREATE TABLE posts (id int PRIMARY KEY, k text, d int, FOREIGN KEY (k, d) REFERENCES \"Par t\" (\"K k\", d)); CREATE INDEX ON posts (k, d);
     INSERT INTO posts SELECT 10 * n + m, 'k'' ' || n, n FROM generate_series(1, 19) n, generate_series(1, n * 5 % 7) m"
rule <<'LUA'
return { children = { "posts(k, d)" }, keep = function(rows)
  local best = 1
  for i = 2, #rows do if rows[i].children["posts(k, d)"] > rows[best].children["posts(k, d)"] then best = i end end
  return best
end }
LUA
track_by '"\"Par t\""' 75 'the number of children decides' '' '  - discover: { children: { "posts(k, d)": delete } }'
is_sql "SELECT count(*), count(*) FILTER (WHERE survivor_d <> (SELECT o.d FROM \"Par t\" o WHERE o.g = r.g ORDER BY (SELECT count(*) FROM posts p WHERE p.d = o.d) DESC, \"K k\", d LIMIT 1))
          FROM $track t JOIN \"Par t\" r USING (\"K k\", d)" '15|0' 'as a count in SQL has it'
pgw run plan.yaml
is "$code" 0 'they go' || diag "$all"
is_sql 'SELECT count(*), count(DISTINCT g) FROM "Par t"' '4|4' 'one of each group stays'

# --- rows that changed since they were judged

load
rule <<'LUA'
return { keep = function(rows) return 1 end }
LUA
track_by rows 75 'judged'
sql "UPDATE rows SET note = 'new' WHERE id IN (6, 2); UPDATE rows SET g = 'gone' WHERE id = 3; DELETE FROM rows WHERE id = 4; INSERT INTO rows VALUES (40, 'g0', 1)"
pgw run plan.yaml
is "$code" 0 'changed meanwhile: the run ends well' || diag "$all"
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM rows WHERE g <> 'alone'" '1 2 3 5 6 7 8 9 12 13 14 17 18 19 40' 'what changed, or whose survivor did, stays'
is_sql "SELECT string_agg(id || ': ' || outcome, ', ' ORDER BY id) FROM $track WHERE id IN (6, 7, 8, 9)" \
    '6: it was changed after it was judged, 7: its survivor was changed after it was judged, 8: its survivor was changed after it was judged, 9: its survivor is gone' 'with the reason'

# --- killed while it asks; nobody waits for it

load
sql 'INSERT INTO rows SELECT 1000 + n, $$h$$ || n / 2, 1 FROM generate_series(1, 400) n'
rule <<'LUA'
return { keep = function(rows) for i = 1, 400000 do local x = i * i end return 1 end }
LUA
printf 'plan: slow\ntable: rows\nsteps:\n  - discover\n  - track: { duplicates: [g], keep: { lua: rule.lua } }\n  - delete\n' >"$work/plan.yaml"
pgw_start run plan.yaml
eventually "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY \"pgwinnow\".\"judged%'" t
sql "SET statement_timeout = '2s'; UPDATE rows SET n = 3 WHERE id = 1001; DELETE FROM rows WHERE id = 1002; ALTER TABLE rows SET (fillfactor = 90)"
is $? 0 'rows can be changed while the rule is asked'
sleep 0.3
kill -KILL "$pid"
pgw_end 2>/dev/null
is "$code" 137 'killed'
track=pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs')
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY %' AND pid <> pg_backend_pid()" 0
nothing_left
is_sql "SELECT state FROM pgwinnow.steps WHERE run = (SELECT max(run) FROM pgwinnow.runs) AND kind = 'track'" running 'track is not done'
rule <<'LUA'
return { keep = function(rows) return 1 end }
LUA
pgw run plan.yaml
like "$code $err" '^3 .*changed' 'a rule that changed is another plan'
rule <<'LUA'
return { keep = function(rows) for i = 1, 400000 do local x = i * i end return 1 end }
LUA
pgw run plan.yaml
is "$code" 0 'the next run asks again and ends well' || diag "$all"
is_sql "SELECT count(*) = count(DISTINCT g) FROM rows WHERE g IS NOT NULL" t 'one of each group stays'

# SIGTERM: what was read so far is given up at once, and the run goes on later.
load
sql 'INSERT INTO rows SELECT 1000 + n, $$h$$ || n / 2, 1 FROM generate_series(1, 2000) n'
sed -i 's/plan: slow/plan: slower/' "$work/plan.yaml"
pgw_start run plan.yaml
eventually "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY \"pgwinnow\".\"judged%'" t
sleep 0.3
began=$(date +%s%3N)
kill -TERM "$pid"
pgw_end
took=$(($(date +%s%3N) - began))
is "$code" 75 'stopped' || diag "$all"
ok $((took > 3000)) 'at once' || diag "$took ms"
done_testing
