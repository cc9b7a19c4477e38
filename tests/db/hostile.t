#!/bin/bash
# A schema full of traps in the role's search_path: operators for every pair of types, functions, types and tables by the names
# of the server's own. None is ever called by what pgwinnow sends: not by a run with all that it does, not by undo, status, clean.
# A path that puts them before pg_catalog is refused.
. "$(dirname "$0")/lib.sh"
# Roles belong to a server: one of its own.
[ -n "${PGW_HOSTILE:-}" ] || PGW_HOSTILE=1 exec "$root/tests/with-postgres" "$0"
export NO_COLOR=1 PGOPTIONS='-c client_min_messages=error'
new_database hostile

# Each trap writes itself down, in a way that no rollback undoes: a sequence counts; and raises.
sql "CREATE ROLE mallory; CREATE ROLE winnow LOGIN; CREATE SCHEMA evil AUTHORIZATION mallory; GRANT USAGE ON SCHEMA evil TO PUBLIC;
     CREATE SEQUENCE evil.calls; GRANT ALL ON SEQUENCE evil.calls TO PUBLIC; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO winnow;
     ALTER ROLE winnow SET search_path = evil, public; GRANT ALL ON SCHEMA public TO winnow;
     CREATE TYPE public.mood AS ENUM ('sad', 'happy')"
psql -Xq -v ON_ERROR_STOP=1 <<'SQL' >/dev/null
DO $$
DECLARE
    types text[] := ARRAY['pg_catalog.text', 'pg_catalog.name', 'pg_catalog.varchar', 'pg_catalog.bpchar', 'pg_catalog."char"', 'pg_catalog.int2',
        'pg_catalog.int4', 'pg_catalog.int8', 'pg_catalog.numeric', 'pg_catalog.float8', 'pg_catalog.oid', 'pg_catalog.regclass', 'pg_catalog.xid',
        'pg_catalog.xid8', 'pg_catalog.tid', 'pg_catalog.bool', 'pg_catalog.timestamptz', 'pg_catalog.interval', 'pg_catalog.text[]', 'pg_catalog.name[]',
        'pg_catalog.int4[]', 'pg_catalog.int8[]', 'pg_catalog.oid[]', 'pg_catalog.jsonb', 'public.mood', 'pg_catalog.record', 'pg_catalog.uuid'];
    l text; r text; o text; n int := 0;
BEGIN
    FOREACH l IN ARRAY types LOOP
        FOREACH r IN ARRAY types LOOP
            n := n + 1;
            CONTINUE WHEN l = 'pg_catalog.record' OR r = 'pg_catalog.record';
            EXECUTE format('CREATE FUNCTION evil.trap_%s(%s, %s) RETURNS boolean LANGUAGE plpgsql AS
                $f$BEGIN PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''trapped: operator of %s and %s''; END$f$', n, l, r, l, r);
            FOREACH o IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>=', '!~', '~', '~~'] LOOP
                EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.trap_%s)', o, l, r, n);
            END LOOP;
            EXECUTE format('CREATE FUNCTION evil.text_%s(%s, %s) RETURNS text LANGUAGE plpgsql AS
                $f$BEGIN PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''trapped: || of %s and %s''; END$f$', n, l, r, l, r);
            EXECUTE format('CREATE OPERATOR evil.|| (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.text_%s)', l, r, n);
            EXECUTE format('CREATE FUNCTION evil.sum_%s(%s, %s) RETURNS int8 LANGUAGE plpgsql AS
                $f$BEGIN PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''trapped: + of %s and %s''; END$f$', n, l, r, l, r);
            FOREACH o IN ARRAY ARRAY['+', '-', '*', '/', '%', '&'] LOOP
                EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.sum_%s)', o, l, r, n);
            END LOOP;
        END LOOP;
    END LOOP;
    -- every name of a function of the server, for the types that are at hand
    FOR l IN SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a', 'w') AND proname ~ '^[a-z_]+$'
                AND proname IN ('count', 'sum', 'min', 'max', 'bool_or', 'array_agg', 'string_agg', 'unnest', 'format', 'quote_ident', 'quote_literal', 'now',
                    'clock_timestamp', 'length', 'coalesce', 'to_regclass', 'lower', 'to_char', 'to_jsonb', 'make_interval', 'isfinite', 'starts_with',
                    'generate_series', 'row_number', 'rank', 'dense_rank', 'lag', 'lead', 'first_value', 'concat', 'concat_ws', 'round', 'floor', 'abs',
                    'current_database', 'current_setting', 'set_config', 'pg_backend_pid', 'cardinality', 'array_length', 'hash_record_extended', 'nextval') LOOP
        FOREACH r IN ARRAY types LOOP
            CONTINUE WHEN r = 'pg_catalog.record';
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS
                $f$BEGIN PERFORM pg_catalog.nextval(''evil.calls''); RAISE EXCEPTION ''trapped: function %s(%s)''; END$f$', l, r, l, r);
        END LOOP;
    END LOOP;
    FOREACH l IN ARRAY ARRAY['text', 'oid', 'jsonb', 'name', 'regclass', 'timestamptz', 'int8', 'bool', 'xid', 'tid', 'uuid', 'float8'] LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (false)', l, l);
    END LOOP;
    FOREACH l IN ARRAY ARRAY['runs', 'lease', 'steps', 'batches', 'objects', 'archives', 'version', 'pg_class', 'pg_attribute', 'pg_namespace', 'pg_index',
                             'pg_constraint', 'pg_stat_activity', 'posts', 'k', 't'] LOOP
        EXECUTE format('CREATE VIEW evil.%I AS SELECT pg_catalog.nextval(''evil.calls'') AS calls, 1/0 AS run', l);
        EXECUTE format('GRANT SELECT ON evil.%I TO PUBLIC', l);
    END LOOP;
END $$;
SQL
is $? 0 'given: traps' || done_testing
trapped="SELECT is_called FROM evil.calls"
is_sql "$trapped" f 'that were not stepped on yet'

# --- a plan that does all there is, over keys of several types

psql -Xq -v ON_ERROR_STOP=1 <<'SQL' >/dev/null
CREATE TABLE public.people (id varchar(20), part smallint, mail varchar(50), tags text[], mood public.mood, seen timestamptz, visits numeric, PRIMARY KEY (id, part));
CREATE TABLE public.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), person varchar(20), part smallint, note bpchar(10), FOREIGN KEY (person, part) REFERENCES public.people);
CREATE TABLE public.profiles (name name PRIMARY KEY, person varchar(20), part smallint, kind public.mood, FOREIGN KEY (person, part) REFERENCES public.people ON DELETE CASCADE,
    UNIQUE (person, part, kind));
CREATE TABLE public.pictures (id oid PRIMARY KEY, profile name REFERENCES public.profiles ON DELETE SET NULL);
CREATE TABLE public.audit (id bigint PRIMARY KEY, person varchar(20), part smallint, FOREIGN KEY (person, part) REFERENCES public.people);
CREATE INDEX ON public.orders (person, part); CREATE INDEX ON public.pictures (profile);
INSERT INTO public.people SELECT 'p' || i, i % 3, 'm' || i % 40, ARRAY['t' || i], CASE i % 2 WHEN 0 THEN 'sad'::public.mood ELSE 'happy' END,
    timestamptz '2026-01-01' + i * interval '1 min', i FROM generate_series(1, 120) i;
INSERT INTO public.orders (person, part, note) SELECT id, part, 'n' FROM public.people, generate_series(1, 2);
INSERT INTO public.profiles SELECT 'x' || id, id, part, mood FROM public.people;
INSERT INTO public.pictures SELECT row_number() OVER ()::int::oid, name FROM public.profiles;
INSERT INTO public.audit SELECT row_number() OVER (), id, part FROM public.people;
ALTER TABLE public.people OWNER TO winnow; ALTER TABLE public.orders OWNER TO winnow; ALTER TABLE public.profiles OWNER TO winnow;
ALTER TABLE public.pictures OWNER TO winnow; ALTER TABLE public.audit OWNER TO winnow; ALTER TYPE public.mood OWNER TO winnow;
SQL
cat >"$work/head" <<'PLAN'
table: public.people
batch: { size: 50, min: 10, max: 200, pause: 0ms }
steps:
  - discover:
      children:
        public.orders(person, part): move
        public.profiles(person, part): { move: { on_conflict: delete } }
        public.pictures.profile: delete
        public.audit(person, part): set-null
      missing_index: create
PLAN
{ echo 'plan: moves'; cat "$work/head"; cat <<'PLAN'; } | plan moves.yaml
  - index: { name: ix_people_mail, columns: [mail] }
  - guard
  - track: { duplicates: [mail], where: mail IS NOT NULL, keep: { first: seen }, expect: { share: 90% } }
  - together:
      - merge: { columns: { visits: sum, tags: union, seen: max, mood: first } }
      - delete-children
      - delete
  - index: { as: unique, name: uix_people_mail, unique: [mail], where: mail IS NOT NULL, replaces: ix_people_mail }
  - vacuum
  - backfill: { into: public.audit, select: "SELECT 1000 AS id" }
  - backfill: { as: columns, table: public.orders, set: { note: "'x'" }, where: note IS NOT NULL }
  - check: { query: SELECT 1, is: 1 }
PLAN
{ echo 'plan: deletes'; sed 's/: move$/: delete/; s/{ move: { on_conflict: delete } }/delete/' "$work/head"; cat <<'PLAN'; } | plan deletes.yaml
  - track: { where: visits IS NULL OR mood IS NOT NULL }
  - delete-children
  - delete
PLAN
{ echo 'plan: ordered'; sed 's/: move$/: delete/; s/{ move: { on_conflict: delete } }/delete/' "$work/head"; cat <<'PLAN'; } | plan ordered.yaml
  - track: { duplicates: [part, mood], keep: { order_by: seen } }
  - delete-children
  - delete
PLAN
sums="SELECT md5(string_agg(t, '|' ORDER BY t COLLATE \"C\")) FROM (SELECT p::text AS t FROM people p UNION ALL SELECT p::text FROM profiles p
      UNION ALL SELECT p::text FROM pictures p UNION ALL SELECT p::text FROM audit p WHERE id < 1000) t"
export PGUSER=winnow
psql_sql() { PGUSER=postgres sql "$1"; }
safe() { is "$(psql_sql "$trapped")" f "$1: no trap was stepped on"; }
before=$(psql_sql "$sums")

pgw explain moves.yaml
is "$code" 0 'explain' || diag "$all"
safe explain
pgw run --max-rows 20 moves.yaml
is "$code" 75 'run, stopped in the middle' || diag "$all"
safe 'half a run'
pgw status
is "$code" 0 'status' || diag "$all"
pgw run moves.yaml
is "$code" 0 'and gone on with' || diag "$all"
safe run
is "$(psql_sql 'SELECT count(*), count(DISTINCT mail) FROM people')" '40|40' 'it did its work'
pgw undo --yes moves
is "$code" 0 'undo' || diag "$all"
safe undo
is "$(psql_sql "$sums")" "$before" 'every row is back'
for plan in ordered deletes; do
    pgw explain $plan.yaml
    is "$code" 0 "explain $plan" || diag "$all"
    pgw run $plan.yaml
    is "$code" 0 "run $plan" || diag "$all"
    pgw undo --yes $plan
    is "$code" 0 "undo $plan" || diag "$all"
    safe "$plan"
    is "$(psql_sql "$sums")" "$before" 'every row is back'
done
for command in 'status --json' history 'clean --yes' 'clean --yes --archive' init; do
    # shellcheck disable=SC2086
    pgw $command
    is "$code" 0 "$command" || diag "$all"
    safe "$command"
done

# --- before pg_catalog nothing is the server's own any more

export PGOPTIONS='-c search_path=evil,pg_catalog,public'
for command in 'explain deletes.yaml' 'run deletes.yaml'; do
    # shellcheck disable=SC2086
    pgw $command
    is "$code" 3 "a path with evil before pg_catalog: $command is refused" || diag "$all"
    like "$err" 'has evil before pg_catalog' 'and says why'
done
for command in status 'status --json' history 'clean --yes' init; do
    # shellcheck disable=SC2086
    pgw $command
    is "$code" 0 "what needs no plan does not care: $command" || diag "$all"
done
safe 'the refused path'
sed -i 's/^table:/search_path: [public]\n&/' "$work/deletes.yaml"
pgw run deletes.yaml
is "$code" 0 'a plan with a path of its own runs' || diag "$all"
pgw undo --yes deletes
is "$code" 0 'and is undone' || diag "$all"
safe 'a path of its own'
export PGUSER=postgres
done_testing
