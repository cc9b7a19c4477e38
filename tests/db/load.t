#!/bin/bash
# Clients read, change and insert rows of the table that a plan cleans, while it does: tests/bench/clients with few rows.
# No client has an error but 23505 where the guard says so.
#
#   LOAD_ROWS=1000000 tests/with-postgres tests/db/load.t
. "$(dirname "$0")/lib.sh"
new_database

said=$(ROWS=${LOAD_ROWS:-10000} ALONE=2 PGWINNOW=$PGWINNOW "$root/tests/bench/clients" 2>&1)
is $? 0 'the plan runs beside 8 clients' || diag "$said"
like "$said" 'after, 0 of them duplicates' 'no duplicate is left'
like "$said" $'\nclient errors: (none|23505 [0-9]+)\n' 'no client had an error but 23505'
unlike "$said" aborted 'and all of them went on'
is_sql "SELECT count(*) FROM pg_index WHERE indexrelid = 'uix_listings_key'::regclass AND indisvalid" 1 'the unique index stands'
is_sql 'SELECT max(round) FROM pgwinnow.steps' 1 'built at the first try'
is_sql 'SELECT count(*) FROM posts p WHERE NOT EXISTS (SELECT FROM listings WHERE id = p.listing_id)' 0 'no post is without its listing'
is_sql "SELECT sum(rows) >= ${LOAD_ROWS:-10000} FROM pgwinnow.batches" t 'all that were to go are gone'
diag "$(grep transactions <<<"$said")"
done_testing
