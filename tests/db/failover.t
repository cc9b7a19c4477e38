#!/bin/bash
# Two servers in the URL, a primary and its standby, in the middle of a run: the primary goes, the standby is promoted. The
# run goes on there by itself, or says what was lost; a standby is never written to, nor a primary that was replaced.
. "$(dirname "$0")/lib.sh"

as_server() {
    [ "$(id -u)" = 0 ] || { "$@"; return; }
    setpriv --reuid="$(stat -c %u "$first/data")" --regid="$(stat -c %g "$first/data")" --clear-groups "$@"
}

# control FOLDER ACTION...
control() {
    (cd / && as_server "$PG_BINDIR/pg_ctl" -D "$1/data" -l "$1/data/log" -w -t 30 "${@:2}" >"$work/control" 2>&1) && return
    diag "$(cat "$work/control")"
    return 1
}

options="-c fsync=off -c listen_addresses= -c unix_socket_permissions=0700 -c hot_standby=on"
start() { control "$1" start -o "-k $1 -c port=5432 $options ${*:2}"; }

on_first() { PGHOST=$first sql "$@"; }
on_second() { PGHOST=$second sql "$@"; }

# A standby of the server at hand, in $second.
make_standby() {
    second=$work/second
    chmod 711 "$work"
    mkdir "$second" && chmod 700 "$second"
    [ "$(id -u)" != 0 ] || chown --reference="$first/data" "$second"
    (cd / && as_server "$PG_BINDIR/pg_basebackup" -h "$first" -U postgres -D "$second/data" -c fast -R -X stream) || return 1
    start "$second"
}

in_log() { # FOLDER TEXT: waits for it
    local until=$((SECONDS + 20))
    until grep -q "$2" "$1/data/log"; do [ $SECONDS -lt $until ] || return 1; sleep 0.05; done
}

# 9,000 rows of 12,000 go. A standby that is cut off on purpose must not make the run wait.
tables() {
    new_database "$1"
    sql "CREATE TABLE listings (id int PRIMARY KEY, external_id int NOT NULL);
         INSERT INTO listings SELECT n, n % 3000 FROM generate_series(0, 11999) AS n"
    plan <<PLAN
plan: failover
table: public.listings
batch: { size: 100, min: 50, max: 100, pause: 30ms, workers: 2 }
throttle: { replica_lag: ${2:-1500ms} }
steps:
  - discover
  - track: { duplicates: [external_id] }
  - delete
  - index: { name: listings_external_id, unique: [external_id] }
  - vacuum
PLAN
    url="host=$first,$second port=5432 user=postgres dbname=$PGDATABASE"
}

under_way() { eventually "SELECT count(*) >= ${1:-3} FROM pgwinnow.batches" t 2>/dev/null; }

caught_up() { on_first "SELECT pg_switch_wal()" >/dev/null; PGHOST=$first eventually "SELECT replay_lsn >= pg_current_wal_lsn() FROM pg_stat_replication" t; }

ended_right() {
    is "$(on_second 'SELECT count(*), max(id) FROM listings')" '3000|2999' "$1: the table is as it should be"
    is "$(on_second 'SELECT sum(rows) FROM pgwinnow.batches')" 9000 "$1: every row is counted once"
    is "$(on_second "SELECT state FROM pgwinnow.runs")" finished "$1: the run is finished"
    is "$(on_second "SELECT indisvalid FROM pg_index WHERE indexrelid = 'listings_external_id'::regclass")" t "$1: the index is there"
}

# Nothing is lost: the standby is a synchronous one.
synchronous() {
    make_standby
    ok $? 'given: a standby'
    on_first "ALTER SYSTEM SET synchronous_standby_names = '*'"
    on_first "SELECT pg_reload_conf()" >/dev/null
    PGHOST=$first eventually 'SELECT sync_state FROM pg_stat_replication' sync
    tables synchronous
    caught_up

    pgw run --database "host=$second port=5432 user=postgres dbname=$PGDATABASE" plan.yaml
    is "$code" 5 'the standby alone: the run is refused'
    like "$all" 'hot standby' 'it says that it is one'
    like "$all" 'the one that takes writes' 'and what to do'

    pgw_start run --output plain --database "host=$second,$first port=5432 user=postgres dbname=$PGDATABASE" plan.yaml
    under_way
    ok $? 'the standby first in the URL: the primary is found'
    control "$first" stop -m immediate
    on_second "SELECT pg_promote()" >/dev/null
    pgw_end
    is "$code" 0 'promoted in the middle: the run goes on there' || diag "$all"
    like "$out" 'took over' 'and says so'
    ended_right 'promoted in the middle'
    like "$(on_second "SELECT fence FROM pgwinnow.lease")" '^1$' 'it was the same runner all along'

    replaced
    control "$second" stop -m immediate
    control "$first" stop -m immediate
}

marks() { on_first "SELECT (SELECT count(*) FROM listings), (SELECT count(*) FROM pgwinnow.batches), (SELECT max(beat) FROM pgwinnow.lease), (SELECT max(run) FROM pgwinnow.runs)"; }

# The one that was replaced comes back as the primary that it was. A run that has seen its successor does not write there.
replaced() {
    local before
    start "$first" -c synchronous_standby_names= -c log_connections=on
    before=$(marks)
    on_second "ALTER SYSTEM RESET synchronous_standby_names"
    on_second "SELECT pg_reload_conf()" >/dev/null
    on_second "DROP INDEX listings_external_id; INSERT INTO listings SELECT n, n % 3000 FROM generate_series(3000, 11999) AS n"
    PGHOST=$second
    pgw_start run --output plain --database "host=$second,$first port=5432 user=postgres dbname=$PGDATABASE" plan.yaml
    eventually "SELECT count(*) >= 3 FROM pgwinnow.batches WHERE run > 1" t
    control "$second" stop -m immediate
    in_log "$first" 'application_name=pgwinnow'
    ok $? 'the server that was replaced is asked'
    sleep 0.5
    start "$second"
    pgw_end
    is "$code" 0 'only the server that was replaced answers: the run waits for the other one' || diag "$all"
    is "$(marks)" "$before" 'and nothing was written to the first one'
    is "$(on_second 'SELECT count(*), max(id) FROM listings')" '3000|2999' 'the table is as it should be'
}

# The standby lacks what was committed last.
asynchronous() {
    make_standby
    tables asynchronous off
    pgw_start run --output plain --database "$url" plan.yaml
    under_way 5
    caught_up
    on_second "ALTER SYSTEM SET primary_conninfo = ''"
    on_second "SELECT pg_reload_conf()" >/dev/null
    eventually "SELECT count(*) FROM pg_stat_replication" 0
    under_way $(($(sql 'SELECT count(*) FROM pgwinnow.batches') + 8))
    control "$first" stop -m immediate
    on_second "SELECT pg_promote()" >/dev/null
    pgw_end
    is "$code" 0 'batches are lost with the primary: they are done again' || diag "$all"
    like "$all" 'took over' 'it says that another server took over'
    ended_right 'batches lost'
    control "$second" stop -m immediate
}

# It lacks even the run's lease.
forgotten() {
    make_standby
    tables forgotten
    caught_up
    on_second "ALTER SYSTEM SET primary_conninfo = ''"
    on_second "SELECT pg_reload_conf()" >/dev/null
    eventually "SELECT count(*) FROM pg_stat_replication" 0
    pgw_start run --output plain --database "$url" plan.yaml
    under_way 5
    control "$first" stop -m immediate
    on_second "SELECT pg_promote()" >/dev/null
    pgw_end
    is "$code" 5 'the run itself is lost with the primary: exit code 5' || diag "$all"
    like "$all" 'lacks what run [0-9]+ had committed last' 'it says what happened'
    pgw run --database "$url" plan.yaml
    is "$code" 0 'the same command does it anew' || diag "$all"
    ended_right 'the run itself lost'
    control "$second" stop -m immediate
}

# Each in a server of its own, all at a time.
parts=(synchronous asynchronous forgotten)
if [ $# -gt 0 ]; then
    first=$PGHOST
    "$1"
    done_testing
fi
export PGW_SERVER_OPTIONS='-c synchronous_commit=on -c wal_level=replica'
for part in "${parts[@]}"; do "$root/tests/with-postgres" "$0" "$part" >"$work/$part" 2>&1 & pids+=($!); done
for i in "${!parts[@]}"; do
    wait "${pids[i]}"
    ok $? "${parts[i]}" || diag "$(cat "$work/${parts[i]}")"
done
done_testing
