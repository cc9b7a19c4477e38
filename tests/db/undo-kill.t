#!/bin/bash
# An undo that is killed with SIGKILL at random moments and begun again each time ends with every table as it was before the
# run; one at a time; stopped, paused and resumed; over lost connections.
#
#   KILLS=20 KILL_SEED=7 tests/with-postgres tests/db/undo-kill.t
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1

kills=${KILLS:-8}
RANDOM=${KILL_SEED:=$((RANDOM))}

sums() {
    local t
    for t in listings posts likes audit; do
        sql "SELECT '$t', count(*), md5(string_agg(x::text, '|' ORDER BY x::text COLLATE \"C\")) FROM $t x"
    done
}

new_database undo_kill
sql "CREATE TABLE listings (id int PRIMARY KEY, k int, up int REFERENCES listings, note text);
     INSERT INTO listings SELECT n, n % 1000, NULL, md5(n::text) FROM generate_series(1, 4000) n;
     UPDATE listings SET up = id % 4000 + 1;
     CREATE TABLE posts (id int PRIMARY KEY, listing_id int NOT NULL REFERENCES listings ON DELETE CASCADE, body text);
     INSERT INTO posts SELECT n, n % 4000 + 1, md5(n::text) FROM generate_series(1, 12000) n;
     CREATE TABLE likes (post_id int REFERENCES posts, who int, PRIMARY KEY (post_id, who));
     INSERT INTO likes SELECT n % 12000 + 1, n / 12000 FROM generate_series(1, 20000) n;
     CREATE TABLE audit (id int PRIMARY KEY, listing_id int REFERENCES listings);
     INSERT INTO audit SELECT n, n % 4000 + 1 FROM generate_series(1, 6000) n;
     CREATE INDEX ON listings (up); CREATE INDEX ON posts (listing_id); CREATE INDEX ON audit (listing_id)"
plan <<'PLAN'
plan: kills
table: listings
batch: { size: 200, min: 50, max: 400, pause: 0ms, workers: 3 }
steps:
  - discover: { children: { listings.up: set-null, posts.listing_id: delete, likes.post_id: delete, audit.listing_id: set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
PLAN
before=$(sums)
pgw run plan.yaml
is "$code" 0 'the run, over three connections' || diag "$all"
isnt "$(sums)" "$before" 'it changed something'
is_sql 'SELECT count(*) > 20 FROM (SELECT DISTINCT pgwinnow_batch FROM pgwinnow.archive_1_'"$(sql "SELECT 'listings'::regclass::oid")"') x' t \
    'in many batches'

killed=0 code=137
while [ "$code" = 137 ]; do
    # Every other one looks first whether anything is in the way; killed then, nothing has changed.
    on_conflict=skip
    [ $((killed % 2)) = 0 ] || on_conflict=stop
    pgw_start undo 1 --on-conflict $on_conflict
    if [ $killed -lt "$kills" ]; then
        sleep "$(awk -v ms=$((RANDOM % 1500 + 50)) 'BEGIN { print ms / 1000 }')"
        kill -KILL "$pid" 2>/dev/null
    fi
    pgw_end 2>/dev/null
    [ "$code" = 137 ] && killed=$((killed + 1))
    at+="$(sql "SELECT COALESCE(sum(batches), 0) FROM (SELECT count(*) AS batches FROM pgwinnow.batches WHERE step = 4) x") "
done
is "$code" 0 'killed and begun again, it ends' || diag "$all"
is "$(sums)" "$before" 'and every table is as before the run'
is_sql "SELECT state FROM pgwinnow.runs" undone 'the run is undone'
is_sql "SELECT count(*) FROM pgwinnow.undo_left_1" 0 'no row was left'
diag "killed $killed times, after batches: $at; seed $KILL_SEED"
is_sql "SELECT count(*) - (SELECT max(seq) FROM pgwinnow.undo_1) FROM pgwinnow.batches WHERE step = 4" 0 'every batch was taken back once'

# --- one at a time, and whatever stops it

pgw run plan.yaml
psql -XAtq >/dev/null 2>&1 <<'SQL' &
BEGIN; LOCK listings IN SHARE ROW EXCLUSIVE MODE; SELECT pg_sleep(60); COMMIT;
SQL
eventually "SELECT count(*) FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND relation = 'listings'::regclass" 1
pgw_start undo 2
first=$pid
eventually "SELECT state FROM pgwinnow.runs WHERE run = 2" undoing
(cd "$work" && "$PGWINNOW" undo 2 >"$work/second" 2>&1 </dev/null; echo $? >"$work/second.code")
is "$(cat "$work/second.code")" 4 'a second undo meanwhile: exit code 4'
like "$(cat "$work/second")" 'being undone, by .*pid' 'who is at it is told'
(cd "$work" && "$PGWINNOW" run plan.yaml >"$work/second" 2>&1 </dev/null; echo $? >"$work/second.code")
is "$(cat "$work/second.code")" 3 'a run of the plan neither'
kill -INT "$first"
pgw_end
sql "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND relation = 'listings'::regclass" >/dev/null
is "$code" 75 'Ctrl-C stops it, to be resumed' || diag "$all"
is_sql "SELECT state FROM pgwinnow.runs WHERE run = 2" undoing 'it is not over'
pgw status 2
like "$out" 'state +undoing' 'status says so'
sql "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END';
     CREATE TRIGGER nap AFTER INSERT ON posts FOR EACH STATEMENT EXECUTE FUNCTION nap()" # each batch takes its time
pgw_start undo 2
eventually "SELECT count(*) > 3 FROM pgwinnow.batches WHERE run = 2 AND step = 4" t
sql "UPDATE pgwinnow.runs SET wanted = 'paused' WHERE run = 2"
pgw_end
is "$code" 75 'the switch in the table stops it too' || diag "$all"
pgw status 2
unlike "$out" 'speed' 'what nobody is at has no speed'
pgw report 2 --format markdown
like "$out" 'Run 2 is half taken back, .* pgwinnow undo 2 goes on' 'its report says so, and how to go on'
pgw_start undo 2
for _ in 1 2 3; do
    sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow: 2 undo%'" >/dev/null
    sleep 0.2
done
pgw_end
is "$code" 0 'connections that are lost are opened again' || diag "$all"
is "$(sums)" "$before" 'every table is as before'

# --- a conflict that comes up on the way

sql 'DROP TRIGGER nap ON posts; DROP FUNCTION nap()'
pgw run plan.yaml
psql -XAtq >/dev/null 2>&1 <<'SQL' &
BEGIN; LOCK posts IN SHARE ROW EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT;
SQL
eventually "SELECT count(*) FROM pg_locks WHERE mode = 'ShareRowExclusiveLock' AND relation = 'posts'::regclass" 1
pgw_start undo 3
eventually "SELECT state FROM pgwinnow.runs WHERE run = 3" undoing
sql "INSERT INTO listings VALUES (1001, -1, NULL, 'the application')"
pgw_end
is "$code" 3 'a row comes in the way while the undo is under way' || diag "$all"
like "$err" 'public.listings, \(id\) = \(1001\), cannot come back: a row with this key is there again' 'it is named'
pgw undo 3 --on-conflict force
is "$code" 0 'and the undo goes on as asked' || diag "$all"
is "$(sums)" "$before" 'every table is as before'
done_testing
