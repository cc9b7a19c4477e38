#!/bin/bash
# The statements of batches find rows by index, whatever the size of the batch and the type of the key: run on tables of a
# million rows, with the server's own plans read from its log (auto_explain). No sequential scan of those tables, no walk
# through a whole index either, and never more pages than a batch of that size can need.
. "$(dirname "$0")/lib.sh"

# A server of its own, for the log. %d|%a| tells whose plan it is.
[ -n "${PLANS_SERVER:-}" ] ||
    PLANS_SERVER=1 PGW_SERVER_OPTIONS='-c log_line_prefix=%d|%a| -c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=-1 -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on -c auto_explain.log_timing=off' \
        exec "$root/tests/with-postgres" "$0"

# One table with a key of each kind, and one that points at it by each; the primary key and the foreign key are changed
# from shape to shape. Two of every group; numbers 1 to 9 have 12,000 rows pointing at each.
new_database plans
sql 'SET maintenance_work_mem = "256MB";
     CREATE UNLOGGED TABLE items (n int NOT NULL, grp int NOT NULL, id int NOT NULL, a int NOT NULL, b text NOT NULL, t text NOT NULL, r int[] NOT NULL);
     INSERT INTO items SELECT n, (n + 1) / 2, n, n % 1000, $$b$$ || n / 1000, $$t$$ || n, ARRAY[n % 77, n] FROM generate_series(1, 1200000) n;
     CREATE UNIQUE INDEX items_id ON items (id);
     CREATE UNIQUE INDEX items_ab ON items (a, b);
     CREATE UNIQUE INDEX items_t ON items (t);
     CREATE UNIQUE INDEX items_r ON items (r);
     CREATE UNLOGGED TABLE notes (no int NOT NULL, id int, a int, b text, t text, r int[]);
     INSERT INTO notes SELECT no, n, n % 1000, $$b$$ || n / 1000, $$t$$ || n, ARRAY[n % 77, n]
       FROM (SELECT no, CASE WHEN no > 1200000 THEN 1 + no % 6 ELSE no END AS n FROM generate_series(1, 1272000) no) x;
     ALTER TABLE notes ADD PRIMARY KEY (no);
     CREATE INDEX ON notes (id);
     CREATE INDEX ON notes (a, b);
     CREATE INDEX ON notes (t);
     CREATE INDEX ON notes (r);
     CREATE UNLOGGED TABLE marks (id int);
     INSERT INTO marks SELECT CASE WHEN n > 1000000 THEN 7 + n % 3 ELSE n END FROM generate_series(1, 1036000) n;
     CREATE INDEX ON marks (id);
     ANALYZE items, notes, marks'

# shape NAME KEY ON-DELETE: the primary key and what points at it
shape() {
    sql "ALTER TABLE notes DROP CONSTRAINT IF EXISTS notes_item;
         ALTER TABLE marks DROP CONSTRAINT IF EXISTS marks_item;
         ALTER TABLE items DROP CONSTRAINT IF EXISTS items_key;
         CREATE UNIQUE INDEX IF NOT EXISTS items_$1 ON items ($2);
         ALTER TABLE items ADD CONSTRAINT items_key PRIMARY KEY USING INDEX items_$1;
         ALTER TABLE notes ADD CONSTRAINT notes_item FOREIGN KEY ($2) REFERENCES items ON DELETE $3 NOT VALID" 2>/dev/null
}

# write_plan TRACK [CHILDREN]
write_plan() {
    track=$1
    children=${2:-"\"notes$key_name\": delete"}
}

# runs SIZE...: one session for each size, of about two batches; the same run
runs() {
    local size
    for size in "$@"; do
        plan <<PLAN
plan: ${name//[^a-z]/-}
table: $table
batch: { size: $size, min: $size, max: $size, pause: 0ms }
steps:
  - discover: { children: { $children } }
  - track: { $track }
  - delete-children
  - delete
PLAN
        [ -n "${begun:-}" ] || start_run
        pgw run --max-rows "${most:-$((size / 2 + 1))}" plan.yaml
        [ "$code" = 75 ] || [ "$code" = 0 ] || diag "$all"
        collect "$size"
    done
    begun=
}

# Up to track without plans; then some rows change, so that statements which ask why a row stays are there as well.
start_run() {
    sql "ALTER DATABASE \"$PGDATABASE\" RESET auto_explain.log_min_duration"
    pgw run --fresh --until track plan.yaml
    begun=1
    [ "$code" = 75 ] || diag "$all"
    [ -z "${disturb:-}" ] || sql "$disturb"
    sql "ALTER DATABASE \"$PGDATABASE\" SET auto_explain.log_min_duration = 0"
    mark=$(stat -c %s "$PGW_SERVER_LOG")
}

# Plans of the step delete since the last call: `kinds` counts what was seen, `bad` are scans that read too much.
collect() {
    tail -c +$((mark + 1)) "$PGW_SERVER_LOG" >"$work/log"
    mark=$(stat -c %s "$PGW_SERVER_LOG")
    awk -v db="$PGDATABASE" -v big="$big" -v size="$1" '
        function judge() {
            if (node != "" && (node ~ /Seq Scan/ || !conditions)) print "bad " what ": " node
            node = ""; conditions = 0
        }
        function kind(text) {
            if (text ~ /WITH pgwinnow_0/) return "fast"
            if (text ~ /AS families/) return "probe"
            if (text ~ /WITH listed/) return "list"
            if (text ~ /WITH pgwinnow_left/) return "why"
            if (text ~ /DELETE FROM ONLY .* AS c[ \t\n]*WHERE c.ctid/) return "drain"
            if (text ~ /WITH r AS MATERIALIZED .*INSERT INTO/) return "piece-locked"
            if (text ~ /WITH r AS MATERIALIZED .*DELETE/) return "piece"
            if (text ~ /INSERT INTO .*FOR UPDATE OF c\)/) return "close"
            if (text ~ /INSERT INTO .*FOR UPDATE OF/) return "lock"
            if (text ~ /WITH pgwinnow_gone AS/) return "delete"
            return "other"
        }
        /^[^\t]/ {
            judge(); query = plan = 0
            if (index($0, db "|pgwinnow: ") == 1 && / delete\|/ && /duration: /) { query = 1; text = "" }
            next
        }
        query && /^\t(Aggregate|Insert|Delete|Update|Result|Limit|WindowAgg|LockRows|Nested|Index|Seq|Sort|CTE|Subquery|Unique|ProjectSet|Bitmap|Append|Hash)/ && /cost=/ {
            query = 0; plan = 1; what = kind(text); print "kind " what
        }
        query { text = text "\n" $0; next }
        # Of the whole statement; a listing reads a large family whatever the size of the batch.
        plan == 1 && /Buffers:/ {
            plan = 2; pages = $0; gsub(/[^0-9 ]|written=.*|dirtied=.*/, "", pages); split(pages, n, " ")
            if (n[1] + n[2] > 3000 + 100 * (what == "list" ? 12000 : size)) print "bad " what ": " $0
        }
        plan && /cost=/ { judge(); if ($0 ~ " Scan .*on (" big ")(_[a-z0-9]+)?( |$)") node = $0 }
        plan && /(Index|Recheck|TID) Cond:/ { conditions = 1 }
        END { judge() }' "$work/log" | sort | uniq -c >"$work/seen"
    is "$(grep -c ' bad ' "$work/seen")" 0 "$name, batches of $1: rows are found by index" || diag "$(grep ' bad ' "$work/seen")"
    seen+=$(cat "$work/seen")$'\n'
}

# saw KIND...: statements that must have been among them
saw() {
    local kind missing=
    for kind in "$@"; do [[ $seen =~ kind\ $kind ]] || missing+=" $kind"; done
    is "$missing" '' "$name: the statements that matter were run"
    seen=
}

sizes='100 1000 10000 50000'
from=1000
table=items big='items|notes|marks'
while IFS='|' read -r shape key also; do
    key_name="($key)"
    # The survivor check, children in the same statement.
    shape "$shape" "$key" 'NO ACTION'
    name="duplicates by $key"
    write_plan "duplicates: [grp], where: n BETWEEN $from AND $((from + 99999)), keep: { last: n }"
    disturb="UPDATE items SET grp = -n WHERE n BETWEEN $from AND $((from + 99999)) AND n % 50 = 1"
    # shellcheck disable=SC2086
    runs $sizes
    saw probe fast why
    from=$((from + 100000))
    [ -n "$also" ] || continue
    # Rows locked first, children collected, then removed: the database's own actions must not come to it.
    shape "$shape" "$key" CASCADE
    name="thoroughly by $key"
    write_plan "where: n BETWEEN $from AND $((from + 99999))"
    disturb=
    # shellcheck disable=SC2086
    runs $sizes
    saw probe lock close delete
    from=$((from + 100000))
done <<'SHAPES'
id|id|
ab|a, b|thoroughly
t|t|
r|r|thoroughly
SHAPES

# Large families, one a session: listed once, removed in pieces; rows without a key drained.
most=1
shape id id 'NO ACTION'
name='large families by id' key_name='(id)'
write_plan 'where: n BETWEEN 1 AND 3'
runs 100 1000 10000
saw probe list piece
shape ab 'a, b' CASCADE
name='large families by a, b, thoroughly' key_name='(a, b)'
write_plan 'where: n BETWEEN 4 AND 6'
runs 100 1000 10000
saw probe list piece
shape id id 'NO ACTION'
sql 'ALTER TABLE notes DROP CONSTRAINT notes_item;
     ALTER TABLE marks ADD CONSTRAINT marks_item FOREIGN KEY (id) REFERENCES items NOT VALID'
name='large families without a key'
write_plan 'where: n BETWEEN 7 AND 9' 'marks.id: delete'
runs 100 1000 10000
saw probe drain
most=

# Partitioned on both sides.
new_database partitioned
sql 'CREATE TABLE events (id int NOT NULL, grp int NOT NULL, n int NOT NULL, PRIMARY KEY (id)) PARTITION BY HASH (id);
     CREATE TABLE lines (no int NOT NULL, event_id int NOT NULL, PRIMARY KEY (no, event_id)) PARTITION BY RANGE (event_id);
     CREATE UNLOGGED TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 0);
     CREATE UNLOGGED TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     CREATE UNLOGGED TABLE lines_0 PARTITION OF lines FOR VALUES FROM (0) TO (500000);
     CREATE UNLOGGED TABLE lines_1 PARTITION OF lines FOR VALUES FROM (500000) TO (10000000);
     INSERT INTO events SELECT n, (n + 1) / 2, n FROM generate_series(1, 1000000) n;
     INSERT INTO lines SELECT n, n FROM generate_series(1, 1000000) n;
     CREATE INDEX ON lines (event_id);
     ALTER TABLE lines ADD CONSTRAINT lines_event FOREIGN KEY (event_id) REFERENCES events;
     ANALYZE events, lines'
table=events big='events|lines' key_name=.event_id from=1000
name='duplicates, partitioned'
write_plan "duplicates: [grp], where: n BETWEEN $from AND $((from + 99999)), keep: { last: n }" 'lines.event_id: delete'
disturb="UPDATE events SET grp = -n WHERE n BETWEEN $from AND $((from + 99999)) AND n % 50 = 1"
# shellcheck disable=SC2086
runs $sizes
saw probe fast why
sql 'ALTER TABLE lines DROP CONSTRAINT lines_event;
     ALTER TABLE lines ADD CONSTRAINT lines_event FOREIGN KEY (event_id) REFERENCES events ON DELETE CASCADE'
name='thoroughly, partitioned'
write_plan 'where: n BETWEEN 101000 AND 200000' 'lines.event_id: delete'
disturb=
# shellcheck disable=SC2086
runs $sizes
saw probe lock close delete
done_testing
