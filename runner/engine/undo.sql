-- Taking a run back: the run itself, its plan of batches, and what is asked before anything is changed.

-- name: undo_run
SELECT plan, environment, table_name, state, definition::text, search_path,
       (SELECT pg_catalog.count(*) FROM :"state".steps s WHERE s.run = r.run AND s.kind <> 'undo'),
       (SELECT pg_catalog.sum(b.rows + b.children)
          FROM :"state".batches b JOIN :"state".steps s ON s.run = b.run AND s.step = b.step
         WHERE b.run = r.run AND s.kind IN ('delete', 'delete-children', 'together')) OPERATOR(pg_catalog.>) 0,
       (SELECT pg_catalog.min(o.run) FROM :"state".runs o
         WHERE o.plan = r.plan AND COALESCE(o.environment, '') = COALESCE(r.environment, '') AND o.run <> r.run
               AND o.state NOT IN ('cancelled', 'finished', 'undone'))
  FROM :"state".runs r WHERE r.run = $1::bigint

-- Who takes it back: of an undo in several sessions the first.
-- name: record_undo
INSERT INTO :"state".acts (run, act) SELECT run, 'undo' FROM :"state".runs WHERE run = $1::bigint AND state <> 'undoing'

-- One row a table, statement and batch; seq is the batch's turn: the last one of the run comes first.
-- name: create_undo_plan
CREATE TABLE IF NOT EXISTS :plan (
    seq bigint NOT NULL, batch bigint NOT NULL, statement int NOT NULL, table_oid oid NOT NULL,
    removed bigint NOT NULL, changed bigint NOT NULL
)

-- Rows that stay as they are, with the reason. They come and go with the batch that wrote them.
-- name: create_undo_left
CREATE TABLE IF NOT EXISTS :left (
    table_oid oid NOT NULL, seq bigint NOT NULL, batch bigint NOT NULL, key text NOT NULL, reason text NOT NULL,
    PRIMARY KEY (table_oid, seq)
)

-- A batch held its locks to its end, so whatever built on it has higher numbers than all of its own.
-- name: fill_undo_plan
INSERT INTO :plan (seq, batch, statement, table_oid, removed, changed)
SELECT pg_catalog.dense_rank() OVER (ORDER BY x.last DESC), x.batch, x.statement, x.table_oid, x.removed, x.changed
  FROM (SELECT t.*, pg_catalog.max(t.newest) OVER (PARTITION BY t.batch) AS last FROM (:archives) AS t) AS x
 WHERE NOT EXISTS (SELECT FROM :plan)

-- name: undo_plan_of
SELECT a.:"batch" AS batch, a.:"order" AS statement, :table::pg_catalog.oid AS table_oid,
       pg_catalog.max(a.:"seq") AS newest,
       pg_catalog.count(*) FILTER (WHERE a.:"action" = 'delete') AS removed,
       pg_catalog.count(*) FILTER (WHERE a.:"action" NOT IN ('delete', 'after')) AS changed
  FROM :archive AS a GROUP BY 1, 2

-- name: index_undo_plan
CREATE INDEX IF NOT EXISTS :"name" ON :plan (seq)

-- name: index_undo_batches
CREATE INDEX IF NOT EXISTS :"name" ON :plan (batch)

-- The run only wrote to it; from here on it is only read.
-- name: index_archive
CREATE INDEX IF NOT EXISTS :"name" ON :archive (:"batch", :"order", :"seq")

-- Where a row was changed more than once.
-- name: index_archive_key
CREATE INDEX IF NOT EXISTS :"name" ON :archive (:key, :"seq")

-- name: analyze
ANALYZE :table

-- name: undo_size
SELECT COALESCE(pg_catalog.max(seq), 0), COALESCE(pg_catalog.sum(removed + changed), 0) FROM :plan

-- name: undo_batch_of
SELECT batch FROM :plan WHERE seq = $1::bigint LIMIT 1

-- name: read_left
SELECT table_oid, key, reason, pg_catalog.count(*) OVER () FROM :left ORDER BY table_oid, seq LIMIT $1::int

-- name: may_replicate
SELECT pg_catalog.set_config('session_replication_role', 'replica', true)

-- Whether restored rows collide with what is there by an index that the run made, or with each other.
