#!/bin/bash
# Keys with survivors from a query: chains are followed, what cannot be followed is refused, and rows that changed since are
# spared. What must stay is worked out by hand, or by walking the pairs one by one in PL/pgSQL.
. "$(dirname "$0")/lib.sh"
new_database pairs
export NO_COLOR=1
number=0

# tracks NAME CODE 'query' ['more track options']: runs as far as the tracking table, $track
tracks() {
    number=$((number + 1))
    printf 'plan: pairs-%s\ntable: %s\nsteps:\n  - discover\n  - track:\n      query: "%s"\n%s  - delete\n' \
        $number "${table:-people}" "$3" "${4:+      $4$'\n'}" >"$work/plan.yaml"
    pgw run plan.yaml --until track
    is "$code" "$2" "$1" || diag "$all"
    track=pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs')
}

sql "CREATE TABLE people (id int PRIMARY KEY, name text, n int DEFAULT 0); INSERT INTO people SELECT n, 'p' || n FROM generate_series(1, 40) n;
     CREATE TABLE pairs (id int, survivor_id bigint); INSERT INTO pairs VALUES (1, 2), (2, 3), (3, 10), (4, 10), (4, 10), (5, 6), (10, 10), (90, 91), (91, 12), (92, 93)"

tracks 'pairs' 75 'SELECT id, survivor_id FROM pairs'
is_sql "SELECT string_agg(id || '>' || survivor_id, ' ' ORDER BY id) FROM $track" '1>10 2>10 3>10 4>10 5>6' \
    'chains are followed; a pair given twice, a row that is its own survivor and keys that are not there change nothing'
is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'pairs\_%'" 0 'the table of pairs is gone'
pgw run plan.yaml
is "$code" 0 'they go' || diag "$all"
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM people WHERE id <= 12" '6 7 8 9 10 11 12' 'and the survivors stay'
like "$(pgw explain plan.yaml; echo "$all")" 'follow_pairs' 'explain shows how chains are followed'

sql 'TRUNCATE pairs; INSERT INTO pairs VALUES (90, 91), (91, 12), (11, 90)'
tracks 'a chain through rows that are not there' 75 'SELECT id, survivor_id FROM pairs'
is_sql "SELECT string_agg(id || '>' || survivor_id, ' ' ORDER BY id) FROM $track" '11>12' 'is followed to the row that is'

# --- what is refused: exit code 3, and nothing is left

refused() { # NAME 'pairs' 'what the error says'...
    local name=$1
    sql "TRUNCATE pairs; INSERT INTO pairs VALUES $2"
    tracks "$name: refused" 3 'SELECT id, survivor_id FROM pairs'
    shift 2
    for said in "$@"; do like "$err" "$said" "$name: it says $said"; done
    is_sql "SELECT to_regclass('$track')" '' "$name: no tracking table is left"
}
refused 'two survivors' '(21, 22), (21, 23), (24, 25)' 'id = 21' 'id = 22.*id = 23'
refused 'no survivor' '(21, 22), (24, NULL)' 'no survivor for the row with id = 24'
refused 'a circle of two' '(21, 22), (22, 21), (25, 26)' 'circle' 'id = 21 -> id = 22 -> id = 21'
refused 'a circle of three with a tail' '(20, 21), (21, 22), (22, 23), (23, 21), (30, 31)' 'id = 21 -> id = 22 -> id = 23 -> id = 21'
refused 'a circle of five and long chains' "(21, 22), (22, 23), (23, 24), (24, 25), (25, 21); INSERT INTO pairs SELECT n, n + 1 FROM generate_series(100, 3000) n" \
    'circle' 'id = 25 -> id = 21'
refused 'a long circle' '(0, 0); INSERT INTO pairs SELECT n, n % 30 + 1 FROM generate_series(1, 30) n' 'id = 1 -> id = 2 -> .*-> id = 20 -> \.\.\.'
refused 'survivors that are not there' '(21, 22), (24, 99), (25, 98)' '2 rows' 'not in public.people' 'id = 24.*id = 99'
refused 'one survivor that is not there' '(21, 22), (24, 99)' "the survivor of 1 row in track's query is not in public.people"

# --- columns of the query

wrong() { # NAME 'query' 'what the error says' [more]
    printf 'plan: wrong\ntable: %s\nsteps:\n  - discover\n  - track: { query: "%s"%s }\n  - delete\n' "${table:-people}" "$2" "${4:-}" >"$work/plan.yaml"
    pgw run plan.yaml
    is "$code" 2 "$1: refused"
    like "$err" "plan.yaml:5:[0-9]+" "$1: with its place"
    like "$err" "$3" "$1: it says why"
}
wrong 'another column' 'SELECT id, survivor_id, 1 AS score FROM pairs' 'more columns than the key'
wrong 'a misspelt survivor' 'SELECT id, survivor FROM (SELECT 1 AS id, 2 AS survivor) x' 'survivor_ with each column'
wrong 'groups without survivors' 'SELECT id FROM pairs' 'gives survivors' ', expect: { groups: 3 }'

# --- keys of two columns, of other types, with odd names, in partitions

sql "CREATE TABLE \"Odd\" (\"Größe\" text COLLATE \"C\", rank int, body text, PRIMARY KEY (\"Größe\", rank)) PARTITION BY RANGE (rank);
     CREATE TABLE odd_2 PARTITION OF \"Odd\" FOR VALUES FROM (10) TO (20); CREATE TABLE odd_1 PARTITION OF \"Odd\" FOR VALUES FROM (0) TO (10);
     INSERT INTO \"Odd\" SELECT 'it''s ' || n, n, 'b' FROM generate_series(1, 19) n"
table='"\"Odd\""'
wrong 'half of the survivor' 'SELECT \"Größe\", rank, rank AS survivor_rank FROM \"Odd\"' 'survivor_Größe must be there once'
tracks 'a key of two columns' 75 'SELECT a.\"Größe\", a.rank, b.\"Größe\" AS \"survivor_Größe\", b.rank AS survivor_rank FROM \"Odd\" a JOIN \"Odd\" b ON b.rank = a.rank / 2 AND a.rank > 1' 'expect: { groups: 1, rows: 18 }'
is_sql "SELECT count(*), string_agg(DISTINCT \"survivor_Größe\" || survivor_rank, ',') FROM $track" "18|it's 11" 'all go to the first'
pgw run plan.yaml
is "$code" 0 'they go' || diag "$all"
is_sql 'SELECT "Größe" FROM "Odd"' "it's 1" 'the first stays'
table=

# --- rows that changed since they were judged

sql 'TRUNCATE pairs; INSERT INTO pairs VALUES (21, 22), (23, 24), (25, 26), (27, 28), (29, 30)'
tracks 'as far as the tracking table' 75 'SELECT id, survivor_id FROM pairs'
sql "UPDATE people SET n = 1 WHERE id IN (21, 24); DELETE FROM people WHERE id = 26"
pgw run plan.yaml
is "$code" 0 'rows changed meanwhile: the run ends well' || diag "$all"
is_sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM people WHERE id BETWEEN 21 AND 30' '21 22 23 24 25 28 30' 'and they are spared'
is_sql "SELECT string_agg(id || ': ' || outcome, ', ' ORDER BY id) FROM $track WHERE outcome IS NOT NULL" \
    '21: it was changed after it was judged, 23: its survivor was changed after it was judged, 25: its survivor is gone' 'with the reason'

sql 'TRUNCATE pairs; INSERT INTO pairs VALUES (31, 32), (33, 34), (35, 36)'
tracks 'with recheck' 75 'SELECT id, survivor_id FROM pairs' 'recheck: n < 5'
sql "UPDATE people SET n = 9 WHERE id IN (31, 34); UPDATE people SET n = 3 WHERE id = 35"
pgw run plan.yaml
is "$code" 0 'with recheck: the run ends well' || diag "$all"
is_sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM people WHERE id BETWEEN 31 AND 36' '31 32 34 36' 'what it says decides, and no version'
is_sql "SELECT outcome FROM $track WHERE id = 31" 'it was changed after it was tracked' 'with the reason'

# --- many: chains by chance, against a walk

sql "CREATE TABLE many (id int PRIMARY KEY); INSERT INTO many SELECT generate_series(1, 20000); SELECT setseed(0.4);
     CREATE TABLE links AS SELECT n AS id, CASE WHEN n <= 1000 THEN n + 1 ELSE n + 1 + (random() * 30)::int END AS survivor_id
       FROM generate_series(1, 19900) n WHERE n <= 1000 OR random() < 0.8;
     ALTER TABLE links ADD PRIMARY KEY (id);
     CREATE FUNCTION last_of(x int) RETURNS int LANGUAGE plpgsql AS 'DECLARE y int; BEGIN LOOP SELECT survivor_id INTO y FROM links WHERE id = x;
         IF y IS NULL THEN RETURN x; END IF; x := y; END LOOP; END'" >/dev/null
table=many tracks 'a chain of a thousand, and many by chance' 75 'SELECT * FROM links'
is_sql "SELECT count(*), count(*) FILTER (WHERE survivor_id <> last_of(id)) FROM $track" "$(sql 'SELECT count(*) FROM links')|0" 'each leads where a walk ends'

# --- what the run itself changes was changed by nobody else

new_database
sql "CREATE TABLE t (id int PRIMARY KEY, boss int REFERENCES t ON DELETE SET NULL);
     INSERT INTO t SELECT n, NULLIF(n - 1, 0) FROM generate_series(1, 40) n; CREATE INDEX ON t (boss)"
plan <<'PLAN'
plan: bosses
table: t
batch: { size: 5, min: 5, max: 5, pause: 0ms }
steps:
  - discover: { children: { t.boss: set-null } }
  - track: { query: SELECT id FROM t WHERE id <= 30 }
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 "rows that point at each other, set to NULL on the way" || diag "$all"
is_sql "SELECT count(*), min(id) FROM t" '10|31' "none of them is spared for what the run did"
done_testing
