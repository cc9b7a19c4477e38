#!/bin/bash
# The example plans with rules in Lua, plans/merge-listings.yaml and plans/merge-contacts.yaml, do what they say. What must
# be there afterwards is worked out by hand from the rules' words.
. "$(dirname "$0")/lib.sh"
new_database lua_plans
export NO_COLOR=1

sql "CREATE TABLE listings (id int PRIMARY KEY, source text, external_id int, title text, price numeric(10,2), phone text,
         description text, status text, visits int, scraped_at timestamp);
     CREATE TABLE messages (id int PRIMARY KEY, listing_id int NOT NULL REFERENCES listings, body text);
     INSERT INTO listings VALUES
         (1, 'a', 7, 'Sofa, hardly used', 20, NULL, 'soft', 'expired', 3, '2024-05-01'),       -- full, but nobody sees it
         (2, 'a', 7, 'Sofa hardly used!', 20, NULL, NULL, 'active', 4, '2024-05-02'),
         (3, 'a', 7, 'sofa, hardly used', 20, NULL, NULL, 'active', NULL, '2024-05-03'),      -- active, and newest
         (4, 'a', 7, 'Sofa, hardly used', NULL, '555', NULL, 'active', 1, '2024-05-04'),      -- less price, but a phone: as full
         (5, 'a', 8, 'Bicycle', 50, NULL, NULL, 'active', 1, '2024-05-01'),
         (6, 'a', 8, 'Washing machine', 90, NULL, NULL, 'active', 1, '2024-05-01'),           -- not the same thing
         (7, 'b', 7, 'Sofa, hardly used', 20, NULL, NULL, 'active', 1, '2024-05-01'),         -- alone
         (8, 'b', 9, 'Chair', 5, '1', NULL, 'active', 2, '2024-05-01'),
         (9, 'b', 9, 'Chair', 5, NULL, 'four legs', 'active', 3, '2024-04-01');
     INSERT INTO messages SELECT i, i, 'about ' || i FROM generate_series(1, 9) i"
pgw run "$root/plans/merge-listings.yaml"
is "$code" 0 'plans/merge-listings.yaml runs' || diag "$all"
is_sql "SELECT string_agg(concat_ws('/', id, phone, visits), ' ' ORDER BY id) FROM listings" '4/555/8 5/1 6/1 7/1 8/1/5' \
    'the fullest active listing stays with the visits of all; different things are left alone'
is_sql "SELECT string_agg(listing_id::text, ' ' ORDER BY id) FROM messages" '4 4 4 4 5 6 7 8 8' 'messages follow'

sql "CREATE TABLE contacts (id int PRIMARY KEY, email text, name text, score numeric, bounced float8, address text,
         created_at timestamptz, seen_at date);
     INSERT INTO contacts VALUES
         (1, 'Ada@x.org', 'Ada', 9.5, 0, 'old street', '2024-01-01', '2024-02-01'),
         (2, 'ada@x.org', 'Ada L.', 10, 0.5, 'new street', '2024-01-02', '2024-03-01'),
         (3, 'ADA@x.org', 'ada', 10.0, 0.25, 'no street', '2024-01-03', NULL),                -- as high, bounces less
         (4, 'info@y.org', 'Grace Hopper', 1, 0, 'a', '2024-01-01', '2024-01-01'),
         (5, 'info@y.org', 'Kim', 2, 0, 'b', '2024-01-01', '2024-01-01');                     -- a shared mailbox"
pgw run "$root/plans/merge-contacts.yaml"
is "$code" 0 'plans/merge-contacts.yaml runs' || diag "$all"
is_sql "SELECT string_agg(concat_ws('/', id, name, address), ' ' ORDER BY id) FROM contacts" \
    '3/Ada L./new street 4/Grace Hopper/a 5/Kim/b' 'the surest contact stays, with the longest name and the newest address'
done_testing
