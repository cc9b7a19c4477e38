-- The state schema, version 4. `pgwinnow init --print` prints these statements.

-- name: create_schema
CREATE SCHEMA IF NOT EXISTS :"state"

-- One row. An older program refuses a newer schema.
-- name: create_version
CREATE TABLE IF NOT EXISTS :"state".version (
    version int PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT pg_catalog.now()
)

-- name: mark_version
INSERT INTO :"state".version (version) VALUES (4) ON CONFLICT DO NOTHING

-- `wanted` is the switch that needs no client: UPDATE pgwinnow.runs SET wanted = 'paused' WHERE run = 7.
-- name: create_runs
CREATE TABLE IF NOT EXISTS :"state".runs (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan text NOT NULL,
    environment text,
    table_name text NOT NULL,
    table_oid oid NOT NULL,
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'waiting', 'paused', 'failed', 'refused', 'cancelled', 'finished',
                         'undoing', 'undone')),
    wanted text CHECK (wanted IN ('paused', 'cancelled')),
    definition jsonb NOT NULL,
    tree text,
    search_path text NOT NULL,
    role name NOT NULL DEFAULT CURRENT_USER,
    program text NOT NULL,
    started timestamptz NOT NULL DEFAULT pg_catalog.now(),
    finished timestamptz,
    error jsonb
)

-- Version 1 knew no undo.
-- name: widen_runs_states
ALTER TABLE :"state".runs DROP CONSTRAINT IF EXISTS runs_state_check, ADD CONSTRAINT runs_state_check
    CHECK (state IN ('running', 'waiting', 'paused', 'failed', 'refused', 'cancelled', 'finished', 'undoing', 'undone'))

-- name: drop_runs_unfinished
DROP INDEX IF EXISTS :"state".runs_unfinished

-- One unfinished run of a plan and environment: two that start at once meet here, and so does one that is being undone.
-- name: create_runs_unfinished
CREATE UNIQUE INDEX IF NOT EXISTS runs_unfinished ON :"state".runs (plan, COALESCE(environment, ''))
    WHERE state NOT IN ('cancelled', 'finished', 'undone')

-- Every batch takes FOR KEY SHARE on its row by (run, fence) first. A heartbeat changes no key column, so it never
-- waits for a batch; a takeover raises `fence` and so waits for the open ones, and none can begin after it.
-- name: create_lease
CREATE TABLE IF NOT EXISTS :"state".lease (
    run bigint PRIMARY KEY REFERENCES :"state".runs ON DELETE CASCADE,
    fence bigint NOT NULL,
    holder text NOT NULL,
    pid int,
    beat timestamptz NOT NULL,
    UNIQUE (run, fence)
)

-- name: create_steps
CREATE TABLE IF NOT EXISTS :"state".steps (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    step int NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'skipped')),
    round int NOT NULL DEFAULT 1,
    rows bigint NOT NULL DEFAULT 0,
    total bigint,
    spared bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0,
    ms bigint NOT NULL DEFAULT 0,
    started timestamptz,
    finished timestamptz,
    note text,
    PRIMARY KEY (run, step)
)

-- A checkpoint is a row, written first in the batch's own transaction. The key is what the batch took: a second try of
-- a batch whose COMMIT had gone through although the answer was lost meets its own row. `part` 0 is the tracking table.
-- name: create_batches
CREATE TABLE IF NOT EXISTS :"state".batches (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    step int NOT NULL,
    round int NOT NULL,
    part int NOT NULL,
    pass int NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    rows bigint NOT NULL DEFAULT 0,
    children bigint NOT NULL DEFAULT 0,
    spared bigint NOT NULL DEFAULT 0,
    ms int,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CHECK (first <= last),
    PRIMARY KEY (run, step, round, part, pass, first)
)

-- What the run made and somebody must drop: tracking tables, temporary indexes.
-- name: create_objects
CREATE TABLE IF NOT EXISTS :"state".objects (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('tracking', 'index', 'sequence')),
    schema_name text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (run, kind, schema_name, name)
)

-- Where the old images of a run are (work/archive.h), by source table. own_columns: seq, batch, order, action.
-- name: create_archives
CREATE TABLE IF NOT EXISTS :"state".archives (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    table_oid oid NOT NULL,
    name text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    key_columns text[] NOT NULL,
    own_columns text[] NOT NULL,
    keep interval NOT NULL,
    made timestamptz NOT NULL DEFAULT pg_catalog.now(),
    dropped timestamptz,
    PRIMARY KEY (run, table_oid)
)

-- Which lane the run goes in and all tables it may change, as they were when it entered; what `pgwinnow set` asked for.
-- name: add_runs_lane
ALTER TABLE :"state".runs ADD COLUMN IF NOT EXISTS lane text, ADD COLUMN IF NOT EXISTS tables oid[],
    ADD COLUMN IF NOT EXISTS settings jsonb

-- Why it waits, since when, and until when at most: { reason, since, until }.
-- name: add_runs_waiting
ALTER TABLE :"state".runs ADD COLUMN IF NOT EXISTS waiting jsonb

-- Since when the holder has the lane and the tables of its run. NULL: it is still waiting for them, or gave them back.
-- name: add_lease_entered
ALTER TABLE :"state".lease ADD COLUMN IF NOT EXISTS entered timestamptz

-- One row, which everybody who enters a lane locks first: one at a time looks who is in the way and enters.
-- name: create_lanes
CREATE TABLE IF NOT EXISTS :"state".lanes (
    gate boolean PRIMARY KEY DEFAULT true CHECK (gate)
)

-- name: open_lanes
INSERT INTO :"state".lanes DEFAULT VALUES ON CONFLICT DO NOTHING

-- What people asked of runs, and who it was.
-- name: create_acts
CREATE TABLE IF NOT EXISTS :"state".acts (
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    role name NOT NULL DEFAULT CURRENT_USER,
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    act text NOT NULL,
    detail jsonb
)

-- Leases of `pgwinnow lock`, which are no run's. A free one has beat -infinity.
-- name: create_locks
CREATE TABLE IF NOT EXISTS :"state".locks (
    name text PRIMARY KEY,
    fence bigint NOT NULL,
    holder text NOT NULL,
    command text NOT NULL,
    taken timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    beat timestamptz NOT NULL,
    ttl interval NOT NULL
)

-- Guards that stand or are still to be dropped: `guard_RUN` in this schema is the function and the claims, the trigger
-- on the table calls the one. `until`: the step of the index it stands for.
-- name: create_guards
CREATE TABLE IF NOT EXISTS :"state".guards (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    step int NOT NULL,
    until int,
    table_oid oid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    name text NOT NULL,
    trigger_name text NOT NULL,
    constraint_name text NOT NULL,
    made timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    armed timestamptz,
    disarmed timestamptz,
    PRIMARY KEY (run, step)
)

-- `uid` makes names of events that no other database will use. `hold`: a pause that holds until `pgwinnow resume`.
-- `tree_shown`: the foreign-key tree as explain --json has it, without counts. `server`: its version, for the report.
-- name: add_runs_uid
ALTER TABLE :"state".runs ADD COLUMN IF NOT EXISTS uid uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    ADD COLUMN IF NOT EXISTS hold boolean NOT NULL DEFAULT false, ADD COLUMN IF NOT EXISTS tree_shown jsonb,
    ADD COLUMN IF NOT EXISTS server text

-- Rows settled by edge of the tree, in the order of `tree_shown`. NULL: nobody counted.
-- name: add_batches_edges
ALTER TABLE :"state".batches ADD COLUMN IF NOT EXISTS edges bigint[]

-- The stream of events, less progress and batches: what status, the report and people look back at. `id` is what
-- receivers of webhooks know it by. Written in the transaction of what it tells.
-- name: create_events
CREATE TABLE IF NOT EXISTS :"state".events (
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    at timestamptz NOT NULL,
    body jsonb NOT NULL
)

-- name: create_events_by_run
CREATE INDEX IF NOT EXISTS events_by_run ON :"state".events (run, event)

-- What endpoints are still to be told, in the order of seq for each; a row goes when it was delivered. `body` is what
-- is sent, byte by byte, at every try. `due`: not before; whoever delivers puts it ahead while he tries.
-- name: create_outbox
CREATE TABLE IF NOT EXISTS :"state".outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    endpoint text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    made timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    due timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    tries int NOT NULL DEFAULT 0,
    answer text,
    UNIQUE (endpoint, id)
)

-- How it went with the endpoints of a run: delivered, dropped after 7 days or because it was gone (410), last answer.
-- name: create_endpoints
CREATE TABLE IF NOT EXISTS :"state".endpoints (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    endpoint text NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    dropped bigint NOT NULL DEFAULT 0,
    gone timestamptz,
    answer text,
    PRIMARY KEY (run, endpoint)
)

-- How it went over time: once a second at first, seldomer in long runs.
-- name: create_samples
CREATE TABLE IF NOT EXISTS :"state".samples (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    step int NOT NULL,
    rate double precision,
    batch_size bigint,
    lag_ms bigint,
    waiting text,
    PRIMARY KEY (run, at)
)

-- The SQL that a run has sent, each statement once for a step, as it was sent first.
-- name: create_statements
CREATE TABLE IF NOT EXISTS :"state".statements (
    run bigint NOT NULL REFERENCES :"state".runs ON DELETE CASCADE,
    step int NOT NULL,
    name text NOT NULL,
    place text NOT NULL,
    text text NOT NULL,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (run, step, name)
)

-- name: has_version
SELECT pg_catalog.to_regclass(pg_catalog.format('%I.version', $1::text)) IS NOT NULL

-- name: read_version
SELECT COALESCE(pg_catalog.max(version), 0) FROM :"state".version

-- Whether this role may create the schema, or what is in it; whether it is there; whether all of it is ours, as an
-- upgrade needs. CREATE SCHEMA IF NOT EXISTS asks for the right on the database though there is nothing to create.
-- name: may_create
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
    OR EXISTS (SELECT FROM pg_catalog.pg_namespace n
                WHERE n.nspname OPERATOR(pg_catalog.=) $1::name AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')),
       CURRENT_USER, pg_catalog.current_database(),
       EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname OPERATOR(pg_catalog.=) $1::name),
       (SELECT pg_catalog.pg_get_userbyid(c.relowner)
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE n.nspname OPERATOR(pg_catalog.=) $1::name AND c.relname OPERATOR(pg_catalog.=) 'runs'
           AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE'))

-- What would run the code of somebody else with our rights when we write here, or only look: triggers, rules, views,
-- row security, functions and types of their own in what is called like our tables. Whoever may create schemas can have
-- made all of this before we came. A role's own, a superuser's and the database's owner's are trusted; a superuser is
-- a member of every role, which says nothing about trust.
-- name: planted
WITH me AS MATERIALIZED (
     SELECT r.oid, r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER),
     suspect AS MATERIALIZED (
     SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relowner
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
       JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) c.relowner
       JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
      CROSS JOIN me
      WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name
        AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
        AND NOT o.rolsuper AND c.relowner OPERATOR(pg_catalog.<>) d.datdba
        AND CASE WHEN me.rolsuper THEN c.relowner OPERATOR(pg_catalog.<>) me.oid
                 ELSE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') END)
SELECT s.relname, pg_catalog.pg_get_userbyid(s.relowner)
  FROM suspect AS s
 WHERE s.relkind OPERATOR(pg_catalog.<>) 'r' OR s.relrowsecurity
    OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                WHERE t.tgrelid OPERATOR(pg_catalog.=) s.oid AND NOT t.tgisinternal)
    OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.=) s.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid OPERATOR(pg_catalog.=) s.oid AND a.attnum OPERATOR(pg_catalog.>) 0
                  AND a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
                  AND s.relname::pg_catalog.text OPERATOR(pg_catalog.!~) '_[0-9]+$')
    OR EXISTS (SELECT
                 FROM (SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid FROM pg_catalog.pg_attrdef AS d
                        WHERE d.adrelid OPERATOR(pg_catalog.=) s.oid
                       UNION ALL
                       SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid FROM pg_catalog.pg_constraint AS c
                        WHERE c.conrelid OPERATOR(pg_catalog.=) s.oid
                       UNION ALL
                       SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid FROM pg_catalog.pg_index AS i
                        WHERE i.indrelid OPERATOR(pg_catalog.=) s.oid) AS part (class, oid)
                 JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) part.class
                      AND d.objid OPERATOR(pg_catalog.=) part.oid
                      AND (d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                           OR d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass))
 ORDER BY s.relname
 LIMIT 1

-- Who may look, and who may steer. The names are those of roles of the whole server, whatever the schema is called.
-- What stands in $$ takes no placeholders: it reads the schema's name from a setting of the transaction.

-- name: state_setting
SELECT pg_catalog.set_config('pgwinnow.state', :'state', true)

-- Roles are the server's, not the database's: another database may have made them already, or do so in this moment.
-- name: create_roles
DO $roles$
DECLARE
    wanted pg_catalog.text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pgwinnow_reader', 'pgwinnow_operator'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles AS r
                               WHERE r.rolname OPERATOR(pg_catalog.=) wanted::pg_catalog.name);
        BEGIN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role % was not created: that takes CREATEROLE', wanted;
        END;
    END LOOP;
END
$roles$

-- Tables of one run end in its number (track_7, archive_7_16384): they hold rows of the application, and stay their
-- owner's. An operator changes what is wanted of a run and how it goes, and leaves a record of it, in which who it was
-- and when are not his to write; nothing else. Only what is our own can be granted, so somebody else's tables are left
-- to whom they belong.
-- name: grant_roles
DO $grants$
DECLARE
    state CONSTANT pg_catalog.text := pg_catalog.current_setting('pgwinnow.state');
    grantees pg_catalog.text;
    one record;
BEGIN
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ') INTO grantees
      FROM pg_catalog.pg_roles AS r
     WHERE r.rolname OPERATOR(pg_catalog.=) 'pgwinnow_reader' OR r.rolname OPERATOR(pg_catalog.=) 'pgwinnow_operator';
    IF grantees IS NULL THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT 'GRANT USAGE ON SCHEMA %1$I TO %4$s' AS line, ''::pg_catalog.name AS name, '' AS columns,
               grantees AS roles
          FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname OPERATOR(pg_catalog.=) state::pg_catalog.name
           AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
        UNION ALL
        SELECT 'GRANT SELECT ON TABLE %1$I.%2$I TO %4$s', c.relname, '', grantees
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE n.nspname OPERATOR(pg_catalog.=) state::pg_catalog.name
           AND c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relname::pg_catalog.text OPERATOR(pg_catalog.!~) '_[0-9]+$'
           AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
        UNION ALL
        SELECT 'GRANT UPDATE (%3$s) ON TABLE %1$I.%2$I TO %4$s', c.relname,
               pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', '), 'pgwinnow_operator'
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
         WHERE n.nspname OPERATOR(pg_catalog.=) state::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) 'runs'
           AND (a.attname OPERATOR(pg_catalog.=) 'wanted' OR a.attname OPERATOR(pg_catalog.=) 'settings'
                OR a.attname OPERATOR(pg_catalog.=) 'hold')
           AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
         GROUP BY c.relname
        UNION ALL
        SELECT 'GRANT INSERT (run, act, detail) ON TABLE %1$I.%2$I TO %4$s', c.relname, '', 'pgwinnow_operator'
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE n.nspname OPERATOR(pg_catalog.=) state::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) 'acts'
           AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
    LOOP
        CONTINUE WHEN one.roles OPERATOR(pg_catalog.=) 'pgwinnow_operator'
                      AND pg_catalog.strpos(grantees, 'pgwinnow_operator') OPERATOR(pg_catalog.=) 0;
        EXECUTE pg_catalog.format(one.line, state, one.name, one.columns, one.roles);
    END LOOP;
END
$grants$

-- name: missing_roles
SELECT w.name FROM pg_catalog.unnest(ARRAY['pgwinnow_reader', 'pgwinnow_operator']) AS w (name)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r
                    WHERE r.rolname OPERATOR(pg_catalog.=) w.name::pg_catalog.name)
 ORDER BY w.name DESC

-- What a role lacks in the state schema $1 that belongs to somebody else: it makes tables of its runs there, and writes
-- to the tables of all runs. No row: the schema is not there. Tables of one run end in its number and are their
-- owner's.
-- name: missing_on_state
WITH me AS (SELECT pg_catalog.quote_ident(CURRENT_USER) AS role)
SELECT pg_catalog.format('GRANT %s ON SCHEMA %I TO %s;', pg_catalog.concat_ws(', ',
           CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE' END,
           CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') THEN 'CREATE' END), n.nspname, me.role),
       0 AS place, '' AS name
  FROM pg_catalog.pg_namespace AS n CROSS JOIN me
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name
   AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'))
 UNION ALL
SELECT pg_catalog.format('GRANT %s ON %I.%I TO %s;', lacking.rights, n.nspname, c.relname, me.role), 1, c.relname
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 CROSS JOIN me
 CROSS JOIN LATERAL (
       SELECT pg_catalog.string_agg(w.name, ', ' ORDER BY w.position)
         FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS w (name, position)
        WHERE NOT pg_catalog.has_table_privilege(c.oid, w.name)
          AND (w.name OPERATOR(pg_catalog.=) 'SELECT' OR c.relname OPERATOR(pg_catalog.<>) 'version')
       ) AS lacking (rights)
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relkind OPERATOR(pg_catalog.=) 'r'
   AND c.relname::pg_catalog.text OPERATOR(pg_catalog.!~) '_[0-9]+$' AND lacking.rights IS NOT NULL
 ORDER BY place, name
