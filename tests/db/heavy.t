#!/bin/bash
# One row with very many children beside a thousand ordinary ones: no transaction goes above the bounds, counted by the
# server (logical decoding of what was committed); the time stays about linear; a kill in the middle changes nothing.
#
#   HEAVY_CHILDREN=1000000 tests/with-postgres tests/db/heavy.t      the long version
. "$(dirname "$0")/lib.sh"

# A server of its own, since it must write what decoding needs.
[ "$(psql -XAtc 'SHOW wal_level' postgres)" = logical ] ||
    PGW_SERVER_OPTIONS='-c wal_level=logical -c max_replication_slots=4' exec "$root/tests/with-postgres" "$0"

many=${HEAVY_CHILDREN:-40000}
most=2000
parents=1001 # of which number 500 has many children, and the others three

# tables ON-DELETE CHILDREN: who goes, who stays, and what points at them
tables() {
    new_database heavy
    sql "CREATE TABLE parents (id int PRIMARY KEY, doomed boolean NOT NULL);
         CREATE TABLE posts (id bigint PRIMARY KEY, parent_id int REFERENCES parents ON DELETE $1, body text NOT NULL);
         CREATE TABLE likes (post_id bigint REFERENCES posts ON DELETE $1, user_id int, PRIMARY KEY (post_id, user_id));
         CREATE TABLE audit (id bigint PRIMARY KEY, parent_id int REFERENCES parents, was int NOT NULL);
         CREATE TABLE visits (parent_id int REFERENCES parents, what text NOT NULL);
         CREATE TABLE hits (parent_id int REFERENCES parents, day int) PARTITION BY RANGE (day);
         CREATE TABLE hits_1 PARTITION OF hits FOR VALUES FROM (0) TO (10);
         CREATE TABLE hits_2 PARTITION OF hits FOR VALUES FROM (10) TO (20);
         INSERT INTO parents SELECT n, n <= $parents FROM generate_series(1, $parents + 200) n"
    # Which parents: three for each, and the rest for number 500.
    sql "CREATE TEMP TABLE spread AS
         SELECT n AS id, CASE WHEN n <= 3 * ($parents + 200) THEN 1 + (n - 1) / 3 ELSE 500 END AS parent_id
           FROM generate_series(1, $2 + 3 * ($parents + 200)) n;
         $3
         CREATE INDEX ON posts (parent_id);
         CREATE INDEX ON audit (parent_id);
         CREATE INDEX ON visits (parent_id);
         CREATE INDEX ON hits (parent_id);
         ANALYZE"
}

# One post of the large family has very many likes itself; every tenth of all has one.
with_posts="INSERT INTO posts SELECT id, parent_id, 'post ' || id FROM spread;
    INSERT INTO likes SELECT (SELECT max(id) - 7 FROM posts), n FROM generate_series(1, (SELECT count(*) / 5 FROM posts)) n;
    INSERT INTO likes SELECT id, 0 FROM posts WHERE id % 10 = 0;"
with_audit='INSERT INTO audit SELECT id, parent_id, parent_id FROM spread;'
with_keyless="INSERT INTO visits SELECT parent_id, 'visit ' || id FROM spread;
    INSERT INTO hits SELECT parent_id, id % 20 FROM spread;"

plan <<PLAN
plan: heavy
table: parents
batch: { size: 500, min: 50, max: $most, pause: 0ms }
steps:
  - discover:
      children:
        posts.parent_id: delete
        likes.post_id: delete
        audit.parent_id: set-null
        visits.parent_id: delete
        hits.parent_id: delete
  - track: { where: doomed }
  - delete-children
  - delete
PLAN

# What must be left, said by a query over the tables before anything runs, and over those after.
whole="SELECT * FROM (SELECT 'parents', count(*), md5(string_agg(p::text, ',' ORDER BY id)) FROM parents p WHERE NOT doomed UNION ALL
       SELECT 'posts', count(*), md5(string_agg(x::text, ',' ORDER BY x.id)) FROM posts x JOIN parents p ON p.id = parent_id AND NOT doomed UNION ALL
       SELECT 'likes', count(*), md5(string_agg(l::text, ',' ORDER BY l)) FROM likes l JOIN posts x ON x.id = post_id JOIN parents p ON p.id = parent_id AND NOT doomed UNION ALL
       SELECT 'visits', count(*), md5(string_agg(v::text, ',' ORDER BY v::text)) FROM visits v JOIN parents p ON p.id = parent_id AND NOT doomed UNION ALL
       SELECT 'hits', count(*), md5(string_agg(h::text, ',' ORDER BY h::text)) FROM hits h JOIN parents p ON p.id = parent_id AND NOT doomed UNION ALL
       SELECT 'audit', count(*), md5(string_agg(concat(a.id, ':', p.id, ':', was), ',' ORDER BY a.id)) FROM audit a LEFT JOIN parents p ON p.id = parent_id AND NOT doomed) x ORDER BY 1"
counts='SELECT (SELECT count(*) FROM parents), (SELECT count(*) FROM posts), (SELECT count(*) FROM likes), (SELECT count(*) FROM audit),
               (SELECT count(*) FROM visits), (SELECT count(*) FROM hits)'

slot=0
watch() {
    slot=$((slot + 1))
    sql "SELECT pg_create_logical_replication_slot('watch_$slot', 'test_decoding')" >/dev/null
}

# The largest transaction over the user's tables, and how many there were.
largest() {
    sql "SELECT max(n), count(*) FROM (
             SELECT xid, count(*) AS n FROM pg_logical_slot_get_changes('watch_$slot', NULL, NULL, 'include-xids', '0')
              WHERE data LIKE 'table public.%' GROUP BY xid) x"
    sql "SELECT pg_drop_replication_slot('watch_$slot')" >/dev/null
}

# check NAME: the tables are as they must be and every transaction was small; $seen: changes in all, at least
check() {
    local sizes
    is_sql "$counts" "$kept" "$1: the right rows are left, no others"
    is_sql "$whole" "$expected" "$1: those that stay are as they were"
    sizes=$(largest)
    ok $((${sizes%|*} > most)) "$1: no transaction changes more than $most rows" || diag "largest|transactions: $sizes"
    ok $((${sizes%|*} <= most / 4)) "$1: nor are they tiny" || diag "largest|transactions: $sizes"
}

# begin NAME: what must be left of the tables at hand
begin() {
    expected=$(sql "$whole")
    kept=$(sql "SELECT string_agg(split_part(x, '|', 2), '|') FROM unnest(string_to_array(\$\$$expected\$\$, E'\n')) x")
    # In the order of `counts`.
    kept=$(awk -F'|' '{ n[$1] = $2 } END { OFS = "|"; print n["parents"], n["posts"], n["likes"], n["audit"], n["visits"], n["hits"] }' <<<"$expected")
    watch
}

# scenario NAME ON-DELETE ROWS: runs it undisturbed; $took is its time in milliseconds
scenario() {
    local began
    tables "$2" "${4:-$many}" "$3"
    begin
    began=$(date +%s%3N)
    pgw run plan.yaml
    took=$(($(date +%s%3N) - began))
    is "$code" 0 "$1: the run ends well" || diag "$all"
    check "$1"
}

for on_delete in 'NO ACTION' CASCADE; do
    scenario "posts and likes, $on_delete" "$on_delete" "$with_posts"
    large=$took
    scenario "a quarter of that, $on_delete" "$on_delete" "$with_posts" $((many / 4))
    ok $((large > 6 * took)) "posts and likes, $on_delete: four times the rows take about four times as long"
    diag "$large ms, a quarter: $took ms"
done
scenario 'set to NULL' 'NO ACTION' "$with_audit"
large=$took
is_sql "SELECT count(*) < 4 * $many / $most FROM pgwinnow.batches WHERE part >= 10000" t \
    'set to NULL: tables that have no such rows take nothing from the others'
scenario 'a quarter of that, set to NULL' 'NO ACTION' "$with_audit" $((many / 4))
ok $((large > 6 * took)) 'set to NULL: four times the rows take about four times as long'
diag "$large ms, a quarter: $took ms"
scenario 'without a key, partitioned or not' 'NO ACTION' "$with_keyless"
large=$took
scenario 'a quarter of that, without a key' 'NO ACTION' "$with_keyless" $((many / 4))
ok $((large > 6 * took)) 'without a key: four times the rows take about four times as long'
diag "$large ms, a quarter: $took ms"

# Killed in the middle of the large family, four times: by the number of batches that were done for it.
tables 'NO ACTION' "$many" "$with_posts $with_audit $with_keyless"
begin
for kill in 1 2 3 4; do
    before=$(sql "SELECT count(*) FROM pgwinnow.batches WHERE part > 0" 2>/dev/null || echo 0)
    pgw_start run plan.yaml
    # shellcheck disable=SC2034
    eventually "SELECT count(*) >= ${before:-0} + $many / $most / 8 FROM pgwinnow.batches WHERE part > 0" t 60 2>/dev/null
    kill -KILL "$pid"
    pgw_end 2>/dev/null
    is "$code" 137 "killed $kill"
done
pgw run plan.yaml
is "$code" 0 'killed in the middle: the run ends well' || diag "$all"
check 'killed in the middle'
is_sql "SELECT sum(spared) FROM pgwinnow.steps" 0 'killed in the middle: nothing is spared'
done_testing
