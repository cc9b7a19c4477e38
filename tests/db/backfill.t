#!/bin/bash
# The backfill step: both forms, kills, what the application does meanwhile, and the shape of its batches.
. "$(dirname "$0")/lib.sh"
new_database

backfill() { # OPTIONS [TABLE]
    printf 'plan: fill\ntable: %s\nbatch: { size: 100, min: 50, pause: 0ms }\nsteps:\n  - backfill:\n%s\n' "${2:-l}" "$1" | plan
    pgw run --fresh plan.yaml
}
left() { sql "SELECT count(*) FROM pg_class WHERE relname ~ ('^backfill_' || (SELECT max(run) FROM pgwinnow.runs) || '_')"; }

sql "CREATE TABLE l (id int PRIMARY KEY, title text, n numeric(6,2), doc jsonb);
     INSERT INTO l SELECT i, 'title ' || i, i, jsonb_build_object('a', i) FROM generate_series(1, 2000) i;
     CREATE TYPE mood AS ENUM ('sad', 'happy');
     CREATE TABLE posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, l bigint REFERENCES l ON DELETE CASCADE, body varchar(100),
         mood mood NOT NULL DEFAULT 'sad', price numeric(8,1), doc jsonb, raw json, double numeric GENERATED ALWAYS AS (price * 2) STORED, note text);
     CREATE INDEX ON posts (l);
     INSERT INTO posts (l, body) SELECT i, 'old' FROM generate_series(1, 2000, 2) i"

# --- into

missing='      into: posts
      select: |
        SELECT l.id AS l, '"'new '"' || title AS body, '"'happy'"' AS mood, n / 3 AS price, doc, '"'{\"x\": 1}'"' AS raw, NULL AS note -- a comment
          FROM l WHERE NOT EXISTS (SELECT FROM posts p WHERE p.l = l.id)'
backfill "$missing"
is "$code" 0 'rows that are missing are inserted'
is_sql "SELECT count(*), count(DISTINCT l), count(*) FILTER (WHERE mood = 'happy' AND body LIKE 'new title %' AND double IS NOT NULL AND doc IS NOT NULL AND raw IS NOT NULL) FROM posts" '2000|2000|1000' 'each once, in the types of their columns'
is_sql "SELECT rows, spared, state, batches > 3 FROM pgwinnow.steps ORDER BY run DESC LIMIT 1" '1000|0|done|t' 'in batches, counted'
is "$(left)" 0 'the work table is gone'
is_sql 'SELECT count(*) FROM pgwinnow.objects' 0 'and its record'
backfill "$missing"
is "$code" 0 'a second run'
is_sql 'SELECT count(*) FROM posts' 2000 'finds nothing missing'

# Killed again and again: in the end each row once.
sql "DELETE FROM posts WHERE mood = 'happy'"
printf 'plan: fill\ntable: l\nbatch: { size: 50, min: 50, max: 50, pause: 40ms }\nsteps:\n  - backfill:\n%s\n' "$missing" | plan
for i in 2 3 4 5; do
    pgw_start run plan.yaml
    sleep "0.$i"
    kill -9 "$pid" 2>/dev/null
    pgw_end 2>/dev/null
done
pgw run plan.yaml
is "$code" 0 'after kills the last run ends well'
is_sql "SELECT count(*), count(DISTINCT l) FROM posts" '2000|2000' 'each row once'
is "$(left)" 0 'and the work table is gone'

# The application inserts some of them while the step runs: not doubled. There is no unique index that would see to it.
sql "DELETE FROM posts WHERE mood = 'happy'"
pgw_start run --fresh plan.yaml
eventually "SELECT count(*) > 0 FROM posts WHERE mood = 'happy'" t
sql "INSERT INTO posts (l, body) SELECT id, 'mine' FROM l WHERE id > 1900 AND NOT EXISTS (SELECT FROM posts p WHERE p.l = l.id)"
sql "DELETE FROM l WHERE id > 1980"
pgw_end
is "$code" 0 'with an application that writes meanwhile'
is_sql "SELECT count(*) = 1980, count(DISTINCT l) = 1980, count(*) FILTER (WHERE body = 'mine') > 10 FROM posts" 't|t|t' 'no row is doubled, none is orphaned'
is_sql "SELECT rows + spared, spared > 10 FROM pgwinnow.steps ORDER BY run DESC LIMIT 1" '1000|t' 'what is no longer missing is counted'

# Values that change on their way into the column are found again: numeric(8,1) rounds, NULL equals NULL here.
sql "CREATE TABLE sums (k text COLLATE \"C\", v numeric(5,1), u uuid, PRIMARY KEY (k))"
backfill '      into: sums
      select: SELECT CASE WHEN id % 2 = 0 THEN title ELSE title END AS k, n / 7 AS v, NULL AS u FROM l WHERE NOT EXISTS (SELECT FROM sums s WHERE s.k = l.title)'
is "$code" 0 'rounded values, NULLs, another collation, an expression that no index finds'
is_sql 'SELECT count(*), sum(v) = (SELECT sum((n / 7)::numeric(5,1)) FROM l) FROM sums' '1980|t' 'all are there'

# Columns that are another each time they are computed: rows are found again by the others.
sql "CREATE TABLE stamps (l int, at timestamptz NOT NULL, u uuid, r float8, day date, kind text)"
stamps() { backfill "      into: stamps
      select: SELECT $1 FROM l, (VALUES ('a'), ('b')) v(k) WHERE l.id <= 100 AND l.id < extract(epoch FROM now()) AND NOT EXISTS (SELECT FROM stamps s WHERE s.l = l.id AND s.kind = k)"; }
stamps 'l.id AS l, now() AS at, gen_random_uuid() AS u, random() AS r, CURRENT_DATE AS day, k AS kind'
is "$code" 0 'now(), random() and their kind'
is_sql 'SELECT count(*), count(DISTINCT (l, kind)), count(DISTINCT u) FROM stamps' '200|200|200' 'do not keep rows from being found again'
sql 'TRUNCATE stamps'
backfill '      into: stamps
      select: WITH x AS MATERIALIZED (SELECT l.id AS l, now() AS at FROM l) SELECT x.l, x.at FROM x WHERE NOT EXISTS (SELECT FROM stamps s WHERE s.l = x.l)'
is "$code" 2 'a WITH that hides which column is which: refused'
like "$all" 'another each time' 'and says why'
backfill '      into: stamps
      select: WITH x AS MATERIALIZED (SELECT l.id AS l FROM l WHERE id < 1000) SELECT x.l, now() AS at FROM x WHERE NOT EXISTS (SELECT FROM stamps s WHERE s.l = x.l)'
is "$code" 0 'one that does not: taken'
is_sql 'SELECT count(*), count(DISTINCT l) FROM stamps' '999|999' 'and done'
backfill '      into: stamps
      select: SELECT now() AS at'
is "$code" 2 'a row of nothing else: refused'

# What a sql step makes is known to the steps behind it.
printf 'plan: fill\ntable: l\nsteps:\n  - sql: { run: "ALTER TABLE l ADD COLUMN shout text" }\n  - backfill: { set: { shout: "upper(title)" }, where: shout IS NULL }\n  - index: { name: l_shout, unique: [shout], where: shout IS NOT NULL }\n  - sql: { as: more, run: "CREATE TABLE made (k int PRIMARY KEY, s text)" }\n  - backfill: { as: filled, into: made, select: "SELECT id AS k, shout AS s FROM l WHERE NOT EXISTS (SELECT FROM made WHERE k = id)" }\n  - index: { as: made, table: made, name: made_s, columns: [s] }\n  - vacuum: { tables: [made] }\n' | plan
pgw explain plan.yaml
is "$code" 0 'a plan that makes what it uses can be explained'
pgw run --fresh plan.yaml
is "$code" 0 'and runs'
is_sql "SELECT count(*), bool_and(s = upper(title)) FROM l JOIN made ON k = id" '1980|t' 'all of it'
sql 'ALTER TABLE l DROP shout; DROP TABLE made'
printf 'plan: fill\ntable: l\nsteps:\n  - sql: { run: "ALTER TABLE l ADD COLUMN shout text" }\n  - backfill: { set: { shuot: "upper(title)" } }\n' | plan
pgw run --fresh plan.yaml
is "$code" 2 'a name that nobody makes is refused when its step comes'
like "$all" 'did you mean shout' 'with its place'

# on_conflict
sql "CREATE TABLE u (k int PRIMARY KEY, v int); INSERT INTO u VALUES (5, 0)"
backfill '      into: u
      select: SELECT i AS k, i AS v FROM generate_series(1, 10) i'
is "$code" 0 'a conflict is left alone'
is_sql 'SELECT count(*), (SELECT v FROM u WHERE k = 5) FROM u' '10|0' 'and the row that was there stays'
sql 'DELETE FROM u WHERE k <> 5'
backfill '      into: u
      on_conflict: error
      select: SELECT i AS k, i AS v FROM generate_series(1, 10) i'
is "$code" 1 'on_conflict: error stops the run'
like "$all" 'u_pkey' 'and says on what'

# --- set

sql "CREATE TABLE \"Tä ble\" (a int, b text, \"Größe\" int, c int GENERATED ALWAYS AS (a * 2) STORED, done boolean, PRIMARY KEY (a, b));
     INSERT INTO \"Tä ble\" SELECT i, 'b' || i, i FROM generate_series(1, 3000) i"
backfill '      set: { Done: "\"Größe\" % 2 = 0 -- even
", "\"Größe\"": "\"Tä ble\".\"Größe\" + a" }
      where: a <= 2500' '"\"Tä ble\""'
is "$code" 2 'a comment that YAML would join is refused'
backfill '      set: { Done: "\"Größe\" % 2 = 0", "\"Größe\"": "\"Tä ble\".\"Größe\" + a" }
      where: a <= 2500 AND done IS NULL' '"\"Tä ble\""'
is "$code" 0 'columns are updated'
is_sql "SELECT count(*) FILTER (WHERE done), count(*) FILTER (WHERE NOT done), count(*) FILTER (WHERE done IS NULL AND \"Größe\" = a), bool_and(\"Größe\" = 2 * a) FILTER (WHERE a <= 2500) FROM \"Tä ble\"" '1250|1250|500|t' 'where the condition holds, and nowhere else'
is "$(left)" 0 'the work table is gone'

# A row that somebody holds for longer than all tries of its batch: the others go on, it comes later.
sql 'UPDATE "Tä ble" SET done = NULL'
psql -XAtq <<<"BEGIN; SELECT FROM \"Tä ble\" WHERE a = 7 FOR UPDATE; SELECT pg_sleep(3)" >/dev/null &
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(3)%' AND pid <> pg_backend_pid()" 1
printf 'plan: fill\ntable: %s\nbatch: { size: 100, min: 50, pause: 0ms }\nlocks: { lock_timeout: 20ms, retries: 6 }\nsteps:\n  - backfill: { set: { done: "true" } }\n' '"\"Tä ble\""' | plan
pgw run --fresh plan.yaml
is "$code" 0 'a row that somebody holds for a while'
is_sql 'SELECT count(*) FROM "Tä ble" WHERE done' 3000 'is changed later'
wait

# --- what is wrong with the plan

wrong() { # NAME OPTIONS REGEX [TABLE]
    backfill "$2" "$4"
    is "$code" 2 "$1: refused"
    like "$all" "$3" "$1: it says why"
}
wrong 'an unknown column' '      into: posts
      select: SELECT id AS ll FROM l' 'posts has no column ll'
wrong 'a column without a name' '      into: posts
      select: SELECT id + 1 FROM l' 'name it by AS|did you mean'
wrong 'a column twice' '      into: posts
      select: SELECT id AS l, id AS l FROM l' 'given twice'
wrong 'an identity' '      into: posts
      select: SELECT id FROM l' 'GENERATED ALWAYS AS IDENTITY'
wrong 'a generated column' '      into: posts
      select: SELECT id AS l, n AS double FROM l' 'is generated'
wrong 'a value of the wrong type' '      into: posts
      select: SELECT title AS l FROM l' 'type'
wrong 'a SELECT that is wrong' '      into: posts
      select: SELECT nope AS l FROM l' 'nope'
wrong 'an unknown column to set' '      set: { titel: "1" }' 'did you mean title'
wrong 'a generated column to set' '      table: posts
      set: { double: "1" }' 'is generated'
wrong 'a value of the wrong type to set' '      set: { n: "title" }' 'type'
wrong 'a condition that is wrong' '      set: { n: "1" }
      where: title' 'boolean'
wrong 'two forms' '      set: { n: "1" }
      into: l
      select: SELECT 1 AS id' 'not both'
sql 'CREATE TABLE keyless (a int)'
wrong 'no key' '      set: { a: "1" }' 'has no key' keyless

# --- the shape: no batch reads a whole table, on tables that matter

sql "CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT i, 'v' || i FROM generate_series(1, 200000) i;
     CREATE TABLE kids (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, big int REFERENCES big, v text); CREATE INDEX ON kids (big)"
sql 'ANALYZE'
before=$(sql "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('big', 'kids')")
printf 'plan: fill\ntable: big\nsteps:\n  - backfill:\n      into: kids\n      select: SELECT b.id AS big, v FROM big b WHERE NOT EXISTS (SELECT FROM kids k WHERE k.big = b.id)\n' | plan
pgw run --fresh plan.yaml
is "$code" 0 'two hundred thousand rows'
is_sql 'SELECT count(*), count(DISTINCT big) FROM kids' '200000|200000' 'are inserted'
eventually "SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname = 'kids'" 200000
is "$(sql "SELECT sum(seq_tup_read) - $before <= 400000 FROM pg_stat_user_tables WHERE relname IN ('big', 'kids')")" t 'each table is read once, when the work table is made'
# Where rows cannot be found one by one, the SELECT is computed once a batch and not once a row.
sql "CREATE TABLE src (v text); CREATE TABLE dst (k text); INSERT INTO src SELECT 'V' || i FROM generate_series(1, 5000) i; ANALYZE src"
printf 'plan: fill\ntable: l\nsteps:\n  - backfill:\n      into: dst\n      select: SELECT lower(v) AS k FROM src WHERE NOT EXISTS (SELECT FROM dst WHERE k = lower(v))\n' | plan
pgw run --fresh plan.yaml
is "$code" 0 'rows that no index finds'
is_sql 'SELECT count(*), count(DISTINCT k) FROM dst' '5000|5000' 'are inserted'
eventually "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'dst'" 5000
is "$(sql "SELECT sum(seq_tup_read) BETWEEN 10000 AND 100000 FROM pg_stat_user_tables WHERE relname IN ('src', 'dst')")" t 'each table is read a few times, not once a row'
done_testing
