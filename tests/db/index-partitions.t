#!/bin/bash
# The index step on partitioned tables: leaf by leaf, attached, on every level, and going on where it was cut.
. "$(dirname "$0")/lib.sh"
new_database

sql "CREATE TABLE m (id int, d date, k text, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
     CREATE TABLE m_2023 PARTITION OF m FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
     CREATE TABLE m_2024 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY RANGE (d);
     CREATE TABLE m_2024_a PARTITION OF m_2024 FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
     CREATE TABLE m_2024_b_with_a_name_that_leaves_no_room_for_that_of_an_index PARTITION OF m_2024 FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
     CREATE SCHEMA far; CREATE TABLE far.m_2025 (k text, d date NOT NULL, id int NOT NULL);
     ALTER TABLE m ATTACH PARTITION far.m_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
     INSERT INTO m SELECT i, '2023-01-01'::date + i, 'k' || i FROM generate_series(0, 1000) i"

index_plan() {
    plan <<PLAN
plan: an-index
table: m
steps:
  - index: $1
PLAN
    pgw run --fresh plan.yaml
}
# name | valid | attached to
tree() { sql "SELECT i.indexrelid::regclass, i.indisvalid, p.inhparent::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_inherits p ON p.inhrelid = c.oid WHERE c.relname LIKE '${1:-ix}%' ORDER BY c.relname"; }

index_plan '{ name: ix, columns: ["lower(m.k)"], where: "m.k IS NOT NULL" }'
is "$code" 0 'an index over all partitions'
is "$(sql "SELECT count(*), bool_and(i.indisvalid), count(*) FILTER (WHERE p.inhparent IS NULL) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_inherits p ON p.inhrelid = c.oid WHERE pg_get_indexdef(c.oid) ~ 'lower\(k\)'")" '6|t|1' 'one on each table of it, all valid, all attached'
is_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass" t 'the whole is valid'
before=$(sql "SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index")
index_plan '{ name: ix, columns: ["lower(k)"], where: "k IS NOT NULL" }'
is "$code" 0 'a second run finds it'
is "$(sql "SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index")" "$before" 'and builds nothing'

# What stands on a leaf already is taken; what a failed build left there is not.
sql "CREATE UNIQUE INDEX mine ON m_2023 (k, d)"
sql "INSERT INTO m VALUES (5000, '2024-02-02', 'twice'), (5001, '2024-02-02', 'twice')"
index_plan '{ name: u, unique: [k, d] }'
is "$code" 3 'duplicates are found before anything is built'
is_sql "SELECT count(*) FROM pg_class WHERE relname ~ '^u(_|$)'" 0 'so nothing is there'
psql -XAtqc "CREATE UNIQUE INDEX CONCURRENTLY u_m_2024_m_2024_a ON m_2024_a (k, d)" 2>/dev/null
sql "DELETE FROM m WHERE id = 5001"
is_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'u_m_2024_m_2024_a'::regclass" f 'given: a leftover on a leaf'
index_plan '{ name: u, unique: [k, d] }'
is "$code" 0 'a unique one'
is_sql "SELECT count(*), bool_and(i.indisvalid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE pg_get_indexdef(c.oid) ~ 'UNIQUE.*\(k, d\)'" '6|t' 'valid everywhere, the leftover built anew'
is_sql "SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = 'mine'::regclass" u 'the one that stood there is attached'

index_plan '{ name: w, unique: [k] }'
is "$code" 2 'a unique index without the partition key is refused'
like "$all" 'partitioned by d' 'before anything is done, and it says why'
index_plan '{ name: w, columns: [k], replaces: ix }'
is "$code" 0 'one that replaces another'
is_sql "SELECT count(*) FROM pg_class WHERE relname ~ '^ix(_|$)'" 0 'that one is gone from all partitions'

# Cut at any point: the same in the end.
sql "INSERT INTO m SELECT i, '2023-01-01'::date + i % 1000, 'x' || i FROM generate_series(10000, 100000) i"
plan <<'PLAN'
plan: cut
table: m
steps:
  - index: { name: cut, columns: ["reverse(upper(k))", id] }
PLAN
for i in 1 2 3 4 5 6; do
    pgw_start run plan.yaml
    sleep "0.$((i * 7))"
    kill -9 "$pid" 2>/dev/null
    pgw_end 2>/dev/null
done
pgw run plan.yaml
is "$code" 0 'after kills the last run ends well'
is_sql "SELECT count(*), bool_and(i.indisvalid AND i.indisready) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE pg_get_indexdef(c.oid) ~ 'reverse'" '6|t' 'the index is whole and nothing else is left'
done_testing
