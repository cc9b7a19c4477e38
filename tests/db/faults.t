#!/bin/bash
# What goes wrong around a run: each has a clear end or a wait that is told, and nothing is lost.
#
#   tests/db/faults.t [PART...]      role disk table_locked index
#
# FAULTS_LOCK=60 holds the lock on the table for that many seconds and not only until the run says that it waits.
. "$(dirname "$0")/faults.sh"

# No setting of the role is in the way, whatever it says.
role() {
    tables role
    sed -i 's/size: 50, min: 50, max: 50/size: 200, min: 50, max: 200/' "$work/plan.yaml"
    slow 0.05
    local pgoptions="-c statement_timeout=30 -c lock_timeout=2 -c idle_in_transaction_session_timeout=300
        -c default_transaction_isolation=serializable -c default_transaction_read_only=on
        -c default_transaction_deferrable=on -c synchronous_commit=off -c jit_above_cost=0 -c row_security=on"
    pgoptions=${pgoptions//$'\n'/ }
    local command
    for command in init 'explain plan.yaml' 'run --until track plan.yaml' 'set faults batch.pause=2ms' \
        'run plan.yaml' status history 'undo faults --yes' 'run plan.yaml' \
        'clean --yes --archive'; do
        # shellcheck disable=SC2086
        PGOPTIONS=$pgoptions pgw $command
        is "$code" "$([[ $command = *--until* ]] && echo 75 || echo 0)" "a role with hostile settings: $command" || diag "$all"
    done
    is_sql 'SELECT count(*), count(DISTINCT key), max(id) FROM listings' '600|600|600' 'a role with hostile settings: all done'
}

# The tracking table does not fit on its tablespace.
disk() {
    local place=$work/small
    [ "$(id -u)" = 0 ] && mkdir "$place" && mount -t tmpfs -o size=1m none "$place" 2>/dev/null ||
        { ok 0 'disk full # SKIP a small file system cannot be mounted here'; return; }
    chmod 755 "$work"
    mkdir "$place/space" && chown --reference="$(dirname "$PGW_SERVER_LOG")/data" "$place/space"
    tables disk
    sql 'ALTER TABLE listings ALTER id TYPE text USING repeat(id::text, 100)' 2>/dev/null
    psql -Xqc "CREATE TABLESPACE small LOCATION '$place/space'" || ok 1 'a tablespace'
    pgw init
    plan <<'PLAN'
plan: faults
table: public.wide
steps:
  - discover
  - track: { duplicates: [key], keep: { first: id } }
  - delete
PLAN
    sql "CREATE TABLE wide (id text PRIMARY KEY, key int NOT NULL);
         INSERT INTO wide SELECT n || repeat('x', 200), n % 10 FROM generate_series(10001, 30000) n"
    PGOPTIONS='-c default_tablespace=small' pgw run plan.yaml
    is "$code" 1 'disk full: the run fails' || diag "$all"
    like "$err" 'No space left on device' 'disk full: with what the server said'
    like "$err" 'hint: free some room' 'disk full: and what to do'
    is_sql 'SELECT count(*) FROM wide' 20000 'disk full: nothing is gone'
    pgw status
    like "$out" 'failed' 'disk full: status knows'
    mount -o remount,size=60m "$place"
    PGOPTIONS='-c default_tablespace=small' pgw run plan.yaml
    is "$code" 0 'disk full: the same command goes on when there is room' || diag "$all"
    is_sql 'SELECT count(*), count(DISTINCT key) FROM wide' '10|10' 'disk full: and does it all'
    sql "SELECT 'DROP TABLE ' || oid::regclass || ' CASCADE' FROM pg_class WHERE relkind = 'r' AND reltablespace <> 0
            AND relnamespace = 'pgwinnow'::regnamespace" -At | sed 's/$/;/' | psql -Xq
    psql -Xqc 'DROP TABLESPACE small'
    umount "$place"
}

# Somebody holds the whole table for longer than all tries of a batch take.
table_locked() {
    local holder until=$((SECONDS + 20))
    tables table_locked
    slow 0.05
    in_the_middle 'the table locked'
    psql -Xqc 'BEGIN; LOCK TABLE listings; SELECT pg_sleep(600)' >/dev/null 2>&1 &
    holder=$!
    eventually "SELECT count(*) FROM pg_locks WHERE relation = 'listings'::regclass AND mode = 'AccessExclusiveLock' AND granted" 1
    sleep "${FAULTS_LOCK:-0}"
    until grep -qs 'waiting.*lock timeout' "$work/.out" || [ $SECONDS -ge $until ]; do sleep 0.1; done
    like "$(cat "$work/.out")" 'waiting for [^:]*: .*lock timeout' 'the table locked: the run waits and says why'
    kill -0 "$pid" 2>/dev/null
    ok $? 'the table locked: it has not given up'
    sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'listings'::regclass AND mode = 'AccessExclusiveLock'" >/dev/null
    wait "$holder" 2>/dev/null
    quick
    pgw_end
    is "$code" 0 'the table locked: it goes on when the lock is gone' || diag "$all"
    all_done 'the table locked'
}

# An index of ours that others may take for a leftover.
index() {
    tables index
    sql 'DROP INDEX posts_listing_ix'
    sed -i 's/delete } }/delete }, missing_index: create }/' "$work/plan.yaml"
    slow 0.05
    in_the_middle 'an index dropped'
    is "$(sql "SELECT count(*) FROM pg_indexes WHERE tablename = 'posts' AND indexname LIKE 'pgwinnow%'")" 1 'an index dropped: it was there'
    sql "SELECT 'DROP INDEX ' || indexname FROM pg_indexes WHERE tablename = 'posts' AND indexname LIKE 'pgwinnow%'" | psql -Xq
    quick
    pgw_end
    is "$code" 0 'an index dropped: the run goes on' || diag "$all"
    all_done 'an index dropped'
}

[ $# -gt 0 ] || set -- role disk table_locked index
for part; do "$part"; done
done_testing
