-- A state of an older version, which is about to be upgraded, has no `hold`.
-- name: unfinished
SELECT r.run, r.plan, r.environment, r.table_name, r.state, r.definition::text, r.tree, r.search_path, r.wanted,
       COALESCE((pg_catalog.to_jsonb(r) ->> 'hold')::boolean, false)
  FROM :"state".runs r
 WHERE plan = $1 AND COALESCE(environment, '') = COALESCE($2, '') AND state NOT IN ('cancelled', 'finished', 'undone')

-- Two that start at once meet at runs_unfinished: one of them gets no row back.
-- name: create_run
INSERT INTO :"state".runs (plan, environment, table_name, table_oid, definition, tree, search_path, program, tree_shown,
                          server)
VALUES ($1, $2, $3, $4::oid, $5::jsonb, $6, $7, $8, $9::jsonb, pg_catalog.current_setting('server_version'))
ON CONFLICT DO NOTHING
RETURNING run

-- A run that an older version of this program began.
-- name: show_tree
UPDATE :"state".runs SET tree_shown = $2::jsonb, server = pg_catalog.current_setting('server_version')
 WHERE run = $1::bigint AND tree_shown IS NULL

-- name: forget_run
DELETE FROM :"state".runs r USING :"state".lease l
 WHERE r.run = $1::bigint AND l.run = r.run AND l.fence = $2::bigint

-- name: add_step
INSERT INTO :"state".steps (run, step, name, kind) VALUES ($1::bigint, $2::int, $3, $4) ON CONFLICT DO NOTHING

-- FOR KEY SHARE on the lease: a takeover that raises the fence waits for this statement, or this one finds nothing.
-- name: set_state
WITH held AS MATERIALIZED (SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE)
UPDATE :"state".runs r
   SET state = $3, error = $4::jsonb, waiting = NULL,
       wanted = CASE WHEN $3 NOT IN ('finished', 'cancelled', 'undone') THEN r.wanted END,
       finished = CASE WHEN $3 IN ('finished', 'cancelled', 'undone') THEN pg_catalog.clock_timestamp() END
  FROM held WHERE r.run = held.run

-- name: set_tree
WITH held AS MATERIALIZED (SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE)
UPDATE :"state".runs r SET tree = $3 FROM held WHERE r.run = held.run

-- Laid over what is there, in one statement: two people who set different keys at once both get theirs. NULL takes a
-- key back.
-- name: retune
WITH changed AS (
    UPDATE :"state".runs r
       SET settings = NULLIF(pg_catalog.jsonb_strip_nulls(COALESCE(r.settings, '{}') OPERATOR(pg_catalog.||) $2::jsonb),
                             '{}'::jsonb)
     WHERE r.run = $1::bigint AND r.state NOT IN ('finished', 'cancelled', 'undone') RETURNING r.run)
INSERT INTO :"state".acts (run, act, detail) SELECT run, 'set', $2::jsonb FROM changed

-- name: ended
SELECT state FROM :"state".runs WHERE run = $1::bigint AND state IN ('finished', 'cancelled', 'undoing', 'undone')

-- name: steps
SELECT name, kind, state, note, round, rows, COALESCE(total, -1), spared, batches, ms
  FROM :"state".steps WHERE run = $1::bigint ORDER BY step

-- name: set_step
WITH held AS MATERIALIZED (SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE)
UPDATE :"state".steps s
   SET state = $4, round = $5::int, rows = $6::bigint, total = NULLIF($7::bigint, -1), spared = $8::bigint,
       batches = $9::bigint, ms = $10::bigint, note = $11,
       started = CASE WHEN $4 = 'waiting' THEN NULL ELSE COALESCE(s.started, pg_catalog.clock_timestamp()) END,
       finished = CASE WHEN $4 IN ('done', 'skipped') THEN pg_catalog.clock_timestamp() END
  FROM held WHERE s.run = held.run AND s.step = $3::int

-- name: sums
SELECT COALESCE(pg_catalog.sum(rows), 0)::bigint, COALESCE(pg_catalog.sum(children), 0)::bigint,
       COALESCE(pg_catalog.sum(spared), 0)::bigint, pg_catalog.count(*)
  FROM :"state".batches WHERE run = $1::bigint AND step = $2::int AND round = $3::int

-- name: add_object
INSERT INTO :"state".objects (run, kind, schema_name, name) VALUES ($1::bigint, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: forget_object
DELETE FROM :"state".objects WHERE run = $1::bigint AND kind = $2 AND schema_name = $3 AND name = $4

-- name: objects
SELECT kind, schema_name, name FROM :"state".objects
 WHERE run = $1::bigint AND ($2::text IS NULL OR kind = $2) ORDER BY kind, schema_name, name

-- Between one batch and the next, before the first and behind the last: what is still to do.
-- name: gaps
SELECT pg_catalog.max(b.last) OVER (ORDER BY b.first ROWS UNBOUNDED PRECEDING) + 1 AS first,
       pg_catalog.lead(b.first, 1, $5::bigint + 1) OVER (ORDER BY b.first) - 1 AS last
  FROM (SELECT 0::bigint AS first, 0::bigint AS last
        UNION ALL
        SELECT first, last FROM :"state".batches
         WHERE run = $1::bigint AND step = $2::int AND round = $3::int AND part = $4::int AND pass = 1) b
 ORDER BY 1
