#!/bin/bash
# A state schema of an older version, before a newer program has run in it: whoever only looks is told what is there, and
# nothing is upgraded.
. "$(dirname "$0")/lib.sh"
new_database older
export NO_COLOR=1

sql "CREATE TABLE things (id int PRIMARY KEY, key int); INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 99) i"
plan <<'PLAN'
plan: over
table: public.things
steps: [ discover, { track: { duplicates: [key] } }, delete ]
PLAN
pgw run plan.yaml
sed -i 's/plan: over/plan: stopped/' "$work/plan.yaml"
sql 'INSERT INTO things SELECT i, i / 2 FROM generate_series(1000, 1099) i'
pgw run --until track plan.yaml
is "$code" 75 'a run that is over, and one that stopped'

# looks VERSION: everything that reads
looks() {
    local command
    for command in 'status' 'status stopped' 'status over' 'status --json' 'status --json over' 'history' 'history --json' \
        'report --format json 1'; do
        # shellcheck disable=SC2086
        pgw $command
        is "$code" 0 "version $1: $command" || diag "$all"
    done
    pgw status
    like "$out" 'stopped +paused +delete' "version $1: the one that stopped"
    pgw history
    like "$out" 'over +.*finished .* 50' "version $1: the one that is over, with what it removed"
    (cd "$work" && timeout --foreground -s INT 1 "$PGWINNOW" status --watch) >"$work/watched" 2>&1
    like "$(cat "$work/watched")" 'stopped +paused +delete' "version $1: --watch"
    is_sql 'SELECT max(version) FROM pgwinnow.version' "$1" "version $1: it still is"
}

sql 'DROP TABLE pgwinnow.events, pgwinnow.outbox, pgwinnow.endpoints, pgwinnow.samples, pgwinnow.statements;
     ALTER TABLE pgwinnow.runs DROP uid, DROP hold, DROP tree_shown, DROP server; ALTER TABLE pgwinnow.batches DROP edges;
     UPDATE pgwinnow.version SET version = 3'
looks 3
sql 'DROP TABLE pgwinnow.guards, pgwinnow.locks, pgwinnow.acts, pgwinnow.lanes; ALTER TABLE pgwinnow.lease DROP entered;
     ALTER TABLE pgwinnow.runs DROP lane, DROP tables, DROP settings, DROP waiting; UPDATE pgwinnow.version SET version = 2'
looks 2
sql 'DROP TABLE pgwinnow.archives; UPDATE pgwinnow.version SET version = 1'
looks 1
pgw run plan.yaml
is "$code" 0 'a run upgrades it, and goes on'
is_sql 'SELECT max(version) > 1 FROM pgwinnow.version' t 'it is of this version now'
done_testing
