#!/bin/bash
# replica_lag with a real standby: idle, paused, delayed, slow and gone. The run holds within a moment, tells, and goes on; where the
# standby replays slower than the run writes, it never falls behind by more than twice the limit.
. "$(dirname "$0")/lib.sh"

# A server of its own: its standby would hold the runs of other tests.
[ "$(psql -XAtc 'SHOW cluster_name' postgres)" = led ] ||
    PGW_SERVER_OPTIONS='-c cluster_name=led -c wal_keep_size=1GB' exec "$root/tests/with-postgres" "$0"

primary=$PGHOST second=$work/second

as_server() {
    [ "$(id -u)" = 0 ] || { "$@"; return; }
    setpriv --reuid="$(stat -c %u "$primary/data")" --regid="$(stat -c %g "$primary/data")" --clear-groups "$@"
}

# control ACTION...: the standby
control() {
    (cd / && as_server "$PG_BINDIR/pg_ctl" -D "$second/data" -l "$second/log" -w -t 30 "$@" >"$work/control" 2>&1) && return
    diag "$(cat "$work/control" "$second/log")"
    return 1
}

start() { control start -o "-k $second -c port=5432 -c fsync=off -c listen_addresses= -c cluster_name=second"; }
on_standby() { PGHOST=$second psql -XAtqc "$1" postgres; }

make_standby() {
    chmod 711 "$work"
    mkdir "$second" && chmod 700 "$second"
    [ "$(id -u)" != 0 ] || chown --reference="$primary/data" "$second"
    (cd / && as_server "$PG_BINDIR/pg_basebackup" -h "$primary" -U postgres -D "$second/data" -c fast -R -X stream) && start
}

# rows COUNT BATCH
rows() {
    new_database
    sql "CREATE TABLE listings (id int PRIMARY KEY, g int NOT NULL, body text);
         INSERT INTO listings SELECT n, n % 10, repeat('x', 500) FROM generate_series(1, $1) n"
    plan <<PLAN
plan: lag
table: listings
batch: { size: $2, min: $2, max: $2, pause: 10ms }
throttle: { replica_lag: ${3:-500ms} }
steps: [discover: { throttle: { replica_lag: off } }, track: { duplicates: [g], throttle: { replica_lag: off } }, delete]
PLAN
}

caught_up() {
    eventually 'SELECT bool_and(replay_lsn >= pg_current_wal_flush_lsn()) FROM pg_stat_replication' t
}

removed() { sql 'SELECT COALESCE(sum(rows), 0) FROM pgwinnow.batches' 2>/dev/null; }

# held REASON
held() {
    eventually "SELECT (waiting ->> 'reason') ~ '$1' FROM pgwinnow.runs" t 2>/dev/null
    ok $? "$2" || { diag "$(sql 'SELECT state, waiting, error FROM pgwinnow.runs')"; diag "$(tail -5 "$work/.out")"; }
}

goes_on() {
    pgw_end
    is "$code" 0 "$1: it goes on and ends" || diag "$all"
    is_sql 'SELECT count(*) FROM listings' 10 "$1: its work is done"
}

trap 'code=$?; control stop -m immediate; (exit $code); lib_clean_up' EXIT
make_standby
ok $? 'given: a standby'
eventually 'SELECT count(*) FROM pg_stat_replication WHERE replay_lsn IS NOT NULL' 1

# --- one that is idle and well

rows 2000 200
caught_up
pgw run plan.yaml --output json
is "$code" 0 'a standby that keeps up holds nothing up'
unlike "$out" 'throttle.waiting' 'and nothing is told'

# --- one that has stopped replaying

rows 20000 50
caught_up
pgw_start run plan.yaml
eventually 'SELECT sum(rows) > 200 FROM pgwinnow.batches' t 2>/dev/null
on_standby 'SELECT pg_wal_replay_pause()'
held '^replica_lag: standby second is [0-9.]+ m?s behind$' 'paused: it waits'
like "$(sql "SELECT waiting ->> 'until' FROM pgwinnow.runs")" '^that is less than 500 ms$' 'paused: and says until when'
since=$(removed)
sleep 1.5
is "$(removed)" "$since" 'paused: no batch begins'
is_sql "SELECT EXTRACT(epoch FROM (SELECT max(at) FROM pgwinnow.batches) - (waiting ->> 'since')::timestamptz) < 1 FROM pgwinnow.runs" t \
    'paused: nor did one after it began to wait'
on_standby 'SELECT pg_wal_replay_resume()'
goes_on paused
is_sql "SELECT max(lag_ms) > 500 AND bool_or(waiting ~ '^replica_lag: ') FROM pgwinnow.samples" t 'paused: samples say how far it was behind'
pgw report lag --format json
is "$(sql "SELECT bool_or((w ->> 'ms')::int > 1000 AND w ->> 'reason' ~ 'standby second is') FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb -> 'waits') w")" \
    t 'paused: the wait is in the report'

# --- one that goes away, and comes back

rows 20000 50
caught_up
pgw_start run plan.yaml
eventually 'SELECT sum(rows) > 200 FROM pgwinnow.batches' t 2>/dev/null
control stop -m immediate
held '^replica_lag: standby second is gone$' 'gone: it waits'
start
goes_on gone

# --- one that is late on purpose

rows 3000 50
caught_up
on_standby "ALTER SYSTEM SET recovery_min_apply_delay = '1h'"
on_standby 'SELECT pg_reload_conf()' >/dev/null
pgw_start run plan.yaml
held '^replica_lag: standby second is ' 'delayed: it waits'
kill -INT "$pid"
pgw_end
is "$code" 75 'delayed: it can be stopped'
sed -i 's/replica_lag: 500ms/replica_lag: { limit: 500ms, ignore: [second] }/' "$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'delayed: ignored, it holds nothing up' || diag "$all"
on_standby 'ALTER SYSTEM RESET recovery_min_apply_delay'
on_standby 'SELECT pg_reload_conf()' >/dev/null
caught_up
ok $? 'given: a standby without a delay'

# --- one that is slow: its replay works for a part of the time only. Its lag is looked at all
# the while

# slowly: until $work/slow is gone
slowly() {
    local startup
    startup=$(pgrep -f "startup .*recovering" | while read -r p; do [ "$(readlink "/proc/$p/cwd")" = "$second/data" ] && echo "$p"; done)
    diag "replay is process $startup"
    while [ -e "$work/slow" ]; do
        kill -STOP "$startup"; sleep 0.3
        kill -CONT "$startup"; sleep 0.01
    done
}

# most_lag: in ms, until $work/slow is gone. By samples of our own: how far the primary's WAL had come at which moment, and
# how far the standby has replayed. The time of its last replayed transaction would not do: while the run holds nothing
# is committed, and that time gets old with nobody behind.
most_lag() {
    local at=() lsn=() replayed now most=0 first=0
    while [ -e "$work/slow" ]; do
        lsn+=("$(sql "SELECT pg_current_wal_flush_lsn() - '0/0'")")
        at+=("$(date +%s%3N)")
        now=${at[-1]}
        replayed=$(on_standby "SELECT pg_last_wal_replay_lsn() - '0/0'")
        while [ "$first" -lt "${#lsn[@]}" ] && [ "${lsn[first]}" -le "${replayed:-0}" ]; do first=$((first + 1)); done
        [ "$first" = "${#lsn[@]}" ] || [ $((now - at[first])) -le "$most" ] || most=$((now - at[first]))
    done
    echo "$most" >"$work/most"
}

# A standby whose replay a busy machine does not let run at all is behind by nobody's doing of ours: it may have three
# tries. Without the throttle it is 7 s behind each time.
if [ "$(id -u)" = 0 ]; then
    for _ in 1 2 3; do
        rows 60000 2000 1500ms
        caught_up
        touch "$work/slow"
        slowly & slow=$!
        most_lag & lag=$!
        pgw_start run plan.yaml
        goes_on slow
        caught_up
        rm "$work/slow"
        wait $slow $lag
        diag "most lag: $(cat "$work/most") ms"
        [ "$(cat "$work/most")" -gt 3000 ] || break
    done
    ok $(($(cat "$work/most") > 3000)) 'slow: the lag was never more than twice the limit'
fi
done_testing
