#!/bin/bash
# Cancelling a run from a second terminal: when it is heard, what goes, what stays and is told; and runs that nobody works on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/steering.sh"

new_database cancel
pgw init
sql "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL);
     CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'"
make_operator
fill

# --- cancel of a live run

steps_of steered 1h <<<'  - discover
  - track: { duplicates: [k] }
  - delete' >"$work/plan.yaml"
pgw_start run --output plain plan.yaml
batches 1 1
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
sql 'CREATE TRIGGER nap AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION nap()'
pgw_start undo 1
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'" 1
ask cancel 1
is "$asked_code" 3 'what is being undone is not cancelled' || diag "$asked"
like "$asked" 'run 1 of plan steered is being undone' 'and why'
ask pause --hold 1
is "$asked_code" 3 'nor held'
ask pause 1
like "$asked" 'will pause when the batches at hand are done' 'it can be paused'
sql 'DROP TRIGGER nap ON t' &
sql "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'" >/dev/null
pgw_end
is "$code" 75 'and stops' || diag "$all"
wait
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
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()" 1
steps_of built 0ms >"$work/built.yaml" <<<'  - index: { name: t_late, columns: [k, id] }'
pgw_start run --output plain built.yaml
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE%t_late%' AND wait_event_type = 'Lock'" 1
ask pause 3
like "$asked" 'will pause when what its step index does now is done' 'a pause does not interrupt a build'
like "$asked" 'pgwinnow cancel 3. does' 'and says what would'
is_sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE%t_late%' AND state = 'active'" 1 'indeed'
ask cancel 3
in_time 'cancel of a build' 10000
pgw_end
is "$asked_code/$code" 0/75 'cancel does' || diag "$asked" "$all"
invalid=$(sql "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_late')")
[ "$invalid" = 0 ] || like "$asked" 'an invalid index is left: DROP INDEX CONCURRENTLY public.t_late;' 'what the build left is told'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()" >/dev/null
wait $blocker 2>/dev/null
sql 'DROP INDEX IF EXISTS t_late'

# --- cancel of a run that nobody works on

if [ -n "${PGW_DIRECT_URL:-}" ]; then # behind a pooler a dead runner counts as alive for a minute
    pgw run --until guard deep.yaml
    is "$code" 75 'given: a run that stopped with its guard'
else
    pgw_start run --output plain deep.yaml
    eventually "$napping" 1
    kill -9 "$pid"
    pgw_end 2>/dev/null
    eventually "SELECT ($napping), (SELECT count(*) FROM pg_stat_activity JOIN pgwinnow.lease USING (pid))" '0|0'
    ok $? 'given: a runner that was killed in the middle of a batch'
fi
is_sql "SELECT count(*) FROM pgwinnow.guards WHERE run = 4" 1 'given: its guard stands'
ask cancel 4
is "$asked_code" 0 'cancel of a run that nobody works on' || diag "$asked"
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 4' cancelled 'it is over'
is_sql "SELECT count(*) FROM pgwinnow.guards" 0 'its guard is gone'
is_sql "${left//_2/_4}" '0|0|0' 'and tidied up'
like "$asked" 'no row was removed' 'what remains is told'
pgw run --until guard deep.yaml
PGUSER=$operator ask cancel 5
is "$asked_code" 3 'an operator may not tidy up' || diag "$asked"
like "$asked" "will not go on, but role $operator may not tidy up after it" 'and is told'
is_sql "SELECT wanted, (SELECT role FROM pgwinnow.acts WHERE run = 5) FROM pgwinnow.runs WHERE run = 5" "cancelled|$operator" 'his wish is written down'
pgw status 5
like "$out" 'ends +pgwinnow cancel 5, or the next run of its plan' 'status says what it takes'
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
ask cancel 7
pid=$first pgw_end

# --- a run that somebody else ends while its next runner waits for the lease

sed 's/first/late/' "$work/first.yaml" >"$work/late.yaml"
pgw run --until discover late.yaml
sql 'UPDATE pgwinnow.lease SET pid = NULL, beat = clock_timestamp() WHERE run = 9'
pgw_start run --max-time 20s --output plain late.yaml
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgwinnow: lease'" 1
ok $? 'given: a runner that waits for the lease of a run'
sql "UPDATE pgwinnow.runs SET state = 'cancelled', finished = now() WHERE run = 9; UPDATE pgwinnow.lease SET beat = '-infinity' WHERE run = 9"
pgw_end
is "$code" 4 'it does not go on with what was cancelled meanwhile' || diag "$all"
like "$err" 'run 9 of plan late is cancelled by now' 'and says why'
is_sql 'SELECT state, (SELECT count(*) FROM pgwinnow.batches WHERE run = 9) FROM pgwinnow.runs WHERE run = 9' 'cancelled|0' 'it stays cancelled'
sql "DROP OWNED BY $operator; DROP ROLE $operator"
done_testing
