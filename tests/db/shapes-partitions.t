#!/bin/bash
# Partitioned parents and children: against the model of model.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/model.sh"
new_database partitions
sql_model || exit 1

shape 'partitioned parent and child, two levels' <<'SQL'
CREATE TABLE a (id int, day int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (10) PARTITION BY HASH (id);
CREATE TABLE a1x PARTITION OF a1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE a1y PARTITION OF a1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (10) TO (20);
CREATE TABLE a3 PARTITION OF a DEFAULT;
CREATE TABLE b (id int, a int, day int, PRIMARY KEY (id, day), FOREIGN KEY (a, day) REFERENCES a) PARTITION BY LIST (day);
CREATE TABLE b1 PARTITION OF b FOR VALUES IN (1, 2, 3, 4, 5);
CREATE TABLE b2 PARTITION OF b DEFAULT PARTITION BY RANGE (id);
CREATE TABLE b2x PARTITION OF b2 FOR VALUES FROM (0) TO (50);
CREATE TABLE b2y PARTITION OF b2 DEFAULT;
CREATE TABLE d (id int PRIMARY KEY, b int, day int, FOREIGN KEY (b, day) REFERENCES b ON DELETE CASCADE);
CREATE TABLE keyless (b int, day int, note text, FOREIGN KEY (b, day) REFERENCES b) PARTITION BY HASH (b);
CREATE TABLE keyless0 PARTITION OF keyless FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE keyless1 PARTITION OF keyless FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO a SELECT g, g % 25 FROM generate_series(1, 60) g;
INSERT INTO b SELECT row_number() OVER (), id, day FROM a, generate_series(1, 2);
INSERT INTO d SELECT id, id, day FROM b;
INSERT INTO keyless SELECT id, day, 'n' FROM b, generate_series(1, 2);
SQL
edge 'b(a, day)' delete b a '(c.a, c.day) = (p.id, p.day)'
edge 'd(b, day)' delete d b '(c.b, c.day) = (p.id, p.day)'
edge 'keyless(b, day)' delete keyless b '(c.b, c.day) = (p.id, p.day)'
both a 'r.day IN (3, 12, 24) OR r.id = 7' 7 <<<'where: day IN (3, 12, 24) OR id = 7'

shape 'set-null in a partitioned child' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int, a int REFERENCES a, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE b0 PARTITION OF b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE b1 (junk text, a int, id int NOT NULL);
ALTER TABLE b1 DROP COLUMN junk;
ALTER TABLE b ATTACH PARTITION b1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 60) g;
SQL
edge b.a set-null b a 'c.a = p.id' 'a = NULL'
both a 'r.id IN (3, 4)' <<<'where: id IN (3, 4)'

shape 'a foreign key that some partitions declare' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int, a int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (30);
CREATE TABLE b2 PARTITION OF b FOR VALUES FROM (30) TO (60);
CREATE TABLE b3 PARTITION OF b DEFAULT;
ALTER TABLE b1 ADD FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE;
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10 FROM generate_series(1, 90) g;
SQL
edge b.a delete b a 'c.a = p.id'
both a 'r.id IN (3, 4)' 5 <<<'where: id IN (3, 4)'

shape 'a foreign key that removes on some partitions only, and another one that is set to NULL, rows with both' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int, a int, editor int REFERENCES a, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (30);
CREATE TABLE b2 PARTITION OF b DEFAULT;
ALTER TABLE b1 ADD FOREIGN KEY (a) REFERENCES a;
INSERT INTO a SELECT generate_series(1, 10);
INSERT INTO b SELECT g, 1 + g % 10, 1 + g % 3 * 2 FROM generate_series(1, 90) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge b.editor set-null b a 'c.editor = p.id' 'editor = NULL'
both a 'r.id IN (3, 4)' <<<'where: id IN (3, 4)'

shape 'a foreign key to one partition' <<'SQL'
CREATE TABLE a (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (30);
CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (30) TO (60);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a1 ON DELETE CASCADE);
CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES a2);
INSERT INTO a SELECT generate_series(1, 59);
INSERT INTO b SELECT g, 1 + g % 29 FROM generate_series(1, 60) g;
INSERT INTO d SELECT g, 30 + g % 30 FROM generate_series(1, 60) g;
SQL
edge b.a delete b a "c.a = p.id AND p.leaf_ = 'a1'"
edge d.a set-null d a "c.a = p.id AND p.leaf_ = 'a2'" 'a = NULL'
both a 'r.id % 6 = 1' 5 <<<'where: id % 6 = 1'

# The same number in both partitions means different rows.
shape 'a foreign key to one partition whose key is its own' <<'SQL'
CREATE TABLE a (id int NOT NULL, part int NOT NULL, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1);
CREATE TABLE a2 PARTITION OF a FOR VALUES IN (2);
CREATE UNIQUE INDEX a1_id ON a1 (id);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a1 (id));
INSERT INTO a SELECT g, p FROM generate_series(1, 20) g, generate_series(1, 2) p;
INSERT INTO b SELECT g, 1 + g % 20 FROM generate_series(1, 60) g;
SQL
edge b.a delete b a "c.a = p.id AND p.leaf_ = 'a1'"
both a 'r.part = 2 AND r.id < 9 OR r.part = 1 AND r.id IN (3, 12)' 5 <<<'where: part = 2 AND id < 9 OR part = 1 AND id IN (3, 12)'

shape 'the table of the plan is a partition' <<'SQL'
CREATE TABLE a (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (30);
CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (30) TO (60);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
CREATE TABLE d (id int PRIMARY KEY, a int REFERENCES a1);
INSERT INTO a SELECT generate_series(1, 59);
INSERT INTO b SELECT g, 1 + g % 59 FROM generate_series(1, 90) g;
INSERT INTO d SELECT g, 1 + g % 29 FROM generate_series(1, 60) g;
SQL
edge b.a delete b a 'c.a = p.id'
edge d.a delete d a "c.a = p.id AND p.leaf_ = 'a1'"
# shellcheck disable=SC2034 # for model.sh
ROOT_MODEL=a
both a1 "r.id % 6 = 1 AND r.leaf_ = 'a1'" 5 <<<'where: id % 6 = 1'
unset ROOT_MODEL

shape 'a partitioned table that refers to itself' <<'SQL'
CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a) PARTITION BY HASH (id);
CREATE TABLE a0 PARTITION OF a FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE a1 PARTITION OF a FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE a2 PARTITION OF a FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO a SELECT g, nullif(g / 3, 0) FROM generate_series(1, 80) g;
SQL
edge a.up delete a a 'c.up = p.id'
both a 'r.id IN (4, 7, 22)' 9 <<<'where: id IN (4, 7, 22)'

shape 'duplicates across partitions' <<'SQL'
CREATE TABLE a (id int, part int, mail text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1);
CREATE TABLE a2 PARTITION OF a FOR VALUES IN (2);
CREATE TABLE b (id int PRIMARY KEY, a int, part int, FOREIGN KEY (a, part) REFERENCES a);
INSERT INTO a SELECT g, 1 + g % 2, 'm' || g % 17 FROM generate_series(1, 60) g;
INSERT INTO b SELECT id, id, part FROM a;
SQL
edge 'b(a, part)' delete b a '(c.a, c.part) = (p.id, p.part)'
both a 'r.id > 17' 5 <<<'duplicates: [mail]'
done_testing
