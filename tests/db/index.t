#!/bin/bash
# The index step: what it accepts, what it builds anew, what it refuses, and how it goes back to track.
. "$(dirname "$0")/lib.sh"
new_database

index_plan() { # INDEX-OPTIONS [TABLE]
    plan <<PLAN
plan: an-index
table: ${2:-t}
steps:
  - index: $1
PLAN
    pgw run --fresh plan.yaml
}
indexes() { sql "SELECT string_agg(pg_get_indexdef(indexrelid) || CASE WHEN indisvalid AND indisready THEN '' ELSE ' INVALID' END, E'\n' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = '${1:-t}'::regclass AND NOT indisprimary"; }

sql "CREATE TABLE t (id int PRIMARY KEY, a int, b text, \"Größe\" numeric, v varchar(20), n int)"
sql "INSERT INTO t SELECT i, i, 'b' || i, i, 'V' || i, NULL FROM generate_series(1, 1000) i"

# --- building

index_plan '{ name: t_a, columns: [a] }'
is "$code" 0 'a plain index is built'
is "$(indexes)" 'CREATE INDEX t_a ON public.t USING btree (a)' 'it is what was asked for'
index_plan '{ name: t_all, unique: ["lower(v) DESC", b text_pattern_ops, "a + 1", "\"Größe\""], where: "a > 0 /* positive */ AND b IS NOT NULL", include: [n] }'
is "$code" 0 'a unique partial one over expressions, classes, orders and INCLUDE is built'
like "$(indexes)" 'UNIQUE INDEX t_all ON public.t USING btree \(lower\(\(v\)::text\) DESC, b text_pattern_ops, \(\(a \+ 1\)\), "Größe"\) INCLUDE \(n\) WHERE' 'it is what was asked for'
index_plan '{ name: t_hash, columns: [b], method: hash }'
like "$(indexes)" 'USING hash \(b\)' 'another method'
index_plan '{ name: t_nnd, unique: [a, n], nulls_not_distinct: true }'
if [ "$(sql 'SHOW server_version_num')" -ge 150000 ]; then
    like "$(indexes)" 't_nnd .* NULLS NOT DISTINCT' 'NULLs taken as equal'
else
    is "$code" 2 'NULLs taken as equal need PostgreSQL 15'
fi
sql 'DROP INDEX t_all, t_hash, t_a; DROP INDEX IF EXISTS t_nnd' 2>/dev/null

# --- accepting: a second run builds nothing

accepts() { # NAME EXISTING-INDEX OPTIONS
    sql "SET client_min_messages = error; DROP INDEX IF EXISTS t_x, t_y; $2"
    local before
    before=$(sql "SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index WHERE indrelid = 't'::regclass")
    index_plan "$3"
    is "$code" 0 "$1: ends well"
    is "$(sql "SELECT array_agg(indexrelid ORDER BY 1) FROM pg_index WHERE indrelid = 't'::regclass")" "$before" "$1: nothing is built"
}
accepts 'the same name and definition' 'CREATE UNIQUE INDEX t_x ON t (a, lower(v)) WHERE b IS NOT NULL' '{ name: t_x, unique: [a, "lower(v)"], where: b IS NOT NULL }'
accepts 'the same written differently' "CREATE INDEX t_x ON t ((a+1), lower(v)) WHERE v IN ('x', 'y') AND NOT a = 1" '{ name: t_x, columns: ["(a /* one */ + 1)", LOWER( v )], where: "(((v IN ('"'x','y'"'))) AND (NOT (a = 1)))" }'
accepts 'another name, the same definition' 'CREATE INDEX t_y ON t (b COLLATE "C" DESC, a) INCLUDE (n)' '{ name: t_x, columns: ["b COLLATE \"C\" DESC", a], include: [n] }'
like "$all" 't_y' 'another name: it is named'
accepts 'the table by its own name in an expression' 'CREATE INDEX t_x ON t (lower(v))' '{ name: t_x, columns: ["lower(t.v)"] }'
accepts 'an operator class by another name of it' 'CREATE INDEX t_x ON t (v varchar_pattern_ops)' '{ name: t_x, columns: [v varchar_pattern_ops] }'

differs() { # NAME EXISTING-INDEX OPTIONS
    sql "SET client_min_messages = error; DROP INDEX IF EXISTS t_x, t_y; $2"
    index_plan "$3"
    is "$code" 3 "$1: refused"
    like "$all" 'another definition' "$1: it says why"
}
differs 'another column' 'CREATE INDEX t_x ON t (b)' '{ name: t_x, columns: [a] }'
differs 'not unique' 'CREATE INDEX t_x ON t (a)' '{ name: t_x, unique: [a] }'
differs 'another condition' 'CREATE INDEX t_x ON t (a) WHERE b IS NOT NULL' '{ name: t_x, columns: [a], where: v IS NOT NULL }'
differs 'another order' 'CREATE INDEX t_x ON t (a DESC)' '{ name: t_x, columns: [a] }'
differs 'another collation' 'CREATE INDEX t_x ON t (b COLLATE "C")' '{ name: t_x, columns: [b] }'
differs 'another class' 'CREATE INDEX t_x ON t (b)' '{ name: t_x, columns: [b text_pattern_ops] }'
differs 'another INCLUDE' 'CREATE INDEX t_x ON t (a) INCLUDE (b)' '{ name: t_x, columns: [a], include: [v] }'
sql 'DROP INDEX t_x; CREATE TABLE t_x ()'
index_plan '{ name: t_x, columns: [a] }'
is "$code" 3 'a name that a table has: refused'
sql 'DROP TABLE t_x'

# --- leftovers of builds that failed

sql 'INSERT INTO t VALUES (1001, 1)'
sql 'DROP INDEX t_x' 2>/dev/null
psql -XAtqc 'CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (a)' 2>/dev/null
like "$(indexes)" 't_x .* INVALID' 'given: a failed build left an invalid index'
index_plan '{ name: t_x, unique: [a] }'
is "$code" 3 'duplicates: refused when there is no track step'
like "$all" '\(1\): 2 rows' 'they are shown'
like "$(indexes)" 't_x .* INVALID' 'what stood there was not touched for that'
sql 'DELETE FROM t WHERE id = 1001'
index_plan '{ name: t_x, unique: [a] }'
is "$code" 0 'the leftover is dropped and built again'
is "$(indexes)" 'CREATE UNIQUE INDEX t_x ON public.t USING btree (a)' 'and is valid'

# --- somebody is building it now

sql 'DROP INDEX t_x'
psql -XAtq <<<"BEGIN; SELECT txid_current(); SELECT pg_sleep(4)" >/dev/null & # a transaction that the build waits for
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()" 1
psql -XAtqc 'CREATE UNIQUE INDEX CONCURRENTLY t_x ON t (a)' &
builder=$!
eventually "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_x')" 1
oid=$(sql "SELECT 't_x'::regclass::oid")
index_plan '{ name: t_x, unique: [a] }'
is "$code" 0 'a build of somebody else is waited for'
is "$(sql "SELECT 't_x'::regclass::oid")" "$oid" 'and its index is taken'
wait $builder

# --- constraint and replaces

sql 'DROP INDEX t_x; CREATE INDEX t_old ON t (a)'
index_plan '{ name: t_x, unique: [a], constraint: t_a_unique, replaces: t_old }'
is "$code" 0 'as a constraint that replaces an index'
is_sql "SELECT conname, contype FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'u'" 't_a_unique|u' 'the constraint is there'
is "$(indexes)" 'CREATE UNIQUE INDEX t_a_unique ON public.t USING btree (a)' 'the other index is gone'
index_plan '{ name: t_x, unique: [a], constraint: t_a_unique, replaces: t_old }'
is "$code" 0 'a second run finds it done'
is_sql "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass" 2 'and builds nothing'
index_plan '{ name: t_z, columns: [v], replaces: t_a_unique }'
is "$code" 2 'an index behind a constraint cannot be replaced'
like "$all" 't_a_unique' 'it is named'
sql 'ALTER TABLE t DROP CONSTRAINT t_a_unique'

# --- what is wrong with the plan, before anything is done

wrong() { # NAME OPTIONS REGEX
    index_plan "$2"
    is "$code" 2 "$1: refused"
    like "$all" "$3" "$1: it says why"
}
wrong 'no such column' '{ name: t_x, unique: [a, nope] }' 'plan.yaml:4:.*nope'
wrong 'a condition that is none' '{ name: t_x, columns: [a], where: b }' 'argument of WHERE must be type boolean'
wrong 'no such setting' '{ name: t_x, columns: [a], settings: { maintenance_work_men: 1GB } }' 'maintenance_work_men'
wrong 'unique and columns' '{ name: t_x, columns: [a], unique: [a] }' 'not both'
wrong 'a constraint with a condition' '{ name: t_x, unique: [a], where: a > 0, constraint: c }' 'condition'
wrong 'a constraint over an expression' '{ name: t_x, unique: ["a + 1"], constraint: c }' 'more than a column'
wrong 'another schema' '{ name: other.t_x, unique: [a] }' 'schema'

# --- back to track

sql 'CREATE TABLE d (id int PRIMARY KEY, k int, at int); INSERT INTO d SELECT i, i % 50, i FROM generate_series(1, 100) i'
sql "CREATE TABLE log (n int); CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
       IF (SELECT count(*) FROM log) < 20 THEN INSERT INTO log VALUES (1); INSERT INTO d VALUES (1000 + (SELECT count(*) FROM log), 7, 5000); END IF; RETURN NULL; END \$\$;
     CREATE TRIGGER again AFTER DELETE ON d FOR EACH STATEMENT EXECUTE FUNCTION again()"
plan <<'PLAN'
plan: back
table: d
steps:
  - discover
  - track: { duplicates: [k], keep: { first: at } }
  - delete-children
  - delete
  - index: { name: d_k, unique: [k] }
PLAN
pgw run plan.yaml
is "$code" 3 'a writer that goes on making duplicates: three rounds, then refused'
like "$all" '\(7\): 2 rows' 'they are shown'
is_sql "SELECT max(round) FROM pgwinnow.steps WHERE kind = 'index'" 3 'it was tried three times'
is_sql "SELECT count(*) FROM pg_index WHERE indrelid = 'd'::regclass AND NOT indisprimary" 0 'nothing is left of it'
sql 'DROP TRIGGER again ON d; UPDATE log SET n = 2'
pgw run --fresh plan.yaml
is "$code" 0 'without it the run ends well'
is_sql 'SELECT count(*), count(DISTINCT k) FROM d' '50|50' 'one row a key'
like "$(indexes d)" 'UNIQUE INDEX d_k ON public.d USING btree \(k\)$' 'and the index is valid'
done_testing
