#!/bin/bash
# The docs tell the truth: plans in them are valid and do what the README says, links lead somewhere, tests that are named
# exist, and what is written about the state schema is what is in it.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1
pages=("$root"/README.md "$root"/docs/*.md)

# --- plans between ```yaml and ```

for page in "${pages[@]}"; do
    name=$(basename "$page" .md)
    awk -v out="$work/$name-" '
        /^```yaml/ { n++; file = out n ".yaml"; next }
        /^```/ { file = "" }
        file { print > file }' "$page"
    for file in "$work/$name"-*.yaml; do
        grep -q '^plan:' "$file" 2>/dev/null || continue
        pgw check "$file"
        is "$code" 0 "plan ${file##*-} of $name.md is valid" || diag "$all"
    done
done
ok $(($(find "$work" -name 'README-*.yaml' | wc -l) < 3)) 'the README has its three plans'

# --- links and names

broken=''
for page in "${pages[@]}"; do
    while read -r link; do
        [ -e "$(dirname "$page")/$link" ] || broken+="${page##*/}: $link "
    done < <(grep -oE '\]\([^)#:]+(#[^)]*)?\)' "$page" | sed -E 's/^\]\(//; s/(#.*)?\)$//')
done
is "$broken" '' 'every link to a file leads to one'
# lines RECIPE NUMBER...
lines() {
    is "$(grep -oE "^\| $1\.[0-9]+" "$root/docs/recipes.md" | cut -d. -f2 | tr '\n' ' ')" "${*:2} " "docs/recipes has these lines of $1: ${*:2}"
    is "$(grep -E "^\| $1\." "$root/docs/recipes.md" | grep -vE '\(\.\./tests/(db|cases)/' | cut -d' ' -f2)" '' \
        'and a test for each'
}

lines R0 {1..12}
lines R1 1 2 3 5 6 7 8 9
lines R2 1 2 3
lines R3 {1..9}

# --- the state schema

new_database docs
pgw init
for table in $(sql "SELECT relname FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace AND relkind = 'r' ORDER BY 1"); do
    written=$(awk -v title="### pgwinnow.$table" '$0 == title { on = 1; next } /^#/ { on = 0 }
        on && /^\| `/ { split($0, cell, "|"); print cell[2] }' "$root/docs/operations.md" | grep -oE '[a-z_]+' | sort | tr '\n' ' ')
    is "$written" "$(sql "SELECT attname FROM pg_attribute WHERE attrelid = 'pgwinnow.$table'::regclass AND attnum > 0
                          AND NOT attisdropped" | LC_ALL=C sort | tr '\n' ' ')" "docs/operations has every column of $table"
done

# --- the README's first plan, as its reader would go about it, by a role with the rights of docs/operations and no others

role=runner_$$
sql "CREATE ROLE $role LOGIN;
     CREATE TABLE subscriptions (id int PRIMARY KEY, person_id int, topic text, created_at timestamptz);
     CREATE TABLE deliveries (id int PRIMARY KEY, subscription_id int NOT NULL REFERENCES subscriptions);
     CREATE TABLE audit (id int PRIMARY KEY, subscription_id int REFERENCES subscriptions);
     INSERT INTO subscriptions SELECT i, i % 5000, 'news', timestamptz '2026-01-01' + i * interval '1 s' FROM generate_series(0, 5499) i;
     INSERT INTO deliveries SELECT i, i FROM generate_series(0, 5499) i;
     INSERT INTO audit SELECT i, i FROM generate_series(0, 5499) i;
     ALTER TABLE subscriptions OWNER TO $role; ALTER TABLE audit OWNER TO $role; ALTER TABLE deliveries OWNER TO $role;
     GRANT USAGE, CREATE ON SCHEMA public TO $role;
     GRANT USAGE, CREATE ON SCHEMA pgwinnow TO $role;
     GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgwinnow TO $role"
export PGUSER=$role
pgw explain README-1.yaml
is "$code" 3 'explain of the first draft refuses'
like "$err" 'deliveries.subscription_id: delete' 'and prints the line to paste'
like "$err" 'audit.subscription_id: ' 'for each foreign key'
pgw explain README-2.yaml
is "$code" 0 'with the lines in it explain goes through'
like "$out" '500 of 5,500 rows would go' 'and tells the rows that would go'
pgw run --max-rows 100 README-2.yaml
is "$code" 75 'a canary stops with 75'
held=$(sql 'SELECT max(id) FROM pgwinnow.track_1 JOIN subscriptions USING (id)')
sql "UPDATE pgwinnow.track_1 SET hold = true WHERE id = $held"
pgw run --until delete README-2.yaml
is "$code" 75 'the rest of the rows'
is_sql "SELECT string_agg(id::text, ' ') FROM subscriptions WHERE id >= 5000" "$held" 'what is held back stays, all else goes'
is_sql "SELECT count(*) FROM deliveries WHERE subscription_id >= 5000" 1 'with its children'
is_sql "SELECT count(*), count(subscription_id) FROM audit" '5500|5001' 'the audit log keeps its rows without their parents'
sql "DELETE FROM deliveries WHERE subscription_id = $held; DELETE FROM subscriptions WHERE id = $held" >/dev/null 2>&1 ||
    sql "UPDATE audit SET subscription_id = NULL WHERE subscription_id = $held;
         DELETE FROM deliveries WHERE subscription_id = $held; DELETE FROM subscriptions WHERE id = $held"
pgw run README-2.yaml
is "$code" 0 'the run ends' || diag "$all"
pgw run README-2.yaml
is "$code" 0 'once more'
like "$out" 'nothing to do' 'there is nothing to do'
is_sql "SELECT indisvalid AND indisunique FROM pg_index WHERE indexrelid = 'uix_subscriptions_person_topic'::regclass" t 'the index is there'
is_sql "SELECT count(*) FROM pg_class WHERE relname ~ '^pgwinnow_'" 0 'the temporary indexes are gone'
pgw clean --yes
is "$code" 0 'clean'
is_sql "SELECT count(*) FROM pg_class WHERE relname ~ '^track_'" 0 'drops the tracking tables'

sql "CREATE TABLE sessions (id int PRIMARY KEY, last_seen timestamptz);
     INSERT INTO sessions SELECT i, now() - i * interval '1 day' + interval '1 hour' FROM generate_series(1, 200) i"
pgw run README-3.yaml
is "$code" 0 'the purge'
is_sql 'SELECT max(id) FROM sessions' 90 'leaves ninety days'
pgw run --set days=30 README-3.yaml
is_sql 'SELECT max(id) FROM sessions' 30 'or as many as a variable says'
export PGUSER=postgres
sql "DROP OWNED BY $role; DROP ROLE $role"
done_testing
