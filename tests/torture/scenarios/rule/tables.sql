-- Listings for the rule of plans/merge-listings.yaml, and messages that follow them.
CREATE TABLE listings (
    id int PRIMARY KEY,
    source text NOT NULL,
    external_id text NOT NULL,
    title text,
    price int,
    phone text,
    description text,
    status text NOT NULL,
    visits int,
    scraped_at timestamp NOT NULL
);
INSERT INTO listings
SELECT n, 'north', 'X' || n % 40, 'Flat no. ' || n % 40, CASE WHEN n % 3 = 0 THEN 100 + n END,
       CASE WHEN n % 4 = 0 THEN '555-' || n END, NULL, CASE WHEN n % 5 < 2 THEN 'active' ELSE 'gone' END, n % 11,
       timestamp '2024-05-01' + n * interval '1 hour'
  FROM generate_series(1, 130) n;
CREATE TABLE messages (id int PRIMARY KEY, listing_id int NOT NULL REFERENCES listings, body text NOT NULL);
INSERT INTO messages SELECT n, 1 + n % 130, 'message ' || n FROM generate_series(1, 100) n;
VACUUM ANALYZE;
