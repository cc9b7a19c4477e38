#!/bin/bash
# The demo's plan, killed with SIGKILL at random moments and started again at once each time, ends in exactly the tables of
# an undisturbed run.
#
#   KILLS=20 KILL_SEED=7 KILL_LISTINGS=50000 tests/with-postgres tests/db/kill.t
. "$(dirname "$0")/lib.sh"

kills=${KILLS:-5}
RANDOM=${KILL_SEED:=$((RANDOM))}
demo_plan=$root/plans/dedupe-listings.yaml

new_database kills
original=$PGDATABASE
psql -Xq -v listings="${KILL_LISTINGS:-5000}" -f "$root/tests/demo/tables.sql" || { echo 'Bail out! no tables'; exit 1; }
last_post=$(sql 'SELECT max(id) FROM posts')

# A fresh copy of the tables.
copy() {
    local name=${original}_$1
    psql -XAtqc "CREATE DATABASE \"$name\" TEMPLATE \"$original\"" postgres
    databases+=("$name")
    export PGDATABASE=$name
}

# Every table, row by row, and every index of theirs. A post that the backfill wrote has its number from a sequence, which
# a transaction that is rolled back does not give back.
state() {
    sql "SELECT 'listings', count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM listings t
         UNION ALL SELECT 'posts', count(*), md5(string_agg(concat_ws('|', CASE WHEN id <= $last_post THEN id END, listing_id, body), ','
                                                            ORDER BY listing_id, body, CASE WHEN id <= $last_post THEN id END)) FROM posts t
         UNION ALL SELECT 'post_likes', count(*), md5(string_agg(t::text, ',' ORDER BY post_id, user_id)) FROM post_likes t
         UNION ALL SELECT 'post_views', count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM post_views t
         UNION ALL SELECT 'audit', count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM audit t
         UNION ALL SELECT 'indexes', count(*), md5(string_agg(concat_ws('|', pg_get_indexdef(indexrelid), indisvalid, indisready), ',' ORDER BY pg_get_indexdef(indexrelid)))
                     FROM pg_index WHERE indrelid IN ('listings'::regclass, 'posts'::regclass, 'post_likes'::regclass, 'post_views'::regclass, 'audit'::regclass)
         ORDER BY 1"
}

copy undisturbed
began=$(date +%s%3N)
pgw run "$demo_plan"
took=$(($(date +%s%3N) - began))
is "$code" 0 'undisturbed: the run ends well' || diag "$all"
expected=$(state)
is "$(sql 'SELECT count(*) FROM (SELECT FROM listings WHERE external_id IS NOT NULL GROUP BY source, external_id HAVING count(*) > 1) x')" 0 \
    'undisturbed: no copies are left'
diag "undisturbed: $took ms; seed $KILL_SEED"

# Each session lives for a random part of the time that the whole takes, so kills fall into all steps.
killed=0 runs=0 wrong=0
while [ $killed -lt "$kills" ]; do
    runs=$((runs + 1))
    copy "$runs"
    code=137
    while [ "$code" = 137 ]; do
        pgw_start run "$demo_plan"
        if [ $killed -lt "$kills" ]; then
            sleep "$(awk -v ms=$((RANDOM * took / 32768)) 'BEGIN { print ms / 1000 }')"
            kill -KILL "$pid" 2>/dev/null
        fi
        pgw_end 2>/dev/null
        [ "$code" = 137 ] || break
        killed=$((killed + 1))
        at+="$(sql "SELECT name FROM pgwinnow.steps WHERE state = 'running' ORDER BY step DESC LIMIT 1" 2>/dev/null || echo start) "
    done
    [ $code = 0 ] || { wrong=$((wrong + 1)); diag "run $runs ended with $code: $all"; }
    is "$(state)" "$expected" "run $runs, killed $killed in all: the same tables and indexes as undisturbed"
    is_sql "SELECT state, count(*) FROM pgwinnow.runs GROUP BY 1" 'finished|1' "run $runs: one run, finished"
    is_sql "SELECT sum(spared) FROM pgwinnow.steps" 0 "run $runs: nothing is spared"
done
is $wrong 0 'each start takes over at once and goes on'
diag "killed at: $at"

# A runner killed while it writes its run down leaves only some of the steps.
copy last
pgw run "$demo_plan" --until track
is "$code" 75 'stopped behind track' || diag "$all"
sql "DELETE FROM pgwinnow.steps WHERE step > (SELECT min(step) FROM pgwinnow.steps WHERE kind = 'track')"
pgw run "$demo_plan"
is "$code" 0 'a run whose steps were not all written down goes on' || diag "$all"
is "$(state)" "$expected" 'to the same tables'
done_testing
