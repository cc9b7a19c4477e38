#!/bin/bash
# together: whole groups in one transaction, with merge. What the survivors become is compared with SQL written here in
# another way; a reader that looks all the time never sees a group half done, also when the runner is killed over and over.
. "$(dirname "$0")/lib.sh"

# --- every rule, against its own words in SQL

new_database rules
# Groups of 1 to 7 in keep order (seen, newest first; ties by key); NULLs here and there, in some groups everywhere.
sql "CREATE FUNCTION h(n int, g int, k int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT ((n::bigint * k * 7919 + n::bigint * n + g * k) % 10)::int';
     CREATE SCHEMA shop; CREATE DOMAIN shop.phone AS text CHECK (VALUE <> 'none'); CREATE TYPE shop.size AS ENUM ('small', 'medium', 'large');
     CREATE TABLE shop.\"Customer\" (
         region int, \"No\" text COLLATE \"C\", email text, seen int, phone shop.phone, last_phone varchar(20), low numeric, high shop.size,
         visits int, total bigint, tags text[], first_tags text[], facts jsonb, list jsonb, note text, notes varchar(500), span int4multirange, active boolean,
         spread int, \"select\" text, shout text GENERATED ALWAYS AS (upper(note)) STORED, same text DEFAULT 'same',
         PRIMARY KEY (region, \"No\"));
     INSERT INTO shop.\"Customer\"
     SELECT n % 3, 'c' || n, 'e' || g, n % 11, CASE WHEN h(n, g, 1) < 5 THEN 'p' || n END, CASE WHEN h(n, g, 2) < 5 THEN 'p' || n END, CASE WHEN h(n, g, 3) < 5 THEN n % 7 + 0.50 END,
            CASE WHEN h(n, g, 4) < 5 THEN (ARRAY['small', 'medium', 'large'])[n % 3 + 1]::shop.size END, CASE WHEN h(n, g, 5) < 5 THEN n END,
            CASE WHEN h(n, g, 6) < 5 THEN 5000000000 + n END, CASE WHEN h(n, g, 7) < 5 THEN ARRAY['t' || n % 4, 't' || n % 5, NULL] END,
            CASE WHEN h(n, g, 8) < 5 THEN ARRAY['t' || n] END, CASE WHEN h(n, g, 9) < 6 THEN jsonb_build_object('a', n, 'k' || n % 4, n) END,
            CASE WHEN h(n, g, 10) < 5 THEN jsonb_build_array(n % 3, 'x' || n % 2) END, CASE WHEN h(n, g, 11) < 5 THEN 'n' || n % 3 END,
            CASE WHEN h(n, g, 12) < 5 THEN 'N' || n % 3 END, CASE WHEN h(n, g, 13) < 5 THEN int4multirange(int4range(n % 10, n % 10 + 2)) END,
            CASE WHEN h(n, g, 14) < 5 THEN n % 2 = 0 END, n % 9, CASE WHEN h(n, g, 15) < 5 THEN 's' || n END
       FROM (SELECT n, n / 4 + (n % 7) * (n % 2) AS g FROM generate_series(1, 400) n) x;
     DELETE FROM shop.\"Customer\" WHERE email IN (SELECT email FROM shop.\"Customer\" GROUP BY 1 HAVING count(*) = 1)"
multirange=$(sql "SELECT current_setting('server_version_num')::int >= 150000")
# What each group becomes, in other words: one question for each value, row by row.
sql "CREATE VIEW keep AS SELECT *, row_number() OVER (PARTITION BY email ORDER BY seen DESC NULLS LAST, region, \"No\") AS place FROM shop.\"Customer\";
     CREATE TABLE expected AS
     SELECT s.region, s.\"No\", s.email, s.seen,
            (SELECT r.phone FROM keep r WHERE r.email = s.email AND r.phone IS NOT NULL ORDER BY r.place LIMIT 1) AS phone,
            (SELECT r.last_phone FROM keep r WHERE r.email = s.email AND r.last_phone IS NOT NULL ORDER BY r.place DESC LIMIT 1) AS last_phone,
            (SELECT min(r.low) FROM keep r WHERE r.email = s.email) AS low,
            (SELECT max(r.high) FROM keep r WHERE r.email = s.email) AS high,
            (SELECT sum(r.visits) FROM keep r WHERE r.email = s.email)::int AS visits,
            (SELECT sum(r.total) FROM keep r WHERE r.email = s.email)::bigint AS total,
            (SELECT array_agg(e ORDER BY at) FROM (SELECT e, min(r.place * 100 + i) AS at FROM keep r, unnest(r.tags) WITH ORDINALITY u (e, i)
                                                    WHERE r.email = s.email GROUP BY e) x) AS tags,
            (SELECT r.first_tags FROM keep r WHERE r.email = s.email AND r.first_tags IS NOT NULL ORDER BY r.place LIMIT 1) AS first_tags,
            (SELECT jsonb_object_agg(k, v) FROM (SELECT DISTINCT ON (k) k, v FROM keep r, jsonb_each(r.facts) f (k, v)
                                                  WHERE r.email = s.email ORDER BY k, r.place) x) AS facts,
            (SELECT jsonb_agg(e ORDER BY at) FROM (SELECT e, min(r.place * 100 + i) AS at FROM keep r, jsonb_array_elements(r.list) WITH ORDINALITY u (e, i)
                                                    WHERE r.email = s.email GROUP BY e) x) AS list,
            (SELECT string_agg(note, ', ' ORDER BY at) FROM (SELECT r.note, min(r.place) AS at FROM keep r
                                                              WHERE r.email = s.email AND r.note IS NOT NULL GROUP BY r.note) x) AS note,
            (SELECT string_agg(notes, ' / ' ORDER BY at) FROM (SELECT r.notes, min(r.place) AS at FROM keep r
                                                                WHERE r.email = s.email AND r.notes IS NOT NULL GROUP BY r.notes) x)::varchar(500) AS notes,
            CASE WHEN $( [ "$multirange" = t ] && echo true || echo false )
                 THEN (SELECT range_agg(p) FROM keep r, unnest(r.span) p WHERE r.email = s.email) ELSE s.span END AS span,
            (SELECT bool_or(r.active) FROM keep r WHERE r.email = s.email) AS active,
            (SELECT max(r.spread) - min(r.spread) + count(*) FROM keep r WHERE r.email = s.email)::int AS spread,
            (SELECT string_agg(r.\"select\", '>' ORDER BY r.place) FROM keep r WHERE r.email = s.email) AS \"select\",
            NULL::text AS shout, s.same
       FROM keep s WHERE s.place = 1;
     UPDATE expected SET shout = upper(note)"
groups=$(sql 'SELECT count(*) FROM expected')
plan <<'PLAN'
plan: every-rule
table: shop."Customer"
batch: { size: 40, min: 10, pause: 0ms, workers: 2 }
steps:
  - discover
  - track: { duplicates: [email], keep: { last: seen } }
  - together:
      - merge:
          columns:
            phone: first
            last_phone: last
            low: min
            high: max
            visits: sum
            total: sum
            tags: union
            first_tags: first
            facts: union
            list: union
            note: concat
            notes: { concat: " / " }
            span: union
            active: { sql: bool_or("Customer".active) }
            spread: { sql: max(spread) - min(spread) + count(*) }
            '"select"': { sql: "string_agg(\"select\", '>' ORDER BY pgwinnow_rank)" }
      - delete
PLAN
[ "$multirange" = t ] || sed -i '/span: union/d' "$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'a plan with every rule runs' || diag "$all"
same_as() { # EXPECTED TABLE: rows that only one of them has
    sql "SELECT (SELECT count(*) FROM (SELECT x::text FROM $1 x EXCEPT SELECT y::text FROM $2 y) a), (SELECT count(*) FROM (SELECT y::text FROM $2 y EXCEPT SELECT x::text FROM $1 x) b),
                (SELECT count(*) FROM $2)"
}
is "$(same_as expected 'shop."Customer"')" "0|0|$groups" 'every value is what other SQL says' ||
    diag "$(sql 'SELECT x FROM expected x EXCEPT SELECT y::text::expected FROM shop."Customer" y LIMIT 3' 2>&1)"

# --- survivors: untouched where nothing changes, unique values, triggers, generated columns, held rows

new_database survivors
sql "CREATE TABLE people (id int PRIMARY KEY, email text, login text UNIQUE, nick text UNIQUE, visits int, at timestamptz, word text, loud text GENERATED ALWAYS AS (upper(word)) STORED);
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at = ''2020-02-02''; RETURN NEW; END';
     CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
     INSERT INTO people VALUES (1, 'a', NULL, NULL, NULL, NULL, 'one'), (2, 'a', 'login-a', NULL, NULL, NULL, NULL), (3, 'a', NULL, 'nick-a', 3, NULL, 'three'),
                               (4, 'b', 'login-b', 'nick-b', 7, NULL, 'four'), (5, 'b', NULL, NULL, NULL, NULL, NULL),
                               (6, 'c', NULL, NULL, 1, NULL, 'six'), (7, 'c', NULL, NULL, 2, NULL, 'seven'), (8, 'c', 'login-c', NULL, 4, NULL, 'eight')"
plan <<'PLAN'
plan: people
table: people
steps:
  - discover
  - track: { duplicates: [email] }
  - together: [ merge: { columns: { login: first, nick: first, visits: sum, word: last } }, delete-children, delete ]
PLAN
before=$(sql 'SELECT xmin FROM people WHERE id = 4')
pgw run plan.yaml --until track
sql "UPDATE pgwinnow.track_1 SET hold = true WHERE id = 8"
pgw run plan.yaml
is "$code" 0 'merging people' || diag "$all"
is_sql "SELECT login, nick, visits, word, loud, at::date FROM people WHERE id = 1" 'login-a|nick-a|3|three|THREE|2020-02-02' \
    'unique values pass to the survivor; its triggers fire and generated columns follow'
is_sql "SELECT xmin, at FROM people WHERE id = 4" "$before|" 'a survivor to which nothing comes is not touched'
is_sql "SELECT id, visits, login FROM people WHERE email = 'c' ORDER BY id" $'6|3|\n8|4|login-c' 'a row that is held back stays, and is not merged'
pgw status people --json
like "$out" '"name": *"together"' 'status shows one step'

# --- what cannot be

new_database wrong
sql "CREATE TABLE people (id int PRIMARY KEY, email text, tags int[], visits int, note text, n int GENERATED ALWAYS AS IDENTITY, g int GENERATED ALWAYS AS (visits + 1) STORED, p point, short varchar(3));
     CREATE ROLE merge_reader_$$; GRANT SELECT, DELETE ON people TO merge_reader_$$; GRANT UPDATE (note) ON people TO merge_reader_$$"
write() { # COLUMNS-OR-STEPS: a plan whose line 9 is the merge's columns
    plan <<PLAN
plan: wrong
table: people
steps:
  - discover
  - track: { duplicates: [email] }
  - together:
      - merge:
          columns:
            $1
      - delete
PLAN
}
refused() { # COLUMNS LINE TEXT
    write "$1"
    pgw run plan.yaml
    is "$code" 2 "refused: $1" || diag "$all"
    like "$all" "plan.yaml:9:.*$2" "it says why, with its line"
}
refused 'nope: first' 'has no column nope'
refused 'notes: first' 'has no column notes'
like "$all" 'did you mean note' 'the nearest column is suggested'
refused 'id: first' 'part of the key'
refused 'n: max' 'GENERATED ALWAYS AS IDENTITY'
refused 'g: max' 'generated'
refused 'note: union' 'union needs an array, a jsonb or a multirange; note of public.people is of type text'
refused 'p: max' 'max needs a type with an order'
refused 'note: sum' 'sum\(text\)'
refused 'visits: concat' 'type integer but expression is of type text'
refused 'visits: { sql: people.visits }' 'must appear in the GROUP BY'
refused 'visits: { sql: max(nothing) }' 'nothing'
refused 'visits: { sql: unnest(array_agg(visits)) }' 'set-returning'
refused 'visits: { sql: "max(visits), 1" }' '.'
refused 'visits: medium' "'medium'"
refused 'visits: { sql: max(visits), concat: x }' 'one of rule, sql and concat'
checked() { # STEPS TEXT
    plan <<PLAN
plan: wrong
table: people
steps:
  - discover
  - track: { duplicates: [email] }
$1
PLAN
    pgw check plan.yaml
    is "$code" 2 "check refuses: ${1//$'\n'/ }"
    like "$all" "plan.yaml:6:.*$2" 'and says why, with its line'
}
checked '  - merge: { columns: { note: first } }' "'merge' stands inside 'together' only"
checked '  - together: [ merge: { columns: { note: first } } ]' 'together needs delete'
checked '  - together: [ delete, merge: { columns: { note: first } } ]' 'delete comes last'
checked '  - together: [ merge, delete ]' 'merge needs columns'
checked '  - together: [ delete-children: { only: [ x.y ] }, delete ]' 'leave out only'
checked '  - together: [ index: { name: x, columns: [ note ] }, delete ]' "cannot stand inside 'together'"
plan <<'PLAN'
plan: wrong
table: people
steps:
  - discover
  - track: { where: id > 1 }
  - together: [ merge: { columns: { note: first } }, delete ]
PLAN
pgw run plan.yaml
is "$code" 2 'groups are needed' || diag "$all"
like "$all" 'plan.yaml:6:.*no survivors' 'it says so, with its line'
write 'visits: sum'
sql "CREATE SCHEMA pgwinnow AUTHORIZATION merge_reader_$$; ALTER ROLE merge_reader_$$ LOGIN"
PGUSER=merge_reader_$$ pgw run plan.yaml
is "$code" 3 'a role that may not change the column' || diag "$all"
like "$all" "GRANT UPDATE ON \"public\".\"people\" TO \"merge_reader_$$\"" 'is told the GRANT'
sql "DROP OWNED BY merge_reader_$$; DROP ROLE merge_reader_$$"

# --- a value that the table refuses: the group is named, it stays whole, the others are done

sql "TRUNCATE people; ALTER TABLE people ADD CONSTRAINT few CHECK (visits < 100);
     INSERT INTO people (id, email, visits, note, short) SELECT n, 'e' || n % 100, CASE WHEN n % 100 = 37 THEN 60 ELSE 1 END, 'x', 'x' FROM generate_series(1, 200) n"
fails() { # TEXT NAME: the run fails, naming group e37, whose rows are whole
    pgw run --fresh plan.yaml
    is "$code" 1 "$2: the run fails" || diag "$all"
    like "$all" "$1" 'the error says what stands against it'
    like "$all" "in the group id = '37', email = 'e37'" 'and which group it is'
    is_sql "SELECT count(*) FROM people WHERE email = 'e37'" 2 'nothing of that group was changed'
}
write 'visits: sum'
sed -i 's/^steps:/batch: { size: 30, min: 30, max: 500, pause: 0ms }\nsteps:/' "$work/plan.yaml"
fails 'check constraint "few"' 'a check'
is "$(sql "SELECT bool_or(visits = 2) FROM people")" t 'other groups are done'
sql "ALTER TABLE people DROP CONSTRAINT few; UPDATE people SET visits = 2000000000 WHERE email = 'e37'"
fails 'integer out of range' 'a sum that is too large'
sql "UPDATE people SET visits = 1; ALTER TABLE people ADD COLUMN place int UNIQUE;
     UPDATE people SET place = id; DELETE FROM people WHERE email IN ('e1', 'e2'); INSERT INTO people (id, email, place) VALUES (1, 'alone', 500)"
write "place: { sql: \"CASE WHEN min(email) = 'e37' THEN 500 ELSE max(place) END\" }"
fails 'unique constraint "people_place_key"' 'a unique value of another row'
write "short: { sql: \"CASE WHEN min(email) = 'e37' THEN 'much too long' ELSE 'x' END\" }"
fails 'too long for type' 'a text that is too long'
write "email: { sql: \"CASE WHEN min(email) = 'e37' THEN NULL ELSE min(email) END\" }"
sql 'ALTER TABLE people ALTER email SET NOT NULL'
fails 'null value in column "email"' 'NULL where there must be none'
sql "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 37 THEN RAISE ''no thirty-seven''; END IF; RETURN NEW; END';
     CREATE TRIGGER refuse BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION refuse()"
write 'note: { sql: "min(note) || 1" }'
fails 'no thirty-seven' "a trigger's exception"
sql "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
pgw run --fresh plan.yaml
is "$code" 1 'a trigger that keeps survivors as they were: the run fails' || diag "$all"
like "$all" 'could be given their merged values' 'since the values would be lost'
is_sql "SELECT count(*) FROM people WHERE email = 'e37'" 2 'and nothing is removed'
sql 'DROP TRIGGER refuse ON people'
pgw run plan.yaml
is "$code" 0 'with the trigger gone the run goes on' || diag "$all"
is_sql "SELECT count(*), count(DISTINCT email) FROM people" "$(sql 'SELECT 99 || chr(124) || 99')" 'to the end'

# --- a group too large for a batch; one that grows too large later

new_database large
sql "CREATE TABLE people (id int PRIMARY KEY, email text, visits int); CREATE TABLE mails (id int PRIMARY KEY, person int REFERENCES people); CREATE INDEX ON mails (person);
     INSERT INTO people SELECT n, 'e' || n % 10, 1 FROM generate_series(1, 100) n; INSERT INTO mails SELECT n, 14 FROM generate_series(1, 60) n"
plan <<'PLAN'
plan: large
table: people
batch: { size: 20, min: 5, max: 50 }
steps:
  - discover: { children: { mails.person: delete } }
  - track: { duplicates: [email] }
  - sql: { run: "INSERT INTO mails SELECT 1000 + n, 15 FROM generate_series(1, 60) n" }
  - together: [ merge: { columns: { visits: sum } }, delete ]
PLAN
pgw run plan.yaml
is "$code" 3 'a group with its children over batch.max is refused' || diag "$all"
like "$all" 'e4' 'its key is told'
is_sql 'SELECT count(*), (SELECT count(*) FROM mails) FROM people' '100|60' 'before anything is removed'
sql 'DELETE FROM mails WHERE id > 30'
pgw run plan.yaml --fresh
is "$code" 0 'a group over batch.size goes alone; one that grew over batch.max is spared' || diag "$all"
is_sql "SELECT email, count(*), sum(visits) FROM people GROUP BY 1 HAVING count(*) > 1 OR sum(visits) <> 10" 'e5|10|10' 'whole, as it was'
is_sql "SELECT count(*), min(outcome) FROM pgwinnow.track_2 WHERE outcome IS NOT NULL" "$(sql "SELECT 9 || '|' || max(outcome) FROM pgwinnow.track_2")" 'with a reason'
like "$all" 'spared' 'and it is shown'

# --- a partitioned table, children moved, a reader that looks all the time, kills

new_database looked_at
sql "CREATE TABLE accounts (region int, id int, email text, balance bigint, tags text[], PRIMARY KEY (region, id)) PARTITION BY LIST (region);
     CREATE TABLE accounts_0 PARTITION OF accounts FOR VALUES IN (0); CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES IN (1); CREATE TABLE accounts_2 PARTITION OF accounts DEFAULT;
     CREATE TABLE payments (id int PRIMARY KEY, region int, account int, amount int, FOREIGN KEY (region, account) REFERENCES accounts);
     CREATE INDEX ON payments (region, account);
     INSERT INTO accounts SELECT n % 4, n, 'e' || n % 900, n, ARRAY['t' || n] FROM generate_series(1, 3000) n;
     INSERT INTO payments SELECT n, n % 3000 % 4, n % 3000, 1 FROM generate_series(1, 6000) n WHERE n % 3000 > 0;
     CREATE TABLE before AS SELECT email, count(*) AS n, sum(balance) AS balance, (array_agg(ROW(region, id)::text ORDER BY region, id))[1] AS stays,
                                   (SELECT count(*) FROM payments p JOIN accounts a USING (region) WHERE a.id = p.account AND a.email = x.email) AS payments
                              FROM accounts x GROUP BY email;
     CREATE TABLE looks (n bigint, mixed bigint, bad text)"
plan <<'PLAN'
plan: accounts
table: accounts
batch: { size: 60, min: 20, pause: 5ms, workers: 2 }
locks: { retries: 100 }
steps:
  - discover: { children: { "payments(region, account)": move } }
  - track: { duplicates: [email] }
  - together: [ merge: { columns: { balance: sum, tags: union } }, delete-children, delete ]
PLAN
# A group is either as it was or merged: its rows, its balance, its payments. One snapshot each look.
look="WITH now AS (SELECT a.email, count(*) AS n, sum(a.balance) AS balance, sum(k.payments) AS payments
                     FROM accounts a CROSS JOIN LATERAL (SELECT count(*) FROM payments p WHERE p.region = a.region AND p.account = a.id) k (payments) GROUP BY a.email)
      SELECT count(*) FILTER (WHERE b.n > 1 AND now.n = 1) AS merged, count(*) FILTER (WHERE b.n > 1 AND now.n = b.n) AS left,
             min(b.email) FILTER (WHERE now.n IS NULL OR now.n NOT IN (1, b.n) OR now.balance <> b.balance OR now.payments <> b.payments) AS bad
        FROM before b LEFT JOIN now USING (email)"
psql -XAtq >/dev/null 2>"$work/looking" <<SQL &
SET application_name = looking;
DO \$\$ DECLARE r record; looks bigint := 0; mixed bigint := 0; wrong text;
BEGIN
    LOOP
        $look INTO r;
        looks := looks + 1;
        mixed := mixed + (r.merged > 0 AND r.left > 0)::int;
        wrong := COALESCE(wrong, r.bad);
        EXIT WHEN r.left = 0 OR looks > 20000;
    END LOOP;
    INSERT INTO looks VALUES (looks, mixed, wrong);
END \$\$;
SQL
looking=$!
kills=0 code=137
while [ $kills -lt 25 ]; do
    pgw_start run plan.yaml
    sleep "0.$((RANDOM % 6 + 2))$((RANDOM % 10))"
    kill -9 $pid 2>/dev/null || { pgw_end; break; }
    pgw_end
    kills=$((kills + 1))
done 2>/dev/null
pgw run plan.yaml
is "$code" 0 'the run ends after kills' || diag "$all"
wait $looking
diag "$kills kills; looks, those in the middle, a bad group: $(sql 'SELECT * FROM looks')"
is_sql 'SELECT bad IS NULL FROM looks' t 'no look saw a group half done'
is_sql 'SELECT mixed > 20 FROM looks' t 'and many were taken in the middle of the work'
is_sql 'SELECT count(*) FROM accounts' "$(sql 'SELECT count(*) FROM before')" 'one row of each group is left'
is_sql "SELECT count(*) FROM accounts a JOIN before b USING (email) WHERE ROW(a.region, a.id)::text <> b.stays OR a.balance <> b.balance OR cardinality(a.tags) <> b.n" 0 \
    'the right one, with what it should have'
is_sql 'SELECT count(*), sum(amount) FROM payments' '5998|5998' 'every payment is there'
is_sql "SELECT count(*) FROM pgwinnow.batches b JOIN pgwinnow.runs r USING (run) GROUP BY run HAVING sum(b.rows) <> 2100" '' 'each row counts once'

# --- among clients that write all the time: what they wrote and what they inserted is there in the end

new_database races
sql "CREATE TABLE people (id int PRIMARY KEY, email text, visits bigint, note text); CREATE TABLE mails (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int REFERENCES people);
     CREATE INDEX ON mails (person);
     INSERT INTO people SELECT n, 'e' || n % 1500, 1, 'n' || n FROM generate_series(1, 6000) n; INSERT INTO mails (person) SELECT n FROM generate_series(1, 6000) n;
     CREATE TABLE done (client int, updated bigint, inserted bigint); CREATE TABLE stop (now boolean)"
plan <<'PLAN'
plan: races
table: people
batch: { size: 100, min: 20, pause: 2ms, workers: 2 }
locks: { lock_timeout: 50ms, retries: 100 }
steps:
  - discover: { children: { mails.person: move } }
  - track: { duplicates: [email] }
  - together: [ merge: { columns: { visits: sum, note: concat } }, delete-children, delete ]
PLAN
clients=()
for client in 1 2 3; do
    psql -XAtq >/dev/null 2>"$work/client-$client" <<SQL &
DO \$\$ DECLARE n bigint; updated bigint := 0; inserted bigint := 0; picked int;
BEGIN
    WHILE NOT EXISTS (SELECT FROM stop) LOOP
        picked := 1 + floor(random() * 6000);
        UPDATE people SET visits = visits + 1 WHERE id = picked;
        GET DIAGNOSTICS n = ROW_COUNT;
        updated := updated + n;
        COMMIT;
        BEGIN
            INSERT INTO mails (person) VALUES (1 + floor(random() * 6000));
            inserted := inserted + 1;
        EXCEPTION WHEN foreign_key_violation THEN NULL;
        END;
        COMMIT;
        PERFORM pg_sleep(0.002);
    END LOOP;
    INSERT INTO done VALUES ($client, updated, inserted);
END \$\$;
SQL
    clients+=($!)
done
pgw run plan.yaml
is "$code" 0 'a run among clients that write' || diag "$all"
sql 'INSERT INTO stop VALUES (true)'
wait "${clients[@]}"
is "$(cat "$work"/client-*)" '' 'no client met an error'
is_sql 'SELECT count(*) FROM done WHERE updated > 50 AND inserted > 50' 3 'they did write'
is_sql 'SELECT sum(visits) FROM people' "$(sql 'SELECT 6000 + sum(updated) FROM done')" 'no visit is lost, none is counted twice'
is_sql 'SELECT count(*) FROM mails' "$(sql 'SELECT 6000 + sum(inserted) FROM done')" 'every mail is there'
is_sql 'SELECT count(DISTINCT email) FROM people' 1500 'every group has a row'
is_sql "SELECT count(*) FROM people p WHERE note IS DISTINCT FROM (SELECT string_agg('n' || n, ', ' ORDER BY n) FROM generate_series(p.id, 6000, 1500) n)
           AND NOT EXISTS (SELECT FROM people o WHERE o.email = p.email AND o.id <> p.id)" 0 'groups that went went whole'

# --- a row that somebody holds: its whole group waits, the others do not

new_database busy
sql "CREATE TABLE people (id int PRIMARY KEY, email text, note text); INSERT INTO people SELECT n, 'e' || n % 20, 'n' || n FROM generate_series(1, 100) n"
plan <<'PLAN'
plan: busy
table: people
locks: { lock_timeout: 50ms }
steps:
  - discover
  - track: { duplicates: [email] }
  - together: [ merge: { columns: { note: concat } }, delete ]
PLAN
{ printf '%s\n' "BEGIN; SELECT FROM people WHERE id = 63 FOR UPDATE;" "\\! touch '$work/held'"
  until [ -e "$work/go" ]; do sleep 0.1; done; } | psql -XAtq >/dev/null &
until [ -e "$work/held" ]; do sleep 0.1; done
pgw_start run plan.yaml
eventually "SELECT count(*) = 4 FROM pgwinnow.track_1 WHERE outcome = 'contested'" t 2>/dev/null
is_sql "SELECT count(*) FILTER (WHERE email = 'e3'), count(*) FILTER (WHERE email <> 'e3') FROM people" '5|19' 'the group of a held row waits whole; the others are done'
touch "$work/go"
pgw_end
is "$code" 0 'it goes when it is free' || diag "$all"
is_sql "SELECT note FROM people WHERE email = 'e3'" 'n3, n23, n43, n63, n83' 'in keep order, as if nobody had held it'

# --- a rule in Lua

new_database lua
sql "CREATE TABLE people (id int PRIMARY KEY, email text, visits int, name text, score numeric(10,2)); INSERT INTO people SELECT n, 'e' || n % 40, n, 'n' || n, n + 0.25 FROM generate_series(1, 120) n;
     CREATE TABLE mails (id int PRIMARY KEY, person int REFERENCES people); CREATE INDEX ON mails (person); INSERT INTO mails SELECT n, n FROM generate_series(1, 100) n"
plan join.lua <<'LUA'
return {
  children = { "mails.person" },
  merge = function(survivor, losers)
    local answer = { visits = survivor.visits + survivor.children["mails.person"], name = pgwinnow.null }
    for _, row in ipairs(losers) do answer.visits = answer.visits + row.visits + row.children["mails.person"] end
    if survivor.id == 7 then answer.name = "seven" end
    return answer
  end,
}
LUA
plan <<'PLAN'
plan: lua
table: people
batch: { size: 30, min: 10 }
steps:
  - discover: { children: { mails.person: delete } }
  - track: { duplicates: [email] }
  - together: [ merge: { lua: join.lua }, delete ]
PLAN
sql "CREATE TABLE expected AS SELECT min(id) AS id, email, sum(visits) + (SELECT count(*) FROM mails WHERE person % 40 = min(p.id) % 40) AS visits,
            CASE WHEN min(id) = 7 THEN 'seven' END AS name, (min(id) + 0.25)::numeric(10,2) AS score FROM people p GROUP BY email"
pgw run plan.yaml
is "$code" 0 'merge by a rule file' || diag "$all"
is "$(same_as expected people)" '0|0|40' 'every value is what SQL says'
failing() { # LUA TEXT NAME
    sql "SET client_min_messages = warning; TRUNCATE people CASCADE; INSERT INTO people SELECT n, 'e' || n % 40, n, 'n' || n, n FROM generate_series(1, 80) n"
    printf 'return { merge = function(survivor, losers)\n  if survivor.id == 11 then %s end\n  return { visits = 1 }\nend }\n' "$1" >"$work/join.lua"
    pgw run --fresh plan.yaml
    is "$code" 6 "$3: exit code 6" || diag "$all"
    like "$all" "$2" 'it says what is wrong'
    like "$all" "in the group .*id = '?11'?" 'and which group it is'
    is_sql "SELECT count(*) FROM people WHERE email = 'e11'" 2 'nothing of that group was changed'
}
failing 'return { visits = "many" }' 'join.lua.*invalid input syntax for type integer: "many"' 'a value that the column does not take'
failing 'return { id = 5 }' 'join.lua.*column id' 'a key column'
failing 'return { visitors = 5 }' 'join.lua.*visitors' 'a column that is not there'
failing 'error("oh no")' 'join.lua:2.*oh no' 'an error of the rule'

# The last by their texts, in the night when New York's clocks go back; the condition is read in the role's own time zone.
new_database moments
sql "CREATE TABLE people (id int PRIMARY KEY, email text, seen timestamptz);
     INSERT INTO people VALUES (1, 'a', '2020-11-01 05:40+00'), (2, 'a', '2020-11-01 06:10+00'), (3, 'a', '2020-11-01 03:59+00'), (4, 'a', NULL)"
plan join.lua <<'LUA'
return {
  merge = function(survivor, losers)
    local last = survivor.seen
    for _, row in ipairs(losers) do if row.seen > last then last = row.seen end end
    return { seen = last }
  end,
}
LUA
plan <<'PLAN'
plan: moments
table: people
steps:
  - discover
  - track: { duplicates: [email], where: "seen >= '2020-11-01'" }
  - together: [ merge: { lua: join.lua }, delete ]
PLAN
PGTZ=America/New_York pgw run plan.yaml
is "$code" 0 'a rule that compares the texts of moments' || diag "$all"
is "$(PGTZ=UTC sql 'SELECT id, seen FROM people ORDER BY id')" $'1|2020-11-01 06:10:00+00\n3|2020-11-01 03:59:00+00\n4|' \
    'they are in UTC, and 23:59 of the day before is not of that day in New York'
done_testing
