#!/bin/bash
# PgBouncer in transaction mode, with two server connections and nothing reset between clients: the demo, every kind of
# command, a runner that is killed, a pooler that is restarted, and a second client that must see nothing of ours.
# `make pooled` runs most of tests/db that way.
. "$(dirname "$0")/lib.sh"
[ -x "$(PATH=$PATH:/usr/sbin command -v pgbouncer)" ] || skip_all 'no pgbouncer'
[ -n "${PGW_DIRECT_URL:-}" ] || PGW_POOL_SIZE=2 exec "$root/tests/with-pgbouncer" "$0"

past() { psql "$PGW_DIRECT_URL dbname=$PGDATABASE" -XAtqc "$1"; }

# --- what a client leaves behind

# What a session is when it is new, and what pgwinnow must not leave: settings, prepared statements, temporary tables,
# advisory locks, channels. PgBouncer itself sets what it tracks for its clients.
trace="SELECT pg_backend_pid() || ': ' || what FROM (
         SELECT name || ' = ' || setting FROM pg_settings
          WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')
         UNION ALL SELECT 'prepared statement ' || name FROM pg_prepared_statements
         UNION ALL SELECT 'temporary table ' || oid::regclass FROM pg_class WHERE relnamespace = pg_my_temp_schema()
         UNION ALL SELECT 'channel ' || c FROM pg_listening_channels() AS c
         UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
         UNION ALL SELECT 'role ' || current_user WHERE current_user <> session_user) AS x (what)"

# both SQL: by two clients that are in a transaction at the same time, so on both server connections
both() {
    coproc holder { psql -XAtq 2>&1; }
    printf '%s\n' 'BEGIN;' "$1;" "SELECT 'held';" >&"${holder[1]}"
    local line
    while read -r -t 20 line <&"${holder[0]}" && [ "$line" != held ]; do echo "$line"; done
    psql -XAtqc "$1"
    printf '%s\n' 'COMMIT;' '\q' >&"${holder[1]}"
    wait "$holder_PID" 2>/dev/null
}

nothing_left() { is "$(both "$trace")" '' "$1 leaves nothing behind in the pool"; }

new_database pool
both 'SET SESSION work_mem = 123456' >/dev/null
isnt "$(both "$trace")" '' 'given: what a client leaves is seen by the next one'
both 'RESET work_mem' >/dev/null
nothing_left 'given: RESET'

sql "CREATE TABLE listings (id int PRIMARY KEY, k int NOT NULL, seen int);
     INSERT INTO listings SELECT n, n % 600, n FROM generate_series(1, 3000) AS n;
     CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings);
     INSERT INTO posts SELECT n, n FROM generate_series(1, 3000) AS n"
plan rule.lua <<'LUA'
return { keep = function(rows) return #rows end }
LUA
plan <<'PLAN'
plan: pooled
table: listings
batch: { size: 200, min: 50, max: 200, pause: 5ms, workers: 3 }
environments:
  both: { database: "host=${PGHOST} port=${PGPORT}", database_direct: "${PGW_DIRECT_URL}" }
  pool: { database: "host=${PGHOST} port=${PGPORT}" }
steps:
  - discover: { children: { posts.listing_id: move }, missing_index: create }
  - track: { duplicates: [k], keep: { lua: rule.lua } }
  - delete-children
  - delete
  - index: { name: listings_k, unique: [k], settings: { maintenance_work_mem: 20MB } }
  - backfill: { table: listings, set: { seen: "0" }, where: seen > 0 }
  - vacuum: { pace: full }
  - check: { query: SELECT count(*) FROM listings, is: 600 }
PLAN
# shellcheck disable=SC2034
direct=() # the environment says it
pgw run plan.yaml --env pool
is "$code" 3 'an index without a direct connection: refused'
like "$all" 'goes through a pooler' 'it says why'
like "$all" 'database_direct' 'and what is missing'
is_sql 'SELECT count(*) FROM listings' 3000 'before anything is removed'
pgw explain plan.yaml --env both
is "$code" 0 'explain' || diag "$all"
nothing_left explain
pgw run plan.yaml --env both
is "$code" 0 'run, with `database_direct` of the environment' || diag "$all"
is_sql 'SELECT count(*), min(id), max(seen), (SELECT count(*) FROM posts), (SELECT count(DISTINCT listing_id) FROM posts) FROM listings' '600|2401|0|3000|600' \
    'it did its work'
is_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'listings_k'::regclass" t 'the index is there'
nothing_left run
for command in 'status' 'history' 'status pooled'; do
    # shellcheck disable=SC2086
    pgw $command
    is "$code" 0 "$command" || diag "$all"
    nothing_left "$command"
done
pgw undo --yes --env both plan.yaml
is "$code" 0 'undo drops the index past the pooler' || diag "$all"
is_sql 'SELECT count(*), (SELECT count(DISTINCT listing_id) FROM posts) FROM listings' '3000|3000' 'and brings everything back'
nothing_left undo
pgw clean --yes --archive
is "$code" 0 'clean' || diag "$all"
nothing_left clean
sql "CREATE INDEX left_behind ON posts (listing_id); INSERT INTO pgwinnow.objects SELECT max(run), 'index', 'public', 'left_behind' FROM pgwinnow.runs"
pgw clean --yes
is "$code" 3 'an index cannot be dropped concurrently through a pooler' || diag "$all"
like "$all" '--database-direct' 'it says what is missing'
pgw clean --yes --database-direct "$PGW_DIRECT_URL"
is "$code" 0 'past the pooler it can' || diag "$all"
is_sql "SELECT to_regclass('left_behind') IS NULL" t 'and is gone'
pgw run plan.yaml --database-direct "$PGW_DIRECT_URL dbname=postgres" --database "host=$PGHOST port=$PGPORT"
is "$code" 3 'a direct connection that leads to another database: refused'
like "$all" 'leads elsewhere' 'and it says so'

# --- killed, and gone on with

new_database killed
sql "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT n, n % 1000 FROM generate_series(1, 4000) n"
plan <<'PLAN'
plan: killed
table: t
batch: { size: 50, min: 50, max: 50, pause: 10ms, workers: 3 }
steps: [discover, track: { duplicates: [k] }, delete]
PLAN
pgw_start run plan.yaml
eventually 'SELECT count(*) >= 3 FROM pgwinnow.batches' t 2>/dev/null
kill -9 "$pid"
pgw_end 2>/dev/null
pgw run plan.yaml & # it cannot see through the pooler that the first one is dead, so it waits for the lease
second=$!
sleep 0.3
sql "UPDATE pgwinnow.lease SET beat = now() - interval '2 minutes'"
wait $second
is_sql 'SELECT count(*), max(id) FROM t' '1000|1000' 'after kill -9 the next run takes over and does the rest'
is_sql 'SELECT sum(rows) FROM pgwinnow.batches' 3000 'every row is counted once'

# The pooler goes and comes back in the middle.
sql "INSERT INTO t SELECT n, n % 1000 FROM generate_series(1001, 4000) n"
pgw_start run --output plain plan.yaml
eventually "SELECT count(*) >= 3 FROM pgwinnow.batches WHERE run = 2" t
past "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()" >/dev/null
pgw_end
is "$code" 0 'all server connections of the pool are cut: the run goes on' || diag "$all"
is_sql 'SELECT count(*), max(id) FROM t' '1000|1000' 'and does its work'
is_sql 'SELECT sum(rows) FROM pgwinnow.batches WHERE run = 2' 3000 'every row is counted once'
nothing_left 'a cut'

# A statement whose client is gone does not go on.
plan slow.yaml <<'PLAN'
plan: slow
table: t
steps: [{ sql: { run: SELECT pg_sleep(60) } }]
PLAN
pgw_start run slow.yaml
sleeping="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(60)' AND state = 'active'"
eventually "$sleeping" 1
kill -TERM "$pid"
pgw_end
is "$code" 75 'SIGTERM cancels a statement through the pooler'
is_sql "$sleeping" 0 'on the server too'
pgw_start run slow.yaml
eventually "$sleeping" 1
kill -9 "$pid"
pgw_end 2>/dev/null
eventually "$sleeping" 0 15
ok $? 'so does a kill'

# --- a leader: the session that a beat goes by is another one each time

pgw_start lock leader --ttl 2s -- sleep 60
eventually "SELECT count(*) FROM pgwinnow.locks WHERE name = 'leader' AND isfinite(beat)" 1
first=$pid took=$(sql "SELECT beat FROM pgwinnow.locks")
(cd "$work" && "$PGWINNOW" lock leader -- true >/dev/null 2>"$work/second"; echo $? >"$work/second.code")
is "$(cat "$work/second.code")" 4 'lock: a second leader is refused' || diag "$(cat "$work/second")"
eventually "SELECT count(*) FROM pgwinnow.locks WHERE beat > '$took'::timestamptz + interval '2 seconds'" 1
ok $? 'lock: it is kept past its time to live'
kill -KILL "$first"
pgw_end 2>/dev/null
pgw lock leader --wait 20s -- true
is "$code" 0 'lock: the next one has it when the first one is dead' || diag "$all"
nothing_left 'lock'

# --- the demo

new_database demo
said=$(DEMO_LISTINGS=300 "$root/tests/demo/run" 2>&1)
ok $? 'the demo goes through it' || diag "$said"
both 'RESET client_min_messages' >/dev/null # of its own script
nothing_left 'the demo'
done_testing
