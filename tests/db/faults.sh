# What tests/db/faults.t and faults-ddl.t share.
. "$(dirname "$0")/lib.sh"

# 600 listings, each there three times; posts below them
tables() {
    new_database "$1"
    sql "CREATE TABLE listings (id int PRIMARY KEY, key int NOT NULL, note text);
         INSERT INTO listings SELECT n, n % 600, 'note ' || n FROM generate_series(1, 1800) n;
         CREATE TABLE posts (id int PRIMARY KEY, listing int CONSTRAINT posts_listing REFERENCES listings);
         CREATE INDEX posts_listing_ix ON posts (listing);
         INSERT INTO posts SELECT n, n FROM generate_series(1, 1800) n;
         ANALYZE" >/dev/null
    plan <<PLAN
plan: faults
table: public.listings
batch: { size: 50, min: 50, max: 50, pause: 1ms }
${2:-}
steps:
  - discover: { children: { posts.listing: delete } }
  - track: { duplicates: [key], keep: { first: id } }
  - delete-children
  - delete
  - index: { name: listings_key, unique: [key] }
  - vacuum
PLAN
}

# slow SECONDS: each batch takes that long, in its DELETE, so that what comes meanwhile comes in the middle
slow() {
    sql "CREATE TABLE nap (seconds float); INSERT INTO nap VALUES ($1);
         CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_sleep((SELECT seconds FROM public.nap)); RETURN NULL; END';
         CREATE TRIGGER nap BEFORE DELETE ON listings FOR EACH STATEMENT EXECUTE FUNCTION nap()"
}
quick() { sql 'UPDATE nap SET seconds = 0'; }

in_the_middle() {
    pgw_start run --output plain plan.yaml
    eventually "SELECT count(*) > 2 FROM pgwinnow.batches" t 2>/dev/null
    ok $? "$1: in the middle of the delete"
}

all_done() {
    is_sql 'SELECT count(*), count(DISTINCT key), max(id) FROM listings' '600|600|600' "$1: every duplicate is gone, no other row"
    is_sql 'SELECT count(*), max(listing) FROM posts' '600|600' "$1: and what was below them"
    is_sql 'SELECT sum(rows) FROM pgwinnow.batches' 1200 "$1: each once"
}
