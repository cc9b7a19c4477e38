#!/bin/bash
# init creates the state schema or prints it; clean drops what runs that are over left, and nothing else.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1

# --- init

PGHOST=/nowhere pgw init --print
is "$code" 0 'init --print needs no connection'
like "$out" 'CREATE TABLE IF NOT EXISTS "pgwinnow".runs' 'it prints the SQL'
script=$out
new_database printed
psql -XAtq -v ON_ERROR_STOP=1 <<<"$script" >/dev/null
is $? 0 'psql runs what it prints'
pgw init
is "$code" 0 'init after that'
like "$out" 'already.*nothing to do' 'finds it there'
printed=$(sql "SELECT string_agg(attrelid::regclass || '.' || attname || ' ' || atttypid::regtype, ',' ORDER BY attrelid::regclass::text, attnum)
               FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace)")

new_database init
pgw init
is "$code" 0 'init in an empty database'
like "$out" 'Created the state schema pgwinnow' 'says what it did'
is_sql "SELECT string_agg(attrelid::regclass || '.' || attname || ' ' || atttypid::regtype, ',' ORDER BY attrelid::regclass::text, attnum)
        FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace)" \
    "$printed" 'and made the very same tables'
pgw init --schema 'My State'
is "$code" 0 'another name, one that needs quotes'
is_sql "SELECT to_regclass('\"My State\".runs') IS NOT NULL" t '--schema is honoured'
pgw status --schema 'My State'
is "$code" 0 'status finds it there'
sql 'INSERT INTO "My State".version (version) VALUES (99)'
pgw init --schema 'My State'
is "$code" 3 'a newer schema is refused by an older program'
pgw status --schema 'My State'
is "$code" 3 'by status too'
role=weak_$$
sql "CREATE ROLE $role LOGIN"
PGUSER=$role pgw init --schema elsewhere
is "$code" 3 'a role that may not create a schema'
like "$err" "GRANT CREATE ON DATABASE .* TO \"?$role\"?;" 'the missing GRANT is printed'
sql "DROP ROLE $role"

# --- what runs leave

sql "CREATE TABLE things (id int PRIMARY KEY, key int);
     CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 399) i;
     INSERT INTO parts SELECT i, i FROM generate_series(0, 399) i"
plan <<'PLAN'
plan: dedupe-things
table: public.things
batch: { size: 50, max: 50, pause: 0ms }
steps:
  - discover: { children: { parts.thing: delete }, missing_index: create }
  - track: { duplicates: [key] }
  - delete-children
  - delete
PLAN
left() { sql "SELECT COALESCE(string_agg(relname, ' ' ORDER BY relname), 'nothing') FROM pg_class
              WHERE relname ~ '^(track|family|list|order)_' AND relkind IN ('r', 'S') OR relname ~ '^pgwinnow_[0-9]+_'"; }

pgw clean
is "$code" 0 'nothing to clean'
like "$out" 'nothing to clean' 'it says so'
pgw run --max-rows 50 plan.yaml
is "$code" 75 'a run stops half-way'
before=$(left)
like "$before" 'pgwinnow_1_parts_0 .*track_1' 'it has a tracking table and a temporary index'
pgw clean 1
is "$code" 3 'a run that is not over is refused'
like "$err" 'run 1 .*paused' 'its state is told'
like "$err" 'fresh' 'and what can be done'
pgw clean --yes
is "$code" 0 'clean of all leaves it out'
is "$(left)" "$before" 'and alone'
pgw run plan.yaml
is "$code" 0 'the run ends'
is "$(left)" 'track_1' 'what is left is its tracking table'
pgw clean
is "$code" 2 'without a terminal and without --yes nobody agrees'
like "$err" 'run 1 of plan dedupe-things, finished: .*track_1' 'what would go is listed'
is "$(left)" 'track_1' 'and nothing went'
if command -v script >/dev/null; then
    answer() { (cd "$work" && printf '%s\n' "$1" | script -qec "'$PGWINNOW' clean" /dev/null); }
    like "$(answer n)" 'track_1.*Drop all of it.*Nothing was dropped' 'on a terminal it asks'
    is "$(left)" 'track_1' 'no means no'
fi
sql "UPDATE pgwinnow.runs SET finished = now() - interval '10 days'"
pgw clean --older 30d
is "$(left)" 'track_1' 'ten days are not older than thirty'
pgw clean --older 30d 1
is "$code" 2 'a run and an age: exit code 2'
pgw clean --older 7d
is "$code" 0 'but older than seven'
like "$out" 'dropped "pgwinnow"."track_1"' 'it says what was dropped'
is "$(left)" 'nothing' 'and it is gone'
is_sql 'SELECT count(*) FROM pgwinnow.objects' 0 'and forgotten'
is_sql 'SELECT count(*) > 0 FROM pgwinnow.batches WHERE run = 1' t 'what was done stays on record'
pgw history
like "$out" '1 +dedupe-things +finished' 'history still knows the run'
pgw clean 1
is "$code" 0 'twice does no harm'
pgw clean 9
is "$code" 2 'a run that is not there: exit code 2'

# --- a cancelled run that was killed before it had tidied up: every kind of object

sql "UPDATE pgwinnow.runs SET state = 'cancelled' WHERE run = 1;
     CREATE TABLE pgwinnow.track_1 (seq bigint); CREATE TABLE pgwinnow.list_1_1 (seq bigint); CREATE SEQUENCE pgwinnow.order_1;
     CREATE INDEX \"pgwinnow_1_odd \"\"name\" ON parts (thing);
     INSERT INTO pgwinnow.objects VALUES (1, 'tracking', 'pgwinnow', 'track_1'), (1, 'tracking', 'pgwinnow', 'list_1_1'),
         (1, 'tracking', 'pgwinnow', 'never_made'), (1, 'sequence', 'pgwinnow', 'order_1'),
         (1, 'index', 'public', 'pgwinnow_1_odd \"name')"
mkfifo "$work/talk"
psql -XAtq <"$work/talk" >"$work/heard" 2>&1 &
exec 9>"$work/talk"
echo 'BEGIN; LOCK pgwinnow.list_1_1 IN ACCESS SHARE MODE;' >&9
eventually "SELECT count(*) FROM pg_locks WHERE relation = 'pgwinnow.list_1_1'::regclass AND granted" 1
pgw clean 1
is "$code" 1 'somebody reads one of its tables: clean does not wait for ever'
like "$err" 'list_1_1' 'the table is named'
like "$err" 'clean again later' 'and what to do'
is_sql "SELECT count(*) FROM pgwinnow.objects WHERE name = 'list_1_1'" 1 'what was not dropped is not forgotten'
echo 'COMMIT; \q' >&9
exec 9>&-
eventually "SELECT count(*) FROM pg_locks WHERE relation = 'pgwinnow.list_1_1'::regclass" 0
pgw clean dedupe-things
is "$code" 0 'then again, by the name of the plan'
is "$(left)" 'nothing' 'tables, sequence and index are gone'
is_sql 'SELECT count(*) FROM pgwinnow.objects' 0 'and what never came to be is forgotten'
is_sql 'SELECT count(*) FROM parts' 200 'the tables of the application are as they were'
done_testing
