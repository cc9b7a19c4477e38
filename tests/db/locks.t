#!/bin/bash
# The runner's locks and everybody else's: rows in the order of their keys, no queue behind a change of a definition, and
# in a deadlock it is the runner that yields.
#
#   tests/db/locks.t [PART...]      order queue deadlock
. "$(dirname "$0")/lib.sh"

# Rows lie in the reverse order of their keys, so that the order of the table is not that of the keys.
make_tables() {
    new_database "$1"
    sql "CREATE TABLE listings (id int PRIMARY KEY, key int NOT NULL);
         INSERT INTO listings SELECT 1201 - n, (1201 - n) % 300 FROM generate_series(1, 1200) n;
         CREATE TABLE posts (id int PRIMARY KEY, listing int REFERENCES listings ON DELETE ${2:-NO ACTION});
         CREATE INDEX ON posts (listing);
         INSERT INTO posts SELECT n, n FROM generate_series(1, 1200) n;
         ANALYZE" >/dev/null
}

# make_plan STEPS...: behind track
make_plan() {
    {
        printf '%s\n' 'plan: locks' 'table: public.listings' 'batch: { size: 100, min: 100, max: 100, pause: 1ms }' \
            'locks: { ddl_timeout: 300ms, retries: 20 }' 'steps:' \
            '  - discover: { children: { posts.listing: delete } }' \
            '  - track: { duplicates: [key], keep: { first: id } }'
        printf '  - %s\n' "$@"
    } | plan
}

# Rests on: ORDER BY in qualified_with_survivor and qualified_alone (work/tracking.sql) and lock_roots (closure.sql).
order() {
    local action
    for action in 'NO ACTION' CASCADE; do
        make_tables order "$action"
        sql "CREATE TABLE gone (no serial, xact bigint DEFAULT txid_current(), id int);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN INSERT INTO public.gone (id) VALUES (OLD.id); RETURN NULL; END';
             CREATE TRIGGER note AFTER DELETE ON listings FOR EACH ROW EXECUTE FUNCTION note()"
        make_plan delete-children delete
        pgw run plan.yaml
        is "$code" 0 "children $action: the run ends well" || diag "$all"
        is_sql 'SELECT count(*) FROM gone' 900 "children $action: all went"
        is_sql 'SELECT count(*) FROM (SELECT id < lag(id) OVER (PARTITION BY xact ORDER BY no) AS back FROM gone) x WHERE back' \
            0 "children $action: in the order of their keys"
        is_sql 'SELECT count(*) > 1 FROM (SELECT xact FROM gone GROUP BY 1 HAVING count(*) > 10) x' t \
            "children $action: in several batches of several rows"
    done
}

# A reader stays in its transaction while a constraint must be added, which needs the table for itself: tries are short,
# and whoever comes behind one waits no longer than that.
queue() {
    local reader clients
    make_tables queue
    make_plan delete-children delete 'index: { name: listings_key, unique: [key], constraint: listings_one }'
    # Idle in its transaction: the build of the index waits for no such session, the constraint does.
    { echo 'BEGIN; SELECT count(*) FROM listings;'; exec sleep 600; } | psql -Xq >/dev/null 2>&1 &
    reader=$!
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'" 1
    pgw_start run plan.yaml
    local tries="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                    AND query LIKE 'ALTER TABLE%'"
    eventually "$tries" 1
    ok $? 'the constraint waits for the reader'
    # Each client would wait for the reader's end if the runner stood before it for so long.
    printf '%s\n' 'SET lock_timeout = 10000;' 'SELECT count(*) FROM listings WHERE id = 1;' >"$work/look.sql"
    pgbench -n -f "$work/look.sql" -c 2 -T 4 >"$work/clients" 2>&1 &
    clients=$!
    eventually "$tries" 0
    ok $? 'it gives up after a short try'
    eventually "$tries" 1
    ok $? 'and tries again'
    wait "$clients"
    ok $? 'clients read on meanwhile' || diag "$(cat "$work/clients")"
    unlike "$(cat "$work/clients")" 'lock timeout|aborted' 'and none of them waits for the reader'
    sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND state = 'idle in transaction' AND application_name = 'psql'" >/dev/null
    kill "$reader" 2>/dev/null
    pgw_end
    is "$code" 0 'when the reader is gone the run ends well' || diag "$all"
    is_sql "SELECT count(*) FROM pg_constraint WHERE conname = 'listings_one'" 1 'with the constraint'
}

# A client that holds a row below waits for one that a batch holds, and the batch for the client's. The server would
# kill the one that waits for deadlock_timeout, 1 s; after lock_timeout, 100 ms, the batch lets go of all it has.
#
# Rests on: lock_timeout in work/session.sql, and the retry of 55P03.
deadlock() {
    local client
    make_tables deadlock CASCADE
    sql "CREATE TABLE met (what text);
         CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END';
         CREATE TRIGGER nap BEFORE DELETE ON posts FOR EACH STATEMENT EXECUTE FUNCTION nap()"
    cat >"$work/client.sql" <<'SQL'
DO $$
DECLARE
    victim int := (SELECT max(listing) FROM posts WHERE listing > 300);
BEGIN
    UPDATE posts SET listing = listing WHERE listing = victim;
    PERFORM pg_sleep(0.03);
    PERFORM FROM listings WHERE id = victim - 5 FOR UPDATE;
    UPDATE listings SET key = key WHERE id = victim;
    INSERT INTO met VALUES ('tried');
    PERFORM pg_sleep(0.02);
EXCEPTION WHEN deadlock_detected THEN
    INSERT INTO met VALUES ('victim');
END $$;
SQL
    pgbench -n -f "$work/client.sql" -c 3 -T 6 >"$work/clients" 2>&1 &
    client=$!
    make_plan delete-children delete
    pgw run plan.yaml
    wait "$client"
    is "$code" 0 'deadlocks: the run ends well' || diag "$all"
    is_sql 'SELECT count(*), max(id) FROM listings' '300|300' 'deadlocks: every loser is gone'
    is_sql 'SELECT count(*) FROM posts' 300 'deadlocks: and what was below'
    is_sql "SELECT count(*) > 5 FROM met WHERE what = 'tried'" t 'deadlocks: clients were in the way often'
    is_sql "SELECT count(*) FROM met WHERE what = 'victim'" 0 'deadlocks: none of them was the victim'
    unlike "$(cat "$work/clients")" aborted 'deadlocks: and none had an error' || diag "$(tail -5 "$work/clients")"
}

[ $# -gt 0 ] || set -- order queue deadlock
for part; do "$part"; done
done_testing
