-- One group larger than a batch, some of two; favourites collide, shares hang below them, visits have no key.
CREATE TABLE p (id int PRIMARY KEY, g int);
INSERT INTO p SELECT n, CASE WHEN n <= 25 THEN 0 WHEN n <= 60 THEN n - n % 2 ELSE n END FROM generate_series(1, 80) n;
CREATE TABLE fav (id int PRIMARY KEY, p int REFERENCES p, u int, UNIQUE (p, u));
INSERT INTO fav SELECT n, 1 + n % 30, (n * 7919) % 40 FROM generate_series(1, 300) n ON CONFLICT DO NOTHING;
CREATE TABLE share (id int PRIMARY KEY, fav int REFERENCES fav, what int, UNIQUE (fav, what));
INSERT INTO share SELECT 1000 - id, id, id % 5 FROM fav WHERE id % 4 = 0;
CREATE TABLE visit (p int REFERENCES p, at int);
INSERT INTO visit SELECT 1 + n % 40, n FROM generate_series(1, 100) n;
CREATE TABLE audit (id int PRIMARY KEY, p int REFERENCES p);
INSERT INTO audit SELECT n, 1 + n % 80 FROM generate_series(1, 100) n;
CREATE TABLE draft (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
INSERT INTO draft SELECT n, 1 + n % 80 FROM generate_series(1, 100) n;
CREATE INDEX ON visit (p);
CREATE INDEX ON audit (p);
CREATE INDEX ON draft (p);
VACUUM ANALYZE;
