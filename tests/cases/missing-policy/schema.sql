-- A foreign key that the plan does not know: nothing may be changed.
CREATE TABLE listings (id int PRIMARY KEY, code text);
CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings ON DELETE CASCADE);
CREATE TABLE likes (post_id int REFERENCES posts);
CREATE INDEX ON posts (listing_id);
CREATE INDEX ON likes (post_id);
INSERT INTO listings VALUES (1, 'a'), (2, 'a'), (3, 'b');
INSERT INTO posts VALUES (11, 1), (12, 2), (13, 3);
INSERT INTO likes VALUES (11), (12), (13);
