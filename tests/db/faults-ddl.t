#!/bin/bash
# Somebody alters the tables under a run: it stops before the next batch commits, says what changed, and goes on where
# that can be. Nothing goes that is in no plan, nothing is missing from the archive.
#
#   tests/db/faults-ddl.t [PART...]      column_gone column_new renamed replaced key tree edge
#
# Rests on: shape_same, behind each batch (work/batch.c). Without it replaced, key, tree and edge turn red.
. "$(dirname "$0")/faults.sh"

# changed NAME SQL TELLS: somebody alters something in the middle; the run stops with what it was
changed() {
    in_the_middle "$1"
    sql "$2" || ok 1 "$1: done"
    pgw_end
    is "$code" 3 "$1: the run is refused to go on" || diag "$all"
    like "$err" "$3" "$1: and says what changed"
    is_sql "SELECT (SELECT count(*) FROM pgwinnow.archive_1_$(sql "SELECT table_oid FROM pgwinnow.runs")) = sum(rows) FROM pgwinnow.batches" t \
        "$1: what is gone is in the archive"
}

column_gone() {
    tables column_gone
    slow 0.05
    changed 'a column dropped' 'ALTER TABLE listings DROP COLUMN note' 'gone: column listings.note text'
    quick
    pgw run plan.yaml
    is "$code" 0 'a column dropped: the same command goes on without it' || diag "$all"
    all_done 'a column dropped'
}

column_new() {
    tables column_new
    slow 0.05
    local before
    changed 'a column added' "ALTER TABLE listings ADD COLUMN extra text DEFAULT 'extra'" 'new: +column listings.extra text'
    before=$(sql 'SELECT sum(rows) FROM pgwinnow.batches')
    quick
    pgw run plan.yaml
    is "$code" 0 'a column added: the same command goes on' || diag "$all"
    all_done 'a column added'
    pgw undo faults --yes
    is "$code" 0 'a column added: undo' || diag "$all"
    is_sql "SELECT count(*), count(extra) FROM listings" "1800|$((1800 - before))" \
        'a column added: it comes back with the rows that had it'
}

renamed() {
    tables renamed
    slow 0.05
    changed 'the table renamed' 'ALTER TABLE listings RENAME TO listings_old' 'gone: table public.listings'
    pgw run plan.yaml
    isnt "$code" 0 'the table renamed: run says so again'
    like "$err" 'listings' 'the table renamed: with its name'
    sql 'ALTER TABLE listings_old RENAME TO listings'
    quick
    pgw run plan.yaml
    is "$code" 0 'the table renamed: it goes on when the table is back' || diag "$all"
    all_done 'the table renamed'
}

# Another table takes the name: the run must not go on with that.
replaced() {
    tables replaced
    slow 0.05
    changed 'the table replaced' 'ALTER TABLE listings RENAME TO listings_old;
        CREATE TABLE listings (LIKE listings_old INCLUDING ALL); INSERT INTO listings SELECT * FROM listings_old' \
        'table below it was changed'
    is_sql 'SELECT (SELECT count(*) FROM listings) = (SELECT count(*) FROM listings_old)' t \
        'the table replaced: no row of the new one is gone'
    pgw run plan.yaml
    isnt "$code" 0 'the table replaced: run refuses, since nothing refers to the new one'
}

# Without the key one tracked key may mean two rows.
key() {
    tables key
    sql 'ALTER TABLE posts DROP CONSTRAINT posts_listing'
    sed -i 's/discover: .*/discover/; /delete-children/d' "$work/plan.yaml"
    slow 0.05
    changed 'the key dropped' "ALTER TABLE listings DROP CONSTRAINT listings_pkey;
        INSERT INTO listings SELECT id, key, 'twin' FROM listings WHERE id > 600" 'gone: unique key \(id\) of listings'
    is_sql "SELECT count(*) FROM listings l WHERE note = 'twin' AND id > 600" "$(sql "SELECT count(*) FROM listings WHERE note <> 'twin' AND id > 600")" \
        'the key dropped: no twin is gone'
}

# A foreign key that cascades comes while rows go: what it would take along is in no plan.
tree() {
    tables tree
    sql 'CREATE TABLE late (id int PRIMARY KEY, listing int);
         INSERT INTO late SELECT n, n FROM generate_series(1, 1800) n; CREATE INDEX ON late (listing)'
    slow 0.05
    in_the_middle 'a foreign key added'
    sql 'ALTER TABLE late ADD CONSTRAINT late_listing FOREIGN KEY (listing) REFERENCES listings ON DELETE CASCADE NOT VALID'
    pgw_end
    is "$code" 3 'a foreign key added: the run is refused to go on' || diag "$all"
    like "$err" 'late.listing' 'a foreign key added: and says which'
    is_sql 'SELECT count(*) FROM late' 1800 'a foreign key added: no row went with it'
    pgw run plan.yaml
    is "$code" 3 'a foreign key added: run refuses until it is settled' || diag "$all"
    sql 'ALTER TABLE late DROP CONSTRAINT late_listing'
    quick
    pgw run plan.yaml
    is "$code" 0 'a foreign key added: it goes on without it' || diag "$all"
    all_done 'a foreign key added'
}

# The edge that the plan settles is gone: rows below are no longer ours to remove.
edge() {
    tables edge
    slow 0.05
    in_the_middle 'a foreign key dropped'
    sql 'ALTER TABLE posts DROP CONSTRAINT posts_listing'
    pgw_end
    is "$code" 3 'a foreign key dropped: the run is refused to go on' || diag "$all"
    like "$err" 'posts.listing' 'a foreign key dropped: and says which'
    is_sql 'SELECT count(*) FROM posts p WHERE NOT EXISTS (SELECT FROM listings WHERE id = p.listing)' 0 \
        'a foreign key dropped: no row is left behind'
}

[ $# -gt 0 ] || set -- column_gone column_new renamed replaced key tree edge
for part; do "$part"; done
done_testing
