#!/bin/bash
# What else happens when rows go: user triggers and rules. A trigger that keeps rows must neither lose nor orphan anything.
. "$(dirname "$0")/lib.sh"
new_database triggers
export NO_COLOR=1
number=0

# load ACTION: 40 listings, 30 copies; two posts each, a like for each post
load() {
    psql -Xq -v ON_ERROR_STOP=1 >/dev/null <<SQL
SET client_min_messages = error;
DROP TABLE IF EXISTS listings, posts, likes, audit, notes CASCADE; DROP FUNCTION IF EXISTS keep, log_it, touch CASCADE;
CREATE TABLE listings (id int PRIMARY KEY, code text);
CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings ON DELETE ${1:-NO ACTION});
CREATE TABLE likes (post_id int REFERENCES posts ON DELETE ${1:-NO ACTION});
CREATE TABLE notes (id int PRIMARY KEY, listing_id int REFERENCES listings ON DELETE ${1:-NO ACTION}, touched int NOT NULL DEFAULT 0);
CREATE TABLE audit (what text, id int);
CREATE INDEX ON posts (listing_id); CREATE INDEX ON likes (post_id); CREATE INDEX ON notes (listing_id);
INSERT INTO listings SELECT g, 'c' || g % 10 FROM generate_series(1, 40) g;
INSERT INTO posts SELECT g, 1 + g % 40 FROM generate_series(1, 80) g;
INSERT INTO likes SELECT id FROM posts;
INSERT INTO notes SELECT g, g FROM generate_series(1, 40) g;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END';
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (TG_OP || '' '' || TG_TABLE_NAME, OLD.id); RETURN NULL; END';
SQL
}
write() {
    number=$((number + 1))
    cat >"$work/plan.yaml" <<PLAN
plan: triggers-$number
table: listings
batch: { size: ${1:-1000}, min: 1, max: ${1:-1000}, pause: 0ms }
locks: { retries: 1 }
steps:
  - discover:
      children: { posts.listing_id: delete, likes.post_id: delete, notes.listing_id: set-null }
      triggers: ${2:-fire}
  - track: { duplicates: [code] }
  - delete-children
  - delete
PLAN
}
orphans="SELECT (SELECT count(*) FROM posts WHERE listing_id NOT IN (SELECT id FROM listings))
              + (SELECT count(*) FROM likes WHERE post_id NOT IN (SELECT id FROM posts))
              + (SELECT count(*) FROM notes WHERE listing_id NOT IN (SELECT id FROM listings))"
# Each listing that is there still has both posts, each with its like, and its note: nothing is half done.
whole="SELECT count(*) FROM listings l WHERE (SELECT count(*) FROM posts p JOIN likes k ON k.post_id = p.id WHERE p.listing_id = l.id) <> 2
           OR NOT EXISTS (SELECT FROM notes n WHERE n.listing_id = l.id)"

for action in 'NO ACTION' CASCADE; do
    for size in 1000 7; do
        name="ON DELETE $action, batches of $size"
        load "$action"
        sql 'CREATE TRIGGER log_it AFTER DELETE ON listings FOR EACH ROW EXECUTE FUNCTION log_it();
             CREATE TRIGGER log_it AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION log_it();
             CREATE TRIGGER touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch()'
        write $size
        pgw run plan.yaml
        is "$code" 0 "$name: AFTER triggers" || diag "$all"
        is_sql 'SELECT what, count(*), count(DISTINCT id) FROM audit GROUP BY what ORDER BY what' 'DELETE listings|30|30
DELETE posts|60|60' 'fire once for each row that goes'
        is_sql 'SELECT touched, count(*) FROM notes GROUP BY touched ORDER BY touched' '0|10
1|30' 'a BEFORE UPDATE trigger once for each row that is set to NULL'
        is_sql 'SELECT count(*) FROM listings' 10 'the copies are gone'

        for table in listings posts; do
            load "$action"
            sql "CREATE TRIGGER keep BEFORE DELETE ON $table FOR EACH ROW WHEN (OLD.id % 7 = 0) EXECUTE FUNCTION keep()"
            write $size
            pgw run plan.yaml
            is "$code" 1 "$name: a BEFORE trigger that keeps rows of $table: the run fails" || diag "$all"
            like "$err" 'trigger' 'the error speaks of triggers'
            like "$err" "public\\.$table|$table" 'and names the table'
            is_sql "$orphans" 0 'no orphans'
            is_sql "$whole" 0 'what stays has all of its children'
            sql "DROP TRIGGER keep ON $table"
            pgw run plan.yaml
            is "$code" 0 'without the trigger the same run ends well' || diag "$all"
            is_sql 'SELECT (SELECT count(*) FROM listings), (SELECT count(*) FROM posts), (SELECT count(*) FROM likes), (SELECT count(listing_id) FROM notes)' \
                '10|20|20|10' 'and all is as it should be'
        done
    done
done

# A table of rows without a key, which no closure holds by key.
load
sql 'CREATE TRIGGER keep BEFORE DELETE ON likes FOR EACH ROW WHEN (OLD.post_id % 7 = 0) EXECUTE FUNCTION keep()'
write
pgw run plan.yaml
is "$code" 1 'a BEFORE trigger that keeps rows without a key' || diag "$all"
is_sql "$orphans" 0 'no orphans'
is_sql "$whole" 0 'what stays has all of its children'

load
sql 'CREATE TRIGGER keep BEFORE UPDATE ON notes FOR EACH ROW WHEN (OLD.id % 7 = 0) EXECUTE FUNCTION keep()'
write
pgw run plan.yaml
is "$code" 1 'a BEFORE UPDATE trigger that keeps rows from being set to NULL' || diag "$all"
is_sql "$orphans" 0 'no orphans'
is_sql "$whole" 0 'what stays has all of its children'

load
sql 'CREATE TRIGGER log_it AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION log_it()'
write 1000 stop
pgw run plan.yaml
is "$code" 3 'triggers: stop'
like "$err" 'public.posts has trigger log_it' 'names the trigger'
pgw explain plan.yaml
is "$code" 3 'explain says the same'
sql 'ALTER TABLE posts DISABLE TRIGGER log_it'
pgw run plan.yaml
is "$code" 0 'a disabled trigger is none' || diag "$all"

for rule in 'ON DELETE TO posts DO INSTEAD NOTHING' 'ON UPDATE TO notes DO INSTEAD NOTHING' 'ON DELETE TO listings DO ALSO DELETE FROM audit'; do
    load
    sql "CREATE RULE r AS $rule"
    write
    pgw run plan.yaml
    is "$code" 3 "a rule $rule: refused"
    like "$err" 'has rules on delete or update' 'with the reason'
    is_sql 'SELECT count(*) FROM listings' 40 'nothing is removed'
done
# Tables that lose no rows and are not changed may have rules.
load
sql 'CREATE RULE r AS ON DELETE TO notes DO INSTEAD NOTHING; DELETE FROM notes; TRUNCATE notes'
write
sed -i 's/notes.listing_id: set-null/notes.listing_id: stop/' "$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'a rule of a table that is only looked at' || diag "$all"
done_testing
