#!/bin/bash
# The demo's story, smaller: it ends well, shows what it promises, and the tables are right by queries of our own.
. "$(dirname "$0")/lib.sh"
new_database demo
export NO_COLOR='' TERM=xterm
unset NO_COLOR

out=$(DEMO_LISTINGS=2000 "$root/tests/demo/run" 2>&1 </dev/null)
is $? 0 'the demo ends well' || diag "$out"
like "$out" '8,000 rows for 2,000 real listings' 'it says what is in the tables'
like "$out" '6,000 listings are copies' 'it says how many are copies'
like "$out" '0 copies left, 0 listings without a post' 'it shows that none are left'
like "$out" 'ERROR:  23505.*uix_listings_source_external_id' 'it shows that a new duplicate is refused'
unlike "$out" $'\e' 'no colours where there is no terminal'
is "$(awk 'length($0) > 80' <<<"$out")" '' 'it fits 80 columns'

# 2,000 real listings and 500 by hand stay, each with a post; of the posts of first copies every hundredth was missing.
is_sql 'SELECT count(*), count(external_id), count(DISTINCT (source, external_id)) FILTER (WHERE external_id IS NOT NULL) FROM listings' \
    '2500|2000|2000' 'one of each listing stays, and those without an external id'
is_sql "SELECT count(*) FROM listings WHERE external_id IS NOT NULL AND price <> 400 + (substr(external_id, 2)::int % 1700)" 0 \
    'the first that was scraped stays'
is_sql 'SELECT count(*), count(DISTINCT listing_id) FROM posts' '2500|2500' 'each has one post'
is_sql "SELECT count(*) FROM audit WHERE what = 'price changed'" 850 'the audit keeps its rows'
is_sql 'SELECT count(*) FROM audit WHERE listing_id IS NOT NULL AND listing_id NOT IN (SELECT id FROM listings)' 0 'audit has no orphans'
is_sql 'SELECT count(*) FROM post_likes WHERE post_id NOT IN (SELECT id FROM posts)' 0 'likes have no orphans'
is_sql 'SELECT count(*) FROM post_views' 2480 'the views of the posts that stayed are there'
is_sql "SELECT indisvalid AND indisunique FROM pg_index WHERE indexrelid = 'uix_listings_source_external_id'::regclass" t 'the index is valid and unique'
done_testing
