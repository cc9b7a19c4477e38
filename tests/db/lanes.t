#!/bin/bash
# One run at a time in a lane, and no two on the same table, trees and partitions included; whoever waits says so, and
# whoever died or fell asleep in a lane commits nothing more.
#
#   tests/db/lanes.t [PART...]      the functions called at the end of this file
. "$(dirname "$0")/lib.sh"

# Two trees that have nothing to do with each other, and a third table that both may be made to change. A batch on a
# table with the trigger `wait` stays open until there is a row in `go`.
tables() {
    new_database "$1"
    sql "CREATE TABLE a (id int PRIMARY KEY, g int NOT NULL);
         CREATE TABLE a_child (id int PRIMARY KEY, a int REFERENCES a);
         CREATE TABLE b (id int PRIMARY KEY, g int NOT NULL);
         CREATE INDEX ON a_child (a);
         INSERT INTO a SELECT n, n % 100 FROM generate_series(1, 400) n;
         INSERT INTO b SELECT n, n % 100 FROM generate_series(1, 400) n;
         CREATE TABLE go (since timestamptz DEFAULT now());
         CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \$\$
         BEGIN
             WHILE NOT EXISTS (SELECT FROM public.go) LOOP PERFORM pg_sleep(0.02); END LOOP;
             RETURN NULL;
         END \$\$;
         CREATE TRIGGER wait AFTER DELETE ON a FOR EACH STATEMENT EXECUTE FUNCTION wait()"
    clean a
    clean b
}

# clean TABLE [LANE [CHILDREN [STEP]]]: writes TABLE.yaml
clean() {
    plan "$1.yaml" <<PLAN
plan: clean-${1//_/-}
table: $1
batch: { size: 100, min: 100, max: 100, pause: ${pause:-10ms} }
${2:+lane: $2}
steps:
  - discover: { children: {$3} }
  - track: { duplicates: [g] }
  - delete-children
  - delete
$4
PLAN
}

# busy PLAN: a run of it is in the middle of a batch
busy() {
    pgw_start run --output plain "$1"
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name ~ '^pgwinnow: [0-9]+ delete' AND state = 'active'" 1 2>/dev/null
}

ends_well() {
    sql 'INSERT INTO go DEFAULT VALUES'
    pgw_end
    is "$code" 0 "$1" || diag "$all"
}

# second ARGUMENT...: another run meanwhile; $second_code, $second
second() {
    second=$(cd "$work" && timeout -k 5 30 "$PGWINNOW" "$@" 2>&1 </dev/null)
    second_code=$?
}

second_start() {
    (cd "$work" && exec "$PGWINNOW" "$@" >"$work/second" 2>&1 </dev/null) &
    second_pid=$!
}

second_end() {
    wait "$second_pid"
    second_code=$?
    second=$(cat "$work/second")
}

# --- one at a time

same_lane() {
    tables same
    clean a '' ' a_child.a: delete '
    busy a.yaml
    second run b.yaml
    is "$second_code" 4 'the lane is taken: exit code 4' || diag "$second"
    like "$second" 'lane default is taken by run 1 of plan clean-a' 'it names the lane, the run and the plan'
    like "$second" "pid $pid" 'and who holds it'
    is_sql 'SELECT count(*), (SELECT count(*) FROM b) FROM pgwinnow.runs' '1|400' 'nothing is left of the one refused'
    is_sql "SELECT lane, (SELECT string_agg(t::regclass::text, ' ' ORDER BY t) FROM unnest(tables) t)
              FROM pgwinnow.runs" 'default|a a_child' 'what it holds can be read'
    pgw status 1
    like "$out" 'lane +default' 'and status shows the lane'
    second run --wait 1s b.yaml
    is "$second_code" 4 '--wait: after its time exit code 4' || diag "$second"
    like "$second" 'waiting for run 1 of plan clean-a, which is in lane default' 'it says for whom it waits'
    is_sql 'SELECT count(*) FROM pgwinnow.runs' 1 'and leaves nothing behind'
    second_start run --wait 1min b.yaml
    eventually "SELECT count(*) FROM pgwinnow.runs WHERE plan = 'clean-b' AND state = 'waiting'" 1
    ok $? '--wait: it is recorded as waiting'
    is_sql "SELECT waiting ->> 'reason' FROM pgwinnow.runs WHERE plan = 'clean-b'" \
        'run 1 of plan clean-a, which is in lane default' 'with the reason'
    pgw status
    like "$out" 'clean-b +waiting' 'status shows it'
    sql 'INSERT INTO go DEFAULT VALUES'
    second_end
    is "$second_code" 0 'it goes when the other one has ended' || diag "$second"
    is_sql "SELECT (SELECT min(started) FROM pgwinnow.steps s WHERE s.run = b.run) > a.finished, b.waiting IS NULL
              FROM pgwinnow.runs a, pgwinnow.runs b WHERE a.plan = 'clean-a' AND b.plan = 'clean-b'" 't|t' 'and not before'
    wait "$pid"
    is_sql 'SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)' '100|100' 'both did their work'
}

# A run that is there already waits, gives up, is refused, and is what it was.
unfinished() {
    tables unfinished
    pgw run --max-rows 100 b.yaml
    is "$code" 75 'a run stops in the middle'
    clean a '' ' a_child.a: delete '
    busy a.yaml
    second run b.yaml
    is "$second_code" 4 'it cannot go on while the lane is taken'
    is_sql "SELECT state, error ->> 'message' ~ 'max-rows' FROM pgwinnow.runs WHERE plan = 'clean-b'" 'paused|t' \
        'and stays as it was'
    second run --fresh b.yaml
    is "$second_code" 4 'nor begin anew'
    is_sql "SELECT string_agg(state, ' ') FROM pgwinnow.runs WHERE plan = 'clean-b'" paused \
        'which does not cost the run that is there'
    second run --wait 1s b.yaml
    is "$second_code" 4 'it waits in vain'
    is_sql "SELECT state, error ->> 'message' ~ 'lane default is taken', waiting FROM pgwinnow.runs WHERE plan = 'clean-b'" \
        'paused|t|' 'and is recorded as paused, with the reason'
    ends_well 'the one in the lane ends well'
    pgw run b.yaml
    is "$code" 0 'now it goes on' || diag "$all"
    is_sql 'SELECT count(*) FROM b' 100 'and does its work'
}

lanes_of_their_own() {
    tables own
    clean a '' ' a_child.a: delete '
    clean b other
    busy a.yaml
    second run b.yaml
    is "$second_code" 0 'another lane, other tables: it goes meanwhile' || diag "$second"
    second check b.yaml
    is "$second_code" 0 'a lane is a key of the plan'
    ends_well 'the first one ends well'
    sed -i 's/lane: other/lane: "Night shift"/' "$work/b.yaml"
    second check b.yaml
    is "$second_code" 2 'names of lanes are plain'
    like "$second" 'cannot be a lane' 'and a wrong one is told'
}

# --- the same tables

# meets CODE NAME: the plan b.yaml against the run of a.yaml that is under way
meets() {
    second run b.yaml
    is "$second_code" "$1" "$2" || diag "$second"
}

same_tables() {
    tables trees
    sql "CREATE TABLE c (id int PRIMARY KEY, g int, a_child int REFERENCES a_child);
         ALTER TABLE a_child ADD b int REFERENCES b;
         CREATE INDEX ON a_child (b); CREATE INDEX ON c (a_child)"
    clean a '' ' a_child.a: delete, c.a_child: stop '
    busy a.yaml
    clean b other ' a_child.b: stop ' \
        '  - backfill: { into: a_child, select: "SELECT id + 1000 AS id, NULL::int AS a FROM b" }'
    meets 4 'a table that the other one backfills is below this one'
    like "$second" 'table public.a_child is being changed by run 1 of plan clean-a' 'it names the table and the run'
    clean b other ' a_child.b: set-null '
    meets 4 'a child that both trees change'
    clean b other ' a_child.b: stop '
    meets 0 'a child that this one only looks at'
    clean c other
    second run c.yaml
    is "$second_code" 0 'a child that the other one only looks at' || diag "$second"
    ends_well 'the first one ends well'
}

partitions() {
    tables parts
    sql "DROP TABLE a, b CASCADE;
         CREATE TABLE a (id int PRIMARY KEY, g int NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE a_1 PARTITION OF a FOR VALUES FROM (0) TO (200);
         CREATE TABLE a_2 PARTITION OF a FOR VALUES FROM (200) TO (400);
         CREATE TABLE b (LIKE a_1 INCLUDING ALL);
         INSERT INTO a SELECT n, n % 100 FROM generate_series(0, 399) n;
         INSERT INTO b SELECT n + 400, n % 100 FROM generate_series(0, 199) n;
         CREATE TRIGGER wait AFTER DELETE ON a FOR EACH STATEMENT EXECUTE FUNCTION wait();
         CREATE TRIGGER wait AFTER DELETE ON a_1 FOR EACH STATEMENT EXECUTE FUNCTION wait()"
    clean a
    clean a_1 two
    clean a_2 three
    busy a.yaml
    second run a_1.yaml
    is "$second_code" 4 'a partition of a table that is being changed'
    like "$second" 'table public.a(_1)? is being changed' 'it names a table'
    sql 'ALTER TABLE a ATTACH PARTITION b FOR VALUES FROM (400) TO (600)'
    clean b four
    meets 4 'one that was attached meanwhile, too'
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    sql "INSERT INTO go DEFAULT VALUES"
    eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow%'" 0
    sql "TRUNCATE go; UPDATE pgwinnow.lease SET beat = now() - interval '6 s'"
    busy a_1.yaml
    second run a_2.yaml
    is "$second_code" 0 'two partitions at the same time' || diag "$second"
    second run a.yaml
    is "$second_code" 4 'but not the whole table'
    ends_well 'the run on the partition ends well'
    second run a.yaml
    is "$second_code" 0 'then the whole table goes on' || diag "$second"
}

# --- the dead and the sleeping

killed() {
    pause=30s tables killed
    pause=30s clean a '' ' a_child.a: delete '
    sql 'INSERT INTO go DEFAULT VALUES'
    pgw_start run a.yaml
    eventually 'SELECT count(*) FROM pgwinnow.batches' 1 2>/dev/null
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    sql "UPDATE pgwinnow.lease SET beat = beat - interval '5 s'"
    clean b
    second run b.yaml
    is "$second_code" 0 'a killed runner keeps nobody out' || diag "$second"
    is_sql "SELECT fence, entered FROM pgwinnow.lease WHERE run = 1" '2|' 'it was shut out by its fence'
    clean a '' ' a_child.a: delete '
    pgw run a.yaml
    is "$code" 0 'its own run goes on' || diag "$all"
    is_sql 'SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)' '100|100' 'both did their work'
}

# Stopped between two batches for longer than its lease, while another run enters the lane.
asleep() {
    tables asleep
    pause=30s clean a '' ' a_child.a: delete '
    sql 'INSERT INTO go DEFAULT VALUES'
    pgw_start run a.yaml
    eventually 'SELECT count(*) FROM pgwinnow.batches' 1 2>/dev/null
    kill -STOP "$pid"
    sleep 0.2
    sql "UPDATE pgwinnow.lease SET beat = now() - interval '2 minutes'"
    second run b.yaml
    is "$second_code" 0 'one that sleeps past its lease keeps nobody out' || diag "$second"
    kill -CONT "$pid"
    pgw_end
    is "$code" 4 'when it wakes up it ends with exit code 4' || diag "$all"
    is_sql 'SELECT count(*) FROM pgwinnow.batches WHERE run = 1' 1 'and has committed nothing more'
    clean a '' ' a_child.a: delete '
    pgw run a.yaml
    is "$code" 0 'the same command goes on' || diag "$all"
}

# --- many at once

at_once() {
    local n codes='' pids=()
    new_database once
    sql "CREATE TABLE inside (plan text, at timestamptz DEFAULT clock_timestamp(), left_at timestamptz)"
    pgw init
    for n in 1 2 3 4 5 6; do
        sql "CREATE TABLE t$n (id int PRIMARY KEY, g int)"
        plan "t$n.yaml" <<PLAN
plan: t$n
table: t$n
steps:
  - sql: { as: in, run: "INSERT INTO inside (plan) VALUES ('t$n')" }
  - sql: { as: out, run: "UPDATE inside SET left_at = clock_timestamp() WHERE plan = 't$n'" }
PLAN
    done
    for n in 1 2 3 4 5 6; do
        (cd "$work" && exec "$PGWINNOW" run --wait 1min "t$n.yaml" >"$work/t$n" 2>&1 </dev/null) &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n"; codes+="$? "; done
    is "$codes" '0 0 0 0 0 0 ' 'six runs that wait for each other all come to their end'
    is_sql 'SELECT count(*) FROM inside a JOIN inside b ON a.plan < b.plan AND a.at < b.left_at AND b.at < a.left_at' 0 \
        'no two of them were in the lane at once'
}

# --- undo

undone() {
    tables undone
    sql 'INSERT INTO go DEFAULT VALUES'
    pgw run b.yaml
    is "$code" 0 'a run to be undone'
    sql 'TRUNCATE go'
    clean a '' ' a_child.a: delete '
    busy a.yaml
    second undo 1
    is "$second_code" 4 'an undo takes the lane of its run: exit code 4' || diag "$second"
    is_sql "SELECT state FROM pgwinnow.runs WHERE run = 1" finished 'the run stays as it was'
    second_start undo --wait 1min 1
    eventually "SELECT count(*) FROM pgwinnow.lease WHERE run = 1 AND beat > now() - interval '5 s' AND entered IS NULL" 1
    ok $? 'with --wait it waits'
    ends_well 'the one in the lane ends well'
    second_end
    is "$second_code" 0 'then it goes' || diag "$second"
    is_sql 'SELECT count(*) FROM b' 400 'and brings the rows back'
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] ||
    parts=(same_lane unfinished lanes_of_their_own same_tables partitions killed asleep at_once undone)
for part in "${parts[@]}"; do "$part"; done
done_testing
