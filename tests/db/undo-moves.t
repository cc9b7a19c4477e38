#!/bin/bash
# undo of moves and merges: children back under the rows they had, values as they were, rows that gave way to others there
# again; what the application did to them since is found.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1

sums() {
    local t
    for t in "$@"; do sql "SELECT '$t', count(*), md5(string_agg(x::text, '|' ORDER BY x::text COLLATE \"C\")) FROM $t x"; done
}

# people: groups of four by email; children with keys that collide when they move
people() {
    new_database "$1"
    sql "CREATE TABLE people (id int PRIMARY KEY, email text, phone text, tags text[], visits int, boss int REFERENCES people,
             at timestamptz DEFAULT '2020-01-01', size int GENERATED ALWAYS AS (visits * 2) STORED);
         CREATE TABLE profile (person int PRIMARY KEY REFERENCES people, bio text);
         CREATE TABLE photo (id int PRIMARY KEY, profile int REFERENCES profile, place int, UNIQUE (profile, place));
         CREATE TABLE mail (id int PRIMARY KEY, person int REFERENCES people, n int, UNIQUE (person, n));
         CREATE TABLE likes (person int REFERENCES people, what text);
         CREATE TABLE visit (id int, person int REFERENCES people, day int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
         CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (0) TO (10); CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM (10) TO (20);
         INSERT INTO people (id, email, phone, tags, visits, boss)
         SELECT n, 'e' || n % 50, NULLIF('p' || n % 3, 'p0'), ARRAY['t' || n % 7], n, NULL FROM generate_series(1, 200) n;
         UPDATE people SET boss = (id * 7) % 200 + 1 WHERE id % 3 > 0;
         INSERT INTO profile SELECT n, 'b' || n FROM generate_series(1, 200) n WHERE n % 4 > 0;
         INSERT INTO photo SELECT person * 10 + g, person, (g + person / 50) % 3 FROM profile, generate_series(1, 2) g;
         INSERT INTO mail SELECT n, n % 200 + 1, n % 3 FROM (SELECT DISTINCT ON (n % 200, n % 3) n FROM generate_series(1, 500) n ORDER BY n % 200, n % 3, n) x;
         INSERT INTO likes SELECT n % 200 + 1, 'w' || n % 4 FROM generate_series(1, 400) n;
         INSERT INTO visit SELECT n, n % 200 + 1, n % 20 FROM generate_series(1, 400) n;
         CREATE INDEX ON people (boss); CREATE INDEX ON likes (person); CREATE INDEX ON visit (person);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := clock_timestamp(); RETURN NEW; END';
         CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch()"
    before=$(sums $tables)
}
tables='people profile photo mail likes visit'

plan <<'PLAN'
plan: move
table: people
batch: { size: 60, min: 10, max: 500, pause: 0ms, workers: 2 }
steps:
  - discover:
      children: { people.boss: move, profile.person: { move: { on_conflict: keep-first } }, photo.profile: move, mail.person: move,
                  likes.person: move, visit.person: move }
  - track: { duplicates: [email], keep: { last: id } }
  - delete-children
  - delete
  - index: { name: one_email, unique: [email] }
PLAN
people moves
pgw run plan.yaml
is "$code" 0 'a run that moves' || diag "$all"
is_sql 'SELECT count(*) FROM people' 50 'one of each group is left'
isnt "$(sums photo mail)" "$(grep -E '^(photo|mail)' <<<"$before")" 'children moved and gave way'
pgw undo 1 --yes --triggers off
is "$code" 0 'undone' || diag "$all"
is "$(sums $tables)" "$before" 'every table is as before, what triggers wrote included'
pgw run plan.yaml
pgw undo 2 --yes
is "$code" 0 'undone with triggers' || diag "$all"
is "$(sums profile photo mail likes visit)" "$(tail -n +2 <<<"$before")" 'the children are as before'
is_sql 'SELECT count(*), sum(boss), sum(id) FROM people' '200|'"$(sql 'SELECT sum((id * 7) % 200 + 1) FROM generate_series(1, 200) id WHERE id % 3 > 0')"'|20100' \
    'the rows too, but for what the trigger writes'

people conflicts
pgw run plan.yaml
moved=$(sql "SELECT m.id FROM mail m JOIN pgwinnow.archive_1_$(sql "SELECT 'mail'::regclass::oid") a USING (id) WHERE pgwinnow_action = 'after' ORDER BY 1 LIMIT 1")
kept=$(sql "SELECT person FROM mail WHERE id = $moved")
other=$(sql "SELECT max(id) FROM people WHERE id <> $kept")
sql "UPDATE mail SET person = $other, n = 77 WHERE id = $moved"
pgw undo 1 --yes
is "$code" 3 'a child that was moved again since: refused'
like "$err" "public.mail \(id\) = \($moved\): changed since: person" 'it is named, with the column'
like "$err" '^pgwinnow: 1 row ' 'and nothing else'
pgw undo 1 --yes --on-conflict skip --triggers off
is "$code" 0 'skip' || diag "$all"
is_sql "SELECT person, n FROM mail WHERE id = $moved" "$other|77" 'it stays where the application put it'
is "$(sums people profile photo likes visit)" "$(grep -v ^mail <<<"$before")" 'all else is as before'

# --- merges

plan <<'PLAN'
plan: merge
table: people
batch: { size: 60, min: 10, max: 500, pause: 0ms }
steps:
  - discover: { children: { people.boss: move, profile.person: delete, photo.profile: delete, mail.person: move, likes.person: set-null, visit.person: move } }
  - track: { duplicates: [email] }
  - together:
      - merge: { columns: { phone: first, tags: union, visits: sum } }
      - delete-children
      - delete
PLAN
people merges
pgw run plan.yaml
is "$code" 0 'a run that merges' || diag "$all"
is_sql 'SELECT count(*), sum(visits), sum(size) FROM people' '50|20100|40200' 'values were merged'
sql "UPDATE people SET tags = '{new}' WHERE id = 3; UPDATE people SET email = 'x' WHERE id = 4"
pgw undo 1
is "$code" 3 'a merged value that was changed since: refused'
like "$err" 'public.people \(id\) = \(3\): changed since: .*tags' 'it is named'
sql 'ALTER TABLE people DISABLE TRIGGER touch'
pgw undo 1 --on-conflict force --triggers off
is "$code" 0 'force' || diag "$all"
sql "UPDATE people SET email = 'e4' WHERE id = 4"
is "$(sums $tables)" "$before" 'every table is as before'
is_sql "SELECT state FROM pgwinnow.runs" undone 'and the run undone'

# --- a row that took the place of a dropped one

for loose in 2 NULL; do
    new_database places
    sql "CREATE TABLE t (id int PRIMARY KEY, g int);
         INSERT INTO t VALUES (1, 1), (2, 1);
         CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES t, b int REFERENCES t, x int, UNIQUE (a, x), UNIQUE (b));
         INSERT INTO c VALUES (1, 1, NULL, 0), (2, 2, 1, 0), (3, $loose, 2, 5)"
    before=$(sums t c)
    plan <<'PLAN'
plan: places
table: t
steps:
  - discover: { missing_index: ignore, children: { c.a: move, c.b: move } }
  - track: { duplicates: [g] }
  - delete-children
  - delete
PLAN
    pgw run plan.yaml
    is "$code" 0 'one row is dropped, another one takes its place' || diag "$all"
    is_sql 'SELECT id, b FROM c ORDER BY id' $'1|\n3|1' 'in a unique column'
    pgw undo 1
    is "$code" 0 'undo: first that one goes back' || diag "$all"
    is "$(sums t c)" "$before" 'then the other has its place again'
done
# What the application made point at a key that the run made, while the run was over.
plan <<'PLAN'
plan: referred
table: c
steps:
  - discover: { children: { p.c_id: move }, missing_index: ignore }
  - track: { duplicates: [g] }
  - delete-children
  - delete
PLAN
for action in 'NO ACTION' 'CASCADE' 'SET NULL'; do
    new_database "referred ${action// /_}"
    sql "CREATE TABLE c (id int PRIMARY KEY, g int);
         CREATE TABLE p (c_id int PRIMARY KEY REFERENCES c);
         CREATE TABLE q (id int PRIMARY KEY, p_id int REFERENCES p ON UPDATE $action);
         INSERT INTO c VALUES (1, 1), (2, 1); INSERT INTO p VALUES (2); INSERT INTO q VALUES (1, 2)"
    pgw run plan.yaml
    is "$code" 0 "on update $action: run" || diag "$all"
    sql 'INSERT INTO q VALUES (2, 1)'
    pgw undo 1
    if [ "$action" = CASCADE ]; then
        is "$code" 0 'a row that came since follows by the foreign key'
        is_sql 'SELECT * FROM q ORDER BY id' $'1|2\n2|2' 'to the key that is there again'
        continue
    fi
    is "$code" 3 'a row that came since is in the way'
    like "$err" 'public.p \(c_id\) = \(1\): rows that came since point at it by the foreign key q_p_id_fkey' 'and told beforehand'
    is_sql 'SELECT id FROM c' 1 'nothing is changed'
    pgw undo 1 --on-conflict force
    is "$code" 0 'nothing can force that: it is left' || diag "$all"
    is_sql 'SELECT id FROM c ORDER BY id' $'1\n2' 'all else comes back'
    is_sql 'SELECT * FROM q ORDER BY id' $'1|1\n2|1' 'and no reference is lost'
done

done_testing
