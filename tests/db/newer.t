#!/bin/bash
# What only newer servers have, in tables that are merged, moved, removed and brought back: columns that are computed when
# they are read (VIRTUAL), keys without overlaps and foreign keys that are not enforced, all since PostgreSQL 18.
. "$(dirname "$0")/lib.sh"
if [ "$(psql -XAtc 'SHOW server_version_num' postgres)" -lt 180000 ]; then
    echo "1..0 # SKIP PostgreSQL 18 or newer"
    exit
fi
new_database

# all_rows TABLE ORDER
all_rows() { sql "SELECT string_agg(t::text, E'\n' ORDER BY $2) FROM $1 AS t"; }
everything() { all_rows v id; all_rows moved id; all_rows blank id; }

# --- VIRTUAL: as the condition, as the order, and in children that move or are set to NULL

sql "CREATE TABLE v (id int PRIMARY KEY, k int, n int, twice int GENERATED ALWAYS AS (n * 2) VIRTUAL);
     CREATE TABLE moved (id int PRIMARY KEY, v int REFERENCES v ON DELETE RESTRICT, n int, sum int GENERATED ALWAYS AS (v + n) VIRTUAL, UNIQUE (v, n));
     CREATE TABLE blank (id int PRIMARY KEY, v int REFERENCES v, same int GENERATED ALWAYS AS (v) VIRTUAL, what text);
     CREATE INDEX ON blank (v);
     INSERT INTO v SELECT n, n % 5, n FROM generate_series(1, 20) n;
     INSERT INTO moved SELECT n, 1 + n % 20, n / 11 FROM generate_series(1, 40) n;
     INSERT INTO blank (id, v, what) SELECT n, n, 'x' FROM generate_series(1, 20) n"
before=$(everything)
plan virtual.yaml <<'PLAN'
plan: virtual
table: v
batch: { size: 5, min: 5 }
steps:
  - discover: { children: { moved.v: move, blank.v: set-null } }
  - track: { duplicates: [k], where: twice > 6, keep: { order_by: twice DESC } }
  - delete
PLAN
pgw run virtual.yaml
is "$code" 0 'virtual columns: run' || diag "$all"
is_sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM v' '1 2 3 16 17 18 19 20' 'the condition and the order read them'
is_sql 'SELECT count(*) FROM moved WHERE v NOT IN (SELECT id FROM v) OR sum <> v + n' 0 'children moved'
is_sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM blank WHERE same IS NOT NULL' '1 2 3 16 17 18 19 20' 'others were set to NULL'
pgw undo virtual --yes
is "$code" 0 'virtual columns: undo' || diag "$all"
is "$(everything)" "$before" 'all is as before'

sed 's/plan: virtual/plan: joined/; s/  - delete$/  - together: [ { merge: { columns: { n: sum } } }, delete ]/' "$work/virtual.yaml" >"$work/joined.yaml"
pgw run joined.yaml
is "$code" 0 'virtual columns: merge' || diag "$all"
is_sql 'SELECT id, n, twice FROM v WHERE k = 1 AND id > 3' '16|33|66' 'what they are computed from was merged'
pgw undo joined --yes
is "$code" 0 'virtual columns: undo of merge' || diag "$all"
is "$(everything)" "$before" 'all is as before'

# --- WITHOUT OVERLAPS, and a foreign key that is not enforced

sql "CREATE EXTENSION btree_gist;
     CREATE TABLE r (id int PRIMARY KEY, k int); INSERT INTO r SELECT n, n % 3 FROM generate_series(1, 12) n;
     CREATE TABLE span (r int REFERENCES r, at int4range, what int, PRIMARY KEY (r, at WITHOUT OVERLAPS));
     INSERT INTO span SELECT n, int4range(n % 4, n % 4 + 2), n FROM generate_series(1, 12) n;
     CREATE TABLE loose (id int PRIMARY KEY, r int, FOREIGN KEY (r) REFERENCES r NOT ENFORCED);
     INSERT INTO loose SELECT n, n FROM generate_series(1, 14) n"
before=$(all_rows r id; all_rows span what; all_rows loose id)
plan spans.yaml <<'PLAN'
plan: spans
table: r
steps:
  - discover: { children: { span.r: move, loose.r: move }, missing_index: ignore }
  - track: { duplicates: [k] }
  - delete
PLAN
pgw run spans.yaml
is "$code" 0 'no overlaps: run' || diag "$all"
# 1, 4, 7 and 10 hold [1,3) [0,2) [3,5) [2,4): the second overlaps the first, and the fourth the third.
is_sql 'SELECT string_agg(what::text, $$ $$ ORDER BY what) FROM span WHERE r = 1' '1 7' 'a row that would overlap does not move'
is_sql 'SELECT string_agg(DISTINCT r::text, $$ $$) FROM loose' '1 13 14 2 3' 'foreign keys that are not enforced have a policy, too'
pgw undo spans --yes
is "$code" 0 'no overlaps: undo' || diag "$all"
is "$(all_rows r id; all_rows span what; all_rows loose id)" "$before" 'all is as before'

pgw run --fresh spans.yaml
is "$code" 0 'no overlaps: another run' || diag "$all"
sql "INSERT INTO r VALUES (12, 0); INSERT INTO span VALUES (12, '[1,9)', 99)"
pgw undo spans --yes
is "$code" 3 'undo refuses' || diag "$all"
like "$all" 'span \(r, at\) = \(12, \[0,2\)\): .*span_pkey' 'a row that overlaps is in the way'
done_testing
