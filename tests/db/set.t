#!/bin/bash
# `pgwinnow set` is heard by a live run, kept for one that goes on, and refused in the words of plans; `--max-time` stops
# cleanly.
. "$(dirname "$0")/lib.sh"

new_database set
sql "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL); INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n"
plan <<'PLAN'
plan: tuned
table: t
batch: { size: 10, min: 10, max: 10, pause: 1h }
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
batches() { eventually "SELECT count(*) >= $1 FROM pgwinnow.batches" t 2>/dev/null; }
status_of() { "$PGWINNOW" status --json 1 2>/dev/null; }

# --- a live run

pgw_start run --output plain plan.yaml
batches 1
(cd "$work" && "$PGWINNOW" set 1 batch.size=50 batch.pause=0ms) >"$work/set" 2>&1
is $? 0 'set' || diag "$(cat "$work/set")"
like "$(cat "$work/set")" 'batch.size=50.*within two seconds' 'it says what holds now, and from when on'
SECONDS=0
pgw_end
ok $((SECONDS > 10)) "a live run hears it, though it rests for an hour ($SECONDS s)"
is "$code" 0 'and comes to its end' || diag "$all"
like "$all" 'settings: batch.(size=50, batch.pause=0ms|pause=0ms, batch.size=50)' 'it tells'
is_sql 'SELECT min(rows) FROM pgwinnow.batches WHERE first <= 10' 10 'the first batch was as large as the plan says'
is_sql 'SELECT max(rows) FROM pgwinnow.batches' 50 'later ones as large as was set, though the plan has a bound below'
is_sql 'SELECT count(*) FROM t' 100 'all went'
is_sql "SELECT act, role, run, detail FROM pgwinnow.acts" \
    "set|$PGUSER|1|{\"batch.size\": \"50\", \"batch.pause\": \"0ms\"}" 'who did it is written down'
pgw set 1 batch.size=100
is "$code" 3 'a run that is over has nothing to set' || diag "$all"
like "$err" 'run 1 of plan tuned is finished' 'and it says so'

# --- a run that is stopped

sql "TRUNCATE t; INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n; DELETE FROM pgwinnow.batches"
pgw run --max-rows 10 plan.yaml
is "$code" 75 'a run that stopped'
pgw set tuned batch.pause=0ms batch.max=20 locks.retries=3
is "$code" 0 'takes settings too, by its plan'\''s name' || diag "$all"
like "$out" 'when it goes on' 'for when it goes on'
pgw set 2 locks.retries= batch.max=default
is "$code" 0 'which can be taken back' || diag "$all"
is_sql 'SELECT settings FROM pgwinnow.runs WHERE run = 2' '{"batch.pause": "0ms"}' 'what is left is kept'
pgw status 2
like "$out" 'set +.*batch.pause.*0ms' 'status shows it'
pgw status --json 2
like "$out" '"settings": \{[^}]*"batch.pause": "0ms"' 'for scripts too'
for wrong in batch.siez=1 batch.size=x size=1 nothing =5 'batch.size=1 batch.size=2' 'batch.size=5 batch.max=4' locks.retries=; do
    # shellcheck disable=SC2086
    pgw set 2 $wrong
    is "$code" 2 "refused: $wrong" || diag "$all"
done
pgw set 2 batch.siez=1
like "$err" "did you mean 'size'" 'a misspelt key is told'
pgw set 99 batch.size=1
is "$code" 2 'a run that is not there'
is_sql 'SELECT settings FROM pgwinnow.runs WHERE run = 2' '{"batch.pause": "0ms"}' 'what is refused changes nothing'
is_sql "SELECT count(*) FROM pgwinnow.acts WHERE run = 2" 2 'and is no act'
SECONDS=0
pgw run plan.yaml
is "$code" 0 'it goes on' || diag "$all"
ok $((SECONDS > 15)) "as was set: no pause of an hour ($SECONDS s)"
is_sql 'SELECT max(rows) FROM pgwinnow.batches' 10 'what was taken back is as in the plan'
sql 'UPDATE pgwinnow.version SET version = 2'
pgw set 2 batch.size=1
isnt "$code" 0 'a state of an older version'
sql 'UPDATE pgwinnow.version SET version = 3'

# --- a run that waits

sql "TRUNCATE t; INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n"
plan waits.yaml <<'PLAN'
plan: waits
table: t
throttle: { query: { sql: SELECT 5, above: 3 } }
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
pgw_start run --output plain waits.yaml
eventually "SELECT waiting IS NOT NULL FROM pgwinnow.runs WHERE plan = 'waits'" t
ok $? 'a run waits for what its plan says'
(cd "$work" && "$PGWINNOW" set waits throttle.query.above=9 throttle.replica_lag=5s) >"$work/set" 2>&1
is $? 0 'what it waits for can be set' || diag "$(cat "$work/set")"
pgw_end
is "$code" 0 'and the run goes on' || diag "$all"
is_sql "SELECT settings FROM pgwinnow.runs WHERE plan = 'waits'" \
    '{"throttle.query.above": "9", "throttle.replica_lag": "5s"}' 'both keys are kept'

# --- a time budget

sql "TRUNCATE t; INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n"
SECONDS=0
pgw run --max-time 500ms plan.yaml
is "$code" 75 '--max-time: exit code 75' || diag "$all"
like "$err" 'stopped after 500 ms, as --max-time asked' 'and the reason'
ok $((SECONDS > 10)) "in that time, not after the pause ($SECONDS s)"
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 4' paused 'the run is paused'
is_sql 'SELECT (SELECT count(*) FROM t) + (SELECT COALESCE(sum(rows), 0) FROM pgwinnow.batches WHERE run = 4)' 1100 \
    'what is recorded is what was done'
sed -i 's/pause: 1h/pause: 0ms/; s/: 10,/: 100,/g; s/max: 10/max: 1000/' "$work/plan.yaml"
pgw run --max-time 1h plan.yaml
is "$code" 0 'the same command goes on' || diag "$all"
sql "CREATE TABLE go (since timestamptz);
     CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \$\$
     BEGIN
         WHILE NOT EXISTS (SELECT FROM public.go) LOOP PERFORM pg_sleep(0.02); END LOOP;
         RETURN NULL;
     END \$\$;
     CREATE TRIGGER wait AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION wait()"
pgw_start undo --max-time 2s 4
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'
               AND xact_start < now() - interval '2 s'" 1
ok $? 'an undo is in the middle of a batch when its time is over'
sql 'INSERT INTO go DEFAULT VALUES'
pgw_end
is "$code" 75 'undo --max-time: exit code 75' || diag "$all"
pgw undo 4
is "$code" 0 'the same command goes on' || diag "$all"
is_sql 'SELECT count(*) FROM t' 1100 'and brings all of it back'
done_testing
