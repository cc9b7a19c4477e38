#!/bin/bash
# The direct connection: what it shows while it waits, signals, a killed backend, poolers, and the temporary indexes.
. "$(dirname "$0")/lib.sh"
new_database

sql "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i"
printf 'plan: wait\ntable: t\nsteps:\n  - index: { name: t_a, unique: [a] }\n' | plan
blocker() { # SECONDS: a transaction that a concurrent build must wait for
    PGAPPNAME=an-old-reader psql -XAtq <<<"BEGIN; UPDATE t SET a = a WHERE id = 1; SELECT pg_sleep($1)" >/dev/null 2>&1 &
    blocker=$!
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep($1)%' AND pid <> pg_backend_pid()" 1
}
# our own statement, be it the build or the removal of what an earlier one left, waits for that transaction
building="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow: % index' AND query LIKE '%INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
state='SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('"'t_a'"')'

blocker 4
pgw_start run plan.yaml --output json
pgw_end
is "$code" 0 'a build that waits for an old transaction'
like "$out" 'building the index t_a: waiting for writers before build' 'says how far it is'
like "$out" 'for process [0-9]+ \(an-old-reader' 'and for whom it waits'
wait $blocker

sql 'DROP INDEX t_a'
blocker 300
pgw_start run plan.yaml
eventually "$building" 1
kill -INT "$pid"
sleep 0.5
is_sql "$building" 1 'one Ctrl-C lets the build go on'
kill -INT "$pid"
pgw_end
is "$code" 75 'a second one cancels it'
is_sql "$building" 0 'on the server too'
pgw_start run plan.yaml
eventually "$building" 1
kill -TERM "$pid"
pgw_end
is "$code" 75 'SIGTERM cancels it at once'
pgw_start run plan.yaml
eventually "$building" 1
sql "UPDATE pgwinnow.runs SET wanted = 'cancelled'"
pgw_end
is "$code" 75 'so does wanted = cancelled'
is_sql "$building" 0 'on the server too'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'an-old-reader'" >/dev/null
wait $blocker 2>/dev/null
pgw run plan.yaml
is "$code" 0 'afterwards it is built'
is_sql "$state" t 'and valid'

# The server ends our session in the middle of a build: connected again, the leftover dropped, built anew.
sql 'DROP INDEX t_a'
blocker 5
pgw_start run plan.yaml
eventually "$building" 1
is_sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow: % index'" t 'given: the build is ended by somebody'
pgw_end
is "$code" 0 'the run goes on by itself'
is_sql "$state" t 'the index is valid'
wait $blocker

# A lock that is held all the time: short tries for a constraint, then a clean end.
psql -XAtq <<<"BEGIN; SELECT FROM t LIMIT 1; SELECT pg_sleep(20)" >/dev/null 2>&1 &
blocker=$!
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()" 1
printf 'plan: wait\ntable: t\nsteps:\n  - index: { name: t_a, unique: [a], constraint: t_a_key, locks: { ddl_timeout: 30ms, retries: 3 } }\n' | plan
pgw run --fresh plan.yaml
is "$code" 1 'a lock that cannot be had: the run ends'
like "$all" 'adding the constraint t_a_key' 'and says at what'
like "$all" 'ddl_timeout' 'and what to do'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()" >/dev/null
wait $blocker 2>/dev/null
pgw run plan.yaml
is "$code" 0 'later it goes on from there'
is_sql "SELECT count(*) FROM pg_constraint WHERE conname = 't_a_key'" 1 'and the constraint is there'

# Temporary indexes: on children that lack one, partitioned ones too; gone at the end, also after kills.
sql "CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t); CREATE TABLE p (id int, t int REFERENCES t) PARTITION BY RANGE (id);
     CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (500); CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (500) TO (5000); CREATE INDEX ON p_1 (t);
     INSERT INTO c SELECT i, i FROM generate_series(1, 1000) i; INSERT INTO p SELECT i, i FROM generate_series(1, 1000) i"
cat >"$work/temporary.yaml" <<'PLAN'
plan: temporary
table: t
steps:
  - discover: { missing_index: create, children: { c.t: delete, p.t: delete } }
  - track: { where: id <= 900 }
  - delete-children
  - delete
  - check: { query: "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgwinnow_%' AND relkind = 'i' AND relnamespace = 'public'::regnamespace", is: 2 }
PLAN
for i in 1 3 5; do
    pgw_start run temporary.yaml
    sleep "0.$i"
    kill -9 "$pid" 2>/dev/null
    pgw_end 2>/dev/null
done
pgw run temporary.yaml
is "$code" 0 'two were built for the run: the leaf that had one got none'
is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgwinnow_%' AND relkind = 'i' AND relnamespace = 'public'::regnamespace" 0 'they are gone'
is_sql "SELECT count(*) FROM pgwinnow.objects WHERE kind = 'index'" 0 'and their records'
is_sql 'SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM c), (SELECT count(*) FROM p)' '100|100|100' 'the rows went'

# A pooler between.
if command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; then
    bouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
    mkdir "$work/pool" && chmod 777 "$work" "$work/pool"
    cat >"$work/pool/ini" <<INI
[databases]
* = host=$PGHOST port=$PGPORT user=postgres
[pgbouncer]
listen_addr =
listen_port = 6544
unix_socket_dir = $work/pool
auth_type = any
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
INI
    run_as=()
    [ "$(id -u)" = 0 ] && run_as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    "${run_as[@]}" "$bouncer" "$work/pool/ini" >"$work/pool/log" 2>&1 &
    pool=$!
    until psql -h "$work/pool" -p 6544 -XAtqc 'SELECT 1' >/dev/null 2>&1 || ! kill -0 $pool 2>/dev/null; do sleep 0.1; done
    sql 'ALTER TABLE t DROP CONSTRAINT t_a_key'
    cat >"$work/pooled.yaml" <<PLAN
plan: pooled
table: t
environments:
  without: { database: "host=$work/pool port=6544 dbname=$PGDATABASE user=postgres" }
  with: { database: "host=$work/pool port=6544 dbname=$PGDATABASE user=postgres", database_direct: "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=postgres" }
steps:
  - index: { name: t_pooled, unique: [a] }
  - vacuum
PLAN
    pgw run pooled.yaml --env without
    is "$code" 3 'through a pooler an index is refused'
    like "$all" 'database_direct' 'and it says what is missing'
    pgw run pooled.yaml --env with
    is "$code" 0 'with a direct connection beside it it is built'
    is "$(for i in 1 2 3 4 5; do psql -h "$work/pool" -p 6544 -XAtqc 'SHOW vacuum_cost_delay'; done | sort -u)" 0 'nothing leaks to other clients of the pooler'
    kill $pool; wait $pool 2>/dev/null
fi
done_testing
