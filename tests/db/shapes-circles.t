#!/bin/bash
# Self references, circles of tables, several foreign keys between the same tables: against the model of model.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/model.sh"
new_database circles
sql_model || exit 1

# --- self references

for action in 'NO ACTION' CASCADE 'SET NULL'; do
    shape "a tree in one table, ON DELETE $action" <<SQL
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a ON DELETE $action, note text);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE $action);
INSERT INTO a SELECT g, nullif(g / 3, 0), 'n' FROM generate_series(1, 80) g;
INSERT INTO b SELECT g, 1 + g % 80 FROM generate_series(1, 160) g;
CREATE INDEX ON a (up);
SQL
    edge a.up delete a a 'c.up = p.id'
    edge b.a delete b a 'c.a = p.id'
    both a 'r.id IN (4, 7, 22)' 9 <<<'where: id IN (4, 7, 22)'
done

shape 'a self reference that is set to NULL' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a);
INSERT INTO a SELECT g, nullif(g / 3, 0) FROM generate_series(1, 80) g;
SQL
edge a.up set-null a a 'c.up = p.id' 'up = NULL'
both a 'r.id % 5 = 1' <<<'where: id % 5 = 1'

shape 'a chain of 2,000 rows' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a);
INSERT INTO a SELECT g, nullif(g - 1, 0) FROM generate_series(1, 2010) g;
CREATE INDEX ON a (up);
ANALYZE;
SQL
edge a.up delete a a 'c.up = p.id'
agrees a 'r.id = 11' 5000 <<<'where: id = 11'

shape 'a chain of 300 rows' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a);
INSERT INTO a SELECT g, nullif(g - 1, 0) FROM generate_series(1, 310) g;
CREATE INDEX ON a (up);
SQL
edge a.up delete a a 'c.up = p.id'
agrees a 'r.id = 11' 100 <<<'where: id = 11'

shape 'a chain of 100 rows, each with a child' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
INSERT INTO a SELECT g, nullif(g - 1, 0) FROM generate_series(1, 110) g;
INSERT INTO b SELECT g, g FROM generate_series(1, 110) g;
SQL
edge a.up delete a a 'c.up = p.id'
edge b.a delete b a 'c.a = p.id'
both a 'r.id = 11' 50 <<<'where: id = 11'

shape 'a chain below the table, a row that points at itself, a circle of two rows' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, next int);
INSERT INTO a SELECT generate_series(1, 9);
INSERT INTO b SELECT g, CASE WHEN g < 10 THEN g END, nullif(g - 9, 0) FROM generate_series(1, 40) g;
UPDATE b SET next = id WHERE id IN (3, 12);
UPDATE b SET next = 5 WHERE id = 4;
UPDATE b SET next = 4 WHERE id = 5;
UPDATE b SET next = NULL WHERE next < 1;
ALTER TABLE b ADD FOREIGN KEY (next) REFERENCES b;
SQL
edge b.a delete b a 'c.a = p.id'
edge b.next delete b b 'c.next = p.id'
both a 'r.id IN (3, 4)' 5 <<<'where: id IN (3, 4)'

shape 'tracked rows that point at themselves and at each other' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, next int);
INSERT INTO a SELECT g, g FROM generate_series(1, 20) g;
UPDATE a SET next = CASE id WHEN 1 THEN 2 WHEN 2 THEN 1 WHEN 3 THEN 4 WHEN 4 THEN 5 WHEN 5 THEN 3 ELSE next END;
ALTER TABLE a ADD FOREIGN KEY (next) REFERENCES a;
SQL
edge a.next delete a a 'c.next = p.id'
both a 'r.id IN (1, 4, 9, 10, 11)' 4 <<<'where: id IN (1, 4, 9, 10, 11)'

shape 'a composite self reference by tenant' <<'SQL'
CREATE TABLE a (tenant int NOT NULL, id int NOT NULL, up int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, up) REFERENCES a);
INSERT INTO a SELECT t, g, nullif(g / 2, 0) FROM generate_series(1, 2) t, generate_series(1, 30) g;
SQL
edge 'a(tenant, up)' delete a a '(c.tenant, c.up) = (p.tenant, p.id)'
both a 'r.tenant = 2 AND r.id IN (3, 5)' 6 <<<'where: tenant = 2 AND id IN (3, 5)'

# --- circles of tables

for action in 'NO ACTION' 'CASCADE' 'SET NULL'; do
    shape "two tables in a circle, ON DELETE $action" <<SQL
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE $action);
INSERT INTO a SELECT g, g FROM generate_series(1, 30) g;
INSERT INTO b SELECT g, 1 + (g + 2) % 30 FROM generate_series(1, 60) g;
UPDATE a SET b = CASE WHEN id % 4 = 0 THEN NULL ELSE 30 + id END;
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE $action;
CREATE TABLE leaf (b int REFERENCES b, n int);
INSERT INTO leaf SELECT g, g FROM generate_series(1, 60) g;
SQL
    edge b.a delete b a 'c.a = p.id'
    edge a.b delete a b 'c.b = p.id'
    edge leaf.b delete leaf b 'c.b = p.id'
    both a 'r.id IN (5, 9)' 7 <<<'where: id IN (5, 9)'
done

shape 'a circle opened by set-null' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, favourite int);
CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
INSERT INTO a SELECT g, g * 2 FROM generate_series(1, 30) g;
INSERT INTO b SELECT g, 1 + g % 30 FROM generate_series(1, 60) g;
ALTER TABLE a ADD FOREIGN KEY (favourite) REFERENCES b;
SQL
edge b.a delete b a 'c.a = p.id'
edge a.favourite set-null a b 'c.favourite = p.id' 'favourite = NULL'
both a 'r.id IN (5, 9, 10, 20)' 7 <<<'where: id IN (5, 9, 10, 20)'

# 21 tables, each refers to the next but one, the last two back to the first two: all strongly connected.
{
    for i in $(seq 1 21); do echo "CREATE TABLE s$i (id int PRIMARY KEY, x int, y int); INSERT INTO s$i SELECT g FROM generate_series(1, 20) g; CREATE INDEX ON s$i (x); CREATE INDEX ON s$i (y);"; done
    for i in $(seq 1 21); do
        j=$((i % 21 + 1)) k=$(((i + 4) % 21 + 1))
        echo "UPDATE s$j SET x = CASE WHEN id % 3 > 0 THEN 1 + (id * 7 + $i) % 20 END;"
        echo "UPDATE s$k SET y = CASE WHEN id % 5 = 0 THEN 1 + (id + $i) % 20 END;"
        echo "ALTER TABLE s$j ADD FOREIGN KEY (x) REFERENCES s$i; ALTER TABLE s$k ADD FOREIGN KEY (y) REFERENCES s$i;"
    done
    echo 'ANALYZE;'
} >"$work/scc.sql"
shape '21 tables, all strongly connected' <"$work/scc.sql"
for i in $(seq 1 21); do
    j=$((i % 21 + 1)) k=$(((i + 4) % 21 + 1))
    edge "s$j.x" delete "s$j" "s$i" 'c.x = p.id'
    edge "s$k.y" delete "s$k" "s$i" 'c.y = p.id'
done
both s1 'r.id IN (3, 4)' 40 <<<'where: id IN (3, 4)'

# --- several foreign keys between the same two tables

shape 'two foreign keys between the same tables, delete and set-null, a row with both' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, owner int REFERENCES a, editor int REFERENCES a, note text);
CREATE TABLE d (id int PRIMARY KEY, b int REFERENCES b);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10, 1 + g / 10 FROM generate_series(0, 99) g;
INSERT INTO d SELECT g, g FROM generate_series(0, 99) g;
SQL
edge b.owner delete b a 'c.owner = p.id'
edge b.editor set-null b a 'c.editor = p.id' 'editor = NULL'
edge d.b delete d b 'c.b = p.id'
both a 'r.id IN (2, 3, 4)' 5 <<<'where: id IN (2, 3, 4)'

shape 'the same with CASCADE and SET NULL in the database' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, owner int REFERENCES a ON DELETE SET NULL, editor int REFERENCES a ON DELETE CASCADE, note text);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10, 1 + g / 10 FROM generate_series(0, 99) g;
SQL
edge b.owner delete b a 'c.owner = p.id'
edge b.editor set-null b a 'c.editor = p.id' 'editor = NULL'
both a 'r.id IN (2, 3, 4)' 5 <<<'where: id IN (2, 3, 4)'

shape 'a table reached by two ways, deleted by one and set to NULL by the other' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES a, b int REFERENCES b);
CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE RESTRICT);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 30) g;
INSERT INTO d SELECT g, 1 + g % 10, 1 + (g * 7) % 30 FROM generate_series(1, 60) g;
INSERT INTO e SELECT g, 1 + g % 60 FROM generate_series(1, 90) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge d.a set-null d a 'c.a = p.id' 'a = NULL'
edge d.b delete d b 'c.b = p.id'
edge e.d delete e d 'c.d = p.id'
both a 'r.id IN (2, 3, 4)' 5 <<<'where: id IN (2, 3, 4)'

shape 'the same columns in two foreign keys' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY REFERENCES a);
CREATE TABLE d (id int PRIMARY KEY, x int REFERENCES a, FOREIGN KEY (x) REFERENCES b);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g FROM generate_series(1, 8) g;
INSERT INTO d SELECT g, 1 + g % 8 FROM generate_series(1, 30) g;
SQL
edge b.id delete b a 'c.id = p.id'
edge d.x delete d a 'c.x = p.id'
edge d.x delete d b 'c.x = p.id'
both a 'r.id IN (2, 3, 9)' 5 <<<'where: id IN (2, 3, 9)'

# --- when the database checks

shape 'deferrable, initially deferred, and NOT VALID foreign keys' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE d (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE e (id int PRIMARY KEY, a int);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 30) g;
INSERT INTO d SELECT g, 1 + g % 30 FROM generate_series(1, 60) g;
INSERT INTO e SELECT g, g FROM generate_series(1, 30) g;
ALTER TABLE e ADD FOREIGN KEY (a) REFERENCES a NOT VALID;
SQL
edge b.a delete b a 'c.a = p.id'
edge d.b delete d b 'c.b = p.id'
edge e.a set-null e a 'c.a = p.id' 'a = NULL'
both a 'r.id IN (2, 3)' 5 <<<'where: id IN (2, 3)'

shape 'inheritance children are other tables' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, x int);
CREATE TABLE a_old () INHERITS (a);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE b_old () INHERITS (b);
INSERT INTO a SELECT g, g % 2 FROM generate_series(1, 10) g;
INSERT INTO a_old SELECT g, g % 2 FROM generate_series(1, 20) g;
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 30) g;
INSERT INTO b_old SELECT g, 1 + g % 10 FROM generate_series(1, 30) g;
SQL
edge b.a delete b a 'c.a = p.id'
both a 'r.x = 0' 5 <<<'where: x = 0'

# A tracked row points, by an edge that sets to NULL, at what goes because of another one: both are gone together, and
# nothing is left to the database's own actions.
for action in CASCADE 'NO ACTION' 'SET NULL'; do
    shape "rows that go refer to each other by set-null edges, on delete $action" <<SQL
CREATE TABLE vote (id int PRIMARY KEY, post int, g int);
CREATE TABLE item (id int PRIMARY KEY, v int REFERENCES vote);
ALTER TABLE vote ADD FOREIGN KEY (post) REFERENCES item ON DELETE $action;
CREATE TABLE p (id int PRIMARY KEY, v int DEFAULT 1 REFERENCES vote ON DELETE SET DEFAULT, UNIQUE (v));
INSERT INTO vote SELECT g, NULL, g % 3 FROM generate_series(1, 12) g;
INSERT INTO item SELECT g, g FROM generate_series(1, 12) g;
UPDATE vote SET post = 1 + (id + 3) % 12;
INSERT INTO p SELECT g, g FROM generate_series(2, 12) g;
SQL
    edge item.v delete item vote 'c.v = p.id'
    edge vote.post set-null vote item 'c.post = p.id' 'post = NULL'
    edge p.v delete p vote 'c.v = p.id'
    both vote 'r.id > 3' 5 <<<'duplicates: [g]'
done
done_testing
