#!/bin/bash
# Every statement in runner/*/*.sql is accepted by the server at hand: plans make the program send them all, and the
# server's own log says which ones it did to the end. A statement that no plan here reaches fails the test, and so does
# an error of class 42, which is a slip in a statement or a catalog that this version does not have.
#
#   STATEMENTS_LOG=FILE tests/with-postgres tests/db/statements.t      keeps the server's log
. "$(dirname "$0")/lib.sh"

# A server of its own, which logs what it has done.
[ "$(psql -XAtc 'SHOW log_line_prefix' postgres)" = '@@|%e|%a|' ] ||
    PGW_SERVER_OPTIONS='-c log_min_duration_statement=0 -c log_line_prefix=@@|%e|%a|' exec "$root/tests/with-postgres" "$0"
version=$(psql -XAtc "SELECT current_setting('server_version_num')::int / 10000" postgres)
new_database
pgw init
sql 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC'

# runs PLAN CODE: explain and run
runs() {
    [ "$2" = 2 ] || pgw explain "$1"
    [ "$2" = 2 ] || is "$code" 0 "$1: explain" || diag "$all"
    pgw run "$1"
    is "$code" "$2" "$1: run" || diag "$all"
}

# holds SQL: another session does it and stays in its transaction until `lets_go`
holds() {
    rm -f "$work/go" "$work/held"
    {
        printf '%s\n' "BEGIN; $1;" "\\! touch '$work/held'"
        until [ -e "$work/go" ]; do sleep 0.1; done
    } | psql -XAtq >/dev/null &
    until [ -e "$work/held" ]; do sleep 0.1; done
}
lets_go() { touch "$work/go"; }

# --- whole families in one statement; indexes for the time of a run; vacuum, backfill, check, sql

sql "CREATE TABLE listings (id int PRIMARY KEY, source text, seen int, best int);
     INSERT INTO listings SELECT n, 's' || n % 40, n, NULL FROM generate_series(1, 200) n;
     CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings, body text);
     CREATE INDEX ON posts (listing_id);
     INSERT INTO posts SELECT n, n FROM generate_series(1, 200) n;
     CREATE TABLE audit (id int PRIMARY KEY, post_id int REFERENCES posts);
     INSERT INTO audit SELECT n, n FROM generate_series(1, 200) n"
plan simple.yaml <<'PLAN'
plan: simple
table: listings
steps:
  - discover: { children: { posts.listing_id: delete, audit.post_id: set-null }, missing_index: create }
  - track: { duplicates: [source], where: seen > 0, keep: { first: seen }, expect: { share: 90%, groups: 100 } }
  - delete-children
  - delete
  - index: { name: listings_plain, columns: [source text_pattern_ops], settings: { maintenance_work_mem: 10MB } }
  - index: { as: key, name: listings_source, unique: [source], constraint: one_listing, replaces: listings_plain }
  - vacuum
  - vacuum: { as: again, pace: full, tables: [posts], parallel: 0 }
  - check: { query: SELECT count(*) FROM listings, is: 40 }
  - check: { as: none, query: SELECT id FROM listings WHERE source IS NULL, rows: none }
  - sql: { run: "UPDATE listings SET best = 1 WHERE pg_sleep(0.05) IS NOT NULL", when: { query: SELECT count(*) FROM listings, is: 40 } }
  - backfill:
      into: posts
      select: SELECT l.id + 1000 AS id, l.id AS listing_id, 'new' AS body FROM listings l
              WHERE NOT EXISTS (SELECT FROM posts p WHERE p.id = l.id + 1000)
  - backfill: { as: columns, table: posts, set: { body: "'x'" }, where: body IS NULL }
PLAN
runs simple.yaml 0
is_sql 'SELECT count(*) FROM posts WHERE body IS NOT NULL' 80 'simple: it did its work'

# --- family by family: the server's own actions, circles, the way back to the table, rows without a key, large families,
# and a child that somebody holds for a while

sql "CREATE TABLE a (id int PRIMARY KEY, g text, n int, up int REFERENCES a ON DELETE CASCADE, late boolean);
     CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, c int);
     CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE);
     ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c ON DELETE SET NULL;
     CREATE TABLE d (b int REFERENCES b, what text);
     CREATE TABLE e (id int PRIMARY KEY, a int REFERENCES a ON DELETE SET NULL);
     CREATE TABLE f (a int REFERENCES a) PARTITION BY RANGE (a);
     CREATE TABLE f_1 PARTITION OF f FOR VALUES FROM (0) TO (1000);
     CREATE TABLE s (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
     CREATE INDEX ON a (up); CREATE INDEX ON b (a); CREATE INDEX ON b (c); CREATE INDEX ON c (b); CREATE INDEX ON d (b);
     CREATE INDEX ON e (a); CREATE INDEX ON f (a); CREATE INDEX ON s (a);
     INSERT INTO a SELECT n, 'g' || n % 50, n FROM generate_series(1, 200) n;
     UPDATE a SET up = 150 WHERE id IN (7, 151);
     INSERT INTO b SELECT n, n FROM generate_series(1, 200) n;
     INSERT INTO b SELECT 1000 + n, 100 FROM generate_series(1, 100) n;
     INSERT INTO c SELECT id, id FROM b; UPDATE b SET c = id WHERE id % 3 = 0;
     INSERT INTO d SELECT id, 'd' FROM b; INSERT INTO d SELECT 1007, 'more' FROM generate_series(1, 100);
     INSERT INTO e SELECT n, n FROM generate_series(1, 200) n;
     INSERT INTO e SELECT 1000 + n, 101 FROM generate_series(1, 100) n;
     INSERT INTO f SELECT n FROM generate_series(1, 200) n; INSERT INTO f SELECT 102 FROM generate_series(1, 100)"
plan deep.yaml <<'PLAN'
plan: deep
table: a
batch: { size: 10, min: 5, max: 20, pause: 5ms }
locks: { lock_timeout: 20ms, retries: 2 }
steps:
  - discover: { children: { a.up: delete, b.a: delete, c.b: delete, b.c: set-null, d.b: delete, e.a: set-null, f.a: delete, s.a: stop } }
  - track: { duplicates: [g], keep: { order_by: "n % 7, n" } }
  - sql: { run: "UPDATE a SET n = 0 WHERE id = 180" }
  - delete-children
  - delete
PLAN
# Rows that another session holds until they have been left for the last pass: a child of one, and one that goes itself.
holds 'SELECT id FROM b WHERE id = 120 FOR UPDATE; SELECT id FROM a WHERE id IN (30, 80, 130) FOR UPDATE'
pgw explain deep.yaml
is "$code" 0 'deep.yaml: explain' || diag "$all"
pgw_start run deep.yaml
track=pgwinnow.track_$(sql 'SELECT max(run) + 1 FROM pgwinnow.runs')
eventually "SELECT count(*) > 1 AND bool_or(id = 120) FROM $track WHERE outcome = 'contested'" t 60 2>/dev/null
lets_go
pgw_end
wait
is "$code" 0 'deep.yaml: run' || diag "$all"
is_sql 'SELECT count(*) FROM a' 52 'deep.yaml: it did its work, but for a row that changed and one above a survivor'

# The same where the server has no actions of its own. The first COMMIT seems to fail: the checkpoint is read again.
sql "CREATE TABLE p (id int PRIMARY KEY, code int UNIQUE, gone boolean); CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p);
     CREATE TABLE o (id int PRIMARY KEY, code int REFERENCES p (code));
     CREATE INDEX ON q (p); CREATE INDEX ON o (code); INSERT INTO p SELECT n, -n, n < 30 FROM generate_series(1, 40) n;
     INSERT INTO o SELECT n, -n FROM generate_series(1, 40) n;
     INSERT INTO q SELECT n, CASE WHEN n > 40 THEN 7 ELSE n END FROM generate_series(1, 200) n;
     CREATE SEQUENCE pgwinnow.once;
     CREATE FUNCTION pgwinnow.once() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
         IF nextval(''pgwinnow.once'') = 1 THEN RAISE unique_violation; END IF; RETURN NEW; END';
     CREATE TRIGGER once BEFORE INSERT ON pgwinnow.batches FOR EACH ROW EXECUTE FUNCTION pgwinnow.once()"
plan large.yaml <<'PLAN'
plan: large
table: p
batch: { size: 10, min: 5, max: 20, pause: 0ms }
steps:
  - discover: { children: { q.p: delete, o.code: delete } }
  - track: { where: gone }
  - delete-children
  - delete
PLAN
runs large.yaml 0
is_sql 'SELECT count(*), (SELECT count(*) FROM q), (SELECT count(*) FROM o) FROM p' '11|11|11' 'large.yaml: it did its work'
sql 'DROP TRIGGER once ON pgwinnow.batches'

# Two tables that refer to each other, and rows of each that go: in one statement. No survivors; a table that must be empty
# is not.
sql "CREATE TABLE x (id int PRIMARY KEY, y int, gone boolean DEFAULT false); CREATE TABLE y (id int PRIMARY KEY, x int REFERENCES x);
     CREATE TABLE z (id int PRIMARY KEY, y int REFERENCES y ON DELETE CASCADE);
     ALTER TABLE x ADD FOREIGN KEY (y) REFERENCES y;
     CREATE INDEX ON x (y); CREATE INDEX ON y (x); CREATE INDEX ON z (y);
     INSERT INTO x SELECT n, NULL, n % 4 = 0 FROM generate_series(1, 40) n; INSERT INTO y SELECT n, n FROM generate_series(1, 40) n;
     UPDATE x SET y = id; INSERT INTO z VALUES (1, 4)"
plan circle.yaml <<'PLAN'
plan: circle
table: x
steps:
  - discover: { children: { y.x: delete, x.y: delete, z.y: stop } }
  - track: { where: gone }
  - sql: { run: UPDATE x SET gone = false WHERE id = 8 }
  - delete-children
  - delete
PLAN
runs circle.yaml 3
sql 'DELETE FROM z'
runs circle.yaml 0
is_sql 'SELECT count(*) FROM x' 31 'circle.yaml: it did its work'

plan query.yaml <<'PLAN'
plan: query
table: x
steps:
  - discover: { children: { y.x: delete, x.y: delete, z.y: stop } }
  - track: { query: SELECT id FROM x WHERE id < 4 }
  - sql: { run: UPDATE x SET gone = true WHERE id = 2 }
  - delete-children
  - delete
PLAN
runs query.yaml 0
is_sql 'SELECT count(*) FROM x' 29 'query.yaml: it did its work'

# --- keys with survivors: followed to the end, or in a circle

plan pairs.yaml <<'PLAN'
plan: pairs
table: listings
steps:
  - discover: { children: { posts.listing_id: set-null, audit.post_id: stop } }
  - track: { query: "SELECT id, id / 3 * 3 AS survivor_id FROM listings WHERE id % 3 > 0 AND id > 3" }
  - sql: { run: UPDATE listings SET best = 2 WHERE id = 16 }
  - delete-children
  - delete
PLAN
sed "s/pairs/recheck/; s/listings WHERE id % 3 > 0 AND id > 3\"/(SELECT 39 AS id, 36 AS x) l\", recheck: best > 5/; s/id \/ 3 \* 3/x/" "$work/pairs.yaml" >"$work/recheck.yaml"
sed 's/pairs/circle-of-pairs/; s/id % 3 > 0 AND id > 3/id IN (36, 39)/; s|id / 3 \* 3|75 - id|' "$work/pairs.yaml" >"$work/pairs-circle.yaml"
runs pairs-circle.yaml 3
runs recheck.yaml 0
runs pairs.yaml 0
is_sql 'SELECT count(*), bool_or(id = 16) FROM listings' "$(sql 'SELECT 3 + 12 + 1')|t" 'pairs.yaml: it did its work'

# --- groups merged in one transaction: one of them is held for a while, another cannot be merged at first

sql "CREATE TABLE people (id int PRIMARY KEY, email text, phone text, tags text[], facts jsonb, visits int CHECK (visits < 1000), best int[],
     spans int4multirange DEFAULT '{}');
     INSERT INTO people SELECT n, 'e' || n % 20, 'p' || n, ARRAY['t' || n], '{}', CASE WHEN n % 20 = 7 THEN 400 ELSE 1 END, ARRAY[n] FROM generate_series(1, 60) n;
     CREATE TABLE mails (id int PRIMARY KEY, person int REFERENCES people); CREATE INDEX ON mails (person);
     INSERT INTO mails SELECT n, n FROM generate_series(1, 60) n"
plan people.yaml <<'PLAN'
plan: people
table: people
batch: { size: 20, min: 5, max: 20 }
locks: { lock_timeout: 20ms, retries: 2 }
steps:
  - discover: { children: { mails.person: delete } }
  - track: { duplicates: [email] }
  - together:
      - merge: { columns: { phone: concat, tags: union, facts: union, visits: sum, best: last, email: { sql: max(people.email) } } }
      - delete-children
      - delete
PLAN
[ "$version" = 14 ] || sed -i 's/best: last/best: last, spans: union/' "$work/people.yaml" # range_agg(multirange)
pgw explain people.yaml
is "$code" 0 'people.yaml: explain' || diag "$all"
holds 'SELECT id FROM people WHERE id = 43 FOR UPDATE'
pgw_start run people.yaml
track=pgwinnow.track_$(sql 'SELECT max(run) + 1 FROM pgwinnow.runs')
eventually "SELECT count(*) = 2 FROM $track WHERE outcome = 'contested'" t 60 2>/dev/null
lets_go
pgw_end
wait
is "$code" 1 'people.yaml: a sum that the table refuses' || diag "$all"
sql 'UPDATE people SET visits = 1 WHERE id IN (27, 47)'
runs people.yaml 0
is_sql 'SELECT count(*), (SELECT count(*) FROM mails) FROM people' '22|22' 'people.yaml: it did its work, but for rows that changed'
plan join.lua <<'LUA'
return { children = { "mails.person" }, merge = function(survivor, losers)
  return { visits = survivor.children["mails.person"] + #losers, phone = losers[1].phone }
end }
LUA
sed -e 's/plan: people/plan: ruled/; s/email\]/email], where: id < 45/; s/columns: .*$/lua: join.lua }/' "$work/people.yaml" >"$work/ruled.yaml"
runs ruled.yaml 0
is_sql 'SELECT count(*) FROM people' 21 'ruled.yaml: it did its work'

# --- moves: collisions of all kinds, circles, rows without a key, rows that are carried along

sql "CREATE TABLE t (id int PRIMARY KEY, g int, up int REFERENCES t, k int, UNIQUE (up, k));
     CREATE TABLE t_profile (t int PRIMARY KEY REFERENCES t); CREATE TABLE t_photo (t int REFERENCES t_profile, n int, PRIMARY KEY (t, n));
     CREATE TABLE t_note (t int REFERENCES t, n int, other int REFERENCES t, UNIQUE (t, n));
     CREATE TABLE t_slot (id int PRIMARY KEY, t int REFERENCES t, EXCLUDE USING gist (int4range(t, t + 1) WITH &&));
     CREATE TABLE t_two (a int REFERENCES t, b int REFERENCES t); CREATE INDEX ON t_two (a); CREATE INDEX ON t_two (b);
     CREATE TABLE t_ring (id int PRIMARY KEY, t int REFERENCES t, ring int REFERENCES t_ring, k int, UNIQUE (t, k)); CREATE INDEX ON t_ring (ring);
     CREATE INDEX ON t_photo (t); CREATE INDEX ON t_note (other); CREATE INDEX ON t_slot (t);
     INSERT INTO t SELECT n, CASE WHEN n <= 20 THEN n % 5 END, CASE WHEN n > 20 THEN n % 20 + 1 END, n / 20 FROM generate_series(1, 60) n;
     INSERT INTO t_profile SELECT n FROM generate_series(6, 20) n; INSERT INTO t_photo SELECT t, n FROM t_profile, generate_series(1, 2) n;
     INSERT INTO t_note SELECT n, 1, 21 - n FROM generate_series(1, 20) n; INSERT INTO t_slot SELECT n, n FROM generate_series(1, 20) n;
     INSERT INTO t_two SELECT n, 21 - n FROM generate_series(1, 20) n;
     INSERT INTO t_ring SELECT n, n, CASE WHEN n > 19 THEN 1 END, 1 FROM generate_series(1, 20) n"
plan moves.yaml <<'PLAN'
plan: moves
table: t
batch: { size: 1000 }
steps:
  - discover:
      children: { t.up: move, t_profile.t: { move: { on_conflict: keep-first } }, t_photo.t: { move: { on_conflict: stop } }, t_note.t: move,
                  t_note.other: set-null, t_slot.t: move, t_two.a: move, t_two.b: delete, t_ring.t: move, t_ring.ring: delete }
  - track: { query: "SELECT id, min(id) OVER (PARTITION BY g) AS survivor_id FROM (SELECT * FROM t WHERE g IS NOT NULL) AS x" }
  - delete-children
  - delete
PLAN
sed -i 's/AS x"/AS x OFFSET 0"/; s/"SELECT id, min/"SELECT * FROM (SELECT id, min/; s/OFFSET 0"/) AS y WHERE id <> survivor_id"/' "$work/moves.yaml"
sed 's/plan: moves/plan: moves-stopped/; s/on_conflict: keep-first/on_conflict: stop/' "$work/moves.yaml" >"$work/moves-stopped.yaml"
runs moves-stopped.yaml 3
sed -i 's/on_conflict: stop/on_conflict: delete/' "$work/moves.yaml"
runs moves.yaml 0
is_sql 'SELECT count(*), (SELECT count(*) FROM t_profile), (SELECT count(*) FROM t_photo), (SELECT count(*) FROM t_note), (SELECT count(*) FROM t_slot) FROM t' \
    '16|5|10|5|5' 'moves.yaml: it did its work'

# --- groups that go in one transaction must fit into one

sql "CREATE TABLE firms (id int PRIMARY KEY, code text UNIQUE, name text); INSERT INTO firms SELECT n, 'c' || n, 'n' || n % 8 FROM generate_series(1, 40) n;
     CREATE TABLE offices (id int PRIMARY KEY, firm text REFERENCES firms (code)); CREATE INDEX ON offices (firm);
     CREATE TABLE desks (office int REFERENCES offices, firm int REFERENCES firms); CREATE INDEX ON desks (office); CREATE INDEX ON desks (firm);
     INSERT INTO offices SELECT n, 'c20' FROM generate_series(1, 30) n"
plan firms.yaml <<'PLAN'
plan: firms
table: firms
batch: { size: 10, min: 1, max: 20 }
steps:
  - discover: { children: { offices.firm: delete, desks.office: delete, desks.firm: move } }
  - track: { duplicates: [name] }
  - together: [delete-children, delete]
PLAN
sed 's/: firms$/: pairs-of-firms/; s/table: .*/table: firms/; s/duplicates: .name./query: "SELECT id, id - 1 AS survivor_id FROM firms WHERE id IN (3, 4)"/' "$work/firms.yaml" >"$work/pairs-of-firms.yaml"
runs firms.yaml 3
runs pairs-of-firms.yaml 0
sql "CREATE TABLE zones (id int, d int, k int, PRIMARY KEY (id, d)) PARTITION BY RANGE (d); CREATE TABLE zones_1 PARTITION OF zones FOR VALUES FROM (0) TO (10);
     INSERT INTO zones SELECT n, n % 7, n / 3 FROM generate_series(1, 20) n"
sed 's/: firms$/: zones/; s/offices.firm.*firm: move//; s/name/k/' "$work/firms.yaml" >"$work/zones.yaml"
runs zones.yaml 0
is_sql 'SELECT count(*), count(DISTINCT k), (SELECT count(*) FROM firms) FROM zones' '7|7|38' 'zones.yaml and pairs-of-firms.yaml: they did their work'

# --- a rule in Lua, over rows that are wide, with the number of their children

sql "CREATE TABLE wide (id int PRIMARY KEY, k text, body text, at timestamptz); INSERT INTO wide SELECT n, 'k' || n % 10, repeat('b', 600) FROM generate_series(1, 50) n;
     CREATE TABLE notes (wide int REFERENCES wide); CREATE INDEX ON notes (wide); INSERT INTO notes SELECT n % 7 + 1 FROM generate_series(1, 20) n; ANALYZE wide"
plan rule.lua <<'LUA'
return { children = { "notes.wide" }, keep = function(rows) return #rows end }
LUA
plan lua.yaml <<'PLAN'
plan: lua
table: wide
steps:
  - discover: { children: { notes.wide: delete } }
  - track: { duplicates: [k], keep: { lua: rule.lua } }
  - delete-children
  - delete
PLAN
runs lua.yaml 0
is_sql 'SELECT min(id), count(*), (SELECT count(*) FROM notes) FROM wide' '41|10|0' 'lua.yaml: it did its work'

# --- undo, with conflicts of every kind, and an index of the run in the way

sql "CREATE TABLE u (id int PRIMARY KEY, k int, up int REFERENCES u, one_u int, CHECK (id > 0)); CREATE TABLE u_free (u int REFERENCES u, n int);
     CREATE TABLE u_kid (id int PRIMARY KEY, u int REFERENCES u, n int); CREATE INDEX ON u (up); CREATE INDEX ON u_free (u); CREATE INDEX ON u_kid (u);
     CREATE TABLE u_same (u int PRIMARY KEY REFERENCES u); CREATE TABLE u_below (u int REFERENCES u_same); CREATE INDEX ON u_below (u);
     INSERT INTO u SELECT n, n % 5, n / 4 + 1, n % 5 FROM generate_series(1, 20) n; INSERT INTO u_free SELECT n, n FROM generate_series(1, 20) n;
     INSERT INTO u_kid SELECT n, n, n FROM generate_series(1, 20) n; INSERT INTO u_same VALUES (7); INSERT INTO u_below VALUES (7)"
plan undo.yaml <<'PLAN'
plan: undo
table: u
batch: { size: 5, min: 5 }
steps:
  - discover: { children: { u.up: set-null, u_free.u: set-null, u_kid.u: set-null, u_same.u: move, u_below.u: move } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
  - index: { name: u_k, unique: [k] }
  - index: { as: key, name: u_one, unique: [one_u], constraint: one_u }
PLAN
before=$(sql 'SELECT * FROM u ORDER BY 1')$(sql 'SELECT * FROM u_same, u_below')
runs undo.yaml 0
sql 'INSERT INTO u VALUES (20, 99, NULL, 99); UPDATE u_kid SET u = 2 WHERE id = 11'
pgw undo undo --yes
is "$code" 3 'undo.yaml: undo finds what is in the way' || diag "$all"
sql 'DELETE FROM u WHERE id = 20; UPDATE u_kid SET u = NULL WHERE id = 11'
pgw undo undo --yes --triggers off --on-conflict force
is "$code" 0 'undo.yaml: undo' || diag "$all"
pgw clean --archive --yes undo
is "$code" 0 'undo.yaml: its archives are dropped' || diag "$all"
is "$(sql 'SELECT * FROM u ORDER BY 1')$(sql 'SELECT * FROM u_same, u_below')" "$before" 'undo.yaml: it is as before'

# --- indexes of partitioned tables; back to track

sql "CREATE TABLE m (id int, d int, k text, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
     CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM (0) TO (10); CREATE TABLE m_2 PARTITION OF m FOR VALUES FROM (10) TO (20);
     INSERT INTO m SELECT n, n % 20, 'k' || n / 2 % 20 FROM generate_series(1, 100) n; CREATE INDEX m_old ON m (d)"
plan parts.yaml <<'PLAN'
plan: parts
table: m
steps:
  - discover
  - track: { duplicates: [d, k], keep: { last: id } }
  - sql: { run: "INSERT INTO m SELECT 1000, 1, k FROM m WHERE d = 1 AND id < 1000 AND NOT EXISTS (SELECT FROM m WHERE id = 1000) LIMIT 1" }
  - delete-children
  - delete
  - index: { name: m_k, unique: [d, k text_ops], replaces: m_old }
PLAN
runs parts.yaml 0
runs parts.yaml 0
pgw run --database-direct "dbname=$PGDATABASE" parts.yaml
is "$code" 0 'parts.yaml: run with a connection past the pooler'

# --- asked from outside: an approval, a pause, the end

plan asked.yaml <<'PLAN'
plan: asked
table: listings
steps:
  - approve
  - approve: { as: again }
PLAN
runs asked.yaml 75
for command in pause\ --hold resume approve; do
    # shellcheck disable=SC2086
    pgw $command asked
    is "$code" 0 "$command" || diag "$all"
done
pgw run --wait 50ms asked.yaml
is "$code" 75 'asked.yaml: waits at its second step' || diag "$all"
pgw status asked
pgw cancel asked
is "$code" 0 'cancel' || diag "$all"

# --- a guard: waits for somebody who is older, cannot be dropped at first, goes by clean

sql "CREATE TABLE kept (id int PRIMARY KEY, k text, n int); INSERT INTO kept SELECT n, 'k' || n % 30, n FROM generate_series(1, 60) n"
plan guard.yaml <<'PLAN'
plan: guard
table: kept
locks: { ddl_timeout: 100ms, retries: 1 }
steps:
  - index: { as: plain, name: kept_plain, columns: [k] }
  - guard
  - discover
  - track: { duplicates: [k] }
  - delete
  - index: { name: kept_k, unique: [k], replaces: kept_plain }
PLAN
pgw explain guard.yaml
is "$code" 0 'guard.yaml: explain' || diag "$all"
pgw run --until plain guard.yaml
holds 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM a'
pgw_start run guard.yaml
eventually "SELECT count(*) FROM pgwinnow.guards WHERE armed IS NOT NULL" 1
eventually "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%xact_start NULLS LAST%' AND pid <> pg_backend_pid()" t
lets_go
pgw_end
wait
is "$code" 0 'guard.yaml: run' || diag "$all"
is_sql 'SELECT count(*), (SELECT count(*) FROM pgwinnow.guards) FROM kept' '30|0' 'guard.yaml: it did its work'
sed 's/plan: guard/plan: guard-alone/; s/kept_k, unique: .k./kept_n, unique: [n]/; s/replaces: kept_plain/where: n > 0/; s/columns: .k./columns: [n]/; s/kept_plain/kept_nn/; s/duplicates: .k./duplicates: [n], where: n > 0/' "$work/guard.yaml" >"$work/guard-alone.yaml"
pgw run --until track guard-alone.yaml
pgw status guard-alone
sql "UPDATE pgwinnow.runs SET state = 'cancelled', finished = now() WHERE plan = 'guard-alone'"
holds 'SELECT count(*) FROM kept'
pgw clean guard-alone
lets_go
wait
isnt "$code" 0 'clean of a guard while somebody reads the table'
pgw clean guard-alone
is "$code" 0 'clean of a guard' || diag "$all"

# --- endpoints: one that takes all, one that does not, one that is gone

hooks_start
sql 'CREATE TABLE told (id int PRIMARY KEY, k int); INSERT INTO told SELECT n, n % 5 FROM generate_series(1, 20) n'
plan told.yaml <<PLAN
plan: told
table: told
notify:
  - { url: "$hooks/200", as: good, events: [run, batch] }
  - { url: "$hooks/500", as: bad, events: [run] }
  - { url: "$hooks/410", as: gone, events: [run] }
steps: [discover, track: { duplicates: [k] }, delete]
PLAN
runs told.yaml 0
sed -i "s|$hooks/500|$hooks/200|" "$work/told.yaml"
pgw notify --flush told.yaml
is "$code" 0 'told.yaml: notify --flush' || diag "$all"
is_sql 'SELECT count(*) FROM pgwinnow.outbox' 0 'told.yaml: nothing is left'
# shellcheck disable=SC2046
kill $(jobs -p)

# --- reading, cleaning, and what cannot be

plan wrong.yaml <<'PLAN'
plan: wrong
table: listing
steps: [discover]
PLAN
runs wrong.yaml 2
plan wrong.yaml <<'PLAN'
plan: wrong
table: x
steps:
  - discover: { children: { "*": stop } }
  - track: { where: gone AND no_such_column }
PLAN
runs wrong.yaml 2
plan slow.yaml <<'PLAN'
plan: slow
table: x
steps:
  - sql: { run: SELECT pg_sleep(7) }
  - index: { name: x_gone, columns: [gone] }
PLAN
holds 'LOCK TABLE x IN ROW EXCLUSIVE MODE'
pgw_start run slow.yaml
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(7)' AND state = 'active'" 1
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(7)'" >/dev/null
sleep 0.2
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT pg_sleep(7)' AND state = 'active'" 1
(cd "$work" && exec "$PGWINNOW" run slow.yaml) >/dev/null 2>&1
is $? 4 'a second runner is told that the first is there'
until=$((SECONDS + 30))
until grep -q 'execute.*COALESCE(i.phase' "$PGW_SERVER_LOG" || [ $SECONDS -gt $until ]; do sleep 0.2; done
(cd "$work" && exec "$PGWINNOW" status slow) >/dev/null 2>&1
is $? 0 'status of a run that waits'
(cd "$work" && exec "$PGWINNOW" set slow batch.pause=1ms) >/dev/null 2>&1
is $? 0 'set'
lets_go
pgw_end
wait
is "$code" 0 'slow.yaml: run' || diag "$all"
# Somebody is in the lane, first alive and then not.
sql "UPDATE pgwinnow.lease SET beat = now() + interval '1 min', pid = NULL, entered = now() WHERE run = 1"
pgw run --wait 100ms --fresh pairs.yaml
is "$code" 4 'the lane is taken' || diag "$all"
pgw run --wait 100ms pairs.yaml
is "$code" 4 'the lane is taken' || diag "$all"
sql "UPDATE pgwinnow.lease SET beat = now() - interval '2 min' WHERE run = 1"
pgw run pairs.yaml
is "$code" 0 'the lane is free' || diag "$all"
pgw lock mine --ttl 1s -- sleep 0.5
is "$code" 0 'lock' || diag "$all"
pgw status
is "$code" 0 'status' || diag "$all"
pgw history
is "$code" 0 'history' || diag "$all"
pgw report deep --format json
is "$code" 0 'report' || diag "$all"
sql "CREATE INDEX left_behind ON x (gone); INSERT INTO pgwinnow.objects SELECT run, 'index', 'public', 'left_behind' FROM pgwinnow.runs WHERE plan = 'slow'"
pgw clean --yes
is "$code" 0 'clean' || diag "$all"
# One that fails: there is a lock on what it drops.
pgw run --fresh circle.yaml
holds "SELECT count(*) FROM pgwinnow.track_$(sql 'SELECT max(run) FROM pgwinnow.runs')"
pgw clean --yes
lets_go
wait
isnt "$code" 0 'clean of a table that somebody reads'

# A group that is larger than a batch may be: moved in pieces.
sql "CREATE TABLE crowd (id int PRIMARY KEY, k int); INSERT INTO crowd SELECT n, 1 FROM generate_series(1, 90) n;
     CREATE TABLE fan (id int PRIMARY KEY, crowd int REFERENCES crowd, u int, UNIQUE (crowd, u));
     INSERT INTO fan SELECT n, 1 + n % 90, n % 7 FROM generate_series(1, 200) n ON CONFLICT DO NOTHING;
     CREATE TABLE passer (crowd int REFERENCES crowd); INSERT INTO passer SELECT 1 + n % 90 FROM generate_series(1, 200) n"
plan crowd.yaml <<'PLAN'
plan: crowd
table: crowd
batch: { size: 40, min: 5, max: 40, pause: 0ms }
steps:
  - discover: { children: { fan.crowd: move, passer.crowd: move }, missing_index: ignore }
  - track: { duplicates: [k] }
  - delete
PLAN
runs crowd.yaml 0

# Rows of the plan's own table that the run sets to NULL before their turn comes.
sql "CREATE TABLE chain (id int PRIMARY KEY, up int REFERENCES chain); INSERT INTO chain SELECT n, NULLIF(n - 1, 0) FROM generate_series(1, 20) n"
plan chain.yaml <<'PLAN'
plan: chain
table: chain
batch: { size: 5, min: 5, max: 5, pause: 0ms }
steps:
  - discover: { children: { chain.up: set-null }, missing_index: ignore }
  - track: { query: SELECT id FROM chain WHERE id <= 15 }
  - delete
PLAN
runs chain.yaml 0

# A table that gets a column between two sessions of a run.
sql "CREATE TABLE growing (id int PRIMARY KEY); INSERT INTO growing SELECT generate_series(1, 60)"
plan growing.yaml <<'PLAN'
plan: growing
table: growing
batch: { size: 5, min: 5 }
steps: [discover, track: { where: id > 0 }, delete]
PLAN
pgw run growing.yaml --max-rows 5
sql "ALTER TABLE growing ADD COLUMN more text COLLATE \"C\""
pgw run growing.yaml
is "$code" 0 'growing.yaml: run' || diag "$all"

# --- what makes a run wait

sql "CREATE TABLE late (n int); INSERT INTO late VALUES (5)"
plan waits.yaml <<'PLAN'
plan: waits
table: listings
throttle: { query: { sql: SELECT n FROM late, above: 3 }, slot_lag: 10GB, wal_rate: 10GB/s, oldest_transaction: 7d, waiters: 60,
            window: 03:00-02:59 Europe/Berlin }
steps: [vacuum: { tables: [listings] }]
PLAN
pgw explain waits.yaml
is "$code" 0 'waits.yaml: explain' || diag "$all"
pgw_start run waits.yaml
eventually "SELECT count(waiting) FROM pgwinnow.runs WHERE plan = 'waits'" 1
pgw status waits
sql 'UPDATE late SET n = 3'
pgw_end
is "$code" 0 'waits.yaml: run' || diag "$all"
# --- a role that may not read what the plan's SQL reads

sql 'ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC; CREATE TABLE no_such_column (a int); CREATE TABLE own (id int PRIMARY KEY); CREATE ROLE limited LOGIN; ALTER TABLE own OWNER TO limited'
plan limited.yaml <<'PLAN'
plan: limited
table: own
steps:
  - check: { query: SELECT count(*) FROM no_such_column, is: 0 }
PLAN
PGUSER=limited pgw explain limited.yaml
is "$code" 0 'limited.yaml: explain'
like "$out" 'GRANT SELECT ON public.no_such_column TO limited' 'limited.yaml: the GRANT'

# --- what the server says

# Put into other statements; never sent alone.
parts='engine/explain.sql:closure_step engine/explain.sql:level_edge steps/track_compile.sql:rows_duplicates steps/track_compile.sql:rows_where steps/track_compile.sql:rows_query
    steps/track_pairs.sql:rank_by_key work/groups.sql:rows_below work/groups.sql:tracked_keys_only work/groups.sql:tracked_rows work/groups.sql:join_child
    steps/track_compile.sql:place_in_table steps/track_compile.sql:place_in_partitions work/tracking.sql:changes_of_duplicates
    steps/track_rule.sql:repeated steps/track_rule.sql:child_count steps/track_rule.sql:rows_judged steps/track_pairs.sql:direct_pairs steps/track_pairs.sql:direct_pairs_there steps/track_pairs.sql:rows_followed steps/track_pairs.sql:rank_by_key
    work/tracking.sql:changes_of_versions work/tracking.sql:changes_of_recheck
    work/move.sql:enter_moves work/move_text.sql:mapping_of_going work/move_text.sql:mapping_image work/move_text.sql:mapping_of_carried work/move_text.sql:mapping_to_null
    work/move_text.sql:move_values work/move_text.sql:other_row work/move_text.sql:unpaired work/move_text.sql:not_going work/move_text.sql:sure_of_group work/move_text.sql:sure_of_pairs
    work/move_settle.sql:move_link work/move_settle.sql:drop_link work/move_settle.sql:count_link work/move_settle.sql:expected_moves
    work/closure.sql:expected_gone work/closure.sql:family_parents work/closure.sql:circle_link work/family_fast.sql:link_delete work/family_fast.sql:link_set_null
    work/family.sql:probe_row work/family.sql:probe_key work/family.sql:probe_path work/family.sql:probe_join work/heavy.sql:locked_roots work/heavy.sql:listed_parents
    work/heavy.sql:listed_row work/heavy.sql:belongs_to_root work/heavy.sql:belongs_to_listed work/index_wish.sql:definition work/told.sql:told_moment
    steps/merge.sql:rule_first steps/merge.sql:rule_first_array steps/merge.sql:rule_sum steps/merge.sql:rule_range_union
    steps/merge.sql:rule_array_union steps/merge.sql:rule_json_union steps/merge.sql:rule_concat steps/merge.sql:rule_sql steps/merge.sql:count_children work/merge.sql:members
    work/archive.sql:keep_removed work/archive.sql:keep_changed work/archive.sql:changed_columns
    engine/undo.sql:undo_plan_of engine/undo_text.sql:stays_out engine/undo_judge.sql:removed_images engine/undo_judge.sql:changed_images
    engine/undo_judge.sql:present_row engine/undo_judge.sql:present_later engine/undo_judge.sql:pending engine/undo_judge.sql:moves_away
    engine/undo_judge.sql:moves_away_now engine/undo_judge.sql:same_statement engine/undo_batch.sql:behind
    engine/undo_judge.sql:judged engine/undo_judge.sql:judge_key engine/undo_judge.sql:judge_gone engine/undo_judge.sql:judge_gone_keyless
    engine/undo_judge.sql:keyless_rows engine/undo_judge.sql:keyless_rows_later engine/undo_judge.sql:judge_changed
    engine/undo_judge.sql:judge_unique engine/undo_judge.sql:judge_twice engine/undo_judge.sql:scope engine/undo_judge.sql:taken engine/undo_judge.sql:judge_rules
    engine/undo_judge.sql:judge_parent engine/undo_judge.sql:parent_comes engine/undo_judge.sql:parent_comes_some_day
    engine/undo_judge.sql:judge_referred engine/undo_judge.sql:child_goes_back engine/undo_judge.sql:in_this_statement
    engine/undo_batch.sql:insert_removed engine/undo_batch.sql:overwrite engine/undo_batch.sql:change_back engine/undo_batch.sql:change_back_keyless
    state/overview.sql:overview_archives state/overview.sql:overview_guards
    state/report.sql:report_archives state/report.sql:report_until state/report.sql:timeline_steps state/report.sql:timeline_events
    state/report.sql:timeline_acts state/report_tracked.sql:spared_of_round state/report_tracked.sql:kept_of_round state/report_tracked.sql:survivors_of_round
    work/precheck.sql:join_edge work/tracking.sql:qualified_with_survivor work/tracking.sql:qualified_alone
    work/tracking.sql:plain_with_survivor work/tracking.sql:plain_alone work/tracking.sql:reason_with_survivor
    work/shape.sql:shape_lines work/tracking.sql:reason_alone work/tracking.sql:keeps_by_order work/tracking.sql:keeps_by_value'
# Described by the server and never run: the plan's own text.
described='database/expressions.sql:describe_expression steps/backfill_job.sql:insert_trial steps/backfill_job.sql:update_trial
    steps/expressions.sql:describe_order steps/expressions.sql:describe_query steps/trial.sql:condition
    steps/merge.sql:try_rule'
# For some versions only: NAME_14 up to 14, NAME_18 from 18 on, NAME where neither is meant.
others=' state/overview.sql:overview_no_archives state/overview.sql:overview_no_guards state/report.sql:report_no_archives state/report.sql:report_no_until state/report.sql:report_no_tree'
[ "$version" = 14 ] && others+=' database/foreign.sql:foreign_columns steps/merge.sql:rule_range_union' || others+=' database/foreign.sql:foreign_columns_14'
[ "$version" = 14 ] && others+=' state/published.sql:for_all_tables_or_schema' || others+=' state/published.sql:for_all_tables'
[ "$version" -ge 18 ] && others+=' database/foreign.sql:foreign_keys' || others+=' database/foreign.sql:foreign_keys_18'

[ -z "${STATEMENTS_LOG:-}" ] || cp "$PGW_SERVER_LOG" "$STATEMENTS_LOG"
(cd "$root" && awk -v parts="${parts//$'\n'/ }" -f tests/db/statements.awk runner/*/*.sql runner/*/*/*.sql "$PGW_SERVER_LOG") >"$work/seen"
is "$(grep -c ' executed$\| parsed$\| never$' "$work/seen")" "$(cat "$root"/runner/*/*.sql "$root"/runner/*/*/*.sql | grep -c '^-- name:')" 'every statement is looked for'
while read -r name how rest; do
    case $name in
    error) [[ $rest == *no_such_column* ]] || ok 1 "no error $how $rest" ;;
    *) case " $others " in *" $name "*) continue ;; esac
       case " ${described//$'\n'/ } " in *" $name "*) isnt "$how" never "PostgreSQL $version takes $name" ;;
       *) is "$how" executed "PostgreSQL $version does $name" ;;
       esac ;;
    esac
done <"$work/seen"
done_testing
