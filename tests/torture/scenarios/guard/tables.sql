-- Copies that a guard keeps from becoming more.
CREATE TABLE contacts (id int PRIMARY KEY, email text, added int NOT NULL);
INSERT INTO contacts SELECT n, CASE WHEN n % 10 <> 0 THEN 'c' || n % 50 END, n * 7 % 150 FROM generate_series(1, 150) n;
CREATE TABLE notes (id int PRIMARY KEY, contact_id int NOT NULL REFERENCES contacts, body text NOT NULL);
INSERT INTO notes SELECT n, 1 + n % 150, 'note ' || n FROM generate_series(1, 120) n;
CREATE INDEX ON notes (contact_id);
VACUUM ANALYZE;
