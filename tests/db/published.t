#!/bin/bash
# Publications of all tables: nothing is created before somebody says that subscribers are taken care of. A real subscriber
# looks on, and goes on working.
. "$(dirname "$0")/lib.sh"
[ "$(psql -XAtc 'SHOW wal_level' postgres)" = logical ] ||
    PGW_SERVER_OPTIONS='-c wal_level=logical -c wal_retrieve_retry_interval=200ms' exec "$root/tests/with-postgres" "$0"
export NO_COLOR=1
version=$(psql -XAtc "SHOW server_version_num" postgres)

tables='CREATE TABLE people (id int PRIMARY KEY, mail text);
        CREATE TABLE orders (id int PRIMARY KEY, person_id int REFERENCES people); CREATE INDEX ON orders (person_id)'
new_database subscriber
subscriber=$PGDATABASE
sql "$tables"
new_database publisher
publisher=$PGDATABASE
sql "$tables; INSERT INTO people SELECT i, 'm' || i % 40 FROM generate_series(1, 100) i;
     INSERT INTO orders SELECT i, i FROM generate_series(1, 100) i; CREATE PUBLICATION everything FOR ALL TABLES"
# In one server a subscription that makes its own slot would wait for itself.
sql "SELECT pg_create_logical_replication_slot('looks_on', 'pgoutput')" >/dev/null
sql "CREATE SUBSCRIPTION looks_on CONNECTION 'host=$PGHOST port=$PGPORT dbname=$publisher'
     PUBLICATION everything WITH (create_slot = false, slot_name = 'looks_on')" -d "$subscriber"
there() { PGDATABASE=$subscriber eventually "$1" "$2" "${3:-}"; }
there 'SELECT count(*) FROM orders' 100
ok $? 'given: a subscriber that has all rows'

plan <<'PLAN'
plan: dedupe-people
table: people
batch: { size: 10, min: 10, max: 10, pause: 0ms }
steps:
  - discover: { children: { orders.person_id: delete } }
  - track: { duplicates: [mail] }
  - delete-children
  - delete
PLAN
sed 's/^batch/state: { published: accept }\n&/' "$work/plan.yaml" >"$work/accepted.yaml"
made() { is_sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgwinnow'" 0 "$1: nothing was created"; }

pgw explain plan.yaml
is "$code" 3 'explain tells' || diag "$all"
like "$out" 'publication everything would carry the tables' 'that a publication would carry our tables'
pgw run plan.yaml
is "$code" 3 'run is refused' || diag "$all"
like "$err" 'publication everything would carry' 'the publication is named'
like "$err" 'state: \{ published: accept \}' 'and the way on'
made run
pgw init
is "$code" 3 'so is init'
like "$err" 'publication everything .*--published accept' 'with its own way on'
made init
pgw lock nightly -- true
is "$code" 3 'and lock'
made lock
is_sql 'SELECT count(*) FROM people' 100 'no row is gone'
sql "INSERT INTO people VALUES (1000, 'new')"
there 'SELECT count(*) FROM people WHERE id = 1000' 1
ok $? 'the subscriber goes on'

# --- accepted: the subscriber gets the tables, as the docs say

pgw explain accepted.yaml
is "$code" 0 'with the word of the plan explain goes through' || diag "$all"
pgw run --until track accepted.yaml
is "$code" 75 'and so does a run, up to a step' || diag "$all"
pgw run plan.yaml
is "$code" 3 'the word is asked for each time'
pgw run accepted.yaml
is "$code" 0 'it ends: the key is no part of what counts of a plan' || diag "$all"
is_sql 'SELECT count(*) FROM people' 41 'the duplicates are gone'
sql "INSERT INTO people VALUES (2000, 'behind')"
awk '/^```console subscriber/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/security.md" >"$work/give"
like "$(cat "$work/give")" 'pg_dump' 'docs/security has the command that gives a subscriber the tables'
(cd "$work" && PUBLISHER=$publisher SUBSCRIBER=$subscriber bash -e ./give) >"$work/.give" 2>&1
is $? 0 'it goes through' || diag "$(cat "$work/.give")"
there 'SELECT count(*) FROM people WHERE id = 2000' 1 30
ok $? 'the subscriber goes on: nothing was lost'
rows="SELECT string_agg(p.id || ':' || coalesce(o.id::text, '-'), ' ' ORDER BY p.id, o.id) FROM people p LEFT JOIN orders o ON o.person_id = p.id"
is "$(PGDATABASE=$subscriber sql "$rows")" "$(sql "$rows")" 'and has what the publisher has'
is "$(PGDATABASE=$subscriber sql 'SELECT count(*) FROM pgwinnow.runs')" 0 'but no rows of ours'

# --- undo makes tables too

pgw undo 1
is "$code" 3 'undo is refused alike' || diag "$all"
like "$err" '--published accept' 'with its own way on'
pgw undo --published accept 1
is "$code" 0 'undone' || diag "$all"
is_sql 'SELECT count(*) FROM people' 102 'the rows are back'
(cd "$work" && PUBLISHER=$publisher SUBSCRIBER=$subscriber bash -e ./give) >/dev/null 2>&1
there 'SELECT count(*) FROM people' 102 30
ok $? 'at the subscriber, too'

# --- publications of schemas

sql 'DROP PUBLICATION everything'
pgw run plan.yaml
is "$code" 0 'without such a publication nobody needs to say anything' || diag "$all"
if [ "$version" -ge 150000 ]; then
    sql 'CREATE PUBLICATION theirs FOR TABLES IN SCHEMA public'
    pgw run plan.yaml
    is "$code" 0 'a publication of other schemas carries nothing of ours' || diag "$all"
    sql 'CREATE PUBLICATION "All of Ours" FOR TABLES IN SCHEMA pgwinnow'
    pgw run plan.yaml
    is "$code" 3 'one of our schema does'
    like "$err" 'publication "All of Ours" would' 'it is named'
    sql 'DROP PUBLICATION "All of Ours"'
fi
sql 'ALTER SUBSCRIPTION looks_on DISABLE' -d "$subscriber"
sql 'ALTER SUBSCRIPTION looks_on SET (slot_name = NONE)' -d "$subscriber"
sql 'DROP SUBSCRIPTION looks_on' -d "$subscriber"
eventually "SELECT count(*) FROM pg_replication_slots WHERE active" 0
sql "SELECT pg_drop_replication_slot('looks_on')" >/dev/null
done_testing
