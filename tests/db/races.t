#!/bin/bash
# The runner among clients that write all the time: no group loses its last row, no child is lost against its policy, no
# row goes that somebody changed, and no client is the victim.
#
#   tests/db/races.t [PART...]      survivors children stop locks deadlocks; all of them without an argument
#
# What is promised rests on a line of SQL or two, named here as "Rests on". Each was taken out and the test turned red:
# tests/db/mutants does that again, and names the lines.
. "$(dirname "$0")/lib.sh"
workers=1

tables() {
    new_database "$1"
    sql_file "$root/tests/db/races.sql"
}

# CHILDREN, then more settings of the plan: small batches, so that there are many
make_plan() {
    plan <<PLAN
plan: races
table: public.listings
batch: { size: 200, min: 50, max: 200, pause: 10ms, workers: $workers }
${2:-}
steps:
  - discover: { $1 }
  - track: { duplicates: [source, external_id], keep: { first: scraped_at } }
  - delete-children
  - delete
PLAN
}

# harass CLIENTS SQL [MS]: that many sessions do it again and again, with a pause; `calm` ends them
clients=()
harass() {
    local script="$work/client.${#clients[@]}.sql"
    printf '%s\n\\sleep %s ms\n' "$2" "${3:-0}" >"$script"
    pgbench -n -f "$script" -c "$1" -j 1 -T 120 >>"$work/clients" 2>&1 &
    clients+=($!)
}

# A client that gave up proves nothing.
calm() {
    local client
    for client in "${clients[@]}"; do
        kill "$client"
        wait "$client" 2>/dev/null
    done
    clients=()
    eventually "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'pgbench'" 0
    if grep -q aborted "$work/clients"; then
        ok 1 'the clients went on to the end'
        diag "$(grep -m 3 -B 2 aborted "$work/clients")"
    fi
    : >"$work/clients"
}

# at_least N QUERY NAME: else there was no race
at_least() {
    local found
    found=$(sql "$2")
    ok $((found < $1)) "$3 ($found)"
}

# --- survivors and losers ---

# race_survivors WORKERS WAY [ISOLATION]: WAY is fast (one statement a batch) or thorough (rows locked first)
#
# Rests on: FOR SHARE OF the survivor (FOR KEY SHARE lets its key be changed); :still, which compares the loser with it in
# the statement that removes or locks the loser; BEGIN ISOLATION LEVEL READ COMMITTED, written out.
race_survivors() {
    workers=$1
    local how="$2, $1 workers, ${3:-read committed}" what
    tables "$2$1"
    if [ "$2" = thorough ]; then
        sql 'CREATE TABLE posts (id int PRIMARY KEY, parent int REFERENCES listings ON DELETE CASCADE);
             CREATE INDEX ON posts (parent)'
        make_plan 'children: { posts.parent: delete }'
    else
        make_plan ''
    fi
    harass 4 'SELECT rewrite(next_group());'
    PGOPTIONS=${3:+-c default_transaction_isolation=${3/ /\\ }} pgw run plan.yaml
    calm
    is "$code" 0 "$how: the run ends well" || diag "$all"
    is_sql "SELECT count(*) FROM generate_series(1, 1200) AS g
             WHERE NOT EXISTS (SELECT FROM listings WHERE external_id = 'x' || g)" 0 "$how: no group is empty"
    is_sql "SELECT count(*) FROM told WHERE what = 'own' AND id NOT IN (SELECT id FROM listings)" 0 \
        "$how: no row is gone that got another key"
    is_sql "SELECT count(*) FROM told WHERE what = 'first' AND id NOT IN (SELECT id FROM listings)" 0 \
        "$how: no row is gone that had become its group's first"
    is_sql "SELECT count(*) FROM told WHERE what = 'before last' AND id NOT IN (SELECT id FROM listings)" 0 \
        "$how: no row is gone whose survivor had become the last"
    is_sql "SELECT count(*) FROM generate_series(1, 1200) AS s WHERE s NOT IN (SELECT id FROM listings)
               AND s NOT IN (SELECT id FROM told WHERE what = 'deleted')" 0 "$how: no survivor is gone but by a client"
    is_sql "SELECT count(*) FROM generate_series(1, 1200) AS g
             WHERE (SELECT count(*) FROM listings WHERE external_id = 'x' || g) <> 1 AND g NOT IN (SELECT id FROM told)
               AND NOT EXISTS (SELECT FROM told WHERE id > 1200 AND (id - 1201) / 3 + 1 = g)" 0 \
        "$how: every group that nobody touched has one row"
    reasons "$how"
    for what in moved deleted own first 'before last'; do
        at_least 3 "SELECT count(*) FROM told WHERE what = '$what'" "$how: clients did that often: $what"
    done
    is_sql 'SELECT string_agg(name, $$, $$) FROM isolation' 'read committed' "$how: every batch was read committed"
}

# Why the rows stay stands in the tracking table.
reasons() {
    is_sql "SELECT DISTINCT t.outcome FROM told JOIN pgwinnow.track_1 t USING (id) WHERE what = 'own'" \
        "its key is no longer its survivor's" "$1: why rows with another key stay"
    is_sql "SELECT DISTINCT t.outcome FROM told JOIN pgwinnow.track_1 t USING (id) WHERE what = 'first'" \
        'it would now win over its survivor' "$1: why rows that became first stay"
    is_sql "SELECT DISTINCT t.outcome FROM told JOIN pgwinnow.track_1 t USING (id) WHERE what = 'before last'" \
        'it would now win over its survivor' "$1: why rows before the last stay"
    is_sql "SELECT DISTINCT t.outcome FROM listings JOIN pgwinnow.track_1 t USING (id)
              JOIN told ON told.id = t.survivor_id WHERE what = 'moved'" "its key is no longer its survivor's" "$1: why losers of moved survivors stay"
    is_sql "SELECT DISTINCT t.outcome FROM listings JOIN pgwinnow.track_1 t USING (id)
              JOIN told ON told.id = t.survivor_id WHERE what = 'deleted'" 'its survivor is gone' "$1: why losers of deleted survivors stay"
}

survivors() {
    race_survivors 1 fast
    race_survivors 2 thorough
    race_survivors 2 fast 'repeatable read'
    race_survivors 1 thorough serializable
}

# --- rows below ---

# below TABLE PARENT ACTION: a table whose rows point at another's
below() {
    sql "CREATE TABLE $1 (id int PRIMARY KEY, parent int REFERENCES $2 ON DELETE $3); CREATE INDEX ON $1 (parent)"
}

# A batch stays a while before it removes rows of this table, too.
naps() { sql "CREATE TRIGGER nap BEFORE DELETE ON $1 FOR EACH STATEMENT EXECUTE FUNCTION nap()"; }

# A row below every third loser, and 500 below one of them, which is more than a batch may take; written down like those
# that come later.
begin_with() {
    local name
    for name; do
        sql "WITH made AS (INSERT INTO $name SELECT nextval('child_id'), id
                 FROM listings, generate_series(1, CASE id WHEN 2100 THEN 500 ELSE 1 END)
                WHERE id > 1200 AND id % 3 = 0 RETURNING *)
             INSERT INTO born SELECT '$name', id, parent FROM made"
    done
}

# Where the database's own actions would do something else than the policy, or the same unseen by us.
tables_with_actions() {
    delete='posts drafts notes views' null='audit bills votes'
    below posts  listings CASCADE        # delete
    below drafts listings 'SET NULL'     # delete
    below audit  listings CASCADE        # set-null
    below notes  listings 'NO ACTION'    # delete
    below bills  listings 'NO ACTION'    # set-null
    below votes  posts    CASCADE        # set-null
    below views  drafts   'NO ACTION'    # delete
    begin_with posts drafts audit notes bills
    naps posts
    make_plan 'children: { posts.parent: delete, drafts.parent: delete, audit.parent: set-null, notes.parent: delete,
                           bills.parent: set-null, votes.parent: set-null, views.parent: delete }'
    harass 3 "SELECT add_children(next_group(), 'posts', 'drafts', 'audit', 'notes', 'bills');" 3
    harass 1 "SELECT add_grandchild(next_group(), 'posts', 'votes');" 3
    harass 1 "SELECT add_grandchild(next_group(), 'drafts', 'views');" 3
}

# Where the database only objects.
tables_without_actions() {
    delete='notes views' null='bills votes'
    below notes listings 'NO ACTION'     # delete
    below bills listings RESTRICT        # set-null
    below votes notes    RESTRICT        # set-null
    below views notes    'NO ACTION'     # delete
    begin_with notes bills
    make_plan 'children: { notes.parent: delete, bills.parent: set-null, votes.parent: set-null, views.parent: delete }'
    harass 3 "SELECT add_children(next_group(), 'notes', 'bills');" 3
    harass 1 "SELECT add_grandchild(next_group(), 'notes', 'votes');" 3
    harass 1 "SELECT add_grandchild(next_group(), 'notes', 'views');" 3
}

# race_children WORKERS TABLES [ISOLATION]
#
# Rests on: FOR UPDATE OF the rows that go in lock_roots and of those below them in close_family, which keeps children
# from coming until the batch commits, each edge looked at by a new statement behind that lock; a try that ended in 23503
# is done again, thoroughly.
race_children() {
    workers=$1
    local how="$2, $1 workers, ${3:-read committed}" delete null first name gone=0 nulls=0
    tables "$2$1"
    "tables_$2"
    first=$(sql "SELECT count(*) FROM born")
    PGOPTIONS=${3:+-c default_transaction_isolation=${3/ /\\ }} pgw run plan.yaml
    calm
    is "$code" 0 "$how: the run ends well" || diag "$all"
    is_sql 'SELECT count(*) FROM listings' 1200 "$how: all losers are gone"
    for name in $delete; do
        is_sql "SELECT count(*) FROM $name WHERE parent IS NULL
                    OR NOT EXISTS (SELECT FROM born WHERE id = $name.id AND parent = $name.parent)" 0 \
            "$how: no row of $name lost its parent"
        gone="$gone + (SELECT count(*) FROM born WHERE child = '$name') - (SELECT count(*) FROM $name)"
    done
    for name in $null; do
        is_sql "SELECT count(*) FROM born WHERE child = '$name' AND id NOT IN (SELECT id FROM $name)" 0 \
            "$how: no row of $name is lost"
        nulls="$nulls + (SELECT count(*) FROM $name WHERE parent IS NULL)"
    done
    for name in $delete $null; do
        at_least 5 "SELECT count(*) FROM born WHERE child = '$name' AND id > $first" \
            "$how: rows of $name came meanwhile"
    done
    is "$(sql 'SELECT sum(children) FROM pgwinnow.batches')" "$(sql "SELECT $gone + $nulls")" \
        "$how: every row below was settled by the run, none by the database"
}

children() {
    race_children 1 without_actions
    race_children 2 with_actions
    race_children 2 without_actions serializable
    race_children 1 with_actions 'repeatable read'
}

# race_stop ACTION: no row may ever be below one that goes
#
# Rests on: find_stopped, behind the lock of lock_roots.
race_stop() {
    local how="stop, ON DELETE $1"
    workers=1
    tables stop
    below posts listings CASCADE
    below votes posts "$1"
    below bills listings "$1"
    begin_with posts
    naps posts
    make_plan 'children: { posts.parent: delete, votes.parent: stop, bills.parent: stop }'
    harass 2 "SELECT add_children(next_group(), 'bills');" 3
    harass 1 "SELECT add_grandchild(next_group(), 'posts', 'votes');" 3
    pgw run plan.yaml
    calm
    is "$code" 3 "$how: the run is refused" || diag "$all"
    like "$err" 'bills|votes' "$how: it says by which rows"
    at_least 1 "SELECT count(*) FROM born WHERE child IN ('bills', 'votes')" "$how: rows came"
    is_sql "SELECT count(*) FROM born WHERE child = 'bills' AND NOT EXISTS (
                SELECT FROM bills JOIN listings ON listings.id = parent WHERE bills.id = born.id)" 0 \
        "$how: all are there, with what they point at"
    is_sql "SELECT count(*) FROM born WHERE child = 'votes' AND NOT EXISTS (
                SELECT FROM votes JOIN posts ON posts.id = votes.parent WHERE votes.id = born.id)" 0 \
        "$how: those two steps below too"
}

stop() {
    race_stop CASCADE
    race_stop 'SET NULL'
    race_stop 'NO ACTION'
}

# --- locks ---

# Rests on: SKIP LOCKED for survivors and losers, the last pass, which waits and tries again.
race_locks() {
    workers=$1
    local how="locked rows, $1 workers" holder
    tables locks
    below posts listings "$2"
    make_plan 'children: { posts.parent: delete }'
    sql 'CREATE TABLE let_go (x int)'
    # Survivors of 15 groups, and a loser of 15 others.
    psql -Xq >"$work/holder" 2>&1 <<SQL &
BEGIN;
SELECT id FROM listings WHERE (id <= 1200 AND id % 80 = 0) OR (id > 1200 AND (id - 1200) % 240 = 120) FOR UPDATE;
DO \$\$BEGIN WHILE NOT EXISTS (SELECT FROM let_go) LOOP PERFORM pg_sleep(0.05); END LOOP; END\$\$;
COMMIT;
SQL
    holder=$!
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DO%'" 1
    pgw_start run --output plain plan.yaml
    eventually 'SELECT count(*) FROM listings' 1260
    ok $? "$how: all others go while they are held" || diag "$(sql 'SELECT count(*) FROM listings')"
    sleep 3
    kill -0 $pid 2>/dev/null
    ok $? "$how: the run waits for them" || diag "$(cat "$work/.err")"
    sql 'INSERT INTO let_go VALUES (1)'
    pgw_end
    wait "$holder"
    is "$code" 0 "$how: the run ends well" || diag "$all"
    is_sql 'SELECT count(*), max(id) FROM listings' '1200|1200' "$how: they go in the end"
    is_sql 'SELECT count(*) FROM pgwinnow.track_1 WHERE outcome IS NOT NULL' 0 "$how: none is left as contested"
}

# A row is held for longer than the run is ready to wait, and a row below another one.
never_released() {
    local how='rows held for long' holder
    tables held
    below posts listings 'NO ACTION'
    begin_with posts
    make_plan 'children: { posts.parent: delete }' 'locks: { retries: 2 }'
    psql -Xq >"$work/holder" 2>&1 <<'SQL' &
BEGIN;
SELECT id FROM listings WHERE id = 2001 FOR UPDATE;
SELECT id FROM posts WHERE parent = 3000 FOR UPDATE;
SELECT pg_sleep(60);
SQL
    holder=$!
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'" 1
    pgw run plan.yaml
    is "$code" 1 "$how: the run fails" || diag "$all"
    is_sql 'SELECT array_agg(id) FROM listings WHERE id > 1200' '{2001,3000}' "$how: all others are gone"
    is_sql 'SELECT count(*) FROM posts' 2 "$how: and what was below them"
    kill "$holder"
    wait "$holder" 2>/dev/null
    eventually "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event = 'PgSleep'" ''
    pgw run plan.yaml
    is "$code" 0 "$how: the same command goes on when they are free" || diag "$all"
    is_sql 'SELECT count(*), max(id), (SELECT count(*) FROM posts) FROM listings' '1200|1200|0' "$how: and takes them"
}

locks() {
    never_released
    race_locks 1 'NO ACTION'
    race_locks 2 CASCADE
}

# Clients lock two rows of a batch in the other order. The server kills the one that waited for deadlock_timeout (1 s).
#
# Rests on: lock_timeout, 100 ms unless the plan says otherwise: the batch yields and is tried again.
deadlocks() {
    workers=2
    tables deadlocks
    make_plan ''
    harass 4 'SELECT lock_backwards(next_group());'
    pgw run plan.yaml
    calm
    is "$code" 0 'deadlocks: the run ends well' || diag "$all"
    is_sql 'SELECT count(*), max(id) FROM listings' '1200|1200' 'deadlocks: every loser is gone'
    at_least 10 "SELECT count(*) FROM told WHERE what = 'tried'" 'deadlocks: clients tried often'
    is_sql "SELECT count(*) FROM told WHERE what = 'victim'" 0 'deadlocks: no client was the victim'
}

[ $# -gt 0 ] || set -- survivors children stop locks deadlocks
for part; do "$part"; done
done_testing
