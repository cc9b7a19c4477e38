-- Nobody waits here: a lock is free, or its holder is told of. One that is over its time goes to whoever comes first.
-- name: take_lock
INSERT INTO :"state".locks AS l (name, fence, holder, command, beat, ttl)
VALUES ($1, 1, $2, $3, pg_catalog.clock_timestamp(), pg_catalog.make_interval(secs => $4::bigint / 1000.0))
ON CONFLICT (name) DO UPDATE
   SET fence = l.fence + 1, holder = excluded.holder, command = excluded.command, beat = excluded.beat,
       ttl = excluded.ttl, taken = excluded.beat
 WHERE l.beat + l.ttl < pg_catalog.clock_timestamp()
RETURNING fence

-- name: release_lock
UPDATE :"state".locks SET beat = '-infinity' WHERE name = $1 AND fence = $2::bigint

-- name: beat_lock
UPDATE :"state".locks SET beat = pg_catalog.clock_timestamp() WHERE name = $1 AND fence = $2::bigint

-- name: has_locks
SELECT pg_catalog.to_regclass(pg_catalog.format('%I.locks', $1::text)) IS NOT NULL

-- name: held_locks
SELECT name, holder, command,
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - taken) * 1000)::bigint,
       (EXTRACT(epoch FROM pg_catalog.clock_timestamp() - beat) * 1000)::bigint,
       (EXTRACT(epoch FROM ttl) * 1000)::bigint
  FROM :"state".locks
 WHERE ($1::text IS NULL OR name = $1) AND pg_catalog.isfinite(beat) AND beat + ttl >= pg_catalog.clock_timestamp()
 ORDER BY name
