-- The state schema, version 3. `pgwinnow init --print` prints these statements.

-- name: create_schema
CREATE SCHEMA IF NOT EXISTS :"state"

-- One row. An older program refuses a newer schema.
-- name: create_version
CREATE TABLE IF NOT EXISTS :"state".version (
    version int PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT pg_catalog.now()
)

-- name: mark_version
INSERT INTO :"state".version (version) VALUES (3) ON CONFLICT DO NOTHING

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

-- name: has_version
SELECT pg_catalog.to_regclass(pg_catalog.format('%I.version', $1::text)) IS NOT NULL

-- name: read_version
SELECT COALESCE(pg_catalog.max(version), 0) FROM :"state".version

-- name: may_create
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
    OR EXISTS (SELECT FROM pg_catalog.pg_namespace n
                WHERE n.nspname OPERATOR(pg_catalog.=) $1::name AND pg_catalog.has_schema_privilege(n.oid, 'CREATE')),
       CURRENT_USER, pg_catalog.current_database()
