#!/bin/bash
# Upstream's own runbook for real duplicates, as a plan: the routes of airlines that were entered twice move to the airline
# with the smallest id, the others go, and a unique name keeps it so. The figures are those of the data's README, by plain
# SQL. Then the run is undone, and every table is what it was. Both are killed on the way, too, at moments that a seed
# gives. Skipped where the data is not there.
#
#   KILLS=4 KILL_SEED=7 tests/with-postgres tests/db/openflights-move.t
. "$(dirname "$0")/lib.sh"
data=$root/../shared/data/openflights
[ -r "$data/load.sql" ] || skip_all "no $data"
kills=${KILLS:-3}
RANDOM=${KILL_SEED:=$((RANDOM))}

new_database openflights
original=$PGDATABASE
(cd "$data" && psql -Xq -v ON_ERROR_STOP=1 -f load.sql >/dev/null) || { echo 'Bail out! the data cannot be loaded'; exit 1; }

plan <<'PLAN'
plan: openflights-runbook
about: One airline per name, the one with the smallest id; its routes stay with it.
table: openflights.airlines
batch: { size: 20, min: 5, max: 20, pause: 30ms }
steps:
  - discover:
      children:
        routes.alid: { move: { on_conflict: stop } }
      missing_index: create
  - track:
      duplicates: [name]
      expect: { rows: 89, groups: 70 }
  - delete-children
  - delete
  - index: { name: uix_airlines_name, unique: [name] }
PLAN

# copy DATABASE NAME: a fresh copy of one, which is current then
copy() {
    psql -XAtqc "CREATE DATABASE \"$original$2\" TEMPLATE \"$1\"" postgres
    databases+=("$original$2")
    export PGDATABASE=$original$2
}

# Every table of the data, row by row.
tables() {
    local table
    for table in airlines airports planes routes route_equipment; do
        sql "SELECT '$table', count(*), md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM openflights.$table t"
    done
}

indexes() {
    sql "SELECT pg_get_indexdef(indexrelid), indisvalid, indisready FROM pg_index JOIN pg_class c ON c.oid = indrelid
          WHERE relnamespace = 'openflights'::regnamespace ORDER BY 1"
}

# By plain SQL: what upstream's runbook makes of the tables.
model() {
    sql "CREATE TEMP TABLE twin AS SELECT alid, min(alid) OVER (PARTITION BY name) AS stays FROM openflights.airlines WHERE name IS NOT NULL;
         UPDATE openflights.routes r SET alid = t.stays FROM twin t WHERE t.alid = r.alid AND t.stays <> t.alid;
         DELETE FROM openflights.airlines a USING twin t WHERE t.alid = a.alid AND t.stays <> t.alid"
    tables
}

# killed TIMES COMMAND...: runs it to its end; killed so often on the way, at once or some moments after a batch committed,
# and started again each time
killed() {
    local times=$1 batches n
    shift
    for ((n = 1; n <= times; n++)); do
        batches=$(sql 'SELECT count(*) FROM pgwinnow.batches' 2>/dev/null || echo 0)
        pgw_start "$@"
        while kill -0 "$pid" 2>/dev/null && [ "$(sql 'SELECT count(*) FROM pgwinnow.batches' 2>/dev/null || echo 0)" = "$batches" ]; do
            sleep 0.01
        done
        sleep "0.$(printf %03d $((RANDOM % 300)))"
        kill -KILL "$pid" 2>/dev/null
        pgw_end 2>/dev/null
        [ "$code" = 137 ] || break
        kills_done=$((kills_done + 1))
        where+="$(sql "SELECT max(name), (SELECT count(*) FROM pgwinnow.batches) FROM pgwinnow.steps WHERE state = 'running'") "
    done
    [ "$code" != 137 ] || pgw "$@"
}

before=$(tables) indexes_before=$(indexes)
copy "$original" _model
expected=$(model)
export PGDATABASE=$original

# --- what it would do

pgw explain --json plan.yaml
is "$code" 0 'explain' || diag "$all"
is "$(psql -XAtq -v j="$out" <<<"SELECT e->>'key', e->>'policy', e->>'rows' FROM json_array_elements(:'j'::json->'tree') e")" \
    'routes.alid|move|386' 'explain: 386 routes move'
is "$(tables)" "$before" 'explain changes nothing'

# --- the run

copy "$original" _run
pgw run plan.yaml
is "$code" 0 'the run ends well' || diag "$all"
is_sql 'SELECT count(*) FROM openflights.airlines' 6073 'airlines'
is_sql 'SELECT count(*) FROM openflights.routes' 67663 'every route is still there'
is_sql 'SELECT sum(alid) FROM openflights.routes' 236515495 'with the airline that stays'
is_sql 'SELECT count(*) FROM openflights.routes WHERE alid IS NULL' 479 'or with none, as before'
is_sql "SELECT indisunique AND indisvalid FROM pg_index WHERE indexrelid = 'openflights.uix_airlines_name'::regclass" t \
    'a valid unique index on the name'
is "$(indexes | grep -v uix_airlines_name)" "$indexes_before" 'the temporary index is gone again'
is "$(tables)" "$expected" 'every table is what plain SQL makes of it'
is_sql "SELECT sum(rows), sum(children), sum(spared) FROM pgwinnow.batches" '89|386|0' 'the checkpoints know 89 airlines and 386 routes'
is_sql 'SELECT count(*) > 20, max(rows + children) <= 20 FROM pgwinnow.batches' 't|t' \
    'in batches of 20 rows at most, although 125 routes move from one airline'
done_run=$PGDATABASE
pgw run plan.yaml
is "$code" 0 'a second run ends well'
is "$(tables)" "$expected" 'and changes nothing'
pgw clean --yes
is "$code" 0 'clean'

# --- the undo

copy "$done_run" _stop
pgw undo 1
is "$code" 3 'undo: the unique name stands in the way'
like "$err" 'uix_airlines_name' 'and is named'
is "$(tables)" "$expected" 'nothing was changed'
pgw undo --yes 1
is "$code" 0 'undo --yes' || diag "$all"
is "$(tables)" "$before" 'undone: the checksum of every table is what it was'
is "$(indexes)" "$indexes_before" 'and so are the indexes'
pgw undo 1
is "$code" 0 'once more'
is "$(tables)" "$before" 'changes nothing'
pgw run plan.yaml
is "$code" 0 'and the plan can be run again' || diag "$all"
is "$(tables)" "$expected" 'with the same outcome'

# --- killed on the way

# Each batch takes its time, so that one is killed on any machine.
kills_done=0 where=''
copy "$original" _killed
sql "CREATE FUNCTION openflights.nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END';
     CREATE TRIGGER nap AFTER UPDATE ON openflights.routes FOR EACH STATEMENT EXECUTE FUNCTION openflights.nap()"
killed "$kills" run plan.yaml
is "$code" 0 "the run, killed $kills_done times, ends well" || diag "$all"
is "$(tables)" "$expected" 'with the very same tables'
is "$(indexes | grep -v uix_airlines_name)" "$indexes_before" 'and no index left over'
is_sql 'SELECT state, count(*) FROM pgwinnow.runs GROUP BY 1' 'finished|1' 'in one run'
is_sql 'SELECT sum(rows), sum(children), sum(spared) FROM pgwinnow.batches' '89|386|0' 'that did nothing twice'
isnt $kills_done 0 'it was killed indeed'
kills_done=0
killed "$kills" undo --yes 1
is "$code" 0 "its undo, killed $kills_done times, ends well" || diag "$all"
is "$(tables)" "$before" 'and every table is what it was'
is "$(indexes)" "$indexes_before" 'the indexes too'
isnt $kills_done 0 'it was killed indeed'
diag "seed $KILL_SEED; killed at: $where"
done_testing
