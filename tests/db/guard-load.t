#!/bin/bash
# Writers go on making duplicates while a plan with a guard runs, each at an isolation level of its own, one row or several in a
# statement: no insert of theirs fails but with 23505 and the name of the unique index (or, in SERIALIZABLE transactions, with
# 40001, which those must expect), and the unique index is built at the first try.
#
#   LOAD_ROWS=20000 LOAD_WRITERS=4 tests/with-postgres tests/db/guard-load.t
. "$(dirname "$0")/lib.sh"
new_database guard_load
rows=${LOAD_ROWS:-20000}

sql "CREATE TABLE listings (id bigserial PRIMARY KEY, source text NOT NULL, external_id text, title text, changed timestamptz DEFAULT now());
     INSERT INTO listings (source, external_id, title) SELECT 's' || n % 4, n / 4 % ($rows / 4), 'n' || n FROM generate_series(1, $rows) n;
     CREATE TABLE failed (level text, state text, what text, message text); CREATE TABLE done (level text, went int, refused int)"
plan <<'PLAN'
plan: load
table: listings
batch: { size: 200, max: 500, target: 50ms, pause: 5ms }
locks: { ddl_timeout: 500ms, retries: 30 }
steps:
  - index: { as: by-key, name: ix_listings_key, columns: [source, external_id] }
  - guard
  - discover
  - track: { duplicates: [source, external_id], where: external_id IS NOT NULL, keep: { last: changed } }
  - delete-children
  - delete
  - index: { name: uix_listings_key, unique: [source, external_id], where: external_id IS NOT NULL, replaces: ix_listings_key }
PLAN

# A writer, one transaction for each statement, until told to stop: keys that are there, keys that others take in this moment,
# keys that come and go, rows that change their key. Runs in the server, so that it is fast; what fails is kept.
sql "
     CREATE PROCEDURE write(level text, seed int) LANGUAGE plpgsql AS \$\$
     DECLARE k text; what text; went int := 0; refused int := 0; st text; con text; msg text;
     BEGIN
         PERFORM setseed(seed / 100.0);
         LOOP
             EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'stopped' AND relkind = 'r');
             k := ($rows / 4 - 30 + random() * 60)::int;
             BEGIN
                 CASE (random() * 6)::int
                 WHEN 0 THEN what := 'insert'; -- all of them at the same time, and not committed at once
                     INSERT INTO listings (source, external_id, title) VALUES ('race', (extract(epoch FROM clock_timestamp()) * 20)::bigint, 'new');
                     PERFORM pg_sleep(0.005);
                 WHEN 1, 2 THEN what := 'insert';
                     INSERT INTO listings (source, external_id, title) VALUES ('s' || (random() * 4)::int, k, 'new');
                 WHEN 3 THEN what := 'several';
                     INSERT INTO listings (source, external_id, title)
                     SELECT 's9', x, 'new' FROM (SELECT DISTINCT (random() * 1e6)::int AS x FROM generate_series(1, 20) ORDER BY 1) y;
                 WHEN 4 THEN what := 'update';
                     UPDATE listings SET external_id = k WHERE id = (SELECT id FROM listings WHERE source = 's9' ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED);
                 WHEN 5 THEN what := 'touch';
                     UPDATE listings SET title = 'touched' WHERE id = (SELECT id FROM listings WHERE id > random() * $rows ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);
                 ELSE what := 'delete';
                     DELETE FROM listings WHERE id = (SELECT id FROM listings WHERE title = 'new' ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED);
                 END CASE;
                 went := went + 1;
             EXCEPTION WHEN OTHERS THEN
                 GET STACKED DIAGNOSTICS st = RETURNED_SQLSTATE, con = CONSTRAINT_NAME, msg = MESSAGE_TEXT;
                 refused := refused + 1;
                 IF st <> '23505' OR con <> 'uix_listings_key' THEN
                     INSERT INTO failed VALUES (level, st, what, msg || ' ' || con);
                 END IF;
             END;
             COMMIT;
         END LOOP;
         INSERT INTO done VALUES (level, went, refused);
         COMMIT;
     END \$\$"
writers=()
for seed in $(seq 1 "${LOAD_WRITERS:-4}"); do
    case $((seed % 4)) in 0) level=SERIALIZABLE ;; 3) level='REPEATABLE READ' ;; *) level='READ COMMITTED' ;; esac
    PGOPTIONS="-c default_transaction_isolation=${level// /\\ }" psql -XAtq -c "CALL write('$level', $seed)" &
    writers+=($!)
done
eventually "SELECT count(*) > 20 FROM listings WHERE title = 'new'" t
pgw run plan.yaml
is "$code" 0 'the plan runs' || diag "$all"
sleep 0.3
sql 'CREATE TABLE stopped ()'
wait "${writers[@]}"
is_sql "SELECT max(round) FROM pgwinnow.steps" 1 'the unique index was built at the first try'
is_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'uix_listings_key'::regclass" t 'it is valid'
is_sql "SELECT level, state, what, message FROM failed WHERE level = 'READ COMMITTED' OR what IN ('insert', 'several') AND NOT (level = 'SERIALIZABLE' AND state = '40001') LIMIT 5" '' \
    'no insert failed but with 23505 and the name of the index, and no other statement where it could not have failed anyway'
is_sql "SELECT count(*) FROM done WHERE went > 0 AND refused > 0" "${#writers[@]}" 'every writer got rows in, and was refused'
is_sql "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgwinnow%'), (SELECT count(*) FROM pgwinnow.guards), to_regclass('ix_listings_key') IS NULL" \
    '0|0|t' 'guard and plain index are gone'
diag "$(sql "SELECT string_agg(level || ': ' || went || ' statements, ' || refused || ' refused', '; ') FROM done")"
done_testing
