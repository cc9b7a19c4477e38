-- Groups of up to six customers; orders and pictures just move, favourites and profiles collide, likes hang below
-- favourites.
CREATE TABLE customers (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    name text,
    tags text[] NOT NULL DEFAULT '{}',
    visits int NOT NULL DEFAULT 0,
    seen_at date
);
INSERT INTO customers
SELECT n, CASE WHEN n % 2 = 0 THEN upper(e) ELSE e END, CASE WHEN n % 3 = 0 THEN 'name ' || n END,
       ARRAY['t' || n % 7, 't' || n % 4], n % 10, CASE WHEN n % 5 <> 0 THEN date '2024-01-01' + n * 37 % 400 END
  FROM (SELECT n, 'c' || n * n % 60 || '@example.com' AS e FROM generate_series(1, 150) n) x;
CREATE INDEX ix_customers_email ON customers (email);

CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, total int NOT NULL);
INSERT INTO orders SELECT n, 1 + n * 31 % 150, n FROM generate_series(1, 200) n;

CREATE TABLE favourites (
    customer_id bigint NOT NULL REFERENCES customers,
    product int NOT NULL,
    added int NOT NULL,
    PRIMARY KEY (customer_id, product)
);
INSERT INTO favourites SELECT DISTINCT ON (1, 2) 1 + n * 13 % 150, n % 3, n FROM generate_series(1, 250) n;
CREATE TABLE likes (
    id bigint PRIMARY KEY,
    customer_id bigint,
    product int,
    FOREIGN KEY (customer_id, product) REFERENCES favourites ON UPDATE CASCADE
);
INSERT INTO likes
SELECT row_number() OVER (ORDER BY customer_id, product), customer_id, product FROM favourites WHERE added % 2 = 0;
CREATE INDEX ON likes (customer_id, product);

CREATE TABLE profiles (customer_id bigint PRIMARY KEY REFERENCES customers, about text NOT NULL);
INSERT INTO profiles SELECT id, 'about ' || id FROM customers WHERE id % 3 <> 1;
CREATE TABLE pictures (id bigint PRIMARY KEY, profile_id bigint NOT NULL REFERENCES profiles, file text NOT NULL);
INSERT INTO pictures
SELECT row_number() OVER (ORDER BY p.customer_id, n), p.customer_id, 'f' || n FROM profiles p, generate_series(1, 2) n;
CREATE INDEX ON pictures (profile_id);
CREATE TABLE ledger (what text NOT NULL);
VACUUM ANALYZE;
