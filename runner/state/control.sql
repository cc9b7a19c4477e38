-- What people ask of runs. What is wanted and the record of it go together, in one statement: an act that changed
-- nothing is none. Who it was and when are defaults of `acts`, which an operator may not write.

-- $2: it holds until `resume`.
-- name: ask_pause
WITH asked AS (
    UPDATE :"state".runs r SET wanted = 'paused', hold = r.hold OR $2::boolean
     WHERE r.run = $1::bigint AND r.state NOT IN ('finished', 'cancelled', 'undone')
       AND r.wanted IS DISTINCT FROM 'cancelled'
    RETURNING r.run)
INSERT INTO :"state".acts (run, act, detail)
SELECT run, 'pause', CASE WHEN $2::boolean THEN pg_catalog.jsonb_build_object('hold', true) END FROM asked

-- name: ask_resume
WITH asked AS (
    UPDATE :"state".runs r SET wanted = NULL, hold = false
     WHERE r.run = $1::bigint AND r.wanted IS DISTINCT FROM 'cancelled' AND (r.wanted = 'paused' OR r.hold)
    RETURNING r.run)
INSERT INTO :"state".acts (run, act) SELECT run, 'resume' FROM asked

-- What is being undone is not cancelled: half of it is back.
-- name: ask_cancel
WITH asked AS (
    UPDATE :"state".runs r SET wanted = 'cancelled', hold = false
     WHERE r.run = $1::bigint AND r.state NOT IN ('finished', 'cancelled', 'undoing', 'undone')
    RETURNING r.run)
INSERT INTO :"state".acts (run, act) SELECT run, 'cancel' FROM asked

-- Only what waits can be approved, and for the round that it waits in: who sends a run back to `track` asks anew.
-- name: give_approval
WITH waits AS (
    SELECT s.run, s.name, s.round
      FROM :"state".steps s
      JOIN :"state".runs r ON r.run = s.run
     WHERE s.run = $1::bigint AND s.kind = 'approve' AND s.state = 'running'
       AND r.state NOT IN ('finished', 'cancelled', 'undoing', 'undone')
       AND NOT EXISTS (SELECT FROM :"state".acts a
                        WHERE a.run = s.run AND a.act = 'approve' AND a.detail ->> 'step' = s.name
                          AND a.detail ->> 'round' = s.round::text)),
     given AS (
    INSERT INTO :"state".acts (run, act, detail)
    SELECT run, 'approve', pg_catalog.jsonb_build_object('step', name, 'round', round) FROM waits)
SELECT name FROM waits

-- name: unapproved
SELECT s.name
  FROM :"state".steps s
 WHERE s.run = $1::bigint AND s.kind = 'approve' AND s.state = 'running'
   AND NOT EXISTS (SELECT FROM :"state".acts a
                    WHERE a.run = s.run AND a.act = 'approve' AND a.detail ->> 'step' = s.name
                      AND a.detail ->> 'round' = s.round::text)

-- name: approval
SELECT a.role, pg_catalog.to_char(a.at, 'YYYY-MM-DD HH24:MI:SS TZ')
  FROM :"state".steps s
  JOIN :"state".acts a ON a.run = s.run AND a.act = 'approve' AND a.detail ->> 'step' = s.name
       AND a.detail ->> 'round' = $3::text
 WHERE s.run = $1::bigint AND s.step = $2::int
 ORDER BY a.at LIMIT 1

-- FOR KEY SHARE on the lease, as everything that a runner writes: one that lost it writes nothing.
-- name: wait
WITH held AS MATERIALIZED (SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE)
UPDATE :"state".runs r
   SET state = 'waiting', error = NULL,
       waiting = pg_catalog.jsonb_build_object('reason', $3::text, 'until', $4::text, 'since', pg_catalog.to_char(
                 pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  FROM held WHERE r.run = held.run
