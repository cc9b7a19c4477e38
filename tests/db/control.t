#!/bin/bash
# Steering a run from a second terminal: pause, resume, cancel, approve; when they are heard, what they leave, who asked.
# Times are printed; what is allowed is five times what it takes.
. "$(dirname "$0")/lib.sh"

new_database control
pgw init
sql "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL);
     CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'"
fill() { sql 'TRUNCATE t; INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n'; }
fill
steps_of() { printf 'plan: %s\ntable: t\nbatch: { size: 10, min: 10, max: 10, pause: %s }\nsteps:\n' "$1" "$2"; cat; }

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
# ask ARGUMENT...: a command beside the run in the background: $asked_code, $asked, $took in ms
ask() {
    local began
    began=$(now_ms)
    asked=$(cd "$work" && timeout -k 5 60 "$PGWINNOW" "${direct[@]}" "$@" 2>&1 </dev/null)
    asked_code=$?
    took=$(($(now_ms) - began))
}
in_time() { # NAME [MS]
    diag "$1: $took ms"
    ok $((took > ${2:-5000})) "$1: in time"
}
json() { python3 -c 'import json, sys
value = json.loads(sys.argv[1])
for key in sys.argv[2].split(","):
    value = value[int(key) if key.isdigit() else key]
print("" if value is None else value)' "$1" "$2"; }
batches() { eventually "SELECT count(*) >= $2 FROM pgwinnow.batches WHERE run = $1" t; }

# --- pause of a live run, and what goes on with it

steps_of steered 1h <<<'  - discover
  - track: { duplicates: [k] }
  - delete' >"$work/plan.yaml"
pgw_start run --output plain plan.yaml
batches 1 1
ask pause 1
pgw_end
is "$asked_code/$code" 0/75 'pause: its runner ends with 75, though it rests for an hour' || diag "$asked" "$all"
in_time pause
like "$asked" 'Run 1 of plan steered is paused\.' 'the command tells it'
like "$asked" 'Next: pgwinnow run' 'and what to type next'
like "$err" "paused by $PGUSER" 'so does the runner, and who it was'
is_sql 'SELECT state FROM pgwinnow.runs' paused 'the run is paused'
is_sql "SELECT act, role, detail FROM pgwinnow.acts" "pause|$PGUSER|" 'the act is written down'
ask pause steered
is "$asked_code" 0 'a second pause'
like "$asked" 'nobody works on it: there is nothing to pause' 'has nothing to do'
is_sql 'SELECT count(*) FROM pgwinnow.acts' 1 'and is no act'
ask resume 1
like "$asked" 'Next: pgwinnow run' 'resume without a runner says what to type'
pgw run --max-rows 10 plan.yaml
is_sql "SELECT wanted IS NULL FROM pgwinnow.runs" t 'the next run takes the pause back'

# --- a pause that holds

ask pause --hold 1
is "$asked_code" 0 'pause --hold of a run that nobody works on'
like "$asked" 'on hold' 'is told'
for fresh in '' --fresh; do
    pgw run $fresh plan.yaml
    is "$code" 75 "run $fresh does not go on with it" || diag "$all"
    like "$err" 'run 1 of plan steered is on hold' 'and says why'
done
is_sql 'SELECT count(*), max(state) FROM pgwinnow.runs' '1|paused' 'nothing was begun'
pgw status 1
like "$out" 'on hold +until .pgwinnow resume 1.' 'status says so'
pgw_start run --wait 1min --output plain plan.yaml
eventually "SELECT count(*) FROM pgwinnow.lease WHERE entered IS NOT NULL" 1
eventually "SELECT state FROM pgwinnow.runs" paused
ok $? 'with --wait it waits for the end of that'
n=$(sql 'SELECT count(*) FROM pgwinnow.batches')
ask resume --json 1
is "$asked_code" 0 'resume' || diag "$asked"
in_time resume
is "$(json "$asked" effective) $(json "$asked" state) $(json "$asked" hold)" 'True running False' 'its runner goes on'
batches 1 $((n + 1))
ok $? 'and works'

# --- a runner that stays while it is paused

ask pause 1
in_time 'pause of a runner that waits'
like "$asked" 'is paused; its runner waits' 'it stays'
is_sql "SELECT state, (SELECT entered IS NOT NULL FROM pgwinnow.lease) FROM pgwinnow.runs" 'paused|t' 'with its lane'
n=$(sql 'SELECT count(*) FROM pgwinnow.batches')
pgw status --json 1
is "$(json "$out" state)/$(json "$out" acts,0,act)" paused/pause 'status --json has the state and the acts'
isnt "$(json "$out" runner)" '' 'and the runner'
pgw status 1
like "$out" 'go on +pgwinnow resume 1' 'the page says what to type'
like "$out" "asked .*pause by $PGUSER.*hold.*resume by $PGUSER" 'and who asked for what'
is_sql 'SELECT count(*) FROM pgwinnow.batches' "$n" 'nothing is done meanwhile'
ask resume 1
in_time 'resume of a runner that waits'
sql "UPDATE pgwinnow.runs SET wanted = 'paused'"
eventually 'SELECT state FROM pgwinnow.runs' paused
ok $? 'the switch in the table does the same'
sql 'UPDATE pgwinnow.runs SET wanted = NULL'
eventually 'SELECT state FROM pgwinnow.runs' running
ok $? 'both ways'

# --- cancel of a live run

ask cancel 1
pgw_end
is "$asked_code/$code" 0/75 'cancel: its runner ends' || diag "$asked" "$all"
in_time cancel
like "$asked" 'Run 1 of plan steered is cancelled' 'the command tells it'
gone=$(sql 'SELECT sum(rows) FROM pgwinnow.batches')
for told in "$asked" "$err"; do
    like "$told" "$gone rows removed: .pgwinnow undo 1. brings them back; their archive is kept until 20" 'what remains is told: rows'
    like "$told" 'pgwinnow.track_1: .pgwinnow clean 1. drops it' 'and tables'
done
is_sql 'SELECT count(*) FROM t' $((1100 - gone)) 'given: that many are gone'
for command in pause resume cancel approve; do
    pgw $command 1
    is "$code" 3 "$command of a run that is over" || diag "$all"
    like "$err" 'run 1 of plan steered is over: it is cancelled since' 'says that'
done
pgw history --json
is "$(json "$out" 0,acts,0,act)" pause 'history --json has the acts'
pgw undo 1
is "$code" 0 'undo of a cancelled run' || diag "$all"
is_sql 'SELECT count(*) FROM t' 1100 'brings all of it back'

# --- cancel in the middle of a batch, with a guard, helper tables and an index for the time of the run

sql 'CREATE TABLE c (id serial PRIMARY KEY, t int REFERENCES t); INSERT INTO c (t) SELECT id FROM t;
     CREATE TRIGGER nap AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION nap()'
steps_of deep 0ms >"$work/deep.yaml" <<<'  - discover: { children: { c.t: delete }, missing_index: create }
  - index: { name: t_k, columns: [k] }
  - guard: { for: { unique: [k] } }
  - track: { duplicates: [k] }
  - delete-children
  - delete'
sed -i '/guard/s/.*/  - guard/' "$work/deep.yaml"
napping="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
left="SELECT (SELECT count(*) FROM pg_trigger WHERE tgname ~ '^pgwinnow'),
             (SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relname ~ '^pgwinnow_2_'),
             (SELECT count(*) FROM pg_class WHERE relname ~ '^(family|list|move|guard)_2')"
pgw_start run --output plain deep.yaml
eventually "$napping" 1
ok $? 'given: a batch that sleeps in a trigger' || diag "$(cat "$work/.err")"
is_sql "SELECT a > 0, b > 0, c > 0 FROM ($left) x (a, b, c)" 't|t|t' 'given: a guard, an index and helper tables'
ask cancel deep
pgw_end
is "$asked_code/$code" 0/75 'cancel in the middle of a batch' || diag "$asked" "$all"
in_time 'cancel in the middle of a batch'
is_sql "$napping" 0 'its statement is cancelled on the server'
is_sql "$left" '0|0|0' 'the guard, the index and the helper tables are gone'
is_sql 'SELECT count(*) FROM t' 1100 'what was not committed is rolled back'
like "$asked" 'no row was removed' 'what remains is told'
like "$asked" 'stays as it is, by steps that were done: index: built t_k' 'the index of a step stays'

# --- cancel of an index build that waits for an old transaction

psql -XAtq <<<"BEGIN; UPDATE t SET k = k WHERE id = 1; SELECT pg_sleep(300)" >/dev/null 2>&1 &
blocker=$!
eventually "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()" 1
steps_of built 0ms >"$work/built.yaml" <<<'  - index: { name: t_late, columns: [k, id] }'
pgw_start run --output plain built.yaml
eventually "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE%t_late%' AND wait_event_type = 'Lock'" 1
ask pause 3
like "$asked" 'will pause when what its step index does now is done' 'a pause does not interrupt a build'
like "$asked" 'pgwinnow cancel 3. does' 'and says what would'
is_sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE%t_late%' AND state = 'active'" 1 'indeed'
ask cancel 3
in_time 'cancel of a build' 10000
pgw_end
is "$asked_code/$code" 0/75 'cancel does' || diag "$asked" "$all"
invalid=$(sql "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_late')")
[ "$invalid" = 0 ] || like "$asked" 'an invalid index is left: DROP INDEX CONCURRENTLY public.t_late;' 'what the build left is told'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()" >/dev/null
wait $blocker 2>/dev/null
sql 'DROP INDEX IF EXISTS t_late'

# --- cancel of a run that nobody works on

pgw run --until guard deep.yaml
is "$code" 75 'a run that stopped with its guard'
ask cancel 4
is "$asked_code" 0 'cancel of a run that nobody works on' || diag "$asked"
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 4' cancelled 'it is over'
is_sql "$left" '0|0|0' 'and tidied up'
like "$asked" 'no row was removed' 'what remains is told'
operator=t_operator_$$
sql "CREATE ROLE $operator LOGIN IN ROLE pgwinnow_operator"
pgw run --until guard deep.yaml
PGUSER=$operator ask cancel 5
is "$asked_code" 3 'an operator may not tidy up' || diag "$asked"
like "$asked" "will not go on, but role $operator may not tidy up after it" 'and is told'
is_sql "SELECT wanted, (SELECT role FROM pgwinnow.acts WHERE run = 5) FROM pgwinnow.runs WHERE run = 5" "cancelled|$operator" 'his wish is written down'
pgw run --until guard deep.yaml
like "$all" 'run 5, which was not over, is cancelled, as it was asked for' 'the next run ends it'
is_sql 'SELECT state FROM pgwinnow.runs WHERE run IN (5, 6) ORDER BY run' $'cancelled\npaused' 'and begins anew'
pgw cancel 6
sql 'DROP TRIGGER nap ON t; DROP TABLE c'

# --- while it waits for its lane

steps_of first 1h <<<'  - discover
  - track: { duplicates: [k] }
  - delete' >"$work/first.yaml"
sed 's/first/second/' "$work/first.yaml" >"$work/second.yaml"
pgw_start run --output plain first.yaml
first=$pid
batches 7 1
(cd "$work" && exec "$PGWINNOW" "${direct[@]}" run --wait 1h --output plain second.yaml >second.out 2>&1 </dev/null) &
second=$!
eventually "SELECT state FROM pgwinnow.runs WHERE run = 8" waiting
ask cancel 8
wait $second
is "$?/$asked_code" 75/0 'cancel of a run that waits for its lane' || diag "$asked" "$(cat "$work/second.out")"
in_time 'cancel of a run that waits for its lane'
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 8' cancelled 'it is over'
PGUSER=$operator ask pause first
is "$asked_code" 0 'an operator pauses a live run' || diag "$asked"
pid=$first pgw_end
like "$err" "paused by $operator" 'under his own name'
pgw cancel 7

# --- an approval

steps_of asks 0ms <<<'  - discover
  - track: { duplicates: [k] }
  - approve: { message: Look at the list first. }
  - delete' >"$work/asks.yaml"
pgw explain asks.yaml
like "$out" 'pgwinnow approve RUN.*Look at the list first' 'explain says what it will wait for'
pgw run --until track asks.yaml
ask approve 9
is "$asked_code" 3 'an approval before it is waited for is refused' || diag "$asked"
like "$asked" 'has not come to its step approve yet' 'and why'
pgw run --output plain asks.yaml
is "$code" 75 'the run ends at its approve step' || diag "$all"
like "$out" 'Look at the list first.*pgwinnow approve 9' 'approval.needed tells what to type'
like "$err" 'waiting for an approval: Look at the list first' 'so does the end'
is_sql "SELECT count(*) FROM pgwinnow.lease WHERE run = 9 AND entered IS NOT NULL" 0 'its lane is free'
pgw status asks
like "$out" 'because +waiting for an approval' 'status says so'
pgw run asks.yaml
is "$code" 75 'a scheduler that tries again' || diag "$all"
is "$out" '' 'begins nothing'
PGUSER=$operator ask approve asks
is "$asked_code" 0 'an operator approves' || diag "$asked"
like "$asked" 'approved at its step approve.*Next: pgwinnow run' 'and is told what goes on'
ask approve asks
is "$asked_code" 3 'once'
pgw run asks.yaml
is "$code" 0 'the run goes on' || diag "$all"
is_sql 'SELECT count(*) FROM t' 100 'to its end'
is_sql "SELECT note ~ 'approved by $operator at 20' FROM pgwinnow.steps WHERE run = 9 AND kind = 'approve'" t 'who approved is kept'
fill
pgw_start run --wait 1min --output plain asks.yaml
eventually "SELECT state || (waiting ->> 'until') FROM pgwinnow.runs WHERE run = 10" 'waitingpgwinnow approve 10'
ok $? 'with --wait it stays, and status says what it waits for'
sql "INSERT INTO pgwinnow.acts (run, act, detail) VALUES (10, 'approve', '{\"step\": \"other\", \"round\": 1}')"
ask approve 10
in_time approve
like "$asked" 'it goes on' 'its runner goes on'
pgw_end
is "$code" 0 'to its end' || diag "$all"
fill
pgw run --wait 500ms asks.yaml
is "$code" 75 'when the time is over it ends' || diag "$all"
like "$err" 'waiting for an approval, in vain for 500 ms' 'and says so'
pgw cancel asks
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 11' cancelled 'a run that waits for an approval can be cancelled'
sql "DROP OWNED BY $operator; DROP ROLE $operator"
done_testing
