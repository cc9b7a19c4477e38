#!/bin/bash
# The guard keeps out what the unique index will keep out, for every kind of key and statement: each statement is sent to
# a table under guard and to its twin under the index, and must end alike, by SQLSTATE and constraint name. Then who meets
# whom: sessions at several isolation levels. Then how it comes and goes: locks, kills, cancel, undo, clean.
. "$(dirname "$0")/lib.sh"
new_database index
index_db=$PGDATABASE
new_database guard
guard_db=$PGDATABASE
version=$(sql 'SHOW server_version_num')

# guard_plan KEY [INDEX-OPTIONS] [GUARD-OPTIONS] [TABLE]: the plan of a guarded table
guard_plan() {
    plan <<PLAN
plan: guarded
table: ${4:-t}
locks: { ddl_timeout: 200ms, retries: 3 }
steps:
  - guard${3:+: $3}
  - index: { name: uix, unique: $1${2:+, $2} }
PLAN
}

# both SQL: in both databases
both() { psql -XAtq -v ON_ERROR_STOP=1 -d "$index_db" -c "$1" >/dev/null && psql -XAtq -v ON_ERROR_STOP=1 -d "$guard_db" -c "$1" >/dev/null; }

# shape NAME DDL KEY [INDEX-DEFINITION-BEHIND] [INDEX-OPTIONS]: a table under its unique index in one database, under guard
# in the other. Elements of the key stand between '; '.
shape() {
    shape=$1
    both 'SET client_min_messages = error; DROP TABLE IF EXISTS t CASCADE'
    both "SET client_min_messages = error; $2"
    sql "CREATE UNIQUE INDEX uix ON t (${3//; /, })${4:+ $4
        }" -d "$index_db"
    sql "CREATE INDEX t_by_key ON t (${3//; /, })"
    guard_plan "$(printf '%s' "$3" | sed "s/'/''/g; s/; /', '/g; s/^/['/; s/$/']/")" "${5:-}"
    pgw run --fresh --until guard plan.yaml
    is "$code" 75 "$shape: guarded" || diag "$all"
}

outcome() { # DATABASE SQL: "ok", or SQLSTATE and constraint
    psql -XAtq -v VERBOSITY=verbose -v ON_ERROR_STOP=1 -d "$1" -c "$2" >"$work/said" 2>&1 && echo ok && return
    sed -nE 's/^ERROR:  ([0-9A-Z]{5}):.*/\1/p; s/^CONSTRAINT NAME:  //p' "$work/said" | tr '\n' ' ' | sed 's/ $//'
}

# alike EXPECTED SQL: ok, or dup
alike() {
    local expected=$1 guarded
    [ "$expected" = ok ] || expected='23505 uix'
    guarded=$(outcome "$guard_db" "$2")
    is "$guarded" "$expected" "$shape: $2: $1" || diag "$(cat "$work/said")"
    is "$(outcome "$index_db" "$2")" "$expected" "$shape: so does the index"
}

# --- statements, on a plain key

shape 'two columns' 'CREATE TABLE t (id int PRIMARY KEY, a int, b text, n int DEFAULT 0); INSERT INTO t VALUES (1, 1, $$x$$), (2, 2, $$x$$), (3, NULL, $$x$$)' 'a; b'
alike dup "INSERT INTO t VALUES (10, 1, 'x')"
alike ok "INSERT INTO t VALUES (11, 1, 'y')"
alike dup "INSERT INTO t VALUES (12, 1, 'y')"
alike dup "INSERT INTO t VALUES (13, 7, 'x'), (14, 8, 'x'), (15, 7, 'x')"
alike ok "INSERT INTO t VALUES (13, 7, 'x'), (14, 8, 'x')"
alike ok "INSERT INTO t VALUES (16, NULL, 'x'), (17, NULL, 'x'), (18, 1, NULL), (19, 1, NULL)"
alike dup "UPDATE t SET a = 2 WHERE id = 1"
alike ok "UPDATE t SET n = n + 1"
alike ok "UPDATE t SET a = a, b = b"
alike ok "UPDATE t SET a = 3 WHERE id = 1"
alike ok "INSERT INTO t VALUES (20, 1, 'x')"
alike ok "DELETE FROM t WHERE id = 20; INSERT INTO t VALUES (21, 1, 'x')"
alike ok "BEGIN; INSERT INTO t VALUES (22, 22, 'x'); DELETE FROM t WHERE id = 22; INSERT INTO t VALUES (23, 22, 'x'); COMMIT"
alike dup "BEGIN; INSERT INTO t VALUES (24, 24, 'x'); INSERT INTO t VALUES (25, 24, 'x'); COMMIT"
alike ok "BEGIN; INSERT INTO t VALUES (26, 26, 'x'); SAVEPOINT s; INSERT INTO t VALUES (27, 27, 'x'); ROLLBACK TO s; INSERT INTO t VALUES (28, 27, 'x'); COMMIT"
alike ok "INSERT INTO t VALUES (21, 99, 'z') ON CONFLICT (id) DO UPDATE SET n = 1"
alike dup "INSERT INTO t VALUES (21, 99, 'z') ON CONFLICT (id) DO UPDATE SET a = 2"
alike dup "INSERT INTO t VALUES (30, 2, 'x') ON CONFLICT (id) DO UPDATE SET n = 1"
alike ok "INSERT INTO t VALUES (2, 2, 'x') ON CONFLICT (id) DO NOTHING"
alike dup "COPY t (id, a, b) FROM PROGRAM 'printf ''31\\t2\\tx\\n'''"
alike ok "COPY t (id, a, b) FROM PROGRAM 'printf ''31\\t31\\tx\\n32\\t32\\tx\\n'''"
alike ok "WITH gone AS (DELETE FROM t WHERE id = 31 RETURNING *) INSERT INTO t SELECT 33, 33, b FROM gone"
for level in 'REPEATABLE READ' SERIALIZABLE; do
    alike dup "BEGIN ISOLATION LEVEL $level; INSERT INTO t VALUES (40, 2, 'x'); COMMIT"
    alike dup "BEGIN ISOLATION LEVEL $level; INSERT INTO t VALUES (41, 41, 'x'); INSERT INTO t VALUES (42, 41, 'x'); COMMIT"
    alike ok "BEGIN ISOLATION LEVEL $level; INSERT INTO t VALUES (43, 43, 'x'); DELETE FROM t WHERE id = 43; INSERT INTO t VALUES (44, 43, 'x'); DELETE FROM t WHERE id = 44; COMMIT"
done
if [ "$version" -ge 150000 ]; then
    alike dup "MERGE INTO t USING (VALUES (50, 2)) v (id, a) ON t.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.a, 'x')"
fi
alike ok "TRUNCATE t; INSERT INTO t VALUES (1, 2, 'x')"
like "$(psql -XAtq -c "INSERT INTO t VALUES (60, 2, 'x')" 2>&1)" 'duplicate key value violates unique constraint "uix".*Key \(a, b\)=\(2, x\) already exists.*guard of pgwinnow run' \
    'the message is that of the index, the hint says who'
is "$(outcome "$guard_db" "INSERT INTO t VALUES (61, 2, 'x') ON CONFLICT DO NOTHING")" '23505 uix' 'ON CONFLICT DO NOTHING gets 23505, as explain says'

# --- keys of all kinds

sql 'CREATE EXTENSION IF NOT EXISTS citext' -d "$index_db" 2>/dev/null && sql 'CREATE EXTENSION IF NOT EXISTS citext' 2>/dev/null &&
    shape 'citext' "CREATE TABLE t (id int, c citext); INSERT INTO t VALUES (1, 'Ann')" 'c' && {
    alike dup "INSERT INTO t VALUES (2, 'ANN')"
    alike ok "INSERT INTO t VALUES (2, 'Änn')"
    alike ok "UPDATE t SET c = 'ANN' WHERE id = 1"
}
shape 'numeric' 'CREATE TABLE t (id int, n numeric); INSERT INTO t VALUES (1, 1.50)' 'n'
alike dup 'INSERT INTO t VALUES (2, 1.5)'
alike dup 'INSERT INTO t VALUES (2, 1.5000)'
alike ok 'INSERT INTO t VALUES (2, 1.51)'
both "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)" 2>/dev/null && {
    shape 'a nondeterministic collation' "CREATE TABLE t (id int, t text COLLATE nocase); INSERT INTO t VALUES (1, 'Ann')" 't'
    alike dup "INSERT INTO t VALUES (2, 'aNN')"
    alike ok "INSERT INTO t VALUES (2, 'Bob')"
    shape 'a collation of the index alone' "CREATE TABLE t (id int, t text); INSERT INTO t VALUES (1, 'Ann')" 't COLLATE nocase'
    alike dup "INSERT INTO t VALUES (2, 'aNN')"
}
shape 'an expression' "CREATE TABLE t (id int, mail text, v varchar(20)); INSERT INTO t VALUES (1, 'A@x', 'v')" "lower(mail); (v || '''')"
alike dup "INSERT INTO t VALUES (2, 'a@X', 'v')"
alike ok "INSERT INTO t VALUES (2, 'a@X', 'w')"
alike dup "UPDATE t SET v = 'v' WHERE id = 2"
shape 'a generated column' "CREATE TABLE t (id int, a int, g int GENERATED ALWAYS AS (a / 10) STORED); INSERT INTO t VALUES (1, 10)" 'g'
alike dup 'INSERT INTO t VALUES (2, 19)'
alike ok 'INSERT INTO t VALUES (2, 20)'
both "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := NEW.id / 10; RETURN NEW; END'"
shape 'a column that a BEFORE trigger changes' 'CREATE TABLE t (id int, a int, n int); INSERT INTO t VALUES (10, 1, 0), (20, 2, 0); CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION fill()' 'a'
alike dup 'INSERT INTO t VALUES (11, 7)'
alike dup 'UPDATE t SET id = 21 WHERE id = 10'
shape 'arrays, enums, ranges, uuid' "DROP TYPE IF EXISTS e; CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int, l int[], e e, r int4range, u uuid); INSERT INTO t VALUES (1, '{1,NULL}', 'a', '[1,3)', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')" 'l; e; r; u'
alike dup "INSERT INTO t VALUES (2, '{1,NULL}', 'a', '[1,2]', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')"
alike ok "INSERT INTO t VALUES (2, '{1,NULL}', 'b', '[1,2]', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11')"
shape 'a domain' "DROP DOMAIN IF EXISTS d; CREATE DOMAIN d AS text CHECK (value <> ''); CREATE TABLE t (id int, d d); INSERT INTO t VALUES (1, 'x')" 'd'
alike dup "INSERT INTO t VALUES (2, 'x')"
shape 'an operator class' "CREATE TABLE t (id int, b text); INSERT INTO t VALUES (1, 'x')" 'b text_pattern_ops'
alike dup "INSERT INTO t VALUES (2, 'x')"
shape 'names in quotes' 'CREATE TABLE t (id int, "Größe" int, "select" int, "new" int, "old" int, found int); INSERT INTO t VALUES (1, 1, 1, 1, 1, 1)' '"Größe"; "select"; "new"; "old"; found'
alike dup 'INSERT INTO t VALUES (2, 1, 1, 1, 1, 1)'
alike ok 'INSERT INTO t VALUES (2, 1, 1, 1, 1, 2)'
shape 'dropped columns' 'CREATE TABLE t (x int, id int, y int, a int); ALTER TABLE t DROP x, DROP y; INSERT INTO t VALUES (1, 1)' 'a'
alike dup 'INSERT INTO t VALUES (2, 1)'

# --- conditions and NULLs

shape 'a backslash' "CREATE TABLE t (id int, a int, path text); INSERT INTO t VALUES (1, 1, 'x'), (2, 1, 'C:\\')" 'a' "WHERE path <> 'C:\\'" "where: 'path <> ''C:\\'''"
alike dup "INSERT INTO t VALUES (3, 1, 'y')"
alike ok "INSERT INTO t VALUES (3, 1, 'C:\\')"
alike dup "SET standard_conforming_strings = off; SET escape_string_warning = off; INSERT INTO t VALUES (4, 1, 'y')"
shape 'a condition' "CREATE TABLE t (id int, a int, state text); INSERT INTO t VALUES (1, 1, 'live'), (2, 1, 'dead')" 'a' "WHERE state = 'live' -- and no more" "where: \"t.state /* of it */ = 'live'\""
alike dup "INSERT INTO t VALUES (3, 1, 'live')"
alike ok "INSERT INTO t VALUES (3, 1, 'dead'), (4, 1, NULL)"
alike dup "UPDATE t SET state = 'live' WHERE id = 3"
alike ok "UPDATE t SET state = 'dead' WHERE id = 1"
alike ok "UPDATE t SET state = 'live' WHERE id = 3"
if [ "$version" -ge 150000 ]; then
    shape 'NULLS NOT DISTINCT' 'CREATE TABLE t (id int, a int, b int); INSERT INTO t VALUES (1, 1, NULL), (2, NULL, NULL)' 'a; b' 'NULLS NOT DISTINCT' 'nulls_not_distinct: true'
    alike dup 'INSERT INTO t VALUES (3, 1, NULL)'
    alike dup 'INSERT INTO t VALUES (3, NULL, NULL)'
    alike ok 'INSERT INTO t VALUES (3, NULL, 1)'
    alike ok 'INSERT INTO t VALUES (4, 1, 1)'
    alike dup 'UPDATE t SET b = NULL WHERE id = 4'
    alike ok 'UPDATE t SET id = 5 WHERE b IS NULL'
fi

# --- partitions

shape 'partitions' "CREATE TABLE t (id int, d int, a int) PARTITION BY RANGE (d); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
    CREATE TABLE t_2 (a int, gone int, d int, id int); ALTER TABLE t_2 DROP gone; ALTER TABLE t ATTACH PARTITION t_2 FOR VALUES FROM (10) TO (20); INSERT INTO t VALUES (1, 1, 1), (2, 11, 1)" 'd; a'
is "$(outcome "$guard_db" 'INSERT INTO t VALUES (3, 11, 1)')" '23505 uix' 'partitions: a duplicate'
is "$(outcome "$guard_db" 'INSERT INTO t_2 (id, d, a) VALUES (3, 11, 1)')" '23505 uix' 'partitions: straight into one'
is "$(outcome "$guard_db" 'UPDATE t SET d = 11 WHERE id = 1')" '23505 uix' 'partitions: a row that moves to another one'
is "$(outcome "$guard_db" 'UPDATE t SET d = 12 WHERE id = 1')" ok 'partitions: it may, where there is room'
sql 'CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (20) TO (30); INSERT INTO t VALUES (4, 20, 1)'
is "$(outcome "$guard_db" 'INSERT INTO t VALUES (5, 20, 1)')" '23505 uix' 'partitions: one that came later'
pgw run plan.yaml
is "$code" 0 'partitions: the index is built' || diag "$all"
is_sql "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal" 0 'partitions: every trigger is gone'

# --- who writes: INSERT alone, row security, and what a hostile user puts into the paths

role=writer_$$
sql "CREATE ROLE $role LOGIN; DROP TABLE t; CREATE SCHEMA IF NOT EXISTS own; CREATE DOMAIN own.word AS text;
     CREATE FUNCTION own.plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT pg_catalog.lower(\$1)';
     CREATE TABLE t (id int PRIMARY KEY, a varchar(20), w own.word); INSERT INTO t VALUES (1, 'x', 'w');
     CREATE INDEX ON t (lower(a), own.plain(w)); GRANT INSERT ON t TO $role; GRANT ALL ON SCHEMA public, own TO $role"
guard_plan '[lower(a), "plain(w)"]'
sed -i 's/^table: t/table: public.t\nsearch_path: [own, public]/' "$work/plan.yaml"
pgw run --fresh --until guard plan.yaml
is "$code" 75 'functions and types of other schemas: guarded' || diag "$all"
run=$(sql 'SELECT max(run) FROM pgwinnow.runs')
as_writer() { outcome "$guard_db" "SET ROLE $role; $1"; }
is "$(as_writer "INSERT INTO t VALUES (2, 'X', 'W')")" '23505 uix' 'a role that may only INSERT'
is "$(as_writer "INSERT INTO t VALUES (2, 'Y', 'W')")" ok 'and its row, when it is none'
is "$(as_writer "SELECT pgwinnow.guard_$run()")" 42501 'nobody else may call the function or see the claims'
# Better matches for all that the key and the body say, in schemas that come first; each would write down who called it.
sql "CREATE TABLE own.caught (who text); GRANT ALL ON own.caught TO PUBLIC;
     CREATE FUNCTION public.trap(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN INSERT INTO own.caught VALUES (current_user); RETURN \$1; END'" 2>/dev/null
hostile="SET ROLE $role;
     CREATE OR REPLACE FUNCTION public.catch() RETURNS void LANGUAGE sql AS 'INSERT INTO own.caught VALUES (current_user)';
     CREATE FUNCTION public.lower(varchar) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN random(); END';
     CREATE FUNCTION public.plain(own.word) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN random(); END';
     CREATE FUNCTION own.plain(own.word) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN random(); END';
     CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN ''serializable''; END';
     CREATE FUNCTION public.hash_record_extended(record, int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN random() * 1000000; END';
     CREATE FUNCTION public.never(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN false; END';
     CREATE FUNCTION public.never_word(own.word, own.word) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM public.catch(); RETURN false; END';
     CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never);
     CREATE OPERATOR public.= (LEFTARG = own.word, RIGHTARG = own.word, FUNCTION = public.never_word);
     CREATE OPERATOR own.= (LEFTARG = own.word, RIGHTARG = own.word, FUNCTION = public.never_word)"
psql -XAtq -v ON_ERROR_STOP=1 -c "$hostile" || ok 1 'the hostile objects can be made'
for path in "public, own, pg_catalog" "own, public, pg_catalog" "pg_temp, public"; do
    is "$(as_writer "SET search_path = $path;
        CREATE TEMP TABLE pg_type (x int); CREATE TEMP TABLE t (id int, a text, w text); CREATE TEMP TABLE guard_$run (hash bigint);
        CREATE DOMAIN pg_temp.text AS int; INSERT INTO public.t VALUES (3, 'x', 'w')")" '23505 uix' "hostile objects in $path: the guard holds"
done
is_sql "SELECT count(*) FROM own.caught WHERE who <> '$role'" 0 'none of it ran as the owner'
sql "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON t FOR ALL TO $role USING (false) WITH CHECK (true); GRANT SELECT ON t TO $role"
is "$(as_writer "INSERT INTO public.t VALUES (3, 'x', 'w')")" '23505 uix' 'row security hides the other row from the writer, not from the guard'
pgw run --fresh --until guard plan.yaml
sql "DROP TABLE own.caught; DROP OWNED BY $role"
done_testing
