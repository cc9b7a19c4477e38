#!/bin/bash
# What makes a run wait: each source of the throttle really holds a run, says why, and lets it go again. Slots and WAL are the whole
# server's, so this test has a server of its own.
. "$(dirname "$0")/lib.sh"

[ "$(psql -XAtc 'SHOW cluster_name' postgres)" = throttled ] ||
    PGW_SERVER_OPTIONS='-c cluster_name=throttled -c max_prepared_transactions=2' exec "$root/tests/with-postgres" "$0"

# rows ROWS: a table of which all but ten rows go; a trigger that may be told to hold up the row with the highest number
rows() {
    new_database
    sql "CREATE TABLE listings (id int PRIMARY KEY, g int NOT NULL);
         INSERT INTO listings SELECT n, n % 10 FROM generate_series(1, $1) n;
         CREATE TABLE late (n int); INSERT INTO late VALUES (0);
         CREATE TABLE gate (closed boolean); INSERT INTO gate VALUES (false);
         CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
             WHILE OLD.id = $1 AND (SELECT closed FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN OLD; END';
         CREATE TRIGGER gate BEFORE DELETE ON listings FOR EACH ROW EXECUTE FUNCTION gate()"
}

# waits NAME THROTTLE [WORKERS]: a plan
waits() {
    plan "$1.yaml" <<PLAN
plan: $1
table: listings
batch: { size: 50, min: 50, max: 50, workers: ${3:-1} }
throttle: { $2 }
steps: [discover, track: { duplicates: [g] }, delete]
PLAN
}

# held NAME REASON UNTIL: the run waits, for that
held() {
    eventually "SELECT (waiting ->> 'reason') ~ '$2' FROM pgwinnow.runs WHERE plan = '$1'" t 2>/dev/null
    ok $? "$1: it waits" || { diag "$(sql 'SELECT waiting FROM pgwinnow.runs')"; }
    like "$(sql "SELECT waiting ->> 'until' FROM pgwinnow.runs WHERE plan = '$1'")" "$3" "$1: it says what would end that"
}

goes_on() {
    pgw_end
    is "$code" 0 "$1: it goes on and ends" || diag "${all:0:900}"
    is_sql 'SELECT count(*) FROM listings' 10 "$1: its work is done"
    is_sql "SELECT waiting FROM pgwinnow.runs WHERE plan = '$1'" '' "$1: it does not wait any more"
}

# json TEXT EXPRESSION: over j
json() { psql -XAtq -v text="$1" <<<"SELECT $2 FROM (SELECT :'text'::jsonb) AS x (j)"; }

# --- a query; what is shown, and where

rows 200
sql 'UPDATE late SET n = 7'
waits query 'query: { sql: SELECT n FROM late, above: 3 }'
pgw_start run query.yaml --output json
held query "^query: the query.s answer is 7$" '^it is 3 or less$'
"$PGWINNOW" status query >"$work/page" 2>&1
like "$(cat "$work/page")" 'state +waiting' 'status: the run is waiting'
like "$(cat "$work/page")" "waiting +[0-9.]+ m?s: query: the query's answer is 7" 'status: why'
like "$(cat "$work/page")" 'until +it is 3 or less' 'status: until when'
is "$(json "$("$PGWINNOW" status query --json)" "j -> 'state', j #> '{waiting,reason}', j #> '{waiting,until}'")" \
    "\"waiting\"|\"query: the query's answer is 7\"|\"it is 3 or less\"" 'status --json: all of it'
is_sql "SELECT abs(EXTRACT(epoch FROM (waiting ->> 'since')::timestamptz - started)) < 10 FROM pgwinnow.runs" t 'since when'
sql 'UPDATE late SET n = NULL'
held query 'the query.s answer is NULL' '^it is 3 or less$'
sql 'ALTER TABLE late RENAME TO later'
held query 'no answer: .*late' '^the server answers$'
sql 'ALTER TABLE later RENAME TO late; UPDATE late SET n = 3'
goes_on query
like "$(grep '"type":"throttle.waiting"' <<<"$out")" '"message":"query: the query.s answer is 7"' 'JSON lines: throttle.waiting'
like "$out" '"waiting":\{"since":"[^"]+","reason":"query: [^"]+","until":"it is 3 or less"\}' 'JSON lines: waiting'
like "$out" '"type":"throttle.cleared"' 'JSON lines: throttle.cleared'

# --- it gives up; it is stopped; a step of its own

rows 200
sql 'UPDATE late SET n = 7'
waits gives-up 'query: { sql: SELECT n FROM late, above: 3 }, give_up: 1s'
pgw run gives-up.yaml
is "$code" 75 'give_up: exit code 75'
like "$err" 'gave up after waiting for 1.* s: query: the query.s answer is 7' 'give_up: says so'
is_sql 'SELECT state, waiting IS NULL, (SELECT count(*) FROM listings) FROM pgwinnow.runs' 'paused|t|200' 'give_up: nothing was done'
pgw_start run gives-up.yaml
sql 'UPDATE late SET n = 0'
goes_on gives-up

rows 200
sql 'UPDATE late SET n = 7'
waits stopped 'query: { sql: SELECT n FROM late, above: 3 }'
pgw_start run stopped.yaml
held stopped 'query' ''
kill -INT "$pid"
pgw_end
is "$code" 75 'a run that waits is stopped at once'
sed -i 's/, delete\]/, delete: { throttle: { query: off } }]/; s/discover, track: {/discover: { throttle: { query: off } }, track: { throttle: { query: off },/' "$work/stopped.yaml"
pgw run stopped.yaml
is "$code" 0 'steps may have other settings; those do not make it another plan' || diag "${all:0:900}"

# --- the connection that watches

rows 3000
waits watched 'query: { sql: SELECT n FROM late, above: 3 }'
sql 'UPDATE gate SET closed = true'
pgw_start run watched.yaml
eventually 'SELECT count(*) > 1 FROM pgwinnow.batches' t 2>/dev/null
is_sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('pgwinnow: throttle', 'pgwinnow: 1 throttle')" 1 'given: it is lost'
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgwinnow: throttle'" 1
ok $? 'it is opened again'
sql 'UPDATE gate SET closed = false'
goes_on watched

# --- slots

rows 200
sql "SELECT pg_create_physical_replication_slot('archive', true); SELECT pg_logical_emit_message(true, '', repeat('x', 3000000))" >/dev/null
waits slots 'replica_lag: off, slot_lag: 1MB'
pgw_start run slots.yaml
held slots 'slot_lag: the inactive replication slot archive holds back [0-9.]+ MB of WAL' '^it holds back no more than 1.0 MB$'
sql "SELECT pg_drop_replication_slot('archive')"
goes_on slots

rows 200
sql "SELECT pg_create_physical_replication_slot('second', true)" >/dev/null
waits gone ''
pgw_start run gone.yaml
held gone 'replica_lag: standby second is gone' 'it is back'
kill -INT "$pid"; pgw_end
sed -i 's/throttle: {  }/throttle: { replica_lag: { ignore: second } }/' "$work/gone.yaml"
pgw run gone.yaml
is "$code" 0 'a slot whose standby is ignored does not count' || diag "${all:0:900}"
sql "SELECT pg_drop_replication_slot('second')"
waits expected 'replica_lag: { expect: [third] }'
pgw_start run expected.yaml
held expected 'replica_lag: standby third is gone' ''
kill -INT "$pid"; pgw_end

# --- WAL

rows 200
sql 'UPDATE gate SET closed = true'
(while [ "$(sql 'SELECT closed FROM gate')" = t ]; do sql "SELECT pg_logical_emit_message(false, '', repeat('x', 8000000))" >/dev/null; sleep 0.2; done) &
eventually "SELECT pg_current_wal_lsn() - '0/0' > 20000000" t
waits wal 'wal_rate: 100kB/s'
pgw_start run wal.yaml
held wal 'wal_rate: the server writes [0-9.]+ MB of WAL a second' '^it writes no more than 100.0 kB a second$'
sql 'UPDATE gate SET closed = false'
goes_on wal

# --- what keeps rows from being vacuumed

rows 200
psql -XAtqc "BEGIN; SELECT txid_current(); SELECT pg_sleep(60)" >/dev/null 2>&1 &
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' AND pid <> pg_backend_pid() AND now() - xact_start > '1.2 s'" 1
waits old 'oldest_transaction: 1s'
pgw_start run old.yaml
held old 'oldest_transaction: the transaction of pid [0-9]+ \(psql, .*\) has kept rows' 'nothing older than 1.0 s'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()" >/dev/null
goes_on old

rows 200
sql "BEGIN; INSERT INTO late VALUES (1); PREPARE TRANSACTION 'forgotten'"
eventually "SELECT clock_timestamp() - prepared > '1.2 s' FROM pg_prepared_xacts" t
waits prepared 'oldest_transaction: 1s'
pgw_start run prepared.yaml
held prepared 'the prepared transaction forgotten' ''
sql "ROLLBACK PREPARED 'forgotten'"
goes_on prepared

# --- sessions that wait for it: one worker's batch is held up with its locks, so the other begins none

rows 400
sql 'UPDATE gate SET closed = true'
waits waiters 'waiters: 1' 2
pgw_start run waiters.yaml
eventually "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep' AND application_name ~ 'delete'" t
sql 'UPDATE listings SET g = 0 WHERE id = 399' &
held waiters 'waiters: 1 session waits for locks of this run, pid [0-9]+' '^nobody waits any more$'
sql 'UPDATE gate SET closed = false'
goes_on waiters

# --- a time of the day. Zones of our own make it the time that the test wants

zone() {
    sql "SELECT '<test>' || to_char(make_interval(secs => mod(86400 + EXTRACT(epoch FROM (now() AT TIME ZONE 'UTC')::time - time '$1')::int, 86400)), 'HH24:MI:SS')"
}
rows 200
waits night "window: 22:00-06:00 $(zone 21:59:57)"
pgw_start run night.yaml
held night 'window: it is 21:59 <test>.*, outside of 22:00-06:00' '^22:00 <test>'
goes_on night

rows 40000
sql 'UPDATE gate SET closed = true'
waits day "window: 21:00-06:00 $(zone 05:59:56), give_up: 1s"
pgw run day.yaml
is "$code" 75 'a window that closes stops new batches' || diag "${all:0:900}"
like "$err" 'window: it is 06:00' 'it says so'
like "$(sql 'SELECT count(*) FROM listings')" '^[0-9]{2,}$' 'what was begun is saved'
is_sql "SELECT sum(rows) FROM pgwinnow.batches" "$((40000 - $(sql 'SELECT count(*) FROM listings')))" 'and counted'

# --- rights; what explain says; what check and the server object to

rows 200
role=plain_$$
sql "CREATE ROLE $role LOGIN; GRANT CREATE ON DATABASE $PGDATABASE TO $role; GRANT ALL ON ALL TABLES IN SCHEMA public TO $role"
waits blind 'oldest_transaction: 1h'
PGUSER=$role pgw run blind.yaml
is "$code" 3 'without pg_monitor: refused'
like "$err" "role $role may not see what .throttle. looks at for oldest_transaction" 'it names the source'
like "$err" "GRANT pg_monitor TO \"?$role\"?; or in the plan: throttle: \{ oldest_transaction: off \}" 'and the GRANT'
PGUSER=$role pgw explain blind.yaml
like "$out" "may not see" 'explain lists it'
sql "GRANT pg_monitor TO $role"
PGUSER=$role pgw run blind.yaml
is "$code" 0 'with it the run is done' || diag "${all:0:900}"
waits seeing 'window: 09:00-17:00, give_up: 2h'
PGUSER=$role pgw explain seeing.yaml --json
is "$(json "$out" "j -> 'throttle'")" '["window: outside of 09:00-17:00", "replica_lag: while a standby is more than 1.5 s behind or gone", "give_up: after 2 h 0 min in one go"]' 'explain --json lists what makes it wait'
sql "DROP OWNED BY $role; DROP ROLE $role"

waits zone 'window: 09:00-17:00 Europe/Berln'
pgw run zone.yaml
is "$code" 2 'a zone that the server does not know'
like "$err" "zone.yaml:4:21: in 'window': .*Europe/Berln" 'its place is told'
waits wrong 'query: { sql: SELECT nothing FROM late, above: 3 }'
pgw explain wrong.yaml
is "$code" 2 'a query that the server does not take'
like "$err" "wrong.yaml:4:.*in 'query': .*nothing" 'its place is told'
done_testing
