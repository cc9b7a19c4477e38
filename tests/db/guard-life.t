#!/bin/bash
# A guard among sessions that meet, and its life: how it is put up under locks and old transactions, survives its runner, and
# goes with the index, the run's end, cancel, undo and clean, also when the table is held all the time.
. "$(dirname "$0")/lib.sh"
new_database guard_life

# Sessions that stay: `open A [LEVEL]`, `say A SQL` waits for the answer and leaves its SQLSTATE in $state; `start A SQL` does not
# wait, `hear A` does.
declare -A sessions
open() {
    mkfifo "$work/$1"
    PGAPPNAME=$1 PGOPTIONS="-c default_transaction_isolation=${2:-read\\ committed}" psql -XAtq <"$work/$1" >"$work/$1.out" 2>&1 &
    local to
    exec {to}>"$work/$1"
    sessions[$1]=$to
}
start() { # the answer is what psql knows of its last statement
    rm -f "$work/$1.said"
    printf '%s;\n\\setenv SAID :SQLSTATE\n\\! echo "$SAID" >%s.new; mv %s.new %s.said\n' "$2" "$work/$1" "$work/$1" "$work/$1" >&"${sessions[$1]}"
}
hear() {
    local until=$((SECONDS + 30))
    until [ -e "$work/$1.said" ] || [ $SECONDS -gt $until ]; do sleep 0.02; done
    state=$(cat "$work/$1.said" 2>/dev/null)
}
say() { start "$1" "$2"; hear "$1"; }
blocked() { eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '$1' AND wait_event_type = 'Lock'" 1; }
guards() { sql "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgwinnow%'), (SELECT count(*) FROM pg_proc WHERE proname LIKE 'guard\\_%'), (SELECT count(*) FROM pgwinnow.guards)"; }

sql "CREATE TABLE t (id serial PRIMARY KEY, k text, n int DEFAULT 0); INSERT INTO t (k) SELECT 'k' || n % 80 FROM generate_series(1, 100) n; CREATE INDEX t_k ON t (k)"
plan <<'PLAN'
plan: life
table: t
locks: { ddl_timeout: 100ms, retries: 2 }
steps:
  - guard
  - discover
  - track: { duplicates: [k] }
  - delete
  - index: { name: uix, unique: [k] }
PLAN
pgw run --until guard plan.yaml
is "$(guards)" '1|1|1' 'given: a guard'

# --- sessions that meet

open A
open B
open R 'repeatable\ read'
open S serializable
say A "BEGIN"; say A "INSERT INTO t (k) VALUES ('m1')"
start B "INSERT INTO t (k) VALUES ('m1')"
blocked B && ok 0 'the second writer of a key waits for the first'
say A 'COMMIT'; hear B
is "$state" 23505 'and is refused when that commits'
say A "BEGIN"; say A "INSERT INTO t (k) VALUES ('m2')"
start B "INSERT INTO t (k) VALUES ('m2')"
blocked B; say A 'ROLLBACK'; hear B
is "$state" 00000 'and gets in when that rolls back'
say A "BEGIN"; say A "INSERT INTO t (k) VALUES ('m3')"
say B "INSERT INTO t (k) VALUES ('m4')"
is "$state" 00000 'writers of other keys do not meet'
say A 'COMMIT'
for level in R S; do
    say $level 'BEGIN'; say $level 'SELECT count(*) FROM t'
    say A "INSERT INTO t (k) VALUES ('after $level')"
    say $level "INSERT INTO t (k) VALUES ('after $level')"
    is "$state" 23505 "$level: a key that came after its snapshot"
    say $level 'ROLLBACK'
    say A "INSERT INTO t (k) VALUES ('again $level')"; say A "DELETE FROM t WHERE k = 'again $level'"
    say $level 'BEGIN'; say $level 'SELECT count(*) FROM t'
    say A "INSERT INTO t (k) VALUES ('again $level')"
    say $level "INSERT INTO t (k) VALUES ('again $level')"
    [ $level = R ] && expected=23505 || expected=40001
    is "$state" $expected "$level: a key that went and came after its snapshot"
    say $level 'ROLLBACK'
done
say R 'BEGIN'; say R 'SELECT count(*) FROM t'
say A "BEGIN"; say A "INSERT INTO t (k) VALUES ('open')"
start R "INSERT INTO t (k) VALUES ('open')"
blocked R; say A 'COMMIT'; hear R
is "$state" 23505 'REPEATABLE READ: waits for the other one, and is refused'
say R 'ROLLBACK'

# Another row of the key that is being deleted: in time it gets in, as at the index; not for ever.
entered=''
for _ in $(seq 20); do
    sql "DELETE FROM t WHERE k = 'leaving'; INSERT INTO t (k) VALUES ('leaving')"
    start A "BEGIN; DELETE FROM t WHERE k = 'leaving'; DO 'BEGIN FOR i IN 1..100 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.005); END LOOP; END'; COMMIT"
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'A' AND wait_event = 'PgSleep'" 1
    say B "INSERT INTO t (k) VALUES ('leaving')"
    entered=$state
    hear A
    [ "$entered" = 00000 ] && break
done
is "$entered" 00000 'a row that is just being deleted is waited for'
say A 'BEGIN'; say A "DELETE FROM t WHERE k = 'leaving'"
say B "INSERT INTO t (k) VALUES ('leaving')"
is "$state" 23505 'but not for long'
say A 'ROLLBACK'
say B 'SHOW lock_timeout'
is "$(tail -n 1 "$work/B.out")" 0 'and lock_timeout is as it was'
say A 'BEGIN'; say A "SELECT * FROM t WHERE k = 'leaving' FOR UPDATE"
say B "INSERT INTO t (k) VALUES ('leaving')"
is "$state" 23505 'a row that is only locked stays'
say A 'ROLLBACK'

# --- it outlives its runner; status shows it; the index takes over

sql "INSERT INTO t (k) VALUES ('x')"
pgw status life
like "$all" 'guard +keeps new duplicates out of public.t as uix, since' 'status shows it'
pgw status --json life
is "$(jq -r '.guards[0] | .table, .constraint, .state' <<<"$out" 2>/dev/null | tr '\n' ' ')" 'public.t uix armed ' 'so does its JSON'
pgw run plan.yaml
is "$code" 0 'the run goes on' || diag "$all"
is "$(guards)" '0|0|0' 'and the guard is gone'
is_sql 'SELECT max(round) FROM pgwinnow.steps' 1 'the index was built at the first try'
pgw run plan.yaml
is "$code" 0 'a second run finds the index'
like "$all" 'uix is there: nothing to guard' 'and needs no guard'
sql 'DROP INDEX uix'

# --- transactions that are older than the guard

sql "INSERT INTO t (k) VALUES ('late')"
say R 'BEGIN'; say R 'SELECT count(*) FROM pg_class'
sql "INSERT INTO t (k) VALUES ('unseen')"
pgw_start run plan.yaml
eventually 'SELECT count(*) FROM pgwinnow.guards WHERE armed IS NOT NULL' 1
eventually "SELECT state FROM pgwinnow.steps WHERE run = (SELECT max(run) FROM pgwinnow.runs) AND name = 'guard'" running
say R "INSERT INTO t (k) VALUES ('unseen')"
is "$state" 00000 'an older snapshot does not see what came before the guard'
is_sql "SELECT state FROM pgwinnow.steps WHERE run = (SELECT max(run) FROM pgwinnow.runs) AND name = 'guard'" running 'so the step waits for it'
kill -KILL "$pid" && pgw_end
is "$(guards)" '1|1|1' 'killed meanwhile: the guard stands'
is "$(psql -XAtqc "INSERT INTO t (k) VALUES ('late')" 2>&1 | grep -c 'constraint "uix"')" 1 'and works'
pgw_start run plan.yaml
eventually "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'pgwinnow: %' AND datname = current_database()" t
say R 'COMMIT'
pgw_end
is "$code" 0 'it goes on when that is over' || diag "$all"
is_sql "SELECT count(*), (SELECT max(round) FROM pgwinnow.steps) FROM t WHERE k = 'unseen'" '1|1' 'its duplicate was tracked'
sql 'DROP INDEX uix'

# --- locks: a writer that stays

say A 'BEGIN'; say A "INSERT INTO t (k) VALUES ('writer')"
pgw run --fresh plan.yaml
is "$code" 1 'a table that is written to all the time: the trigger cannot be put up' || diag "$all"
like "$all" 'ddl_timeout' 'it says what to do'
is "$(guards)" '0|1|1' 'what is only ours is there'
say A 'COMMIT'
pgw run --until track plan.yaml
is "$code" 75 'the same run goes on' || diag "$all"
is "$(guards)" '1|1|1' 'and puts it up'

# --- a reader that stays: disarmed, to be dropped later

say B 'BEGIN'; say B 'SELECT count(*) FROM t'
pgw run plan.yaml
is "$code" 0 'a table that is read all the time: the run ends well' || diag "$all"
like "$all" 'disarmed, but could not be dropped' 'and says what is left'
is_sql "SELECT count(*) FROM pgwinnow.guards WHERE disarmed IS NOT NULL" 1 'it is disarmed'
pgw status life
like "$all" 'disarmed; its trigger pgwinnow_guard_[0-9]+ of public.t .*clean' 'status says so'
unlike "$(psql -XAtqc "INSERT INTO t (k) VALUES ('twice'), ('twice')" 2>&1)" 'guard of pgwinnow' 'it says nothing any more, the index does'
pgw clean --yes life
isnt "$code" 0 'clean cannot drop it either'
like "$all" 'disarmed and harms nobody' 'and says so'
say B 'ROLLBACK'
sql 'DROP INDEX uix'
pgw clean --yes life
is "$code" 0 'clean drops it' || diag "$all"
is "$(guards)" '0|0|0' 'all of it'

# --- another run finds what is left on its table; a table that was renamed

pgw run --until guard plan.yaml
sql "UPDATE pgwinnow.runs SET state = 'cancelled', finished = now() WHERE state NOT IN ('cancelled', 'finished')"
pgw run --until guard plan.yaml
is "$code" 75 'a guard of a run that is over makes room' || diag "$all"
is "$(guards)" '1|1|1' 'for the next one'
sql 'ALTER TABLE t RENAME TO renamed'
sql "UPDATE pgwinnow.runs SET state = 'cancelled', finished = now() WHERE state NOT IN ('cancelled', 'finished')"
pgw clean --yes life
is "$code$(guards)" '00|0|0' 'clean finds it under a new name of the table' || diag "$all"
sql 'ALTER TABLE renamed RENAME TO t'

# --- cancel, fresh, undo

pgw run --until guard plan.yaml
before=$(sql 'SELECT max(run) FROM pgwinnow.runs')
pgw run --fresh --until guard plan.yaml
is "$code" 75 'started anew' || diag "$all"
is_sql "SELECT count(*), min(run) > $before FROM pgwinnow.guards" '1|t' 'fresh: the old guard is gone, a new one stands'
sql "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN OLD; END'; CREATE TRIGGER slow BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION slow()"
sql "INSERT INTO t (k) SELECT 'c' || n FROM generate_series(1, 5) n"
sed 's/^locks:/batch: { size: 1, min: 1, max: 1 }\nlocks:/' "$work/plan.yaml" >"$work/slow.yaml"
sql "ALTER TABLE t DISABLE TRIGGER USER; INSERT INTO t (k) SELECT 'c' || n % 5 FROM generate_series(1, 10) n; ALTER TABLE t ENABLE TRIGGER USER"
pgw_start run slow.yaml
eventually "SELECT count(*) > 0 FROM pgwinnow.batches WHERE run = (SELECT max(run) FROM pgwinnow.runs)" t
sql "UPDATE pgwinnow.runs SET wanted = 'cancelled' WHERE run = (SELECT max(run) FROM pgwinnow.runs)"
pgw_end
is_sql "SELECT state FROM pgwinnow.runs ORDER BY run DESC LIMIT 1" cancelled 'cancelled half way' || diag "$all"
is "$(guards)" '0|0|0' 'the guard goes with it'
sql 'DROP TRIGGER slow ON t'
sql "INSERT INTO t (k) SELECT 'u' || n % 5 FROM generate_series(1, 10) n"
all_rows=$(sql 'SELECT * FROM t ORDER BY id')
pgw run --until delete plan.yaml
is "$(guards)" '1|1|1' 'given: rows are removed, the guard stands'
pgw undo --yes life
is "$code" 0 'undo of a run whose guard stands' || diag "$all"
is "$(sql 'SELECT * FROM t ORDER BY id')" "$all_rows" 'brings every duplicate back'
is "$(guards)" '0|0|0' 'and the guard is gone'
pgw run plan.yaml
pgw undo --yes life
is "$code" 0 'undo of a finished run' || diag "$all"
is "$(sql 'SELECT * FROM t ORDER BY id')" "$all_rows" 'brings them back too'

# --- what is wrong with the plan, before anything is done

wrong() { # NAME STEPS REGEX [CODE]
    plan wrong.yaml <<PLAN
plan: wrong
table: t
steps:
$2
PLAN
    pgw run --fresh wrong.yaml
    is "$code" "${4:-2}" "$1: refused" || diag "$all"
    like "$all" "$3" "$1: it says why"
}
wrong 'no key' '  - guard' 'what is unique'
wrong 'behind the index' '  - index: { name: uix, unique: [k] }
  - guard' 'behind the unique index'
wrong 'no index to look up by' '  - guard: { unique: [n] }' 'no usable index on \(n\)'
wrong 'an index that does not serve, from a step before' '  - index: { name: other, columns: [id] }
  - guard: { unique: [n] }' 'no usable index on \(n\)' 3
wrong 'another key than the index' '  - guard: { unique: [k] }
  - index: { name: uix, unique: [n] }' 'keep different rows apart'
wrong 'another NULL rule' '  - guard: { nulls: equal }
  - index: { name: uix, unique: [k] }' 'keep different rows apart'
wrong 'no such column' '  - guard: { unique: [nothing] }' 'nothing'
wrong 'not immutable' '  - index: { name: by, columns: [k] }
  - guard: { unique: [k, (random())] }' 'IMMUTABLE' 3
sql 'ALTER TABLE t ADD m money; CREATE INDEX ON t (m)'
wrong 'a type without a hash' '  - guard: { unique: [m] }' 'hash function'
sql "CREATE FUNCTION inner_name(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT \$1'; CREATE FUNCTION by_path(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN inner_name(\$1); END'"
sql 'CREATE INDEX ON t (by_path(k))'
wrong 'a function that depends on the path' '  - guard: { unique: [by_path(k)] }' 'SET search_path' 3
is "$(guards)" '0|0|0' 'nothing of them is left'
done_testing
