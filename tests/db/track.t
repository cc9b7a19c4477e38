#!/bin/bash
# Which rows go: sources, keep, NULLs, ties, expectations, rows on hold, row security, tables without a key. What must stay is
# computed by other SQL: plain windows, or by hand.
. "$(dirname "$0")/lib.sh"
new_database track
export NO_COLOR=1
number=0

load() {
    psql -Xq -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
SET client_min_messages = error;
DROP TABLE IF EXISTS people CASCADE;
CREATE TABLE people (id int PRIMARY KEY, mail text, town text, seen timestamptz, score numeric);
INSERT INTO people VALUES
    (1, 'a@x', 'rome', '2024-01-03', 5), (2, 'A@X', 'rome', '2024-01-01', NULL), (3, 'a@x', 'oslo', NULL, 7),
    (4, 'b@x', 'rome', '2024-01-02', 5), (5, 'b@x', 'rome', '2024-01-02', 5.0), (6, 'b@x', NULL, '2024-01-02', 9),
    (7, NULL, 'rome', '2024-01-01', 1), (8, NULL, 'rome', '2024-01-09', 2), (9, NULL, NULL, NULL, NULL),
    (10, NULL, NULL, NULL, NULL), (11, 'c@x', 'bern', NULL, NULL), (12, 'c@x', 'bern', NULL, 3), (13, 'd@x', 'bern', NULL, 3);
SQL
}

# keeps NAME 'ids that stay' <<track options
keeps() {
    number=$((number + 1))
    load
    { printf 'plan: track-%s\ntable: people\nbatch: { size: 2, min: 1, max: 2, pause: 0ms }\nsteps:\n  - discover\n  - track:\n' $number
      sed 's/^/      /'; echo '  - delete'; } >"$work/plan.yaml"
    pgw run plan.yaml
    is "$code" 0 "$1: the run ends well" || diag "$all"
    is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM people" "$2" "$1"
}

keeps 'duplicates of one column: the smallest key stays, NULLs are left alone' '1 2 4 7 8 9 10 11 13' <<<'duplicates: [mail]'
keeps 'of an expression' '1 4 7 8 9 10 11 13' <<<'duplicates: [lower(mail)]'
keeps 'of two columns' '1 2 3 4 6 7 8 9 10 11 13' <<<'duplicates: [mail, town]'
keeps 'nulls: equal' '1 2 4 7 11 13' <<<'{ duplicates: [mail], nulls: equal }'
keeps 'nulls: equal with two columns' '1 2 3 4 6 7 9 11 13' <<<'{ duplicates: [mail, town], nulls: equal }'
keeps 'keep first: the smallest value; NULL never wins; ties go to the smaller key' '2 4 7 8 9 10 11 13' <<<'{ duplicates: [lower(mail)], keep: { first: seen } }'
keeps 'keep last: NULL never wins there either' '1 4 7 8 9 10 11 13' <<<'{ duplicates: [lower(mail)], keep: { last: seen } }'
keeps 'keep last of numbers' '3 6 7 8 9 10 12 13' <<<'{ duplicates: [lower(mail)], keep: { last: score } }'
keeps 'keep first of an expression' '1 4 7 8 9 10 12 13' <<<"{ duplicates: [lower(mail)], keep: { first: 'score::int % 5' } }"
keeps 'keep order_by' '3 5 7 8 9 10 12 13' <<<"{ duplicates: [lower(mail)], keep: { order_by: 'town NULLS LAST, id DESC' } }"
keeps 'where beside duplicates: other rows neither go nor stay for them' '1 2 3 4 6 7 8 9 10 11 12 13' <<<"{ duplicates: [lower(mail)], where: town = 'rome' AND mail = 'b@x' }"
keeps 'numeric equality, not text' '1 2 3 6 7 8 9 10 11 12' <<<"{ duplicates: [score], where: 'score IN (5, 3)' }"
keeps 'where alone' '1 2 3 4 5 6 11 12 13' <<<'where: mail IS NULL'
keeps 'a query of keys' '1 2 4 5 6 7 8 9 10 13' <<<"query: SELECT id FROM people WHERE mail IN ('c@x') UNION ALL SELECT 3 UNION ALL SELECT 3 UNION ALL SELECT 999"
keeps 'a query with recheck' '2 4 5 6 7 8 9 10 11 12 13' <<<"{ query: 'SELECT id FROM people WHERE id < 4', recheck: mail = 'a@x' }"
is_sql "SELECT outcome FROM pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs') WHERE id = 2" 'it was changed after it was tracked' \
    'a row that fails recheck is spared, and the reason is told'
keeps 'a query with duplicates in it: keys of another type' '1 2 3 7 8 9 10 11 12 13' <<<"query: SELECT DISTINCT id::bigint AS id FROM people WHERE mail = 'b@x'"

# --- bigger, by chance, against a window

for keep in 'first: at' 'last: at' 'order_by: at DESC NULLS LAST, k2'; do
    sql "SET client_min_messages = error; DROP TABLE IF EXISTS many; CREATE TABLE many (k1 int, k2 text, g int, at int, PRIMARY KEY (k2, k1));
         SELECT setseed(0.5);
         INSERT INTO many SELECT n, 'k' || n % 7, (random() * 400)::int, CASE WHEN random() < 0.8 THEN (random() * 5)::int END FROM generate_series(1, 2000) n;
         DROP TABLE IF EXISTS expected" >/dev/null
    case $keep in
    first*) order='at IS NULL, at, k2, k1' ;;
    last*) order='at IS NULL, at DESC, k2, k1' ;;
    *) order='at IS NULL, at DESC, k2, k1' ;;
    esac
    sql "CREATE TABLE expected AS SELECT DISTINCT ON (g) * FROM many ORDER BY g, $order"
    printf 'plan: many-%s\ntable: many\nsteps:\n  - discover\n  - track: { duplicates: [g], keep: { "%s": "%s" } }\n  - delete\n' "${keep:0:4}" "${keep%%: *}" "${keep#*: }" |
        sed 's/^plan: many-orde/plan: many-order/' >"$work/plan.yaml"
    pgw run plan.yaml
    is "$code" 0 "$keep: 2,000 rows in groups" || diag "$all"
    is_sql '(TABLE many EXCEPT TABLE expected) UNION ALL (TABLE expected EXCEPT TABLE many) LIMIT 3' '' "$keep: a window agrees"
done

# --- expectations

expects() { printf 'plan: %s\ntable: people\nsteps:\n  - discover\n  - track: { duplicates: [mail], expect: { %s } }\n  - delete\n' "$1" "$2" >"$work/plan.yaml"; }
# 4 rows in 3 groups go, of 13.
for case in 'rows rows: 3|rows: 4' 'share share: 30%|share: 40%' 'groups groups: 2|groups: 3'; do
    name=${case%% *}
    load
    expects "expect-$name" "$(cut -d' ' -f2- <<<"${case%|*}")"
    pgw run plan.yaml
    is "$code" 3 "expect $name: too many are refused"
    like "$err" 'expects at most' 'and it says how many'
    is_sql 'SELECT count(*) FROM people' 13 'nothing is removed'
    is_sql "SELECT count(*) FROM pg_class WHERE relname = 'track_' || (SELECT max(run) FROM pgwinnow.runs)" 0 'no tracking table is left'
    pgw run plan.yaml
    is "$code" 3 'again the same'
    sql "UPDATE people SET mail = mail || id WHERE id IN (5, 6, 12)"
    pgw run plan.yaml
    is "$code" 0 'when the data fits, the same run goes on' || diag "$all"
    load
    expects "expect-$name" "${case#*|}"
    pgw run plan.yaml
    is "$code" 0 "expect $name: loosened, a new run passes" || diag "$all"
    is_sql 'SELECT count(*) FROM people' 9 'and removes'
done
load
expects expect-loose 'rows: 1'
pgw run plan.yaml
expects expect-loose 'rows: 100'
pgw run plan.yaml
like "$code $err" '^(0|3 .*--fresh)' 'a loosened expectation in the middle of a run: goes on, or says how'
pgw run plan.yaml --fresh
is "$code" 0 '--fresh takes it' || diag "$all"

# --- hold

load
cat >"$work/plan.yaml" <<'PLAN'
plan: hold
table: people
steps:
  - discover
  - track: { duplicates: [mail] }
  - delete
PLAN
pgw run plan.yaml --until track
is "$code" 75 'stopped behind track'
sql "UPDATE pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs') SET hold = true WHERE id IN (3, 12)"
pgw run plan.yaml
is "$code" 0 'rows on hold: the run ends well' || diag "$all"
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM people" '1 2 3 4 7 8 9 10 11 12 13' 'they stay'
like "$all" '2 held back' 'and are counted'

# --- a survivor that must not go: the tree leads back to the table

sql "DROP TABLE IF EXISTS nodes CASCADE; CREATE TABLE nodes (id int PRIMARY KEY, up int REFERENCES nodes, name text);
     INSERT INTO nodes VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 1, 'a'), (4, 3, 'b'), (5, NULL, 'd'), (6, 5, 'd'), (7, 6, 'e'), (8, 7, 'c'), (9, NULL, 'c'), (10, 4, 'f')" 2>/dev/null
cat >"$work/plan.yaml" <<'PLAN'
plan: nodes
table: nodes
steps:
  - discover: { children: { nodes.up: delete }, missing_index: ignore }
  - track: { duplicates: [name] }
  - delete-children
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 'duplicates in a tree' || diag "$all"
# 3 goes with 4 and 10 below it; 6 would take 7 and 8 along, and 8 is the survivor of 9 (or 9 has gone first): either way
# every name that was there has one row left, unless it went as a descendant of a row that goes.
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM nodes WHERE name IN ('a', 'b', 'f')" '1 2' 'a copy goes with what is below it'
is_sql "SELECT count(*) FROM nodes WHERE name = 'c'" 1 'the last row of a group stays'
is_sql 'SELECT count(*) FROM nodes n WHERE up IS NOT NULL AND NOT EXISTS (SELECT FROM nodes p WHERE p.id = n.up)' 0 'no orphans'

# --- row security, keys

load
role=seer_$$
sql "CREATE ROLE $role LOGIN; GRANT ALL ON people TO $role; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO $role; GRANT ALL ON SCHEMA pgwinnow TO $role;
     GRANT ALL ON ALL TABLES IN SCHEMA pgwinnow TO $role; GRANT ALL ON ALL SEQUENCES IN SCHEMA pgwinnow TO $role;
     ALTER TABLE people ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON people USING (id % 2 = 0)"
cat >"$work/plan.yaml" <<'PLAN'
plan: hidden
table: people
steps:
  - discover
  - track: { duplicates: [mail] }
  - delete
PLAN
PGUSER=$role pgw run plan.yaml
is "$code" 3 'row security that hides rows from the role: refused'
like "$err" 'row security of public.people hides rows' 'it says why'
like "$err" 'BYPASSRLS' 'and what to do'
unlike "$all" 'rows 0' 'and never says that there are none'
is_sql 'SELECT count(*) FROM people' 13 'nothing is removed'
sql "DROP TABLE IF EXISTS letters; CREATE TABLE letters (id int PRIMARY KEY, person int REFERENCES people);
     ALTER TABLE people DISABLE ROW LEVEL SECURITY; ALTER TABLE letters ENABLE ROW LEVEL SECURITY; GRANT ALL ON letters TO $role" 2>/dev/null
sed -i 's/^  - discover/  - discover: { children: { letters.person: delete }, missing_index: ignore }/; s/hidden/hidden-below/' "$work/plan.yaml"
PGUSER=$role pgw run plan.yaml
is "$code" 3 'row security of a table below: refused too'
like "$err" 'row security of public.letters' 'by its name'
sql "ALTER ROLE $role BYPASSRLS"
PGUSER=$role pgw run plan.yaml
is "$code" 0 'with BYPASSRLS it works' || diag "$all"
is_sql 'SELECT count(*) FROM people' 9 'and removes'
sql "DROP OWNED BY $role CASCADE; DROP ROLE $role" 2>/dev/null

sql "DROP TABLE IF EXISTS keyless; CREATE TABLE keyless (a int, b int UNIQUE, c int NOT NULL); CREATE UNIQUE INDEX ON keyless (c) WHERE c > 0" 2>/dev/null
printf 'plan: keyless\ntable: keyless\nsteps:\n  - discover\n  - track: { duplicates: [a] }\n  - delete\n' >"$work/plan.yaml"
pgw run plan.yaml
is "$code" 2 'a table without a key: exit code 2'
like "$err" 'keyless has no key' 'it says so'
like "$err" 'NOT NULL' 'and what would be one'
sql 'ALTER TABLE keyless ALTER b SET NOT NULL; INSERT INTO keyless SELECT g % 3, g, g FROM generate_series(1, 9) g'
pgw run plan.yaml
is "$code" 0 'a unique key over NOT NULL columns will do' || diag "$all"
is_sql 'SELECT string_agg(b::text, $$ $$ ORDER BY b) FROM keyless' '1 2 3' 'and the smallest key stays'

# --- texts that cannot work have their place

load
for text in 'duplicates: [mial]' 'duplicates: [mail], keep: { first: nosuch }' 'where: id' 'where: id + 1' 'duplicates: [mail], keep: { order_by: nosuch DESC }' \
    'query: SELECT mail FROM people' 'query: "SELECT id, mail FROM people"' 'duplicates: [point(1, id)]'; do
    printf 'plan: wrong\ntable: people\nsteps:\n  - discover\n  - track: { %s }\n  - delete\n' "$text" >"$work/plan.yaml"
    pgw run plan.yaml
    is "$code" 2 "refused: $text"
    like "$err" 'plan.yaml:5:[0-9]+' 'with its place'
done
is_sql 'SELECT count(*) FROM people' 13 'nothing is removed'
done_testing
