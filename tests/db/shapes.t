#!/bin/bash
# Removal through every shape of foreign key: the end state is compared, row by row, with a model in plain SQL (model.sh)
# that knows the edges from the test and nothing of the catalog. Each with large batches and with tiny ones, where every
# family is too large for a batch.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/model.sh"
new_database shapes
sql_model || exit 1

# --- depth

shape 'a chain of 11 levels' <<'SQL'
CREATE TABLE t0 (id int PRIMARY KEY);
INSERT INTO t0 SELECT generate_series(1, 6);
DO $$ BEGIN FOR i IN 1..11 LOOP
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, up int REFERENCES t%s); CREATE INDEX ON t%1$s (up)', i, i - 1);
    EXECUTE format('INSERT INTO t%s SELECT g, 1 + g %% (SELECT count(*) FROM t%s) FROM generate_series(1, 6 + %1$s) g', i, i - 1);
END LOOP; END $$;
SQL
for i in 1 2 3 4 5 6 7 8 9 10 11; do edge "t$i.up" delete "t$i" "t$((i - 1))" 'c.up = p.id'; done
both t0 'r.id IN (2, 5)' <<<'where: id IN (2, 5)'

shape 'a chain whose end is set to NULL' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE x (id int PRIMARY KEY, b int REFERENCES b);
CREATE TABLE below (id int PRIMARY KEY, x int REFERENCES x);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 40) g;
INSERT INTO x SELECT g, 1 + g % 40 FROM generate_series(1, 90) g;
INSERT INTO below SELECT g, 1 + g % 90 FROM generate_series(1, 90) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge x.b set-null x b 'c.b = p.id' 'b = NULL'
both a 'r.id % 3 = 0' <<<'where: id % 3 = 0'

# --- keys

shape 'composite keys, their columns in another order' <<'SQL'
CREATE TABLE a (x int, y text, z int, PRIMARY KEY (z, x, y));
CREATE TABLE b (id int PRIMARY KEY, ay text, az int, ax int, FOREIGN KEY (ay, ax, az) REFERENCES a (y, x, z));
CREATE TABLE d (ax int, az int, n int, ay text, PRIMARY KEY (ax, n), FOREIGN KEY (ax, ay, az) REFERENCES a (x, y, z));
CREATE TABLE e (dx int, dn int, FOREIGN KEY (dx, dn) REFERENCES d);
INSERT INTO a SELECT g % 3, 'y' || g % 5, g FROM generate_series(1, 30) g;
INSERT INTO b SELECT row_number() OVER (), y, z, x FROM a, generate_series(1, 2);
INSERT INTO b VALUES (1000, NULL, 1, 1), (1001, 'nobody', NULL, 1);
INSERT INTO d SELECT x, z, z, y FROM a;
INSERT INTO e SELECT ax, n FROM d, generate_series(1, 3);
INSERT INTO e VALUES (1, NULL);
SQL
edge 'b(ay, ax, az)' set-null b a '(c.ay, c.ax, c.az) = (p.y, p.x, p.z)' 'ay = NULL, ax = NULL, az = NULL'
edge 'd(ax, ay, az)' delete d a '(c.ay, c.ax, c.az) = (p.y, p.x, p.z)'
edge 'e(dx, dn)' delete e d '(c.dx, c.dn) = (p.ax, p.n)'
both a 'r.z % 4 = 1' <<<'where: z % 4 = 1'

shape 'a foreign key to a unique key, also a nullable one' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, slug text NOT NULL UNIQUE, code int UNIQUE);
CREATE TABLE b (id int PRIMARY KEY, a_slug text REFERENCES a (slug) ON DELETE CASCADE);
CREATE TABLE d (id int PRIMARY KEY, a_code int REFERENCES a (code));
CREATE TABLE named (name text UNIQUE, a int REFERENCES a);
CREATE TABLE e (named text REFERENCES named (name));
INSERT INTO a SELECT g, 's' || g, nullif(g, 3) FROM generate_series(1, 9) g;
INSERT INTO b SELECT g, 's' || 1 + g % 9 FROM generate_series(1, 30) g;
INSERT INTO d SELECT g, CASE g % 9 WHEN 3 THEN NULL ELSE 1 + (g + 8) % 9 END FROM generate_series(1, 0) g;
INSERT INTO d SELECT g, nullif(1 + g % 9, 3) FROM generate_series(1, 30) g;
INSERT INTO named SELECT 'n' || g, 1 + g % 9 FROM generate_series(1, 12) g;
INSERT INTO named SELECT NULL, 1 + g % 9 FROM generate_series(1, 9) g;
INSERT INTO e SELECT 'n' || 1 + g % 12 FROM generate_series(1, 30) g;
SQL
edge b.a_slug delete b a 'c.a_slug = p.slug'
edge d.a_code set-null d a 'c.a_code = p.code' 'a_code = NULL'
edge named.a delete named a 'c.a = p.id'
edge e.named delete e named 'c.named = p.name'
both a 'r.id IN (2, 3, 7)' <<<'where: id IN (2, 3, 7)'

psql -Xqc 'CREATE SCHEMA IF NOT EXISTS "Other One"' 2>/dev/null
shape 'other schemas, the same table name in both' <<'SQL'
DROP SCHEMA IF EXISTS "Other One" CASCADE; CREATE SCHEMA "Other One";
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE "Other One".b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE "Other One"."a" (id int PRIMARY KEY, b int REFERENCES "Other One".b ON DELETE CASCADE);
INSERT INTO a SELECT generate_series(1, 9);
INSERT INTO b SELECT g, 1 + g % 9 FROM generate_series(1, 20) g;
INSERT INTO "Other One".b SELECT g, 1 + g % 9 FROM generate_series(1, 20) g;
INSERT INTO "Other One".a SELECT g, 1 + g % 20 FROM generate_series(1, 40) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge '"Other One".b.a' delete '"Other One".b' a 'c.a = p.id'
edge '"Other One".a.b' delete '"Other One".a' '"Other One".b' 'c.b = p.id'
both a 'r.id IN (4, 5)' <<<'where: id IN (4, 5)'
psql -Xqc 'DROP SCHEMA "Other One" CASCADE' 2>/dev/null

# --- rows without a key

shape 'children without a primary key, with and without children' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE bare (a int REFERENCES a, note text);
CREATE TABLE cascaded (a int REFERENCES a ON DELETE CASCADE, note text);
CREATE TABLE loose (a int REFERENCES a, k int UNIQUE, note text);
CREATE TABLE under_loose (k int REFERENCES loose (k), note text);
INSERT INTO a SELECT generate_series(1, 8);
INSERT INTO bare SELECT 1 + g % 8, 'same' FROM generate_series(1, 40) g;
INSERT INTO cascaded SELECT 1 + g % 8, 'same' FROM generate_series(1, 40) g;
INSERT INTO loose SELECT 1 + g % 8, CASE WHEN g % 3 > 0 THEN g END, 'x' FROM generate_series(1, 40) g;
INSERT INTO under_loose SELECT k, 'y' FROM loose, generate_series(1, 2);
SQL
edge bare.a delete bare a 'c.a = p.id'
edge cascaded.a delete cascaded a 'c.a = p.id'
edge loose.a delete loose a 'c.a = p.id'
edge under_loose.k delete under_loose loose 'c.k = p.k'
both a 'r.id IN (1, 8)' <<<'where: id IN (1, 8)'

# --- each ON DELETE action by each policy

n=0
declare -A names
{
    echo 'CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(0, 9);'
    for action in 'NO ACTION' RESTRICT CASCADE 'SET NULL' 'SET DEFAULT'; do
        for policy in delete set-null; do
            n=$((n + 1))
            names[$n]=$policy
            echo "CREATE TABLE b$n (id int PRIMARY KEY, a int DEFAULT 0 REFERENCES a ON DELETE $action, note text);"
            echo "INSERT INTO b$n SELECT g, g % 10 FROM generate_series(1, 20) g; CREATE INDEX ON b$n (a);"
            echo "CREATE TABLE d$n (id int PRIMARY KEY, b int REFERENCES b$n ON DELETE $action); INSERT INTO d$n SELECT g, 1 + g % 20 FROM generate_series(1, 40) g;"
        done
    done
} >"$work/actions.sql"
shape 'each ON DELETE action by each policy' <"$work/actions.sql"
for i in $(seq $n); do
    edge "b$i.a" "${names[$i]}" "b$i" a 'c.a = p.id' 'a = NULL'
    [ "${names[$i]}" = delete ] && edge "d$i.b" delete "d$i" "b$i" 'c.b = p.id'
done
both a 'r.id IN (2, 3)' <<<'where: id IN (2, 3)'

for action in 'NO ACTION' RESTRICT CASCADE 'SET NULL' 'SET DEFAULT'; do
    shape "ON DELETE $action alone" <<SQL
CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(0, 9);
CREATE TABLE b (id int PRIMARY KEY, a int DEFAULT 0 REFERENCES a ON DELETE $action);
INSERT INTO b SELECT g, g % 10 FROM generate_series(1, 20) g;
CREATE TABLE d (id int PRIMARY KEY, b int DEFAULT 1 REFERENCES b ON DELETE $action);
INSERT INTO d SELECT g, 1 + g % 20 FROM generate_series(1, 40) g;
SQL
    edge b.a delete b a 'c.a = p.id'
    edge d.b set-null d b 'c.b = p.id' 'b = NULL'
    both a 'r.id IN (2, 3)' <<<'where: id IN (2, 3)'
    again
    pgw run plan.yaml
    sed -i 's/set-null/stop/; s/^plan: .*/plan: stops/' "$work/plan.yaml"
    again
    before=$(sql 'SELECT count(*), sum(id) FROM a' && sql 'SELECT count(*), sum(a) FROM b' && sql 'SELECT count(*), sum(b) FROM d')
    pgw run plan.yaml --fresh
    is "$code" 3 "ON DELETE $action, policy stop: refused" || diag "$all"
    like "$err" 'd\.b' "ON DELETE $action, policy stop: the error names the foreign key"
    is "$(sql 'SELECT count(*), sum(id) FROM a' && sql 'SELECT count(*), sum(a) FROM b' && sql 'SELECT count(*), sum(b) FROM d')" "$before" \
        "ON DELETE $action, policy stop: nothing was changed"
done

shape 'SET NULL on a NOT NULL column, SET DEFAULT with and without a default' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(0, 9);
CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a ON DELETE SET NULL);
CREATE TABLE d (id int PRIMARY KEY, a int NOT NULL REFERENCES a ON DELETE SET DEFAULT);
CREATE TABLE e (id int PRIMARY KEY, x int, y int, FOREIGN KEY (x) REFERENCES a ON DELETE SET NULL);
INSERT INTO b SELECT g, g % 10 FROM generate_series(1, 20) g;
INSERT INTO d SELECT g, g % 10 FROM generate_series(1, 20) g;
INSERT INTO e SELECT g, g % 10, g FROM generate_series(1, 20) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge d.a delete d a 'c.a = p.id'
edge e.x set-null e a 'c.x = p.id' 'x = NULL'
both a 'r.id IN (2, 3)' <<<'where: id IN (2, 3)'
again
sed -i "s/'b.a': delete/'b.a': set-null/; s/^plan: .*/plan: not-null/" "$work/plan.yaml"
pgw run plan.yaml
is "$code" 2 'set-null on a NOT NULL column is refused when the plan is compiled'
like "$err" 'plan.yaml:[0-9]+:[0-9]+: .*b\.a.*set-null.*NOT NULL' 'with its place and why'
is_sql 'SELECT count(*) FROM a' 10 'and nothing is removed'

# Exists since PostgreSQL 15.
if [ "$(sql 'SHOW server_version_num')" -ge 150000 ]; then
shape 'ON DELETE SET NULL of some columns' <<'SQL'
CREATE TABLE a (t int, id int, PRIMARY KEY (t, id)); INSERT INTO a SELECT 1, generate_series(0, 9);
CREATE TABLE b (id int PRIMARY KEY, t int NOT NULL, a int, FOREIGN KEY (t, a) REFERENCES a ON DELETE SET NULL (a));
CREATE TABLE d (id int PRIMARY KEY, t int NOT NULL, a int, FOREIGN KEY (t, a) REFERENCES a);
INSERT INTO b SELECT g, 1, g % 10 FROM generate_series(1, 20) g;
INSERT INTO d SELECT g, 1, g % 10 FROM generate_series(1, 20) g;
SQL
edge 'b(t, a)' set-null b a '(c.t, c.a) = (p.t, p.id)' 'a = NULL'
edge 'd(t, a)' set-null d a '(c.t, c.a) = (p.t, p.id)' 'a = NULL'
both a 'r.id IN (2, 3)' <<<'where: id IN (2, 3)'
fi
done_testing
