#!/bin/bash
# Rights: the scripts of docs/security.md are run as they stand and are enough for their plans; each right in them is needed,
# its lack is told before anything is written, and what is told mends it. Group roles see and steer, and no more.
. "$(dirname "$0")/lib.sh"
# Roles belong to a server: one of its own.
[ -n "${PGW_RIGHTS:-}" ] || PGW_RIGHTS=1 exec "$root/tests/with-postgres" "$0"
export NO_COLOR=1 PSQLRC=/dev/null PGOPTIONS="-c client_min_messages=error"
security=$root/docs/security.md
new_database rights

# block KIND NAME: the text between ```KIND NAME and ```
block() { awk -v start="\`\`\`$1 $2" '$0 == start { on = 1; next } /^```/ { on = 0 } on' "$security"; }

# fresh: the application's tables anew, and a role that has the state and nothing else
fresh() {
    psql -Xq -v ON_ERROR_STOP=1 >/dev/null <<SQL
SET client_min_messages = error;
DROP SCHEMA IF EXISTS pgwinnow CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO app;
DROP ROLE IF EXISTS winnow;
SET ROLE app;
CREATE TABLE public.listings (id int PRIMARY KEY, source text, external_id int, title text);
CREATE TABLE public.posts (id serial PRIMARY KEY, listing_id int REFERENCES public.listings, body text);
CREATE INDEX ON public.posts (listing_id);
INSERT INTO public.listings SELECT i, 's', i % 20, 't' || i FROM generate_series(1, 40) i;
INSERT INTO public.posts (listing_id) SELECT i FROM generate_series(1, 40) i WHERE i % 4 > 0;
SQL
    block sql state | psql -Xq -v ON_ERROR_STOP=1 || ok 1 'the script for the state runs'
}
sql 'CREATE ROLE app'

# revokes: each right of a script on standard input taken back alone, a line each
revokes() {
    sed -nE 's/^GRANT (.*) TO winnow;$/\1/p' | while IFS= read -r grant; do
        [[ $grant == *' ON '* ]] || { echo "REVOKE $grant FROM winnow"; continue; }
        IFS=, read -ra rights <<<"${grant%% ON *}"
        for right in "${rights[@]}"; do echo "REVOKE $right ON ${grant#* ON } FROM winnow"; done
    done
}

listed() { grep -oE '^ *GRANT [^;]*;' <<<"$1" | sed 's/^ *//'; }
tables_of_state="SELECT count(*) FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace"

for kind in remove move merge index guard backfill check; do
    block yaml $kind | plan
    fresh
    block sql $kind | psql -Xq -v ON_ERROR_STOP=1
    is $? 0 "$kind: the script runs"
    back=$(block sql $kind)
    while IFS= read -r revoke; do
        sql "$back; $revoke"
        PGUSER=winnow pgw run plan.yaml
        is "$code" 3 "$kind: refused after $revoke" || diag "$all"
        told=$(listed "$err")
        sql "$told"
        PGUSER=winnow pgw explain plan.yaml
        is "$code/$(listed "$all")" 0/ 'what it told was all that was missing' || diag "$told"
        back="$(sed -E 's/^GRANT/REVOKE/; s/ TO "?winnow"?;/ FROM winnow;/' <<<"$told") $(block sql $kind)"
    done < <(block sql $kind | revokes)
    is_sql "$tables_of_state" 0 "$kind: nothing was written so far"
    sql "$back"
    PGUSER=winnow pgw run plan.yaml
    is "$code" 0 "$kind: with the rights of the script the plan runs" || diag "$all"
done

block yaml guard | plan
fresh
block sql guard | psql -Xq
sql "REVOKE TEMPORARY ON DATABASE \"$PGDATABASE\" FROM PUBLIC"
PGUSER=winnow pgw run plan.yaml
is "$code" 3 'guard: refused where PUBLIC may not make temporary tables' || diag "$all"
is "$(listed "$err")" "GRANT TEMPORARY ON DATABASE $PGDATABASE TO winnow;" 'and told so'
sql "GRANT TEMPORARY ON DATABASE \"$PGDATABASE\" TO PUBLIC"

# --- undo

fresh
block yaml merge | plan
block sql merge | psql -Xq
rows='SELECT md5(string_agg(t::text, $$|$$ ORDER BY t::text)) FROM (SELECT l::text FROM listings l UNION ALL SELECT p::text FROM posts p) t'
before=$(sql "$rows")
PGUSER=winnow pgw run plan.yaml
is "$code" 0 'undo: given a run' || diag "$all"
PGUSER=winnow pgw undo merge
isnt "$code" 0 'undo: refused without INSERT'
like "$err" 'GRANT INSERT' 'and told so'
block sql undo | psql -Xq -v ON_ERROR_STOP=1
is $? 0 'undo: the script runs'
PGUSER=winnow pgw undo merge
is "$code" 0 'undo: done' || diag "$all"
is_sql "$rows" "$before" 'every row is back'

# --- group roles, and people in them

sql 'CREATE ROLE anna LOGIN; CREATE ROLE oscar LOGIN; CREATE ROLE mallory LOGIN'
fresh
PGUSER=winnow pgw init
is "$code" 0 'init by a role that may not create roles' || diag "$all"
like "$out" 'may not create roles: pgwinnow_reader, pgwinnow_operator' 'says so and goes on'
is_sql "SELECT to_regclass('pgwinnow.runs') IS NOT NULL" t 'the tables are made'
sql 'CREATE ROLE dba LOGIN CREATEROLE'
PGHOST=/nowhere pgw init --print
is "$(printf '%s\n' "$out" | PGUSER=dba psql -Xq 2>&1 | grep -c "ERROR.*permission denied")" 1 'given: a DBA that owns nothing'
sql "GRANT CREATE ON DATABASE \"$PGDATABASE\" TO dba; DROP SCHEMA pgwinnow CASCADE" 2>/dev/null
printf '%s\n' "$out" | PGUSER=dba psql -Xq -v ON_ERROR_STOP=1 >/dev/null
is $? 0 'the printed SQL, by a DBA who is no superuser'
is_sql "SELECT string_agg(rolname || rolcanlogin, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname ~ '^pgwinnow'" \
    'pgwinnow_operatorfalse pgwinnow_readerfalse' 'makes the roles'
block sql people | psql -Xq -v ON_ERROR_STOP=1
is $? 0 'people: the script runs'
is_sql "SELECT has_table_privilege('anna', 'pgwinnow.runs', 'SELECT')" t 'with their grants'
# A state schema of the DBA: what the runner lacks in it is told.
block yaml remove | plan
block sql remove | psql -Xq
PGUSER=winnow pgw explain plan.yaml
like "$out" 'GRANT USAGE, CREATE ON SCHEMA pgwinnow TO winnow' "somebody else's state schema: explain lists what is missing"
PGUSER=winnow pgw run plan.yaml
is "$code" 3 'run is refused' || diag "$all"
sql "$(listed "$err")"
PGUSER=winnow pgw run plan.yaml
is "$code" 0 'and that is all it needs' || diag "$all"
is_sql "SELECT count(*) FROM pgwinnow.version WHERE has_table_privilege('winnow', 'pgwinnow.version', 'INSERT')" 0 'the version is not for runners'

sql 'DROP SCHEMA pgwinnow CASCADE' 2>/dev/null
fresh
block sql remove | psql -Xq
sql 'ALTER DEFAULT PRIVILEGES FOR ROLE winnow GRANT SELECT, INSERT ON TABLES TO PUBLIC, anna; ALTER DEFAULT PRIVILEGES FOR ROLE winnow GRANT ALL ON TABLES TO oscar'
PGUSER=winnow pgw run --until delete-children plan.yaml
PGUSER=winnow pgw run plan.yaml
is "$code" 0 'a run that makes the schema when the roles are there' || diag "$all"
for person in anna oscar; do
    export PGUSER=$person
    pgw status
    is "$code" 0 "$person: status" || diag "$all"
    pgw history
    is "$code" 0 "$person: history" || diag "$all"
    export PGUSER=postgres
    is_sql "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace AND relkind = 'r' AND relname ~ '_[0-9]+\$'
            AND has_table_privilege('$person', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')" 0 \
        "$person: no tracking table, no archive, whatever the default privileges"
    is_sql "SELECT count(*) > 1 FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace AND relkind = 'r' AND relname ~ '_[0-9]+\$'" t 'given: there are some'
done
sql 'ALTER DEFAULT PRIVILEGES FOR ROLE winnow REVOKE ALL ON TABLES FROM PUBLIC, anna, oscar; DROP SCHEMA pgwinnow CASCADE' 2>/dev/null
fresh
block sql remove | psql -Xq
PGUSER=winnow pgw run --until track plan.yaml
may() { PGUSER=$1 psql -XAtqc "BEGIN; $2; ROLLBACK" >/dev/null 2>&1; }
may oscar "UPDATE pgwinnow.runs SET wanted = 'paused' WHERE run = 1"
is $? 0 'an operator pauses a run'
may anna "UPDATE pgwinnow.runs SET wanted = 'paused' WHERE run = 1"
isnt $? 0 'a reader does not'
PGUSER=oscar pgw set 1 batch.size=77
is "$code" 0 'an operator retunes it' || diag "$all"
is_sql 'SELECT role, act FROM pgwinnow.acts' 'oscar|set' 'under his own name'
PGUSER=anna pgw set 1 batch.size=78
isnt "$code" 0 'a reader does not'
for act in "INSERT INTO pgwinnow.acts (run, act, role) VALUES (1, 'set', 'anna')" "UPDATE pgwinnow.acts SET role = 'anna'" "UPDATE pgwinnow.runs SET state = 'finished'" "UPDATE pgwinnow.runs SET definition = '{}'" "UPDATE pgwinnow.runs SET search_path = 'x'" \
    'DELETE FROM pgwinnow.runs' 'UPDATE pgwinnow.lease SET fence = 9' 'DELETE FROM pgwinnow.objects' 'SELECT * FROM pgwinnow.track_1' \
    'CREATE TABLE pgwinnow.mine (a int)'; do
    may oscar "$act"
    isnt $? 0 "an operator may not: $act"
done
sql 'CREATE ROLE cron LOGIN'
PGUSER=cron pgw lock nightly -- true
isnt "$code" 0 'a lock takes rights'
block sql lock | psql -Xq -v ON_ERROR_STOP=1
is $? 0 'lock: the script runs'
PGUSER=cron pgw lock nightly -- true
is "$code" 0 'and is enough' || diag "$all"
PGUSER=cron pgw lock nightly -- true
is "$code" 0 'a second time, too' || diag "$all"
for act in 'SELECT * FROM pgwinnow.runs' 'CREATE TABLE pgwinnow.mine (a int)'; do
    may mallory "$act"
    isnt $? 0 "nothing for PUBLIC: $act"
done
is_sql "SELECT count(*) FROM pg_class CROSS JOIN aclexplode(relacl) a WHERE relnamespace = 'pgwinnow'::regnamespace AND a.grantee = 0" 0 'indeed'

# --- a state schema that somebody has made before us

planted() { # NAME SQL
    fresh
    sql 'DROP SCHEMA pgwinnow'
    sql "GRANT CREATE ON DATABASE \"$PGDATABASE\" TO mallory; SET ROLE mallory; CREATE SCHEMA pgwinnow; GRANT ALL ON SCHEMA pgwinnow TO PUBLIC;
         CREATE TABLE pgwinnow.version (version int PRIMARY KEY, since timestamptz); INSERT INTO pgwinnow.version VALUES (3, now());
         CREATE FUNCTION pgwinnow.gotcha() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''code of mallory''; END';
         CREATE FUNCTION pgwinnow.yes(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''code of mallory''; END';
         $2; GRANT ALL ON ALL TABLES IN SCHEMA pgwinnow TO PUBLIC"
    local attempt
    for attempt in 'winnow run plan.yaml' 'postgres status' 'postgres init'; do
        # shellcheck disable=SC2086
        PGUSER=${attempt%% *} pgw ${attempt#* }
        is "$code" 3 "$1: $attempt is refused" || diag "$all"
        like "$err" 'belongs to role mallory' 'and says why'
        unlike "$err" 'code of mallory' 'and nothing of it has run'
    done
    sql 'DROP SCHEMA pgwinnow CASCADE' 2>/dev/null
}
planted trigger 'CREATE TABLE pgwinnow.runs (run int); CREATE TRIGGER x BEFORE INSERT ON pgwinnow.runs FOR EACH ROW EXECUTE FUNCTION pgwinnow.gotcha()'
planted check 'CREATE TABLE pgwinnow.lease (run int CHECK (pgwinnow.yes(run)))'
planted view 'DROP TABLE pgwinnow.version; CREATE VIEW pgwinnow.version AS SELECT 3 AS version, now() AS since WHERE pgwinnow.yes(1)'
planted policy 'CREATE TABLE pgwinnow.runs (run int); ALTER TABLE pgwinnow.runs ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON pgwinnow.runs USING (pgwinnow.yes(run))'
planted index 'CREATE TABLE pgwinnow.runs (run int); CREATE INDEX ON pgwinnow.runs (pgwinnow.yes(run))'
done_testing
