#!/bin/bash
# The tracking table of a plan that brings something to the survivors: whole groups, in the physical order of their first
# tracked rows, inside by the keep order; and groups that are too large for the transaction they must go in.
. "$(dirname "$0")/lib.sh"
new_database groups
export NO_COLOR=1

sql "CREATE TABLE people (id int PRIMARY KEY, mail text, seen int);
     SELECT setseed(0.3);
     INSERT INTO people SELECT n, 'm' || (random() * 400)::int, (random() * 5)::int FROM generate_series(1, 1500) n ORDER BY random();
     CREATE TABLE letters (id int PRIMARY KEY, person int REFERENCES people); CREATE INDEX ON letters (person);
     CREATE TABLE stamps (id int PRIMARY KEY, letter int REFERENCES letters); CREATE INDEX ON stamps (letter);
     CREATE TABLE parts (id int, d int, mail text, PRIMARY KEY (d, id)) PARTITION BY RANGE (d);
     CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
     INSERT INTO parts SELECT n, n % 20, 'm' || (random() * 200)::int FROM generate_series(1, 1000) n;
     CREATE TABLE pieces (d int, part int, FOREIGN KEY (d, part) REFERENCES parts (d, id)); CREATE INDEX ON pieces (d, part)" >/dev/null

# tracked TABLE 'children' 'track options': $track
tracked() {
    printf 'plan: groups-%s\ntable: %s\nsteps:\n  - discover: { children: { %s } }\n  - track: { %s }\n  - delete-children\n  - delete\n' \
        "$((tests + 1))" "$1" "$2" "$3" >"$work/plan.yaml"
    pgw run plan.yaml --until track
    is "$code" 75 "$3: tracked" || diag "$all"
    track=pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs')
}

# whole 'what places a row' 'survivor columns': no row out of its group's place, none out of its rank's
whole() {
    is_sql "SELECT count(*) = max(seq), min(seq), count(DISTINCT group_no) = max(group_no), count(DISTINCT group_no) = count(DISTINCT ($2)) FROM $track" \
        't|1|t|t' 'seq and group_no count from 1 without gaps; a survivor has one group'
    is_sql "SELECT count(*) FROM (SELECT *, lag(group_no) OVER w AS g, lag(rank) OVER w AS r FROM $track WINDOW w AS (ORDER BY seq)) x
            WHERE CASE WHEN g = group_no THEN rank <> r + 1 ELSE rank <> 2 OR group_no <> COALESCE(g, 0) + 1 END" 0 \
        'groups are whole, one behind the other, and their rows in the order of rank, from 2'
    is_sql "SELECT count(*) FROM (SELECT first, lag(first) OVER (ORDER BY group_no) AS before FROM
                (SELECT group_no, min($1) AS first FROM $track JOIN $3 t ON $4 GROUP BY group_no) f) x WHERE before >= first" 0 \
        'in the physical order of their first rows'
}

by_place='(EXTRACT(epoch FROM now()) * 0)::bigint + ((t.ctid::text::point)[0] * 10000 + (t.ctid::text::point)[1])::bigint'
tracked people 'letters.person: move' 'duplicates: [mail], keep: { last: seen }'
whole "$by_place" survivor_id people "t.id = $track.id"
is_sql "SELECT count(*), count(*) FILTER (WHERE k.id IS DISTINCT FROM survivor_id OR n <> rank) FROM $track JOIN
            (SELECT id, row_number() OVER w AS n, first_value(id) OVER w AS first FROM people WINDOW w AS (PARTITION BY mail ORDER BY seen DESC, id)) o USING (id)
            LEFT JOIN people k ON k.id = first" "$(sql 'SELECT count(*) - count(DISTINCT mail) FROM people')|0" 'rank is the place in the keep order, the first stays'
tracked people 'letters.person: delete, stamps.letter: delete' 'duplicates: [mail]'
is_sql "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$track'::regclass AND attnum > 0" 'seq id survivor_id hold outcome' \
    'where nothing is brought to the survivors there are no groups'
is_sql "SELECT count(*) FROM (SELECT $by_place AS place, lag($by_place) OVER (ORDER BY seq) AS before FROM $track JOIN people t USING (id)) x WHERE before >= place" 0 \
    'and the order is that of the table'

by_place="(SELECT ((t.tableoid::bigint * 1000000 + (t.ctid::text::point)[0]) * 10000 + (t.ctid::text::point)[1])::bigint)"
tracked parts '"pieces(d, part)": move' 'duplicates: [mail]'
whole "$by_place" 'survivor_d, survivor_id' parts "t.id = $track.id AND t.d = $track.d"

sql "CREATE TABLE links AS SELECT id, max(id) OVER (PARTITION BY mail) AS survivor_id FROM people"
by_place='((t.ctid::text::point)[0] * 10000 + (t.ctid::text::point)[1])::bigint'
tracked people 'letters.person: move' 'query: SELECT * FROM links'
whole "$by_place" survivor_id people "t.id = $track.id"
is_sql "SELECT count(*) FROM $track JOIN (SELECT id, row_number() OVER (PARTITION BY mail ORDER BY id) AS n FROM people) o USING (id) WHERE rank <> n + 1" 0 \
    'of pairs: inside a group by key'

cat >"$work/rule.lua" <<'LUA'
return { keep = function(rows) return #rows end }
LUA
tracked people 'letters.person: move' 'duplicates: [mail], keep: { lua: rule.lua }'
whole "$by_place" survivor_id people "t.id = $track.id"
is_sql "SELECT count(*) FROM $track JOIN links USING (id) WHERE $track.survivor_id <> links.survivor_id" 0 'of a rule: the survivor is the one it chose'
is_sql "SELECT count(*) FROM $track JOIN (SELECT id, row_number() OVER (PARTITION BY mail ORDER BY id) AS n FROM people) o USING (id) WHERE rank <> n + 1" 0 \
    'of a rule: the others by key'
by_place="(SELECT ((t.tableoid::bigint * 1000000 + (t.ctid::text::point)[0]) * 10000 + (t.ctid::text::point)[1])::bigint)"
tracked parts '"pieces(d, part)": move' 'duplicates: [mail], keep: { lua: rule.lua }'
whole "$by_place" 'survivor_d, survivor_id' parts "t.id = $track.id AND t.d = $track.d"

# --- groups that must go in one transaction: sizes by hand

sql "CREATE TABLE firms (id int PRIMARY KEY, code text UNIQUE, name text);
     INSERT INTO firms SELECT n, 'c' || n, 'n' || CASE WHEN n <= 12 THEN 1 ELSE n / 2 END FROM generate_series(1, 60) n;
     CREATE TABLE offices (id int PRIMARY KEY, firm text REFERENCES firms (code)); CREATE INDEX ON offices (firm);
     CREATE TABLE desks (id int PRIMARY KEY, office int REFERENCES offices); CREATE INDEX ON desks (office);
     CREATE TABLE notes (id int PRIMARY KEY, firm int REFERENCES firms, desk int REFERENCES desks, up int REFERENCES notes);
     CREATE INDEX ON notes (firm); CREATE INDEX ON notes (desk); CREATE INDEX ON notes (up);
     INSERT INTO offices SELECT n, 'c31' FROM generate_series(1, 3) n; INSERT INTO offices SELECT 100 + n, 'c30' FROM generate_series(1, 50) n;
     INSERT INTO desks SELECT n, n % 3 + 1 FROM generate_series(1, 9) n;
     INSERT INTO notes SELECT n, CASE n % 2 WHEN 0 THEN 31 END, CASE n % 2 WHEN 1 THEN n % 9 + 1 END FROM generate_series(1, 12) n"

# together NAME CODE MAX 'children' 'track'
together() {
    printf 'plan: together-%s\ntable: firms\nbatch: { size: 5, min: 1, max: %s }\nsteps:\n  - discover: { children: { %s } }\n  - track: { %s }\n  - together: [merge: { columns: { name: first } }, delete-children, delete]\n' \
        "$((tests + 1))" "$3" "$4" "$5" >"$work/plan.yaml"
    pgw run plan.yaml --until track
    is "$code" "$2" "$1" || diag "$all"
}
# n15 is 30 and 31: 31 goes, with 3 offices, 9 desks and, of 12 notes, 6 by the firm and 6 by a desk. n1 is 1 to 12.
delete='offices.firm: delete, desks.office: delete, notes.firm: set-null, notes.desk: delete, notes.up: set-null'
together 'rows below that go or change count: one too many' 3 25 "$delete" 'duplicates: [name]'
like "$err" 'name = n15 has 26 rows.*more than the 25' 'it says which group, its size and the limit'
like "$err" 'max. of batch to 26' 'and what to do'
is_sql "SELECT to_regclass('pgwinnow.track_' || max(run)) FROM pgwinnow.runs" '' 'nothing is left'
together 'just enough' 75 26 "$delete" 'duplicates: [name]'
together 'rows that move count, and what is below them stays' 75 12 'offices.firm: move, notes.firm: move' 'duplicates: [name]'
together 'tracked rows and their survivor' 3 11 'offices.firm: move, notes.firm: move' 'duplicates: [name]'
like "$err" 'name = n1 has 12 rows' 'are enough'
sql 'INSERT INTO offices SELECT 200 + id, $$c41$$ FROM offices WHERE id > 100; CREATE TABLE pairs AS SELECT id, id - 1 AS survivor_id FROM firms WHERE id IN (41, 51)'
together 'pairs' 3 50 'offices.firm: move, notes.firm: move' 'query: SELECT * FROM pairs'
like "$err" 'id = 40 has 52 rows' 'are named by the key of the survivor'
done_testing
