#!/bin/bash
# Groups that are larger than a batch may be: what points at them moves in pieces, in the order of preference, and ends up
# as if all had been done at once. Expected values come from SQL of the test's own, before the run.
. "$(dirname "$0")/lib.sh"
RANDOM=${HEAVY_SEED:=$((RANDOM))}
diag "HEAVY_SEED=$HEAVY_SEED"

same() {
    is_sql "SELECT count(*) FROM ((TABLE $1 EXCEPT ALL TABLE $2) UNION ALL (TABLE $2 EXCEPT ALL TABLE $1)) AS d" 0 "$3" ||
        diag "$(sql "(SELECT '+', d::text FROM (TABLE $1 EXCEPT ALL TABLE $2) AS d UNION ALL SELECT '-', d::text FROM (TABLE $2 EXCEPT ALL TABLE $1) AS d) ORDER BY 2 LIMIT 10")"
}

# One group of 676 rows, some of two, and many that are alone; favourites that collide by the thousand; shares hang below
# favourites; visits have no key; an audit is set to NULL; drafts go.
tables() {
    new_database heavy
    sql "CREATE TABLE p (id int PRIMARY KEY, g int);
         INSERT INTO p SELECT n, CASE WHEN n % 3 = 0 AND n <= 2028 THEN 0 WHEN n > 2900 THEN n - n % 2 ELSE n END FROM generate_series(1, 3000) n;
         CREATE TABLE fav (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u));
         INSERT INTO fav SELECT n, 3 * (1 + n % 676), (n * 7919) % 400 FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING;
         INSERT INTO fav SELECT 30000 + n, 3, n FROM generate_series(0, 50) n ON CONFLICT DO NOTHING;
         CREATE TABLE share (id int PRIMARY KEY, fav int REFERENCES fav, what int, UNIQUE (fav, what));
         INSERT INTO share SELECT 50000 - id, id, id % 5 FROM fav WHERE id % 4 = 0;
         CREATE TABLE visit (p int REFERENCES p, at int);
         INSERT INTO visit SELECT 3 * (1 + n % 900), n FROM generate_series(1, 5000) n;
         CREATE TABLE audit (id int PRIMARY KEY, p int REFERENCES p);
         INSERT INTO audit SELECT n, 3 * (1 + n % 676) FROM generate_series(1, 3000) n;
         CREATE TABLE draft (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
         INSERT INTO draft SELECT n, 3 * (1 + n % 676) FROM generate_series(1, 3000) n;
         CREATE INDEX ON visit (p); CREATE INDEX ON audit (p); CREATE INDEX ON draft (p)"
}

# expect ORDER BELOW: what must come out when collisions are settled in that order of f, and of shares by BELOW: those of a
# group that goes in pieces follow their favourites' order
expect() {
    sql "CREATE VIEW stays AS SELECT id, min(id) OVER (PARTITION BY g) AS stay FROM p;
         CREATE TABLE settled AS
             SELECT f.id, f.p, s.stay, first_value(f.id) OVER (PARTITION BY s.stay, u ORDER BY f.p <> s.stay, $1) AS winner, u
               FROM fav f JOIN stays s ON s.id = f.p;
         CREATE TABLE expected_fav AS SELECT id, stay AS p, u FROM settled WHERE id = winner;
         CREATE TABLE expected_share AS
             SELECT DISTINCT ON (f.winner, what) sh.id, f.winner AS fav, what
               FROM share sh JOIN settled f ON f.id = sh.fav ORDER BY f.winner, what, sh.fav <> f.winner, $2;
         CREATE TABLE expected_visit AS SELECT s.stay AS p, at FROM visit v JOIN stays s ON s.id = v.p;
         CREATE TABLE expected_audit AS SELECT a.id, CASE WHEN a.p = s.stay THEN a.p END AS p FROM audit a JOIN stays s ON s.id = a.p;
         CREATE TABLE expected_draft AS SELECT d.* FROM draft d JOIN stays s ON s.id = d.p WHERE s.stay = d.p;
         CREATE TABLE expected_p AS SELECT p.* FROM p JOIN stays USING (id) WHERE stay = id;
         DROP VIEW stays"
}

a_plan() {
    plan <<PLAN
plan: heavy
table: p
batch: { size: 100, min: 20, max: 300, pause: 0ms, workers: ${workers:-1} }
steps:
  - discover:
      children:
        fav.p: { move: { on_conflict: $1 } }
        share.fav: move
        visit.p: move
        audit.p: set-null
        draft.p: delete
  - track: { duplicates: [g] }
  - delete-children
  - delete
PLAN
}

compare() {
    local table
    for table in p fav share visit audit draft; do same $table expected_$table "$1: $table"; done
    is_sql "SELECT max(rows + children) <= 300 FROM pgwinnow.batches" t "$1: no batch is larger than its bounds"
    is_sql "SELECT count(*) FROM pgwinnow.objects WHERE name !~ '^track' " 0 "$1: the lists are gone"
}

tables
expect f.id f.id,sh.id
a_plan delete
pgw run plan.yaml
is "$code" 0 "a group of 676 rows with thousands of collisions" || diag "$all"
compare "on_conflict: delete"
is_sql "SELECT sum(spared) FROM pgwinnow.batches" 0 "nothing is spared"

tables
expect 'f.p, f.id' 'f.p, f.id, sh.id'
workers=2 a_plan keep-first
pgw run plan.yaml
is "$code" 0 "in the groups' keep order, over two connections" || diag "$all"
compare "on_conflict: keep-first"

tables
expect f.id f.id,sh.id
a_plan delete
killed=0
for try in $(seq 60); do
    (cd "$work" && exec "$PGWINNOW" run plan.yaml >"$work/out" 2>&1) &
    pid=$!
    if [ "$try" -lt 12 ]; then
        sleep "0.$((RANDOM % 9))"
        kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    fi
    wait $pid 2>/dev/null
    code=$?
    [ $code = 0 ] && break
done
diag "killed $killed times"
is $code 0 "killed again and again, it ends" || diag "$(cat "$work/out")"
compare "with kills"
# --- rows without a key that can only move several at a time, in batches that are smaller than that

new_database three
sql 'CREATE TABLE shops (id int PRIMARY KEY, name text);
     INSERT INTO shops SELECT g, $$n$$ || g / 3 FROM generate_series(3, 8) g'
for child in prices hours notes; do
    sql "CREATE TABLE $child (shop int REFERENCES shops, n int); CREATE INDEX ON $child (shop);
         INSERT INTO $child SELECT 3 + g % 6, g FROM generate_series(1, 24) g"
done
three() {
    plan <<PLAN
plan: three
table: shops
batch: { size: $1, min: 1, max: $1, pause: 0ms }
steps:
  - discover: { children: { prices.shop: move, hours.shop: move, notes.shop: move } }
  - track: { duplicates: [name], keep: { first: id } }
  - delete-children
  - delete
PLAN
}
three 2
pgw run plan.yaml
is "$code" 1 'three tables without keys, batches of two: it ends with an error'
like "$err" 'what points at group 1 of public.shops and moves in pieces takes more rows with it than a batch may change \(2\)' 'and says which group'
is_sql 'SELECT count(*) FROM shops' 6 'no row of the table went'
three 6
pgw run plan.yaml
is "$code" 0 'the same run in batches of six goes on' || diag "$all"
is_sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM shops' '3 6' 'the survivors are left'
is_sql 'SELECT (SELECT count(*) FROM prices) || $$ $$ || (SELECT count(*) FROM hours) || $$ $$ || (SELECT count(*) FROM notes)' '24 24 24' \
    'and all that pointed at the others'

done_testing
