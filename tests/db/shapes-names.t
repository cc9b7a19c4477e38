#!/bin/bash
# Names and types of every kind, extensions on the search_path, texts of plans that are hard to carry: against model.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/model.sh"
new_database names
sql_model || exit 1

# --- names

shape 'names with quotes, spaces, capitals, other letters, keywords' <<'SQL'
CREATE TABLE "Ünï ""q"" 'x' %s \n $1 :a" ("Id No" int, "select" text, PRIMARY KEY ("select", "Id No"));
CREATE TABLE "order" ("Seq" int PRIMARY KEY, "from" int, "täble" text, FOREIGN KEY ("from", "täble") REFERENCES "Ünï ""q"" 'x' %s \n $1 :a" ("Id No", "select"));
CREATE TABLE "1 (a, b).c" ("a.b" int REFERENCES "order", "c,d" int PRIMARY KEY);
INSERT INTO "Ünï ""q"" 'x' %s \n $1 :a" SELECT g, 'é' || g % 3 FROM generate_series(1, 12) g;
INSERT INTO "order" SELECT row_number() OVER (), "Id No", "select" FROM "Ünï ""q"" 'x' %s \n $1 :a", generate_series(1, 2);
INSERT INTO "1 (a, b).c" SELECT "Seq", "Seq" FROM "order";
SQL
name='"Ünï ""q"" '"'x'"' %s \n $1 :a"'
edge '"order"("from", "täble")' delete '"order"' "$name" '(c."from", c."täble") = (p."Id No", p."select")'
edge '"1 (a, b).c"."a.b"' set-null '"1 (a, b).c"' '"order"' 'c."a.b" = p."Seq"' '"a.b" = NULL'
both "$name" 'r."Id No" % 4 = 0' <<<"where: '$(sed "s/'/''/g" <<<"$name")"'."Id No" % 4 = 0'"'"

long=$(printf 'n%.0s' $(seq 1 63)) wide=$(printf 'ü%.0s' $(seq 1 31))x
shape 'names of 63 bytes' <<SQL
CREATE TABLE "$long" ("$long" int, "$wide" int, PRIMARY KEY ("$long", "$wide"));
CREATE TABLE "$wide" ("$wide" int, "$long" int, FOREIGN KEY ("$wide", "$long") REFERENCES "$long" ("$long", "$wide"));
INSERT INTO "$long" SELECT g, g % 4 FROM generate_series(1, 12) g;
INSERT INTO "$wide" SELECT "$long", "$wide" FROM "$long", generate_series(1, 3);
SQL
edge "\"$wide\"(\"$wide\", $long)" delete "\"$wide\"" "\"$long\"" "(c.\"$wide\", c.\"$long\") = (p.\"$long\", p.\"$wide\")"
both "$long" "r.\"$long\" > 4" <<<"duplicates: ['\"$wide\"']"

# Tables and columns that are named like what statements call their own: aliases, columns of the tracking table.
for t in c p f l t x r k; do
    shape "a table named $t" <<SQL
CREATE TABLE $t (seq int, hold int, outcome text, version int, k1 int, batch int, id int, survivor_seq int, round int, root int, PRIMARY KEY (seq, outcome));
CREATE TABLE track (p int, c text, k1 int PRIMARY KEY, seq int, FOREIGN KEY (p, c) REFERENCES $t);
CREATE TABLE family (f int REFERENCES track, l int, rows int);
INSERT INTO $t SELECT g, 0, 'o', 1, g % 5, 1, g, 1, 1, 1 FROM generate_series(1, 20) g;
INSERT INTO track SELECT seq, outcome, seq, 1 FROM $t;
INSERT INTO family SELECT k1, 1, 1 FROM track, generate_series(1, 2);
SQL
    edge 'track(p, c)' delete track "$t" '(c.p, c.c) = (p.seq, p.outcome)'
    edge family.f delete family track 'c.f = p.k1'
    if [ "$t" = c ]; then
        both "$t" 'r.seq > 5' <<<"{ duplicates: [k1], keep: { first: seq } }"
    else
        agrees "$t" 'r.seq > 5' <<<"{ duplicates: [k1], keep: { order_by: '$t.batch, seq' } }"
    fi
done

shape 'key columns named seq, hold, survivor_ of each other' <<'SQL'
CREATE TABLE a (hold int, survivor_hold int, seq int, "SEQ" int, outcome int, g int, PRIMARY KEY (hold, survivor_hold, seq, outcome));
CREATE TABLE b (x int, y int, z int, w int, FOREIGN KEY (x, y, z, w) REFERENCES a ON DELETE CASCADE);
INSERT INTO a SELECT i, i, i, i, i, i % 4 FROM generate_series(1, 20) i;
INSERT INTO b SELECT hold, survivor_hold, seq, outcome FROM a;
SQL
edge 'b(x, y, z, w)' delete b a '(c.x, c.y, c.z, c.w) = (p.hold, p.survivor_hold, p.seq, p.outcome)'
both a 'r.seq > 4' <<<'duplicates: [g]'

# --- types

psql -Xqc "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION intarray SCHEMA ext" 2>"$work/said" ||
    { diag "no citext, hstore, intarray: $(head -1 "$work/said")"; no_extensions=1; }
[ -n "${no_extensions:-}" ] || psql -Xqc "ALTER DATABASE \"$PGDATABASE\" SET search_path = public, ext"

# typed NAME TYPE EXPRESSION-OF-g [definitions before] [both]: fast where a batch holds a family, by lists where it does not
typed() {
    shape "a key of type $1" <<SQL
${4:-}
CREATE TABLE a (id $2, grp int, note text, PRIMARY KEY (id));
CREATE TABLE b (id $2 PRIMARY KEY, a $2 REFERENCES a);
CREATE TABLE d (a $2 REFERENCES b ON DELETE CASCADE);
INSERT INTO a SELECT $3, (g - 1) % 5, g FROM generate_series(1, 20) g;
INSERT INTO b SELECT $3, $3 FROM generate_series(1, 20) g;
INSERT INTO d SELECT id FROM b, generate_series(1, 2);
SQL
    edge b.a delete b a 'c.a = p.id'
    edge d.a delete d b 'c.a = p.id'
    "${5:-agrees}" a 'r.note::int > 5' 7 <<<'{ duplicates: [grp], keep: { first: note::int } }'
}
typed uuid uuid "md5(g::text)::uuid"
typed numeric numeric "g / 7.0"
typed 'text with a nondeterministic collation' 'text COLLATE anycase' "CASE g % 2 WHEN 0 THEN 'KEY' ELSE 'key' END || g" \
    "CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);" both
typed array 'int[]' "ARRAY[g, NULL, g % 3]" '' both
typed 'array of text' 'text[]' "ARRAY['a,b', 'x\"y', g::text]"
typed enum mood "('m' || g)::mood" "CREATE TYPE mood AS ENUM ($(printf "'m%s'," $(seq 20 -1 2))'m1');"
typed domain positive 'g' "CREATE DOMAIN positive AS int CHECK (VALUE > 0) NOT NULL;"
typed 'domain over text' mail "'m' || g" "CREATE DOMAIN mail AS text COLLATE \"C\" CHECK (VALUE <> '');"
typed timestamptz timestamptz "'2024-01-01 00:00:00.000001+00'::timestamptz + g * interval '1 microsecond'"
typed float8 float8 'sqrt(g)'
typed bytea bytea "decode(lpad(to_hex(g), 4, '0'), 'hex')"
typed composite pair "ROW(g, 'x,\"' || g)::pair" "CREATE TYPE pair AS (n int, t text);" both
typed range int4range "int4range(g, g + 3)"
typed char 'char(5)' "'c' || g"
[ -n "${no_extensions:-}" ] || typed citext citext "CASE g % 2 WHEN 0 THEN 'KEY' ELSE 'key' END || g"

shape 'identities, generated columns, a key of them' <<'SQL'
CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY, doubled int GENERATED ALWAYS AS (n * 2) STORED, n int, g text, PRIMARY KEY (doubled), UNIQUE (id));
CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int REFERENCES a (doubled), l text GENERATED ALWAYS AS ('x' || a) STORED);
INSERT INTO a (n, g) SELECT g, g % 6 FROM generate_series(1, 24) g;
INSERT INTO b (a) SELECT doubled FROM a;
SQL
edge b.a set-null b a 'c.a = p.doubled' 'a = NULL, l = NULL'
both a 'r.n > 6' <<<'duplicates: [g]'

shape 'a child whose type is another than its parent' <<'SQL'
CREATE TABLE a (id bigint PRIMARY KEY, v varchar(20) COLLATE "C" UNIQUE);
CREATE TABLE b (id int PRIMARY KEY, a smallint REFERENCES a, t text REFERENCES a (v));
INSERT INTO a SELECT g, 'v' || g FROM generate_series(1, 12) g;
INSERT INTO b SELECT g, 1 + g % 12, 'v' || 1 + g % 5 FROM generate_series(1, 40) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge b.t set-null b a 'c.t = p.v COLLATE "C"' 't = NULL'
both a 'r.id IN (2, 3)' <<<'where: id IN (2, 3)'

if [ -z "${no_extensions:-}" ]; then
    shape 'operators of extensions are on the search_path' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, tags int[], attributes hstore, mail citext);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
INSERT INTO a SELECT g, ARRAY[g % 5, 1], hstore('k', (g % 5)::text), CASE g % 2 WHEN 0 THEN 'A' ELSE 'a' END || g % 5 FROM generate_series(1, 20) g;
INSERT INTO b SELECT g, g FROM generate_series(1, 20) g;
SQL
    edge b.a delete b a 'c.a = p.id'
    both a "r.tags @> '{1}' AND r.id > 5 AND r.attributes ? 'k'" <<'PLAN'
duplicates: [tags, attributes -> 'k', mail]
where: attributes ? 'k' AND tags @> '{1}'::int[]
PLAN
fi

# --- texts of plans

# Jokers, comments, dollar quotes, names of our own, the table's own name, subqueries.
hard=$(cat <<'PLAN'
where: |
  listings.id > 0 AND listings.body->>'a' <> $q$ ; -- :alias ? $1 $q$
  AND EXISTS (SELECT FROM listings l WHERE l.id = listings.id AND l.body ? 'a') -- a comment (that ends
  AND listings.body @> '{"a": "x"}'::jsonb /* another ( */
  AND (SELECT count(*) FROM pg_class p, pg_class c, pg_class t WHERE p.oid = 1247 AND c.oid = p.oid AND t.oid = c.oid) = 1
PLAN
)
shape 'a condition that is hard to carry' <<'SQL'
CREATE TABLE listings (id int PRIMARY KEY, g int, body jsonb, at timestamptz);
CREATE TABLE posts (id int PRIMARY KEY, listing int REFERENCES listings);
INSERT INTO listings SELECT g, g % 4, CASE WHEN g % 3 > 0 THEN '{"a": "x"}' ELSE '{"a": "y"}' END::jsonb, now() - g * interval '1 s' FROM generate_series(1, 24) g;
INSERT INTO posts SELECT g, 1 + g % 24 FROM generate_series(1, 60) g;
SQL
edge posts.listing delete posts listings 'c.listing = p.id'
both listings "r.id % 3 > 0" <<<"$hard"

shape 'duplicates that are hard to carry' <<<"$(sed '1d;$d' "$work/shape.sql")"
edge posts.listing delete posts listings 'c.listing = p.id'
both listings "r.body->>'a' = 'x' AND EXISTS (SELECT FROM listings o WHERE o.g = r.g AND o.body = r.body AND o.id > r.id)" <<PLAN
duplicates:
  - lower(listings.body->>'a') /* why not */
  - CASE WHEN body ? 'a' THEN g::text || \$\$ ' " ; \$\$ END
keep: { order_by: "at::date - current_date, listings.at -- the newest\n NULLS LAST" }
$hard
PLAN
done_testing
