#!/bin/bash
# undo: every table as it was before the run, whatever its rows are made of; it refuses what it cannot bring back, and goes
# on after any kill.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1

# sums TABLE...: what every table holds, by the server's own text form
sums() {
    local t
    for t in "$@"; do sql "SELECT '$t', count(*), md5(string_agg(x::text, '|' ORDER BY x::text COLLATE \"C\")) FROM $t x"; done
}

# --- every kind of column, three levels, a set-null, generated and identity columns, a unique index of the run

new_database types
sql 'CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
     CREATE DOMAIN shorts AS short[];
     CREATE TYPE pair AS (a int, b text);
     CREATE TYPE mood AS ENUM ($$sad$$, $$it'"''"'s$$);
     CREATE TABLE listings (
         id int PRIMARY KEY, k text, pgwinnow_seq int, "pgwinnow_batch" text, "Odd ""Name" short, j json, jb jsonb, p point,
         x xml, b bit(3), vb bit varying(9), arr int[][], r int4range, mr int4multirange, c pair, m mood, f float8, f4 real,
         t timestamptz, n numeric, n2 numeric(9, 2), y bytea, mo money, ch char(7), vc varchar(5), i interval, tt timetz,
         inet inet, ts tsvector, u uuid, ds shorts, big text, gone int,
         twice int GENERATED ALWAYS AS (id * 2) STORED);
     ALTER TABLE listings DROP COLUMN gone;
     INSERT INTO listings (id, k, pgwinnow_seq, pgwinnow_batch, "Odd ""Name", j, jb, p, x, b, vb, arr, r, mr, c, m, f, f4, t, n, n2, y, mo,
                           ch, vc, i, tt, inet, ts, u, ds, big)
     SELECT n, $$k$$ || n % 20, n, $$b$$, $$o$$ || n, $${"a":  1, "a": 2}$$, $${"b": 1}$$, point(n, 1), $$<a/>$$, $$101$$, $$10$$,
            ARRAY[[n, 2], [3, NULL]], int4range(n, NULL), $${[1,2), [5,)}$$, (n, NULL)::pair, $$sad$$,
            CASE n % 3 WHEN 0 THEN $$NaN$$ WHEN 1 THEN $$-0$$ ELSE 0.1 END, 1e-30,
            CASE WHEN n % 2 = 0 THEN $$infinity$$ ELSE $$0044-03-15 12:00 BC$$ END::timestamptz, n / 7.0, n, $$\x00ff$$, 12.5::money,
            $$ab$$, NULLIF(n % 5, 0), $$1 mon -3 days$$, $$12:00+05$$, $$10.0.0.1/8$$, $$a b:2A$$, md5(n::text)::uuid, ARRAY[$$x$$],
            repeat(md5(n::text), 500)
       FROM generate_series(1, 60) n;
     CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings, body text);
     INSERT INTO posts SELECT n, n % 60 + 1, $$p$$ || n FROM generate_series(1, 200) n;
     CREATE TABLE audit (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, post_id int REFERENCES posts, m money);
     INSERT INTO audit (post_id, m) SELECT n, n FROM generate_series(1, 200) n;
     CREATE TABLE seen (post_id int REFERENCES posts, at date);
     INSERT INTO seen SELECT n, $$2020-01-01$$ FROM generate_series(1, 200) n, generate_series(1, 2);
     CREATE TABLE likes (post_id int REFERENCES posts, note text);
     INSERT INTO likes SELECT n % 100 + 1, $$same$$ FROM generate_series(1, 300) n;
     CREATE INDEX ON posts (listing_id); CREATE INDEX ON audit (post_id); CREATE INDEX ON seen (post_id); CREATE INDEX ON likes (post_id)'
plan <<'PLAN'
plan: keeps
table: listings
batch: { size: 20, min: 5, pause: 0ms }
steps:
  - discover: { children: { posts.listing_id: delete, audit.post_id: set-null, seen.post_id: delete, likes.post_id: set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
  - index: { name: uix_k, unique: [k] }
PLAN
all_tables='listings posts audit seen likes'
before=$(sums $all_tables)
pgw undo keeps
is "$code" 2 'a plan that never ran: exit code 2'
pgw run plan.yaml
is "$code" 0 'the run' || diag "$all"
after=$(sums $all_tables)
isnt "$after" "$before" 'it changed something'
pgw undo 1
is "$code" 3 'its unique index stands in the way, and nobody is there to ask'
like "$err" 'uix_k on public.listings' 'it is named'
like "$err" 'undo 1 --yes' 'and what to type'
is "$(sums $all_tables)" "$after" 'nothing was changed'
if command -v script >/dev/null; then
    answer() { (cd "$work" && printf '%s\n' "$1" | script -qec "'$PGWINNOW' undo 1" /dev/null); }
    like "$(answer n)" 'uix_k.*Drop it first' 'on a terminal it asks'
    is "$(sums $all_tables)" "$after" 'no means no'
fi
pgw undo 1 --yes
is "$code" 0 'with --yes it goes' || diag "$all"
like "$out" 'Dropped the unique index uix_k' 'it is told'
like "$out" 'sequences keep' 'and what is not undone'
is "$(sums $all_tables)" "$before" 'every table is as it was, whatever the columns are'
is_sql "SELECT state, error IS NULL, finished IS NOT NULL FROM pgwinnow.runs" 'undone|t|t' 'the run is on record as undone'
pgw undo keeps
is "$code" 0 'a second undo'
like "$out" 'undone already' 'says so'
is "$(sums $all_tables)" "$before" 'and does nothing'
pgw history --json
is "$(jq -r '.[0].state' <<<"$out" 2>/dev/null || grep -o '"state": "undone"' <<<"$out" | head -1 | cut -d'"' -f4)" undone 'history knows'
pgw run plan.yaml
is "$code" 0 'the plan runs anew'
is "$(sums $all_tables)" "$after" 'with the same result'

# --- conflicts

# conflicts: a database with a run of 30 listings of which 20 go (11 to 30), with their posts, and audit rows set to NULL
conflicts() {
    new_database "$1"
    sql "CREATE TABLE owners (id int PRIMARY KEY);
         INSERT INTO owners SELECT generate_series(1, 30);
         CREATE TABLE listings (id int PRIMARY KEY, k int, code text, owner int REFERENCES owners, note text, UNIQUE (code));
         INSERT INTO listings SELECT n, n % 10, 'c' || n, n, 'n' || n FROM generate_series(1, 30) n;
         CREATE TABLE posts (id int PRIMARY KEY, listing_id int NOT NULL REFERENCES listings, body text);
         INSERT INTO posts SELECT n, n % 30 + 1, 'p' || n FROM generate_series(1, 60) n;
         CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts);
         INSERT INTO comments SELECT n, n FROM generate_series(1, 60) n;
         CREATE TABLE audit (id int PRIMARY KEY, listing_id int REFERENCES listings, about text);
         INSERT INTO audit SELECT n, n, 'a' || n FROM generate_series(1, 30) n;
         CREATE INDEX ON posts (listing_id); CREATE INDEX ON comments (post_id); CREATE INDEX ON audit (listing_id)"
    plan <<'PLAN'
plan: dedupe
table: listings
batch: { size: 10, min: 5, max: 20, pause: 0ms }
steps:
  - discover: { children: { posts.listing_id: delete, comments.post_id: delete, audit.listing_id: set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
PLAN
    before=$(sums owners listings posts comments audit)
    pgw run plan.yaml
    [ "$code" = 0 ] || diag "$all"
}

# stops WHAT REGEX: refused before anything is changed, the reason told
stops() {
    local was
    was=$(sums owners listings posts comments audit)
    pgw undo 1
    is "$code" 3 "$1: refused"
    like "$err" "$2" "$1: told"
    like "$err" 'nothing was changed' "$1: before anything is changed"
    is "$(sums owners listings posts comments audit)" "$was" "$1: indeed"
    is_sql 'SELECT state FROM pgwinnow.runs' finished "$1: the run is what it was"
}

conflicts key
sql "INSERT INTO listings VALUES (15, 99, 'new', 1, 'the application')"
stops 'the key is there again' 'public.listings \(id\) = \(15\): a row with this key is there again'
pgw undo 1 --json
is "$code" 3 'with --json too'
like "$out" '"conflicts": 1,' 'the number of conflicts'
like "$out" '"table": "public.listings",' 'the table'
like "$out" '"key": "\(id\) = \(15\)",' 'the key'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
like "$out" ' public.listings \(id\) = \(15\): a row with this key' 'what was left is told, by the names that conflicts go by'
pgw clean 1
like "$out" 'kept the archive of run 1 until .*for the rows that its undo left out' 'the old image of a row that was left out is kept'
is_sql 'SELECT count(*) FROM pgwinnow.archives WHERE dropped IS NULL' "$(sql 'SELECT count(*) FROM pgwinnow.archives')" 'indeed'
is_sql 'SELECT count(*), min(note) FILTER (WHERE id = 15) FROM listings' '30|the application' 'the other rows came back'
is_sql 'SELECT count(*) FROM posts' 60 'its children point at the new row, which is there'

conflicts force
sql "INSERT INTO listings VALUES (15, 99, 'new', 1, 'the application')"
pgw undo 1 --on-conflict force
is "$code" 0 'force' || diag "$all"
is "$(sums owners listings posts comments audit)" "$before" 'the old image is written over the new row'

conflicts unique
sql "INSERT INTO listings VALUES (99, 99, 'c15', 1, 'the application')"
stops 'a unique value is taken' 'public.listings \(id\) = \(15\): the unique index listings_code_key'
like "$err" '^pgwinnow: 1 row ' 'one row is in conflict'
pgw undo 1 --on-conflict force
is "$code" 0 'another row that has the value cannot be forced away' || diag "$all"
like "$out" 'listings_code_key' 'it is told'
is_sql "SELECT count(*), count(*) FILTER (WHERE id = 15) FROM listings" '30|0' 'the row stays out, the others come'
is_sql "SELECT count(*) FROM posts WHERE id IN (14, 44)" 0 'and so do its children'
is_sql "SELECT count(*) FROM posts" 58 'but no others'
is_sql "SELECT count(*) FROM comments" 58 'nor more below'
is_sql "SELECT listing_id IS NULL FROM audit WHERE id = 15" t 'what pointed at it stays NULL'
is_sql "SELECT count(*) FROM audit WHERE listing_id = id" 29 'the others point again'
like "$out" '^6 rows are not|6 rows are not' 'six rows are told: one, two, two, one'

conflicts parent
sql 'DELETE FROM owners WHERE id IN (20, 21)'
stops 'the parent is gone, outside of the tree' 'listings_owner_fkey'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
is_sql 'SELECT count(*), count(*) FILTER (WHERE id IN (20, 21)) FROM listings' '28|0' 'two rows stay out'
is_sql 'SELECT count(*) FROM posts' 56 'with their children'

conflicts changed
sql "UPDATE audit SET listing_id = 3, about = 'new' WHERE id = 12; UPDATE audit SET about = 'other' WHERE id = 13;
     DELETE FROM audit WHERE id = 14"
stops 'a column of ours was changed' 'public.audit \(id\) = \(12\): changed since: listing_id'
like "$err" 'public.audit \(id\) = \(14\): the row is gone' 'a row is gone'
unlike "$err" 'audit \(id\) = \(13\)' 'a column that is not ours is nobody'"'"'s business'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
is_sql 'SELECT id, listing_id, about FROM audit WHERE id IN (12, 13, 14) ORDER BY id' $'12|3|new\n13|13|other' \
    'what the application changed stays, in the row and in its other columns'
conflicts changed_force
sql "UPDATE audit SET listing_id = 3, about = 'new' WHERE id = 12; DELETE FROM audit WHERE id = 14"
pgw undo 1 --on-conflict force
is "$code" 0 'force' || diag "$all"
is_sql 'SELECT id, listing_id, about FROM audit WHERE id IN (12, 14) ORDER BY id' '12|12|new' 'our column is set back all the same'
like "$out" '1 row is not' 'the row that is gone is told'

conflicts rules
sql "ALTER TABLE listings ADD CHECK (id <> 17);
     ALTER TABLE posts ALTER body SET NOT NULL, ADD CONSTRAINT short CHECK (body <> 'p18')"
stops 'new rules' 'listings \(id\) = \(17\): the check constraint listings_id_check'
like "$err" 'posts \(id\) = \(18\): the check constraint short' 'each is named'
sql 'ALTER TABLE audit ALTER about SET NOT NULL'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
is_sql 'SELECT count(*) FROM listings WHERE id = 17' 0 'it stays out'
is_sql 'SELECT count(*) FROM posts WHERE id = 18' 0 'it too'

# --- many small batches: their pauses follow the time that they take; 200 pauses of 50 ms, a fifth less by chance, are 8 s

new_database pace
sql 'CREATE TABLE things (id int PRIMARY KEY, k int); INSERT INTO things SELECT n, n % 20 FROM generate_series(1, 1020) n'
plan <<'PLAN'
plan: things
table: things
batch: { size: 5, min: 5, max: 5, pause: 0ms }
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
pgw run plan.yaml
pgw undo 1
is "$code" 0 'a run of small batches' || diag "$all"
is_sql "SELECT batches, rows, ms < 8000 FROM pgwinnow.steps WHERE kind = 'undo'" '200|1000|t' 'is not undone slowly'
done_testing
