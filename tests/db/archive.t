#!/bin/bash
# The archive: whatever a run removes or changes is there as it was, whichever statement did it.
. "$(dirname "$0")/lib.sh"

# archive TABLE: the archive table of the newest run for a source table
archive() {
    sql "SELECT format('pgwinnow.%I', a.name) FROM pgwinnow.archives a
          WHERE a.table_oid = '$1'::regclass ORDER BY run DESC LIMIT 1"
}

# images TABLE ACTION: rows of the archive in the source's columns, as one checksum
images() {
    local columns
    columns=$(sql "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = '$1'::regclass AND attnum > 0 AND NOT attisdropped")
    sql "SELECT count(*) || ' ' || COALESCE(md5(string_agg(x::text, '|' ORDER BY x::text)), '') FROM
         (SELECT $columns FROM $(archive "$1") WHERE ${3:-pgwinnow_action} = '$2') x"
}

# lost TABLE: rows of before.TABLE whose id is not in TABLE any more
lost() {
    sql "SELECT count(*) || ' ' || COALESCE(md5(string_agg(x::text, '|' ORDER BY x::text)), '') FROM
         (SELECT b.* FROM before.$1 b WHERE NOT EXISTS (SELECT FROM $1 c WHERE c.id = b.id)) x"
}

# --- the fast way, with every kind of column

new_database archive
sql "CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
     CREATE TYPE pair AS (a int, b text);
     CREATE TYPE mood AS ENUM ('sad', 'gay');
     CREATE TABLE listings (
         id int PRIMARY KEY, k text, pgwinnow_seq int, \"pgwinnow_batch\" text, \"Odd \"\"Name\" short, j json, p point,
         x xml, b bit(3), arr int[][], r int4range, c pair, m mood, f float8, t timestamptz, n numeric, y bytea,
         twice int GENERATED ALWAYS AS (id * 2) STORED);
     INSERT INTO listings (id, k, pgwinnow_seq, pgwinnow_batch, \"Odd \"\"Name\", j, p, x, b, arr, r, c, m, f, t, n, y)
     SELECT n, 'k' || n % 20, n, 'b', 'o' || n, '{\"a\":  1}', point(n, 1), '<a/>', '101', ARRAY[[n, 2], [3, NULL]],
            int4range(n, NULL), (n, NULL)::pair, 'sad', CASE n % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' ELSE 0.1 END,
            CASE WHEN n % 2 = 0 THEN 'infinity' ELSE '0044-03-15 12:00 BC' END::timestamptz, n / 7.0, '\\x00ff' FROM generate_series(1, 60) n;
     CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings, body text);
     INSERT INTO posts SELECT n, n % 60 + 1, 'p' || n FROM generate_series(1, 200) n;
     CREATE TABLE audit (id int PRIMARY KEY, post_id int REFERENCES posts, changed int DEFAULT 0);
     INSERT INTO audit SELECT n, n FROM generate_series(1, 200) n;
     CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changed := OLD.changed + 1; RETURN NEW; END';
     CREATE TRIGGER counts BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION count_change();
     CREATE INDEX ON posts (listing_id); CREATE INDEX ON audit (post_id);
     CREATE SCHEMA before;
     CREATE TABLE before.listings AS TABLE listings; CREATE TABLE before.posts AS TABLE posts;
     CREATE TABLE before.audit AS TABLE audit"
plan <<'PLAN'
plan: keeps
table: listings
batch: { size: 20, min: 5, pause: 0ms }
steps:
  - discover: { children: { posts.listing_id: delete, audit.post_id: set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 "the run ends well" || diag "$all"
is_sql "SELECT count(*) FROM listings" 20 "forty rows went"
is "$(images listings delete pgwinnow_action)" "$(lost listings)" "all of them are kept as they were"
is "$(images posts delete)" "$(lost posts)" "and their children"
is_sql "SELECT count(*) FROM $(archive audit) a JOIN before.audit b USING (id, post_id, changed) WHERE pgwinnow_action = 'set-null'" \
    "$(sql "SELECT count(*) FROM audit WHERE post_id IS NULL")" "rows set to NULL are kept with what they pointed at"
is_sql "SELECT count(*) FROM $(archive audit) o JOIN $(archive audit) a USING (pgwinnow_seq, id)
         JOIN audit n ON n.id = a.id AND n.post_id IS NOT DISTINCT FROM a.post_id AND n.changed = a.changed
        WHERE o.pgwinnow_action = 'set-null' AND a.pgwinnow_action = 'after' AND a.changed = 1" \
    "$(sql "SELECT count(*) FROM audit WHERE post_id IS NULL")" "and what the run made of them, a trigger's part too"
is_sql "SELECT own_columns FROM pgwinnow.archives WHERE table_oid = 'listings'::regclass" \
    "{pgwinnow_seq_,pgwinnow_batch_,pgwinnow_order,pgwinnow_action}" "our columns make room for those of the table"
is_sql "SELECT bool_and(c.relacl IS NULL) FROM pg_class c JOIN pgwinnow.archives a ON a.name = c.relname" t \
    "an archive is its owner's alone"
is_sql "SELECT count(DISTINCT pgwinnow_batch_) = (SELECT count(*) FROM pgwinnow.batches WHERE rows > 0) FROM $(archive listings)" t \
    "each batch is known by its transaction"
sql "ALTER TABLE listings ADD COLUMN later int; ALTER TABLE listings DROP COLUMN p; ALTER DOMAIN short ADD CHECK (VALUE > 'z') NOT VALID;
     ALTER TABLE listings ALTER k TYPE varchar(9)"
is_sql "SELECT count(*) FROM $(archive listings)" 40 "a later ALTER of the source or its domain leaves the archive alone"

# --- the thorough way: CASCADE and SET NULL, circles, children without a key

new_database thorough
sql "CREATE TABLE a (id int PRIMARY KEY, k int, boss int REFERENCES a ON DELETE SET NULL, b_id int);
     CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE);
     ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b;
     CREATE TABLE loose (id int, a_id int REFERENCES a ON DELETE CASCADE, note text);
     INSERT INTO a SELECT n, n % 25, n % 50 + 1, NULL FROM generate_series(1, 50) n;
     INSERT INTO b SELECT n, n FROM generate_series(1, 50) n;
     UPDATE a SET b_id = id WHERE id > 25;
     INSERT INTO loose SELECT n, n % 50 + 1, 'x' || n FROM generate_series(1, 150) n;
     CREATE INDEX ON a (boss); CREATE INDEX ON a (b_id); CREATE INDEX ON b (a_id); CREATE INDEX ON loose (a_id);
     CREATE SCHEMA before;
     CREATE TABLE before.a AS TABLE a; CREATE TABLE before.b AS TABLE b; CREATE TABLE before.loose AS TABLE loose"
plan <<'PLAN'
plan: thorough
table: a
batch: { size: 12, min: 5, pause: 0ms }
steps:
  - discover: { children: { a.boss: set-null, b.a_id: delete, a.b_id: delete, loose.a_id: delete } }
  - track: { duplicates: [k] }
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 "circles and CASCADE: the run ends well" || diag "$all"
for table in b loose; do is "$(images $table delete)" "$(lost $table)" "what went from $table is kept"; done
# Some of them had lost their boss in an earlier batch.
is_sql "SELECT count(*) FROM $(archive a) x JOIN before.a b USING (id, k) WHERE x.b_id IS NOT DISTINCT FROM b.b_id
           AND (x.boss = b.boss OR x.boss IS NULL) AND pgwinnow_action = 'delete'" 25 "and what went from a"
is_sql "SELECT count(*) FROM $(archive a) x JOIN before.a b USING (id, boss) WHERE pgwinnow_action = 'set-null'" \
    "$(sql "SELECT count(*) FROM $(archive a) WHERE pgwinnow_action = 'set-null'")" "so is what was set to NULL"
is_sql "SELECT count(*) FROM a JOIN before.a b USING (id) WHERE a.boss IS NULL AND b.boss IS NOT NULL
           AND NOT EXISTS (SELECT FROM $(archive a) x WHERE x.id = b.id AND x.pgwinnow_action = 'set-null')" 0 \
    "each row that was set to NULL has its image"

# --- heavy rows: in pieces, drained, a piece thoroughly

new_database heavy
sql "CREATE TABLE h (id int PRIMARY KEY, gone bool);
     CREATE TABLE c (id int PRIMARY KEY, h_id int REFERENCES h ON DELETE CASCADE, body text);
     CREATE TABLE d (id int PRIMARY KEY, h_id int REFERENCES h);
     CREATE TABLE loose (id int, h_id int REFERENCES h);
     INSERT INTO h VALUES (1, true), (2, false), (3, true);
     INSERT INTO c SELECT n, n % 3 + 1, 'c' || n FROM generate_series(1, 900) n;
     INSERT INTO d SELECT n, n % 3 + 1 FROM generate_series(1, 900) n;
     INSERT INTO loose SELECT n, n % 3 + 1 FROM generate_series(1, 900) n;
     CREATE INDEX ON c (h_id); CREATE INDEX ON d (h_id); CREATE INDEX ON loose (h_id);
     CREATE SCHEMA before;
     CREATE TABLE before.c AS TABLE c; CREATE TABLE before.loose AS TABLE loose; CREATE TABLE before.h AS TABLE h"
plan <<'PLAN'
plan: heavy
table: h
batch: { size: 50, min: 5, max: 50, pause: 0ms }
steps:
  - discover: { children: { c.h_id: delete, d.h_id: set-null, loose.h_id: delete } }
  - track: { where: gone }
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 "heavy rows: the run ends well" || diag "$all"
for table in h c loose; do is "$(images $table delete)" "$(lost $table)" "what went from $table is kept"; done
is_sql "SELECT count(*) FROM $(archive d) WHERE pgwinnow_action = 'set-null' AND h_id IN (1, 3)" 600 \
    "and all that was set to NULL in pieces"

# --- columns that come while the run goes on

new_database columns
sql "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT n, n FROM generate_series(1, 60) n"
plan <<'PLAN'
plan: columns
table: t
batch: { size: 10, min: 5, max: 10, pause: 300ms }
steps:
  - discover
  - track: { where: k <= 40 }
  - delete
PLAN
pgw run plan.yaml --max-rows 10
is "$code" 75 "a run stops for a look" || diag "$all"
sql "ALTER TABLE t ADD COLUMN extra text DEFAULT 'new'"
(cd "$work" && exec "$PGWINNOW" run plan.yaml >"$work/out" 2>&1) &
timeout 20 bash -c "until [ \"\$(psql -XAtqc 'SELECT count(*) FROM t')\" -le 40 ]; do sleep 0.05; done"
sql "ALTER TABLE t ADD COLUMN more int DEFAULT 7"
wait $!
is $? 3 "a column that comes in the middle of a run stops it"
like "$(cat "$work/out")" 'columns of t were added or dropped' "and it says why"
is_sql "SELECT count(*) FROM t" "$(sql "SELECT 60 - count(*) FROM $(archive t)")" "no row went without its image"
pgw run plan.yaml
is "$code" 0 "run again goes on" || diag "$all"
is_sql "SELECT count(*), count(extra), count(more) FROM $(archive t)" \
    "40|30|$(sql "SELECT count(*) FROM $(archive t) WHERE more = 7")" "the archive got the new columns"
is_sql "SELECT count(*) > 0 FROM $(archive t) WHERE more = 7" t "and what they held"

# --- not wanted

new_database off
sql "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT n FROM generate_series(1, 60) n"
plan <<'PLAN'
plan: off
table: t
archive: false
steps:
  - discover
  - track: { where: id <= 40 }
  - delete
PLAN
pgw run plan.yaml
is "$code" 0 "archive: false" || diag "$all"
is_sql "SELECT count(*) FROM pgwinnow.archives" 0 "nothing is kept then"
done_testing
