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

done_testing
