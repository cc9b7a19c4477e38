#!/usr/bin/env bash
# Policy move: children of tracked rows point at the survivor, and what collides is settled by the plan. What must come
# out is computed by SQL of its own, or by hand, before the run.
. "$(dirname "$0")/lib.sh"

# run_moves CHILDREN [TRACK]: a plan over `p`, duplicates of its column g, the smallest id stays
run_moves() {
    local track=${2:-}
    [ -n "$track" ] || track='{ duplicates: g }'
    plan <<PLAN
plan: moves
table: p
batch: { size: ${size:-20000}, min: ${min:-50} }
steps:
  - discover: { children: { $1 }, missing_index: ignore }
  - track: $track
  - delete-children
  - delete
PLAN
    pgw run plan.yaml --yes
}

# same TABLE EXPECTED NAME: the rows of both are the same
same() {
    is_sql "SELECT count(*) FROM ((TABLE $1 EXCEPT ALL TABLE $2) UNION ALL (TABLE $2 EXCEPT ALL TABLE $1)) AS d" 0 "$3" ||
        diag "$(sql "(SELECT '+', d::text FROM (TABLE $1 EXCEPT ALL TABLE $2) AS d UNION ALL SELECT '-', d::text FROM (TABLE $2 EXCEPT ALL TABLE $1) AS d) ORDER BY 2 LIMIT 10")"
}

parents='CREATE TABLE p (id int PRIMARY KEY, g int);'
# who stays for whom
stays='CREATE VIEW stays AS SELECT id, min(id) OVER (PARTITION BY g) AS stay FROM p;'

# --- one foreign key, one rule ---

setup_favs() {
    new_database
    sql "$parents $stays
         INSERT INTO p SELECT i, i % 40 FROM generate_series(1, 400) AS i;
         CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u));
         INSERT INTO c SELECT i, 1 + (i * 7919) % 400, (i * 31) % 11 FROM generate_series(1, 3000) AS i ON CONFLICT DO NOTHING;
         INSERT INTO c SELECT i, NULL, i % 11 FROM generate_series(5001, 5020) AS i"
}

setup_favs
sql "CREATE TABLE expected AS
     SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id;
     INSERT INTO expected SELECT * FROM c WHERE p IS NULL"
pointed=$(sql "SELECT count(*) FROM c JOIN stays AS s ON s.id = c.p WHERE s.stay <> c.p")
run_moves 'c.p: move'
is "$code" 0 "children move to the survivor"
same c expected "the survivor's own child stays, else the first by key"
is_sql "SELECT count(*) FROM p" 40 "the losers are gone"
is_sql "SELECT sum(children) FROM pgwinnow.batches" "$pointed" "each row that pointed at a loser is counted, moved or dropped"

setup_favs
sql "CREATE TABLE expected AS
     SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p, c.id;
     INSERT INTO expected SELECT * FROM c WHERE p IS NULL"
run_moves 'c.p: { move: { on_conflict: keep-first } }'
is "$code" 0 "keep-first"
same c expected "the child of the first of the keep order stays"

setup_favs
sql "CREATE TABLE before AS TABLE c; CREATE TABLE before_p AS TABLE p"
run_moves 'c.p: { move: { on_conflict: stop } }'
is "$code" 3 "stop refuses"
like "$all" 'public\.c would collide by c_p_u_key' "it names table and rule"
like "$all" "the row with id = '([0-9]+)' would collide with the one with id = '([0-9]+)' when it points at public.p with id = '([0-9]+)'" "the two rows and the survivor"
is_sql "SELECT bool_and(stay = ${BASH_REMATCH[3]}), count(DISTINCT u), count(*) FROM c JOIN stays AS s ON s.id = c.p
         WHERE c.id IN (${BASH_REMATCH[1]}, ${BASH_REMATCH[2]})" 't|1|2' "which are of one group, with the same u"
same c before "nothing was changed"
same p before_p "nothing was removed"
pgw status moves
unlike "$out" 'brings back' "there is nothing to undo, and status offers none"

setup_favs
sql "CREATE TABLE expected AS
     SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id;
     INSERT INTO expected SELECT * FROM c WHERE p IS NULL"
size=50 run_moves 'c.p: move'
is "$code" 0 "in small batches"
same c expected "the same comes out"
unset size min

# --- composite keys, NULL in them, a unique slug that is referred to ---

new_database
sql "CREATE TABLE p (t int, id int, slug text UNIQUE NOT NULL, g int, PRIMARY KEY (t, id));
     INSERT INTO p SELECT 1 + i % 2, i, 's' || i, i % 6 FROM generate_series(1, 60) AS i;
     CREATE TABLE c (id int PRIMARY KEY, t int, p int, u int, FOREIGN KEY (t, p) REFERENCES p, UNIQUE (t, p, u));
     CREATE TABLE d (id int PRIMARY KEY, slug text REFERENCES p (slug), UNIQUE (slug));
     INSERT INTO c SELECT i, x.t, x.id, i % 3 FROM generate_series(1, 300) AS i JOIN p AS x ON x.id = 1 + i % 60 ON CONFLICT DO NOTHING;
     INSERT INTO c SELECT i, 1, NULL, 1 FROM generate_series(1001, 1003) AS i;
     INSERT INTO c SELECT i, NULL, 5, 1 FROM generate_series(1011, 1013) AS i;
     INSERT INTO d SELECT i, 's' || (60 - i) FROM generate_series(0, 49) AS i;
     CREATE VIEW stays AS SELECT t, id, slug, first_value(t) OVER w AS st, first_value(id) OVER w AS sid, first_value(slug) OVER w AS sslug
       FROM p WINDOW w AS (PARTITION BY g ORDER BY t, id);
     CREATE TABLE expected AS SELECT DISTINCT ON (st, sid, u) c.id, st AS t, sid AS p, u FROM c JOIN stays AS s ON s.t = c.t AND s.id = c.p
       ORDER BY st, sid, u, (c.t, c.p) <> (st, sid), c.id;
     INSERT INTO expected SELECT * FROM c WHERE t IS NULL OR p IS NULL;
     CREATE TABLE expected_d AS SELECT DISTINCT ON (sslug) d.id, sslug AS slug FROM d JOIN stays USING (slug) ORDER BY sslug, d.slug <> sslug, d.id"
run_moves '"c(t, p)": move, d.slug: move'
is "$code" 0 "composite keys and keys that are not primary"
same c expected "composite: moved, rows with NULL in the key stay as they are"
same d expected_d "by a unique column: moved to the survivor's"

# --- two foreign keys to one parent: both ends of a row may move at once ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 20 FROM generate_series(1, 100) AS i;
     CREATE TABLE c (id int PRIMARY KEY, src int REFERENCES p, dst int REFERENCES p, UNIQUE (src, dst));
     INSERT INTO c SELECT i, 1 + (i * 37) % 100, 1 + (i * 101) % 97 FROM generate_series(1, 900) AS i ON CONFLICT DO NOTHING;
     CREATE TABLE expected AS
     SELECT DISTINCT ON (a.stay, b.stay) c.id, a.stay AS src, b.stay AS dst FROM c JOIN stays AS a ON a.id = c.src JOIN stays AS b ON b.id = c.dst
      ORDER BY a.stay, b.stay, (c.src, c.dst) <> (a.stay, b.stay), c.id"
run_moves 'c.src: move, c.dst: move'
is "$code" 0 "two foreign keys of one child"
same c expected "both of a row's references move, then rules are looked at"

# --- a child whose primary key is the foreign key, two levels ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 60) AS i;
     CREATE TABLE profiles (p int PRIMARY KEY REFERENCES p, name text);
     CREATE TABLE photos (p int REFERENCES profiles, n int, t text, PRIMARY KEY (p, n));
     CREATE TABLE tags (p int, n int, tag text, FOREIGN KEY (p, n) REFERENCES photos ON UPDATE CASCADE ON DELETE CASCADE, UNIQUE (p, n, tag));
     INSERT INTO profiles SELECT i, 'p' || i FROM generate_series(1, 60) AS i WHERE i % 7 <> 3 AND i > 5;
     INSERT INTO photos SELECT p, n, p || ':' || n FROM profiles, generate_series(1, 4) AS n WHERE (p + n) % 3 <> 0;
     INSERT INTO tags SELECT p, n, 'x' || (p + n) % 2 FROM photos;
     CREATE TABLE chosen AS SELECT DISTINCT ON (stay) stay, f.p FROM profiles AS f JOIN stays AS s ON s.id = f.p ORDER BY stay, f.p <> stay, f.p;
     CREATE TABLE e1 AS SELECT stay AS p, name FROM chosen JOIN profiles USING (p);
     CREATE TABLE kept AS SELECT DISTINCT ON (s.stay, n) s.stay, f.p, n, t FROM photos AS f JOIN stays AS s ON s.id = f.p JOIN chosen AS o ON o.stay = s.stay
       ORDER BY s.stay, n, f.p <> o.p OR o.p <> o.stay AND f.p <> o.p, f.p;
     CREATE TABLE all_photos AS SELECT s.stay, f.* FROM photos AS f JOIN stays AS s ON s.id = f.p"
run_moves 'profiles.p: move, photos.p: move, "tags(p, n)": move'
is "$code" 0 "primary keys that are foreign keys"
same profiles e1 "profiles carry their survivor's key"
is_sql "SELECT count(*) FROM (SELECT p, n FROM photos EXCEPT SELECT stay, n FROM all_photos) AS x" 0 "photos are under their survivor"
is_sql "SELECT count(*) FROM (SELECT stay, n FROM all_photos EXCEPT SELECT p, n FROM photos) AS x" 0 "no photo number is lost"
is_sql "SELECT count(*) FROM photos JOIN all_photos AS a ON (a.stay, a.n, a.t) = (photos.p, photos.n, photos.t)" "$(sql 'SELECT count(*) FROM photos')" "each is one that was there"
is_sql "SELECT count(*) FROM tags LEFT JOIN photos USING (p, n) WHERE photos.p IS NULL" 0 "their tags went along"

# --- self references and circles ---

new_database
sql "CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p, name text, g int, UNIQUE (up, name));
     INSERT INTO p VALUES (1, NULL, 'a', 1), (2, NULL, 'b', 1), (3, 1, 'x', NULL), (4, 2, 'x', NULL), (5, 4, 'y', NULL), (6, 3, 'y', NULL),
       (7, 5, 'z', NULL), (8, 2, 'w', NULL), (9, 8, 'v', NULL), (10, 6, 'z', NULL), (11, 5, 'q', NULL)"
run_moves 'p.up: move'
is "$code" 0 "a self reference"
is_sql "SELECT string_agg(id || '<' || coalesce(up::text, '-'), ' ' ORDER BY id) FROM p" "1<- 3<1 6<3 8<1 9<8 10<6 11<6" \
    "what collides is dropped, its children collide in their turn, down to the last"

new_database
sql "$parents $stays
     INSERT INTO p VALUES (1, 1), (2, 1), (3, 1), (4, 2);
     CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p, k int, UNIQUE (p, k));
     CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, k int, UNIQUE (a, k));
     ALTER TABLE a ADD b int REFERENCES b;
     INSERT INTO a VALUES (1, 1, 1), (2, 2, 1), (3, 3, 2);
     INSERT INTO b VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2);
     UPDATE a SET b = 2 WHERE id = 3; UPDATE a SET b = 3 WHERE id = 2"
run_moves 'a.p: move, b.a: move, a.b: move'
is "$code" 0 "a circle"
is_sql "SELECT string_agg(concat_ws(',', id, p, k, b), ' ' ORDER BY id) FROM a" "1,1,1 3,1,2,1" "rows in the circle follow"
is_sql "SELECT string_agg(concat_ws(',', id, a, k), ' ' ORDER BY id) FROM b" "1,1,1 3,1,2" "and are dropped where they collide"

# What an earlier batch moved was changed by us: rows judged by their versions still go, under survivors that moved.
new_database
sql "CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p, g int);
     INSERT INTO p VALUES (1, NULL, 1), (2, NULL, 1), (3, 2, 2), (4, 2, 2), (5, 4, NULL)"
size=3 min=1 run_moves 'p.up: move' '{ query: "SELECT id, min(id) OVER (PARTITION BY g) AS survivor_id FROM p WHERE g IS NOT NULL" }'
is "$code" 0 "tracked by a query, in several batches"
is_sql "SELECT string_agg(id || '<' || coalesce(up::text, '-'), ' ' ORDER BY id) FROM p" "1<- 3<1 5<3" "rows that we moved go in their turn"
is_sql "SELECT count(*) > 1 FROM pgwinnow.batches WHERE rows > 0" t "there was more than one batch"
unset size min

# --- down the tree: what is below dropped rows ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 5 FROM generate_series(1, 50) AS i;
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, u int, UNIQUE (p, u));
     INSERT INTO c SELECT i, 1 + i % 50, i / 50 FROM generate_series(1, 200) AS i;
     CREATE TABLE moved (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
     CREATE TABLE gone (id int PRIMARY KEY, c int REFERENCES c);
     CREATE TABLE nulled (id int PRIMARY KEY, c int REFERENCES c);
     CREATE TABLE keyless (c int REFERENCES c);
     INSERT INTO moved SELECT i, 1 + i % 200 FROM generate_series(1, 400) AS i;
     INSERT INTO gone SELECT * FROM moved; INSERT INTO nulled SELECT * FROM moved; INSERT INTO keyless SELECT c FROM moved;
     CREATE TABLE ec AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id;
     CREATE TABLE em AS SELECT m.id, e.id AS c FROM moved AS m JOIN c ON c.id = m.c JOIN stays AS s ON s.id = c.p JOIN ec AS e ON e.p = s.stay AND e.u = c.u;
     CREATE TABLE eg AS SELECT * FROM gone WHERE c IN (SELECT id FROM ec);
     CREATE TABLE en AS SELECT id, CASE WHEN c IN (SELECT id FROM ec) THEN c END AS c FROM nulled;
     CREATE TABLE ek AS SELECT * FROM keyless WHERE c IN (SELECT id FROM ec)"
run_moves 'c.p: move, gone.c: delete, nulled.c: set-null, keyless.c: delete'
is "$code" 0 "a tree below dropped rows"
like "$all" 'finished' "it finishes"
same c ec "the child"
same moved em "without a policy the children of a dropped row move to the row that stays"
same gone eg "delete below dropped rows"
same nulled en "set-null below dropped rows"
same keyless ek "rows without a key below dropped rows"
pgw explain plan.yaml
like "$all" 'moved\.c -> public\.c +move, on conflict delete \(follows the rows above\)' "explain shows what follows"

new_database
sql "$parents
     INSERT INTO p VALUES (1, 1), (2, 1);
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u)); INSERT INTO c VALUES (1, 1, 1), (2, 2, 1);
     CREATE TABLE s (id int PRIMARY KEY, c int REFERENCES c); INSERT INTO s VALUES (1, 2)"
run_moves 'c.p: move, s.c: stop'
is "$code" 3 "a stop below dropped rows refuses"
is_sql "SELECT count(*) FROM p" 2 "nothing is changed"

# --- rules of all kinds ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
     CREATE TABLE partial (id int PRIMARY KEY, p int REFERENCES p, u int, on_ bool);
     CREATE UNIQUE INDEX ON partial (p, u) WHERE on_;
     INSERT INTO partial SELECT i, 1 + i % 100, i % 3, i % 2 = 0 FROM generate_series(1, 300) AS i;
     CREATE TABLE partial_e AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u, on_ FROM partial AS c JOIN stays AS s ON s.id = c.p WHERE on_ ORDER BY stay, u, c.p <> stay, c.id;
     INSERT INTO partial_e SELECT c.id, stay, u, on_ FROM partial AS c JOIN stays AS s ON s.id = c.p WHERE NOT on_;
     CREATE TABLE expr (id int PRIMARY KEY, p int REFERENCES p, name text);
     CREATE UNIQUE INDEX ON expr (lower(name), (p + 1));
     INSERT INTO expr SELECT i, 1 + i % 100, CASE WHEN i % 2 = 0 THEN 'A' ELSE 'a' END || i % 7 FROM generate_series(1, 300) AS i;
     CREATE TABLE expr_e AS SELECT DISTINCT ON (stay, lower(name)) c.id, stay AS p, name FROM expr AS c JOIN stays AS s ON s.id = c.p ORDER BY stay, lower(name), c.p <> stay, c.id;
     CREATE TABLE late (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u) DEFERRABLE INITIALLY DEFERRED);
     INSERT INTO late SELECT i, 1 + i % 100, i % 3 FROM generate_series(1, 300) AS i;
     CREATE TABLE late_e AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM late AS c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id;
     CREATE TABLE generated (id int PRIMARY KEY, p int REFERENCES p, u int, k int GENERATED ALWAYS AS (p * 10 + u) STORED UNIQUE);
     INSERT INTO generated SELECT i, 1 + i % 100, i % 3 FROM generate_series(1, 300) AS i;
     CREATE TABLE generated_e AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u, stay * 10 + u FROM generated AS c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id;
     CREATE TABLE nulls (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u));
     INSERT INTO nulls SELECT i, 1 + i % 100, NULLIF(i / 100, 1) FROM generate_series(0, 299) AS i;
     CREATE TABLE nulls_e AS SELECT DISTINCT ON (stay, u, CASE WHEN u IS NULL THEN c.id END) c.id, stay AS p, u FROM nulls AS c JOIN stays AS s ON s.id = c.p
       ORDER BY stay, u, CASE WHEN u IS NULL THEN c.id END, c.p <> stay, c.id"
run_moves 'partial.p: move, expr.p: move, late.p: move, generated.p: move, nulls.p: move'
is "$code" 0 "partial, expression, deferrable, generated, NULLs"
for t in partial expr late generated nulls; do same $t ${t}_e "$t"; done

if [ "$(sql "SELECT current_setting('server_version_num')::int >= 150000")" = t ]; then
    new_database
    sql "$parents $stays
         INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
         CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE NULLS NOT DISTINCT (p, u));
         INSERT INTO c SELECT i, 1 + i % 100, NULLIF(i % 3, 1) FROM generate_series(1, 300) AS i;
         CREATE TABLE expected AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id"
    run_moves 'c.p: move'
    is "$code" 0 "NULLS NOT DISTINCT"
    same c expected "NULL equals NULL there"
fi

# exclusion: greedy by key, the survivor's own first; the model walks row by row
new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 4 FROM generate_series(1, 40) AS i;
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, at int, EXCLUDE USING gist (int4range(p * 1000 + at, p * 1000 + at + 10) WITH &&));
     INSERT INTO c SELECT i, 1 + i % 40, (i / 40) * 20 + (i * 7) % 19 % 10 FROM generate_series(1, 240) AS i;
     CREATE TABLE expected (LIKE c);
     DO \$\$ DECLARE r record; BEGIN
       FOR r IN SELECT c.id, stay, at FROM c JOIN stays AS s ON s.id = c.p ORDER BY c.p <> stay, c.id LOOP
         IF NOT EXISTS (SELECT FROM expected AS e WHERE e.p = r.stay AND e.at > r.at - 10 AND e.at < r.at + 10) THEN
           INSERT INTO expected VALUES (r.id, r.stay, r.at); END IF;
       END LOOP; END \$\$"
run_moves 'c.p: move'
is "$code" 0 "an exclusion constraint"
same c expected "rows that overlap are dropped, and none for a row that is dropped itself"

# several rules at once: a row is not dropped for one that is dropped itself
new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 6 FROM generate_series(1, 60) AS i;
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, a int, b int, UNIQUE (p, a), UNIQUE (b, p));
     INSERT INTO c SELECT i, 1 + i % 60, (i * 17) % 23, (i * 29) % 31 FROM generate_series(1, 500) AS i ON CONFLICT DO NOTHING;
     CREATE TABLE expected (LIKE c);
     DO \$\$ DECLARE r record; BEGIN
       FOR r IN SELECT c.id, stay, a, b FROM c JOIN stays AS s ON s.id = c.p ORDER BY c.p <> stay, c.id LOOP
         IF NOT EXISTS (SELECT FROM expected AS e WHERE e.p = r.stay AND (e.a = r.a OR e.b = r.b)) THEN
           INSERT INTO expected VALUES (r.id, r.stay, r.a, r.b); END IF;
       END LOOP; END \$\$"
run_moves 'c.p: move'
is "$code" 0 "several rules at once"
same c expected "greedy by key"

# --- partitions ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
     CREATE TABLE c (id int, m int, p int REFERENCES p, u int, PRIMARY KEY (id, m)) PARTITION BY LIST (m);
     CREATE TABLE c0 PARTITION OF c FOR VALUES IN (0); CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1);
     CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2);
     CREATE UNIQUE INDEX ON c1 (p, u);
     INSERT INTO c SELECT i, i % 3, 1 + i % 100, i / 100 FROM generate_series(0, 399) AS i;
     CREATE TABLE expected AS SELECT c.id, m, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p WHERE m <> 1;
     INSERT INTO expected SELECT DISTINCT ON (stay, u) c.id, m, stay, u FROM c JOIN stays AS s ON s.id = c.p WHERE m = 1 ORDER BY stay, u, c.p <> stay, c.id;
     CREATE TABLE h (p int REFERENCES p, u int, t text, PRIMARY KEY (p, u)) PARTITION BY HASH (p);
     CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     INSERT INTO h SELECT 1 + i % 100, i % 4, i::text FROM generate_series(1, 300) AS i ON CONFLICT DO NOTHING;
     CREATE TABLE expected_h AS SELECT DISTINCT ON (stay, u) stay AS p, u, t FROM h JOIN stays AS s ON s.id = h.p ORDER BY stay, u, h.p <> stay, h.p"
run_moves 'c.p: move, h.p: move'
is "$code" 0 "partitioned children"
same c expected "a unique index of one partition counts for its rows"
same h expected_h "rows that move to another partition"

# --- no primary key ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
     CREATE TABLE c (p int REFERENCES p, u int, UNIQUE (p, u));
     INSERT INTO c SELECT 1 + i % 100, NULLIF(i % 4, 2) FROM generate_series(1, 300) AS i ON CONFLICT DO NOTHING;
     CREATE TABLE expected AS SELECT DISTINCT stay AS p, u FROM c JOIN stays AS s ON s.id = c.p WHERE u IS NOT NULL;
     INSERT INTO expected SELECT stay, u FROM c JOIN stays AS s ON s.id = c.p WHERE u IS NULL;
     CREATE TABLE plain (p int REFERENCES p, t text);
     INSERT INTO plain SELECT 1 + i % 100, i::text FROM generate_series(1, 300) AS i;
     CREATE TABLE expected_plain AS SELECT stay AS p, t FROM plain JOIN stays AS s ON s.id = plain.p"
run_moves 'c.p: move, plain.p: move'
is "$code" 0 "children without a key"
same c expected "with a unique rule over columns that may be NULL"
same plain expected_plain "without any rule"

# --- one row, two policies ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
     CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES p, b int REFERENCES p, UNIQUE (a, b));
     INSERT INTO c SELECT i, 1 + i % 100, 1 + (i * 7) % 100 FROM generate_series(1, 100) AS i;
     CREATE TABLE expected AS SELECT DISTINCT ON (sa.stay, nb, CASE WHEN nb IS NULL THEN c.id END) c.id, sa.stay AS a, nb AS b
       FROM c JOIN stays AS sa ON sa.id = c.a CROSS JOIN LATERAL (SELECT CASE WHEN c.b <= 10 THEN c.b END AS nb) AS n
      ORDER BY sa.stay, nb, CASE WHEN nb IS NULL THEN c.id END, c.a <> sa.stay, c.id;
     CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES p, b int REFERENCES p, UNIQUE (a));
     INSERT INTO d SELECT i, i, 1 + (i * 7) % 100 FROM generate_series(1, 100) AS i;
     CREATE TABLE expected_d AS SELECT DISTINCT ON (stay) d.id, stay AS a, b FROM d JOIN stays AS s ON s.id = d.a WHERE b <= 10 ORDER BY stay, d.a <> stay, d.id"
run_moves 'c.a: move, c.b: set-null, d.a: move, d.b: delete'
is "$code" 0 "one row, two policies" || diag "$all"
same c expected "moved by one, set to NULL by the other"
same d expected_d "what goes by one does not stand in the way of what moves by the other"

# without a key
new_database
sql "$parents $stays
     INSERT INTO p SELECT i, i % 10 FROM generate_series(1, 100) AS i;
     CREATE TABLE d (a int REFERENCES p, b int REFERENCES p, UNIQUE (a));
     INSERT INTO d SELECT i, 1 + (i * 7) % 100 FROM generate_series(1, 100) AS i;
     CREATE TABLE expected_d AS SELECT DISTINCT ON (stay) stay AS a, b FROM d JOIN stays AS s ON s.id = d.a WHERE b <= 10 ORDER BY stay, d.a <> stay, d.ctid"
run_moves 'd.a: move, d.b: delete'
is "$code" 0 "no key, two policies"
same d expected_d "no key: what goes by one does not stand in the way of what moves by the other"

# --- what is refused, and where ---

new_database
sql "CREATE TABLE p (id int PRIMARY KEY, slug text UNIQUE, g int);
     INSERT INTO p VALUES (1, NULL, 1), (2, 'b', 1);
     CREATE TABLE c (id int PRIMARY KEY, slug text REFERENCES p (slug)); INSERT INTO c VALUES (1, 'b')"
run_moves 'c.slug: move'
is "$code" 3 "a survivor with NULL in what is referred to"
like "$all" 'public\.c cannot be moved: the row that stays has NULL' "says so"
is_sql "SELECT slug FROM c" b "and nothing is changed"

# A row that goes by another edge does not stay for others: in a circle that is only known in the end.
new_database
sql "$parents INSERT INTO p VALUES (1, 1), (2, 1), (3, 2), (4, 2);
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, k int, c int REFERENCES c, UNIQUE (p, k));
     INSERT INTO c VALUES (1, 1, 1, NULL), (2, 2, 1, NULL), (3, 3, 1, NULL), (4, 4, 1, NULL); UPDATE c SET c = 2 WHERE id = 1"
run_moves 'c.p: move, c.c: delete'
is "$code" 0 "a circle of moves and deletes"
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM c" '1 2 3' "a row is not given up for one that goes itself"
is_sql "SELECT string_agg(id::text, ' ' ORDER BY id) FROM p" '1 2 3' "the tracked row above it is spared"


new_database
sql "$parents INSERT INTO p VALUES (1, 1), (2, 1);
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p); CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c)"
run_moves 'c.p: move' '{ where: g = 1 }'
is "$code" 2 "rows without survivors cannot have their children moved"
like "$all" 'plan.yaml:5.*c\.p cannot be moved: no row stays' "it says so at the plan's line"
run_moves 'c.p: delete, d.c: move'
is "$code" 2 "no move below a delete"
like "$all" 'plan.yaml:5.*d\.c cannot be moved: rows of public\.c are removed by c\.p' "it says so at the plan's line"
run_moves 'c.p: { move: { on_conflict: whatever } }'
is "$code" 2 "an on_conflict that is none"
plan <<'PLAN'
plan: star
table: p
steps:
  - discover: { children: { "*": move }, missing_index: ignore }
  - track: { duplicates: g }
  - delete-children
  - delete
PLAN
pgw run plan.yaml
is "$code" 3 "a star that moves asks"
like "$all" 'c\.p: move, on conflict delete' "it shows the tree"
pgw run plan.yaml --yes
is "$code" 0 "and moves then"

# --- many rows in a group, tens of thousands of collisions ---

new_database
sql "$parents $stays
     INSERT INTO p SELECT i, 1 FROM generate_series(1, 676) AS i;
     INSERT INTO p SELECT i, i / 2 FROM generate_series(1000, 3000) AS i;
     CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u)); CREATE INDEX ON c (p);
     INSERT INTO c SELECT (p - 1) * 30 + u, p, u FROM generate_series(1, 676) AS p, generate_series(1, 29) AS u;
     CREATE TABLE below (id int PRIMARY KEY, c int REFERENCES c); CREATE INDEX ON below (c);
     INSERT INTO below SELECT id, id FROM c WHERE id % 50 = 0;
     CREATE TABLE expected AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p ORDER BY stay, u, c.p <> stay, c.id"
below=$(sql 'SELECT count(*) FROM below')
started=$SECONDS
size=50000 run_moves 'c.p: move'
is "$code" 0 "676 rows in a group, 19,575 collisions"
same c expected "one child of each kind stays"
is_sql "SELECT count(*) FROM below JOIN c ON c.id = below.c" "$below" "what is below went to those"
ok $((SECONDS - started > 30)) "in less than half a minute ($((SECONDS - started)) s)"

# A group that is larger than any batch may be, and rows of it with more children than that: in bounded pieces.
setup_heavy() {
    new_database "$1"
    sql "$parents $stays
         INSERT INTO p SELECT i, i % 3 FROM generate_series(1, 300) AS i;
         CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, u int, UNIQUE (p, u));
         INSERT INTO c SELECT (i * 7919) % 9001, 1 + i % 300, i / 300 FROM generate_series(1, 9000) AS i;
         INSERT INTO c SELECT 100000 + i, 100, 1000 + i FROM generate_series(1, 1500) AS i;
         INSERT INTO c SELECT 200000 + i, 103, 1000 + i FROM generate_series(1, 1500) AS i;
         CREATE TABLE below (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE); CREATE INDEX ON below (c);
         INSERT INTO below SELECT id, id FROM c WHERE id % 3 = 0;
         CREATE TABLE plain (p int REFERENCES p, t int); CREATE INDEX ON plain (p);
         INSERT INTO plain SELECT 100, i FROM generate_series(1, 2000) AS i;
         CREATE TABLE gone (id int PRIMARY KEY, p int REFERENCES p); CREATE INDEX ON gone (p);
         INSERT INTO gone SELECT i, 1 + i % 300 FROM generate_series(1, 2000) AS i;
         CREATE TABLE expected AS SELECT DISTINCT ON (stay, u) c.id, stay AS p, u FROM c JOIN stays AS s ON s.id = c.p
           ORDER BY stay, u, c.p <> stay$2, c.id;
         CREATE TABLE expected_below AS SELECT b.id, e.id AS c FROM below AS b JOIN c ON c.id = b.c JOIN stays AS s ON s.id = c.p
           JOIN expected AS e ON e.p = s.stay AND e.u = c.u"
}

heavy_plan() {
    plan <<PLAN
plan: heavy
table: p
batch: { size: 200, min: 50, max: 300, pause: 0ms }
steps:
  - discover: { children: { c.p: { move: { on_conflict: $1 } }, plain.p: move, gone.p: delete }, missing_index: ignore }
  - track: { duplicates: g }
  - delete-children
  - delete
PLAN
}

settled() {
    is_sql "SELECT count(*) FROM p" 3 "$1: the losers are gone"
    same c expected "$1: the preferred child of each kind stays"
    same below expected_below "$1: what is below moved there"
    is_sql "SELECT count(*), min(p), max(p) FROM plain" "2000|1|1" "$1: rows without a key moved too"
    is_sql "SELECT count(*) FROM gone" "$(sql 'SELECT count(*) FROM generate_series(1, 2000) AS i WHERE 1 + i % 300 <= 3')" "$1: others went"
    is_sql "SELECT max(rows + children) <= 300 FROM pgwinnow.batches" t "$1: no batch is larger than its bounds"
}

setup_heavy heavy ''
heavy_plan delete
pgw run plan.yaml
is "$code" 0 "a group larger than a batch" || diag "$all"
settled delete

setup_heavy heavyfirst ', c.p'
heavy_plan keep-first
code=137 killed=0
while [ "$code" = 137 ]; do
    pgw_start run plan.yaml
    if [ $killed -lt 6 ]; then
        sleep 0.$((RANDOM % 5 + 4))
        kill -KILL "$pid" 2>/dev/null
        killed=$((killed + 1))
    fi
    pgw_end
done 2>/dev/null
is "$code" 0 "killed on the way" || diag "$all"
settled keep-first


# --- two foreign keys to the same parent: the survivor's own child stays, though its other reference moves ---

new_database
sql "$parents
     INSERT INTO p VALUES (1, 1), (2, 1), (3, 2), (4, 2);
     CREATE TABLE flight (id int PRIMARY KEY, src int REFERENCES p, dst int REFERENCES p, no int, UNIQUE (src, no));
     INSERT INTO flight VALUES (20, 1, 4, 5), (10, 2, 3, 5), (11, 2, 4, 6)"
run_moves 'flight.src: move, flight.dst: move'
is "$code" 0 "two references move" || diag "$all"
is_sql "SELECT id, src, dst, no FROM flight ORDER BY id" $'11|1|3|6\n20|1|3|5' \
    "by a rule the row that was there stays, whatever its other reference does"
done_testing
