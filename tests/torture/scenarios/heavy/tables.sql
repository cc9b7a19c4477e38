-- One parent with very many children among ordinary ones; children in partitions, without a key, and some that stay.
-- Who goes points at nobody who goes: how often such a row is set to NULL first depends on how the batches are cut.
CREATE TABLE parents (id int PRIMARY KEY, doomed boolean NOT NULL, up int REFERENCES parents);
INSERT INTO parents SELECT n, n <= 40, CASE WHEN n > 40 THEN n * 7 % 40 + 1 END FROM generate_series(1, 50) n;
CREATE TABLE posts (id bigint PRIMARY KEY, parent_id int REFERENCES parents ON DELETE CASCADE, body text NOT NULL);
INSERT INTO posts
SELECT n, CASE WHEN n <= 150 THEN 1 + (n - 1) / 3 ELSE 20 END, 'post ' || n FROM generate_series(1, 400) n;
CREATE TABLE likes (post_id bigint REFERENCES posts ON DELETE CASCADE, user_id int, PRIMARY KEY (post_id, user_id));
INSERT INTO likes SELECT 390, n FROM generate_series(1, 100) n;
INSERT INTO likes SELECT id, 0 FROM posts WHERE id % 10 = 1;
CREATE TABLE audit (id bigint PRIMARY KEY, parent_id int REFERENCES parents);
INSERT INTO audit SELECT n, 1 + n % 50 FROM generate_series(1, 120) n;
CREATE TABLE visits (parent_id int REFERENCES parents, what text NOT NULL);
INSERT INTO visits SELECT CASE WHEN n % 2 = 0 THEN 20 ELSE 1 + n % 50 END, 'visit ' || n FROM generate_series(1, 150) n;
CREATE TABLE hits (parent_id int REFERENCES parents, day int NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE hits_1 PARTITION OF hits FOR VALUES FROM (0) TO (10);
CREATE TABLE hits_2 PARTITION OF hits FOR VALUES FROM (10) TO (20);
INSERT INTO hits SELECT 1 + n % 50, n % 20 FROM generate_series(1, 150) n;
CREATE INDEX ON parents (up);
CREATE INDEX ON posts (parent_id);
CREATE INDEX ON visits (parent_id);
CREATE INDEX ON audit (parent_id);
VACUUM ANALYZE;
