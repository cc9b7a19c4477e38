#!/bin/bash
# A sample of `make torture`: runs whose connections are cut at statements all over the plan, whose answers are lost, and that
# are killed at commits, end in what an undisturbed run leaves. Places: where something went wrong once.
#
#   tests/db/torture.t [PART...]      the functions called at the end of this file
. "$(dirname "$0")/lib.sh"
. "$root/tests/torture/lib.sh"
RANDOM=$TORTURE_SEED
# shellcheck disable=SC2034
jobs=4
diag "TORTURE_SEED=$TORTURE_SEED"

# spread FAULT HOW-OFTEN OUT-OF: a few of them, from a random one on
spread() {
    local every=$(($3 / $2))
    torture "$1" $((1 + RANDOM % every)) $every "${@:4}"
}

tracked='--from|CREATE TABLE "pgwinnow"."track_1"|--by|commits'
listed='--from|WITH listed AS|--by|commits'
drained='--from|WITH p AS MATERIALIZED|--by|commits'
dropped='--from|DROP INDEX CONCURRENTLY|--by|points|--kill'
constrained='--from|ADD CONSTRAINT "orders_total_key"|--by|commits'

# Five commits: this one, the sums of the step, its end, what the run made, and the run's end.
last='--from|DROP TABLE IF EXISTS "pgwinnow"."backfill_1|--by|commits'

demo() {
    scenario demo
    at_places \
        "the tracking table was committed, unheard|$tracked|--fault|after|--at|1" \
        "the tracking table is there, the end of its step not told|$tracked|--fault|before|--at|2" \
        "the run's end is not written down|$last|--fault|before|--at|5" \
        "the run's end was written down, unheard|$last|--fault|after|--at|5" \
        "the lease is not given back|--from|SET beat = '-infinity'|--by|commits|--fault|before|--at|1"
    is "$(awk '$1 == 5 { print $4 }' "$work/results")" 0 'demo: a run that is over ends well, its lease given back or not'
    spread before 3 "$points"
    spread after 2 "$trips"
    spread kill-after 2 "$commits"
}

heavy() {
    scenario heavy
    at_places \
        "what is below a heavy row was listed, unheard|$listed|--fault|after|--at|1" \
        "a heavy row's rows without a key went, unheard|$drained|--fault|after|--at|1"
    spread before 1 "$points" 4
}

moves() {
    scenario moves
    at_places "what moves from a heavy group was listed, unheard|$listed|--fault|after|--at|1"
    spread after 2 "$trips"
    undoing
    at_places "the unique index is half dropped|$dropped|--fault|before|--at|2"
    spread kill-before 1 "$commits"
}

merge() {
    scenario merge
    at_places "the constraint was added, unheard|$constrained|--fault|after|--at|1"
}

# What an old run made for its time goes although the connection is lost behind the record that it is cancelled.
fresh() {
    scenario rule
    at_places "the desk is lost before groups are read|$tracked|--by|trips|--fault|after|--at|1"
    # shellcheck disable=SC2034
    here=$work/whole sessions=0
    PGDATABASE=$source session "$source" --fault before --from '"track_1"' --at 1 --kill
    is "$code" 137 'fresh: a run is killed in the middle'
    is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgwinnow\_1\_%'" 1 'fresh: its index is there'
    # shellcheck disable=SC2034
    command=(run --fresh plan.yaml)
    session "$source" --from 'name FROM "pgwinnow".objects' --fault before --by trips --at 1
    is "$code" 0 'fresh: another one takes its place, over a new connection' || diag "$(cat "$here"/out.*)"
    is_sql 'SELECT run, state FROM pgwinnow.runs ORDER BY run' $'1|cancelled\n2|finished' 'fresh: the old run is cancelled'
    is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgwinnow\_%'" 0 'fresh: nothing of it is left on the tables'
}

[ $# -gt 0 ] || set -- demo heavy moves merge fresh
for part; do "$part"; done
done_testing
