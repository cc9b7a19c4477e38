#!/bin/bash
# The runner is killed with SIGKILL while one long statement runs: the server notices, and the statement does not go on. Each
# case in a database of its own, all at a time.
. "$(dirname "$0")/lib.sh"

cases=()
declare -A database pids
# ready NAME [SQL]: a database for a case: rows 1 to 20, and nap() that sleeps a minute
ready() {
    new_database "$1"
    database[$1]=$PGDATABASE
    cases+=("$1")
    sql "CREATE TABLE t (id int PRIMARY KEY, k int, n int); INSERT INTO t SELECT n, n % 5, 0 FROM generate_series(1, 20) n;
         CREATE FUNCTION nap() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(60)';
         CREATE FUNCTION napping() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nap(); RETURN OLD; END'"
}

# starts NAME ARGUMENT...: the runner, in the background
starts() {
    (cd "$work" && exec "$PGWINNOW" "${direct[@]}" "${@:2}") >"$work/$1.out" 2>&1 </dev/null &
    pids[$1]=$!
}

plan_of() { { printf 'plan: cancelled\ntable: t\nsteps:\n'; cat; } >"$work/$1.yaml"; }

ready track
plan_of track <<<'  - track: { where: nap() = 1 }'
starts track run track.yaml

ready query
plan_of query <<<'  - track: { query: SELECT id FROM t WHERE nap() = 1 }'
starts query run query.yaml

ready batch
sql "CREATE TRIGGER nap BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION napping()"
printf '  - discover\n  - track: { where: id > 0 }\n  - delete\n' | plan_of batch
starts batch run batch.yaml

ready sql
plan_of sql <<<'  - sql: { run: SELECT nap() }'
starts sql run sql.yaml

ready check
plan_of check <<<'  - check: { query: SELECT nap(), is: 1 }'
starts check run check.yaml

ready backfill
plan_of backfill <<<'  - backfill: { table: t, set: { n: nap() }, where: n = 0 }'
starts backfill run backfill.yaml

ready index
sql "CREATE FUNCTION slow_key(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN 1; END'"
plan_of index <<<'  - index: { name: t_slow, columns: [ "slow_key(k)" ] }'
starts index run index.yaml

ready rule
echo 'return { keep = function(rows) return 1 end }' >"$work/rule.lua"
sql "CREATE VIEW v AS SELECT 1"
printf '  - discover\n  - track: { duplicates: [k], where: nap() = 1, keep: { lua: rule.lua } }\n' | plan_of rule
starts rule run rule.yaml

ready explain
plan_of explain <<<'  - track: { where: nap() = 1 }'
starts explain explain explain.yaml

active="SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow%' AND wait_event = 'PgSleep'"
for name in "${cases[@]}"; do
    PGDATABASE=${database[$name]} eventually "$active" t 30
    ok $? "given: $name sleeps" || diag "$(cat "$work/$name.out")"
done
for name in "${cases[@]}"; do kill -9 "${pids[$name]}"; done
wait 2>/dev/null
for name in "${cases[@]}"; do
    PGDATABASE=${database[$name]} eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow%'" 0 15
    ok $? "$name: nothing of it goes on in the server"
done
done_testing
