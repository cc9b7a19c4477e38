#!/bin/bash
# The guide docs/merging-duplicates.md is gone through as its reader would: its SQL is run, its commands are typed, and what
# it says comes out must come out. In expected output `...` stands for anything, spaces at the ends of lines do not count.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1
guide=$root/docs/merging-duplicates.md

# blocks KIND: the fenced blocks of that kind, one file each in $work, in order
blocks() {
    awk -v kind="$1" -v out="$work/$1-" '
        $0 == "```" kind { n++; on = 1; file = sprintf("%s%02d", out, n); next }
        /^```/ { on = 0 }
        on { print > file }' "$guide"
    ls "$work/$1"-*
}

trimmed() { sed -E 's/[[:space:]]+$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }

# matches TEXT EXPECTED: whether the one is the other, where ... is anything
matches() {
    local pattern=$2
    pattern=$(sed -E 's/[][\\*?+@!()|]/\\&/g' <<<"$pattern")
    # shellcheck disable=SC2053
    [[ $1 == ${pattern//.../*} ]]
}

typed=0

# type_command COMMAND EXPECTED
type_command() {
    local got
    got=$(cd "$work" && bash -c "$1" 2>&1 </dev/null | trimmed)
    typed=$((typed + 1))
    matches "$got" "$(trimmed <<<"$2")"
    ok $? "\$ $1" || { diag "     got:"; diag "$got"; diag "expected:"; diag "$2"; }
}

# session FILE: the commands of a block, each with the lines up to the next one
session() {
    local line command='' expected=''
    while IFS= read -r line; do
        if [ "${line:0:2}" = '$ ' ]; then
            [ -z "$command" ] || type_command "$command" "$expected"
            command=${line:2} expected=''
        else
            expected+=$line$'\n'
        fi
    done <"$1"
    type_command "$command" "$expected"
}

# Every table, row by row.
tables() {
    local table
    for table in customers orders favourites profiles pictures; do
        sql "SELECT '$table', count(*), md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM $table t"
    done
}

# --- the plan and the rule are those of the guide

blocks yaml >/dev/null
blocks lua >/dev/null
blocks sql >/dev/null
is "$(cat "$work/yaml-01")" "$(sed '/^#/d' "$root/plans/merge-customers.yaml")" 'the plan in the guide is plans/merge-customers.yaml'
is "$(cat "$work/lua-01")" "$(sed '/^--/d' "$root/plans/rules/loyal_customer.lua")" 'the rule is plans/rules/loyal_customer.lua'
is "$(sed 's/^ *//' "$work/yaml-02")" 'keep: { lua: rules/loyal_customer.lua }' 'and where it goes in the plan'
cp -r "$root/plans/merge-customers.yaml" "$root/plans/rules" "$work"

# --- its sessions, one after the other

new_database guide
mkdir "$work/bin"
ln -s "$PGWINNOW" "$work/bin/pgwinnow"
PATH=$work/bin:$PATH
export PSQLRC=/dev/null
sql_file "$work/sql-01"
ok $? 'its tables load'
before=$(tables)
for file in $(blocks console); do
    session "$file"
    # Its undo has everything back, not only what the guide shows.
    ! grep -q 'is undone' "$file" || is "$(tables)" "$before" 'every table holds what it held'
done
is $((typed > 20)) 1 'its commands were typed' || diag "$typed"

# --- the duplicates that another program found

new_database pairs
sql_file "$work/sql-01"
before=$(tables)
sql "CREATE SCHEMA matching;
     CREATE TABLE matching.pairs (loser bigint, winner bigint, score float8);
     INSERT INTO matching.pairs VALUES (3, 2, 0.99), (2, 1, 0.97), (5, 4, 0.96), (6, 1, 0.5)"
awk -v with="$work/yaml-03" '
    /^  - track:/ { while ((getline line < with) > 0) print line; skip = 1; next }
    /^  - / { skip = 0 }
    !skip' "$work/merge-customers.yaml" >"$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'pairs of a matching job' || diag "$all"
is_sql 'SELECT id, name, visits FROM customers ORDER BY 1' '1|Ada|11
4|Grace Hopper|11
6|Kim|5' 'chains are followed to their end'
is_sql 'SELECT customer_id, count(*) FROM orders GROUP BY 1 ORDER BY 1' '1|4
4|2' 'orders too'
sql 'CREATE TABLE customer_redirects AS SELECT id, survivor_id FROM pgwinnow.track_1'
is_sql 'TABLE customer_redirects ORDER BY 1' '2|1
3|1
5|4' 'and old ids lead to new ones'
pgw undo --yes 1
is "$code" 0 'undone' || diag "$all"
is "$(tables)" "$before" 'every table holds what it held'

# --- what changes while it runs

new_database changes
sql_file "$work/sql-01"
pgw run --until track merge-customers.yaml
sql "UPDATE customers SET phone = '555-0101' WHERE id = 1; UPDATE customers SET seen_at = '2026-02-01' WHERE id = 5"
pgw run --until together merge-customers.yaml
is_sql 'SELECT id, outcome FROM pgwinnow.track_1 WHERE outcome IS NOT NULL ORDER BY id' '1|it was changed after it was judged
5|it was changed after it was judged' 'losers that changed are spared'
is_sql 'SELECT id, visits FROM customers ORDER BY id' '1|3
2|8
4|9
5|2
6|5' 'and stay out of their group'
pgw run merge-customers.yaml
is "$code" 0 'the run ends' || diag "$all"
is_sql 'SELECT id, phone, visits FROM customers ORDER BY id' '2|555-0103|11
5|555-0104|11
6||5' 'they are judged again, as they are now'

# --- explain counts what run then changes

# explained FILE: edge, policy and rows
explained() {
    pgw explain --json "$1"
    psql -XAtq -v j="$out" <<<"SELECT e->>'key', e->>'policy', e->>'rows' FROM json_array_elements(:'j'::json->'tree') e ORDER BY 1"
}

new_database explain
sql_file "$work/sql-01"
is "$(explained merge-customers.yaml)" 'favourites.customer_id|move|4
orders.customer_id|move|4
pictures.profile_id|move|3
profiles.customer_id|move|3' 'explain: the rows that move, and those that go along'
pgw run merge-customers.yaml
is_sql "SELECT sum(children) FROM pgwinnow.batches" 14 'are those that run settles'
pgw undo --yes 1
is "$code" 0 'undone' || diag "$all"
sed 's/^      missing_index/        pictures.profile_id: delete\n&/' "$work/merge-customers.yaml" >"$work/plan.yaml"
is "$(explained plan.yaml | grep pictures)" 'pictures.profile_id|delete|' 'a policy for what collides only: not known before'
pgw run plan.yaml
is "$code" 0 'it runs' || diag "$all"
is_sql 'TABLE pictures ORDER BY id' '2|2|ada-2023.jpg
3|4|grace.jpg' 'and the picture of the profile that collided is gone with it'

done_testing
