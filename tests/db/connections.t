#!/bin/bash
# Connections lost, servers restarted, runners stopped, suspended or started twice: nothing is done twice, nothing is
# left half done, and whoever goes on ends in the same table.
#
#   tests/db/connections.t [PART...]      the functions called at the end of this file
#
# "Rests on" names what a test turned red without; tests/db/mutants takes it out again.
. "$(dirname "$0")/lib.sh"

# 9,000 rows of 12,000 go. `went` has a row for each statement that removed some, by the runner's name.
tables() {
    new_database "$1"
    sql "CREATE TABLE listings (id int PRIMARY KEY, external_id int NOT NULL);
         INSERT INTO listings SELECT n, n % 3000 FROM generate_series(0, 11999) AS n;
         CREATE TABLE went (runner text, at timestamptz NOT NULL DEFAULT clock_timestamp());
         CREATE TABLE nap (seconds float NOT NULL);
         INSERT INTO nap VALUES (0.01);
         CREATE FUNCTION went() RETURNS trigger LANGUAGE plpgsql AS \$\$
         BEGIN
             INSERT INTO went VALUES (current_setting('test.runner', true));
             PERFORM pg_sleep(seconds) FROM nap;
             RETURN NULL;
         END \$\$;
         CREATE TRIGGER went AFTER DELETE ON listings FOR EACH STATEMENT EXECUTE FUNCTION went()"
    plan <<PLAN
plan: connections
table: public.listings
batch: { size: 100, min: 50, max: 100, pause: ${2:-20ms}, workers: ${3:-2} }
steps:
  - discover
  - track: { duplicates: [external_id] }
  - delete
PLAN
}

# Some batches are done, many are not.
under_way() { eventually "SELECT count(*) >= ${1:-3} FROM pgwinnow.batches" t 2>/dev/null; }

ended_right() {
    is_sql 'SELECT count(*), max(id) FROM listings' '3000|2999' "$1: the table is as it should be"
    is_sql 'SELECT sum(rows) FROM pgwinnow.batches' 9000 "$1: every row is counted once"
    is_sql "SELECT state FROM pgwinnow.runs" finished "$1: the run is finished"
}

# Again and again until it ends well, as a scheduler would.
resumed() {
    local tries=0
    while [ "$code" != 0 ] && [ $((tries += 1)) -le 5 ]; do
        [[ $code == 5 || $code == 75 ]]
        ok $? "$1: exit code 5 or 75 ($code)" || diag "$all"
        pgw run plan.yaml
    done
    is "$code" 0 "$1: it ends well" || diag "$all"
}

terminate() {
    sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'pgwinnow%' AND $1" >/dev/null
}

# --- connections ---

workers_terminated() {
    tables workers
    pgw_start run --output plain plan.yaml
    under_way
    for _ in 1 2 3 4; do
        terminate "(application_name = 'pgwinnow' OR application_name ~ '^pgwinnow: [0-9]')"
        sleep 0.3
    done
    pgw_end
    is "$code" 0 'workers terminated: the run recovers by itself' || diag "$all"
    ended_right 'workers terminated'
}

all_terminated() {
    tables all
    pgw_start run --output plain plan.yaml
    under_way
    terminate true
    sleep 0.3
    terminate true
    pgw_end
    resumed 'all connections terminated'
    ended_right 'all connections terminated'
}

as_server() {
    [ "$(id -u)" = 0 ] || { "$@"; return; }
    setpriv --reuid="$(stat -c %u "$PGHOST/data")" --regid="$(stat -c %g "$PGHOST/data")" --clear-groups "$@"
}

control() { (cd / && as_server "$PG_BINDIR/pg_ctl" -D "$PGHOST/data" -l "$PGHOST/data/log" -w "$@" >/dev/null 2>&1); }

# Before it has a run it has nothing to go on with by itself.
#
# Rests on: FATAL is a lost connection in wire/slot.c, before the socket is closed.
terminated_early() {
    tables early
    pgw init
    (echo 'BEGIN; LOCK pgwinnow.version;'; sleep 30) | psql -Xq &
    eventually "SELECT count(*) FROM pg_locks WHERE relation = 'pgwinnow.version'::regclass AND mode = 'AccessExclusiveLock'" 1
    pgw_start run plan.yaml
    eventually "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'pgwinnow.version'::regclass AND NOT granted" t
    sql "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE relation = 'pgwinnow.version'::regclass AND NOT granted" >/dev/null
    pgw_end
    is "$code" 5 'terminated before there is a run: exit code 5' || diag "$all"
    sql "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE relation = 'pgwinnow.version'::regclass" >/dev/null
    pgw run plan.yaml
    is "$code" 0 'terminated before there is a run: the same command does it' || diag "$all"
}

# In a server of its own.
server_restarted() {
    local mode
    for mode in immediate fast; do
        tables "restart_$mode"
        pgw_start run --output plain plan.yaml
        under_way
        sql CHECKPOINT
        under_way 10
        control restart -m "$mode"
        pgw_end
        resumed "$mode restart"
        ended_right "$mode restart"
    done
    control stop -m immediate
}

# A role that may not have as many connections as the plan would like: fewer workers do the work.
few_connections() {
    tables few 5ms 12
    sql "CREATE ROLE \"few_$$\" LOGIN CONNECTION LIMIT 7; ALTER TABLE listings OWNER TO \"few_$$\"; ALTER TABLE went OWNER TO \"few_$$\";
         ALTER TABLE nap OWNER TO \"few_$$\"; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO \"few_$$\""
    PGUSER=few_$$ pgw run --output plain plan.yaml
    is "$code" 0 'few connections: the run ends well' || diag "$all"
    like "$all" 'going on with [1-5] of 12 workers' 'few connections: it says how many workers it has'
    ended_right 'few connections'
    sql "REASSIGN OWNED BY \"few_$$\" TO CURRENT_USER; DROP OWNED BY \"few_$$\"; DROP ROLE \"few_$$\""
}

# What libpq says of a URL that it does not understand may quote it.
secrets() {
    local url
    for url in 'postgresql://u:hunter2@[::1' 'postgresql://u@h/d?password=hunter2&x' 'host=h password=hunter2 x' "password='hunter2"; do
        pgw status --database "$url"
        is "$code" 5 "$url: no connection"
        unlike "$all" hunter2 'the password is not shown'
    done
}

# --- two runners ---

two_at_once() {
    tables two
    pgw_start run plan.yaml
    under_way
    (cd "$work" && exec "$PGWINNOW" run plan.yaml) >"$work/second" 2>&1
    is $? 4 'two at once: the second one gets exit code 4' || diag "$(cat "$work/second")"
    like "$(cat "$work/second")" "pid $pid"$'\n' 'two at once: it says who holds the run'
    pgw_end
    is "$code" 0 'two at once: the first one ends well' || diag "$all"
    ended_right 'two at once'
}

batch_is_open() {
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
               AND application_name ~ '^pgwinnow: [0-9]'")" != 0 ]
}

# freeze within|between: the runner is stopped within a batch, or between two of them
freeze() {
    local until=$((SECONDS + 20))
    while [ $SECONDS -lt $until ]; do
        kill -STOP "$pid"
        sleep 0.1
        if batch_is_open; then [ "$1" = within ] && return; else [ "$1" = between ] && return; fi
        kill -CONT "$pid"
        sleep 0.0$((RANDOM % 9 + 1))
    done
    return 1
}

# A suspended runner whose lease is over: another one takes the run over; when the first one wakes up it is too late.
#
# Rests on: FOR KEY SHARE on the lease by run and fence, which every batch takes first; the idle limit of an open batch.
taken_over() {
    local how="taken over, stopped $1" new_pid before
    tables "frozen_$1" "$2" 1
    sql "UPDATE nap SET seconds = $3"
    PGOPTIONS='-c test.runner=old' pgw_start run --output plain plan.yaml
    under_way 2
    freeze "$1"
    ok $? "$how: it is stopped there"
    sql "UPDATE pgwinnow.lease SET beat = now() - interval '2 minutes'"
    sql "SELECT pg_terminate_backend(pid) FROM pgwinnow.lease" >/dev/null
    sql 'UPDATE nap SET seconds = 0.02'
    sed -i 's/pause: [0-9]*ms/pause: 10ms/' "$work/plan.yaml"
    (cd "$work" && PGOPTIONS='-c test.runner=new' exec "$PGWINNOW" run plan.yaml) >"$work/second" 2>&1 &
    new_pid=$!
    eventually 'SELECT fence FROM pgwinnow.lease' 2 30
    ok $? "$how: another runner takes it over" || diag "$(cat "$work/second")"
    before=$(sql "SELECT count(*) FROM went WHERE runner = 'old'")
    kill -CONT "$pid"
    pgw_end
    is "$code" 4 "$how: the old runner wakes up and ends with exit code 4" || diag "$all"
    wait "$new_pid"
    is $? 0 "$how: the new one ends well" || diag "$(cat "$work/second")"
    is_sql "SELECT count(*) FROM went WHERE runner = 'old'" "$before" \
        "$how: the old one committed nothing more"
    ended_right "$how"
}

# --- being asked to stop ---

# stopped NAME SECONDS: exit code 75, in that time since `SECONDS` was set to 0, and the same command goes on
stopped() {
    pgw_end
    is "$code" 75 "$1: exit code 75" || diag "$all"
    ok $((SECONDS > $2)) "$1: within $2 s ($SECONDS)"
    is_sql 'SELECT state FROM pgwinnow.runs' paused "$1: the run is recorded as paused"
    is_sql 'SELECT (SELECT count(*) FROM listings) + (SELECT sum(rows) FROM pgwinnow.batches)' 12000 \
        "$1: what is recorded is what was done"
    sql 'UPDATE nap SET seconds = 0'
    pgw run plan.yaml
    is "$code" 0 "$1: the same command goes on" || diag "$all"
    ended_right "$1"
}

start() {
    tables "$1" 20ms 1
    pgw_start run plan.yaml
    under_way
    SECONDS=0
}

asked_to_stop() {
    start wanted
    sql "UPDATE pgwinnow.runs SET wanted = 'paused'"
    stopped "wanted = 'paused'" 3
    start interrupt
    kill -INT "$pid"
    stopped 'Ctrl-C once' 3
    start terminate
    kill -TERM "$pid"
    stopped SIGTERM 3
    start hangup
    kill -HUP "$pid"
    stopped SIGHUP 3
    tables outlives 20ms 1
    (cd "$work" && exec env --ignore-signal=HUP "$PGWINNOW" run plan.yaml) >"$work/.out" 2>"$work/.err" </dev/null &
    pid=$!
    under_way
    kill -HUP "$pid"
    pgw_end
    is "$code" 0 'under nohup SIGHUP stops nothing' || diag "$all"
}

# A batch that takes long: the first Ctrl-C waits for it, the second cancels it.
interrupted_twice() {
    start twice
    sql 'UPDATE nap SET seconds = 20'
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'" 1
    kill -INT "$pid"
    sleep 1
    kill -0 "$pid"
    ok $? 'Ctrl-C twice: after the first one the batch goes on'
    kill -INT "$pid"
    stopped 'Ctrl-C twice' 5
}

taken_over_between() { taken_over between 200ms 0.01; }

taken_over_within() { taken_over within 10ms 0.2; }

# With synchronous_commit = off a crash loses what was committed last, and the runner that goes on has counted it as done.
#
# Rests on: synchronous_commit in work/session.sql, and behind it check_commits in work/loop.c: out of both, it turns red.
restart() {
    local said
    said=$(PGW_SERVER_OPTIONS='-c synchronous_commit=off' "$root/tests/with-postgres" "$0" server_restarted 2>&1)
    ok $? 'the server is restarted' || diag "$said"
}

[ $# -gt 0 ] || set -- workers_terminated all_terminated terminated_early few_connections secrets two_at_once asked_to_stop interrupted_twice \
    taken_over_between taken_over_within restart
for part; do "$part"; done
done_testing
