#!/bin/bash
# The steps vacuum, check and sql.
. "$(dirname "$0")/lib.sh"
new_database

steps() { # STEPS: the rest of a plan for table t
    printf 'plan: some-steps\ntable: t\nsteps:\n%s\n' "$1" | plan
    pgw run --fresh plan.yaml
}
sql "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i"

# --- check

holds() { steps "  - check: $1"; is "$code" 0 "holds: $1"; }
fails() { steps "  - check: $1"; is "$code" 3 "fails: $1"; like "$all" "$2" "and says $2"; }
holds '{ query: SELECT count(*) FROM t, is: 1000 }'
holds '{ query: SELECT 1000.00, is: 1000 }'
holds '{ query: SELECT true, is: true }'
holds '{ query: "SELECT '"'a b'"'", is: a b }'
holds '{ query: SELECT sum(a) FROM t, at_most: 500500 }'
holds '{ query: SELECT 12345678901234567890123.5, at_least: 12345678901234567890123.4 }'
holds '{ query: "SELECT '"'2024-02-01'"'::date", at_least: 2024-01-31 }'
holds '{ query: "SELECT '"'9 days'"'::interval", at_most: 10 days }'
holds '{ query: SELECT * FROM t WHERE a < 0, rows: none }'
holds '{ query: TABLE t, rows: some }'
holds '{ query: WITH x AS (SELECT 5 AS v) SELECT v FROM x, is: 5 }'
fails '{ query: SELECT count(*) FROM t, is: 999 }' 'expects 999, but it is 1000'
fails '{ query: SELECT 10, at_most: 9 }' 'at most 9, but it is 10'
fails '{ query: SELECT 12345678901234567890123.4, at_least: 12345678901234567890123.5 }' 'at least'
fails '{ query: "SELECT NULL::int", is: 0 }' 'it is NULL'
fails '{ query: SELECT a FROM t, is: 1 }' 'more than one row'
fails '{ query: SELECT a FROM t WHERE a < 0, is: 1 }' 'no row'
fails '{ query: "SELECT id, a FROM t WHERE a < 3 ORDER BY id", rows: none }' 'id = 1, a = 1'
fails '{ query: SELECT * FROM t WHERE a < 0, rows: some }' 'at least one row'
steps '  - check: { query: "SELECT pg_notify('"'x', 'y'"'); DELETE FROM t", rows: some }'
is "$code" 2 'a second statement is no SQL of one check'
steps '  - check: { query: "WITH d AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM d", is: 0 }'
isnt "$code" 0 'a check cannot write'
is_sql 'SELECT count(*) FROM t' 1000 'and has not'
steps '  - check: { query: SELECT a FROM nope, rows: some }'
is "$code" 2 'a table that is not there is a problem of the plan'
like "$all" 'plan.yaml:4:.*nope' 'with its place'
steps '  - check: { query: SELECT 1 }'
is "$code" 2 'nothing expected is a problem'

# --- sql

steps '  - sql: { run: "CREATE TABLE made AS SELECT 7 AS n", about: Makes it }
  - check: { query: SELECT n FROM made, is: 7 }'
is "$code" 0 'a statement runs, and a check behind it may read what it made'
steps '  - sql: { run: UPDATE t SET a = a + 1 WHERE id <= 10 }'
is "$code" 0 'a statement that changes rows'
is_sql "SELECT rows, state FROM pgwinnow.steps ORDER BY run DESC LIMIT 1" '10|done' 'is counted'
is_sql 'SELECT sum(a) FROM t' 500510 'and happens once'
steps '  - sql: { run: UPDATE t SET a = 0/(id - 10) }'
is "$code" 1 'one that fails'
is_sql 'SELECT sum(a) FROM t' 500510 'leaves nothing'
steps '  - sql: { run: VACUUM t }'
is "$code" 0 'one that cannot run in a transaction runs alone'
steps '  - sql: { run: REINDEX INDEX CONCURRENTLY t_pkey }'
is "$code" 0 'and so does another'
sql 'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET a = -1 WHERE id = 1; COMMIT; UPDATE t SET a = -2 WHERE id = 2; COMMIT; END $$'
steps '  - sql: { run: CALL p() }'
is "$code" 0 'a procedure that commits runs alone'
is_sql 'SELECT a FROM t WHERE id IN (1, 2) ORDER BY id' $'-1\n-2' 'and is done'
for word in BEGIN 'commit' 'SET work_mem = 1'; do
    steps "  - sql: { run: $word }"
    is "$code" 2 "not for a step: $word"
done
steps '  - sql: { run: UPDATE t SET nope = 1 }'
is "$code" 2 'a column that is not there is a problem of the plan'

# A lock that somebody holds: tried again.
psql -XAtq <<<"BEGIN; LOCK t; SELECT pg_sleep(2)" >/dev/null &
eventually "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock'" 1
steps '  - sql: { run: ALTER TABLE t ADD COLUMN c int, locks: { ddl_timeout: 50ms } }'
is "$code" 0 'a lock that is held for a while is waited for in short tries'
wait

# --- vacuum

sql "ALTER TABLE t SET (autovacuum_enabled = off); CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE); CREATE INDEX ON child (t); INSERT INTO child SELECT i, i FROM generate_series(1, 1000) i; CREATE TABLE other (id int)"
steps '  - discover: { children: { child.t: delete } }
  - vacuum'
is "$code" 0 'vacuum'
eventually "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_stat_user_tables WHERE vacuum_count > 0 AND schemaname = 'public'" 'child t' 10
is $? 0 'of the tables that were touched'
is "$(sql "SELECT count(*) FROM pg_stat_user_tables WHERE analyze_count > 0 AND relname IN ('t', 'child')")" 2 'with their statistics'
steps '  - vacuum: { tables: [other], analyze: false, truncate: true, parallel: 0, pace: full }'
is "$code" 0 'vacuum of tables that are named'
eventually "SELECT vacuum_count, analyze_count FROM pg_stat_user_tables WHERE relname = 'other'" '1|0' 10
is $? 0 'without statistics'
pgw explain plan.yaml
like "$out" 'VACUUM \(ANALYZE false, TRUNCATE true, PARALLEL 0\) "public"."other"' 'explain shows the statement'

# 'No space left on device' (53100), as parallel workers give it: raised here by an index expression that ANALYZE computes.
sql "CREATE SEQUENCE calls; CREATE TABLE full_disk (a int); INSERT INTO full_disk VALUES (1);
     CREATE FUNCTION boom(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \$\$ BEGIN
       IF nextval('public.calls') IN (2, 4, 5) THEN RAISE 'could not resize shared memory segment: No space left on device' USING ERRCODE = '53100'; END IF; RETURN \$1; END \$\$;
     CREATE INDEX ON full_disk (boom(a)); ALTER DATABASE \"$PGDATABASE\" SET log_statement = 'all'"
steps '  - vacuum: { tables: [full_disk] }'
is "$code" 0 'no shared memory for parallel workers: the step goes on'
unlike "$all" 'No space' 'without a word when it works without them'
like "$(grep 'VACUUM (.*full_disk' "$PGW_SERVER_LOG")" 'TRUNCATE false\).*TRUNCATE false, PARALLEL 0\)' 'it was tried again without parallel workers'
sql "SELECT setval('calls', 3)" >/dev/null
steps '  - vacuum: { tables: [full_disk] }'
is "$code" 0 'when that fails too the run goes on'
like "$all" 'VACUUM of public.full_disk: .*No space left.*; the run goes on' 'with a warning'
sql "ALTER DATABASE \"$PGDATABASE\" RESET log_statement"

sql "SET client_min_messages = error; DROP ROLE IF EXISTS t_reader; CREATE ROLE t_reader LOGIN; GRANT ALL ON SCHEMA public TO t_reader; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO t_reader; GRANT ALL ON SCHEMA pgwinnow TO t_reader; GRANT ALL ON ALL TABLES IN SCHEMA pgwinnow TO t_reader"
PGUSER=t_reader steps '  - vacuum: { tables: [other] }'
is "$code" 3 'a role that may not VACUUM is told before anything is done'
like "$all" 'may not VACUUM' 'by name'
sql "CREATE TABLE mixed (a int) PARTITION BY LIST (a); CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1); ALTER TABLE mixed OWNER TO t_reader"
PGUSER=t_reader steps '  - vacuum: { tables: [mixed] }'
if [ "$(sql 'SHOW server_version_num')" -lt 170000 ]; then
    is "$code" 3 'a partition that the server would skip is told before anything is done'
    like "$all" 'may not VACUUM public.mixed_1' 'by name'
fi
sql "DROP OWNED BY t_reader; DROP ROLE t_reader" >/dev/null
done_testing
