-- A lease that was given back has no beat, and must not look like one that was just beaten.
-- name: look
SELECT l.holder,
       CASE WHEN pg_catalog.isfinite(l.beat) THEN EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.beat)::float8
            ELSE 'Infinity' END
  FROM :"state".lease l WHERE l.run = $1::bigint

-- The update of `fence`, a key column, waits for every batch that holds the row FOR KEY SHARE. Whoever takes it has to
-- enter the lane again: somebody else may have gone in meanwhile. A pause that is over with the session that it was
-- meant for is taken back in the same moment: one that is asked for later is not.
-- name: take
WITH taken AS (
INSERT INTO :"state".lease AS l (run, fence, holder, pid, beat)
VALUES ($1::bigint, 1, $2, CASE WHEN $3::boolean THEN pg_catalog.pg_backend_pid() END, pg_catalog.clock_timestamp())
ON CONFLICT (run) DO UPDATE
   SET fence = l.fence + 1, holder = excluded.holder, pid = excluded.pid, beat = excluded.beat, entered = NULL
 WHERE l.beat < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $4::int)
    OR (l.pid IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid OPERATOR(pg_catalog.=) l.pid))
RETURNING run, fence),
     begun AS (
UPDATE :"state".runs r SET wanted = NULL
  FROM taken t
 WHERE r.run = t.run AND (r.wanted = 'paused' AND NOT r.hold
                          OR r.wanted IS NOT NULL AND r.state IN ('finished', 'cancelled', 'undoing', 'undone')))
SELECT fence FROM taken

-- name: release
UPDATE :"state".lease SET beat = '-infinity', entered = NULL WHERE run = $1::bigint AND fence = $2::bigint

-- An undo is stopped by either wish: there is nothing of it to cancel.
-- name: beat
WITH beat AS (UPDATE :"state".lease
                 SET beat = pg_catalog.clock_timestamp(),
                     pid = CASE WHEN $3::boolean THEN pg_catalog.pg_backend_pid() END
               WHERE run = $1::bigint AND fence = $2::bigint RETURNING run)
SELECT w.wanted, r.settings::text,
       CASE WHEN w.wanted IS NOT NULL THEN (
            SELECT CASE WHEN a.act = CASE w.wanted WHEN 'paused' THEN 'pause' ELSE 'cancel' END THEN a.role END
              FROM :"state".acts a WHERE a.run = r.run AND a.act IN ('pause', 'resume', 'cancel')
             ORDER BY a.at DESC LIMIT 1) END
  FROM beat JOIN :"state".runs r ON r.run = beat.run
 CROSS JOIN LATERAL (
       SELECT CASE WHEN r.state = 'undoing' AND r.wanted IS NOT NULL OR r.hold AND r.wanted IS NULL THEN 'paused'
                   ELSE r.wanted END) w (wanted)

-- Fence and checkpoint in one statement, first in the batch's transaction. No row: the lease is lost. 23505: the COMMIT
-- whose answer was lost had gone through. FOR KEY SHARE and nothing stronger, or heartbeats and workers queue up.
-- name: hold
INSERT INTO :"state".batches (run, step, round, part, pass, first, last)
SELECT l.run, $2::int, $6::int, $7::int, $8::int, $4::bigint, $5::bigint
  FROM :"state".lease l WHERE l.run = $1::bigint AND l.fence = $3::bigint FOR KEY SHARE

-- name: counts
UPDATE :"state".batches
   SET rows = $7::bigint, children = $8::bigint, spared = $9::bigint, ms = $10::int, edges = $11::bigint[]
 WHERE run = $1::bigint AND step = $2::int AND round = $3::int AND part = $4::int AND pass = $5::int
   AND first = $6::bigint

-- name: checkpoint
SELECT last, rows, children, spared FROM :"state".batches
 WHERE run = $1::bigint AND step = $2::int AND round = $3::int AND part = $4::int AND pass = $5::int
   AND first = $6::bigint
