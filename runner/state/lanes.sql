-- Who may go in. All of it but `clear` in one transaction that has locked the gate.

-- One at a time. What others did before is seen by the statements behind this one, and not by this one itself.
-- name: lock_gate
SELECT FROM :"state".lanes FOR UPDATE

-- The tables of the claim with everything below them (partitions, children by inheritance), and with what is above,
-- too: a run on a partition and one on the whole table meet, two on different partitions do not. An undo names none:
-- they are those of its run, and where that is older than lanes, those it has archives of.
-- name: spread
WITH RECURSIVE own (oid) AS (
    SELECT pg_catalog.unnest(COALESCE($2::oid[], r.tables, r.table_oid OPERATOR(pg_catalog.||) ARRAY(
               SELECT a.table_oid FROM :"state".archives a WHERE a.run OPERATOR(pg_catalog.=) r.run)))
      FROM :"state".runs r WHERE r.run OPERATOR(pg_catalog.=) $1::bigint
), down (oid) AS (
    SELECT oid FROM own
     UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN down d ON i.inhparent OPERATOR(pg_catalog.=) d.oid
), up (oid) AS (
    SELECT oid FROM own
     UNION
    SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up u ON i.inhrelid OPERATOR(pg_catalog.=) u.oid
)
SELECT ARRAY(SELECT oid FROM down ORDER BY 1), ARRAY(SELECT oid FROM down UNION SELECT oid FROM up),
       COALESCE($3::text, (SELECT r.lane FROM :"state".runs r WHERE r.run OPERATOR(pg_catalog.=) $1::bigint), 'default')

-- Whoever is in the way, the living first. Somebody who entered and is dead is in the way too, until `clear`: it may be
-- asleep and wake up. $1 run, $2 lane, $3 tables, those above too, $4 s until a lease is stale, $5 until a holder whose
-- connection is gone is given up: it may only be connecting anew.
-- name: in_the_way
SELECT r.run, r.plan, r.environment, l.holder, l.fence, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - l.beat),
       a.there,
       l.beat OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $4::int)
       OR NOT a.there
          AND l.beat OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $5::int),
       (SELECT pg_catalog.format('%s.%s', n.nspname, c.relname)
          FROM pg_catalog.unnest(r.tables) AS t (oid)
          JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.oid
          JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE t.oid OPERATOR(pg_catalog.=) ANY ($3::oid[]) ORDER BY c.relispartition, 1 LIMIT 1)
  FROM :"state".lease l
  JOIN :"state".runs r ON r.run OPERATOR(pg_catalog.=) l.run
 CROSS JOIN LATERAL (
       SELECT l.pid IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity p
                                        WHERE p.pid OPERATOR(pg_catalog.=) l.pid)) a (there)
 WHERE l.run OPERATOR(pg_catalog.<>) $1::bigint AND l.entered IS NOT NULL
   AND (r.lane OPERATOR(pg_catalog.=) $2::text OR r.tables OPERATOR(pg_catalog.&&) $3::oid[])
 ORDER BY 8, r.run LIMIT 1

-- name: enter
WITH entered AS (UPDATE :"state".lease SET entered = pg_catalog.clock_timestamp()
                  WHERE run OPERATOR(pg_catalog.=) $1::bigint AND fence OPERATOR(pg_catalog.=) $2::bigint RETURNING run)
UPDATE :"state".runs r SET lane = $3::text, tables = $4::oid[], waiting = NULL
  FROM entered e WHERE r.run OPERATOR(pg_catalog.=) e.run

-- Shuts out a holder that is dead, or asleep past its lease: raises its fence, which waits for its open batches, and
-- none can begin after it. Not when it has shown itself meanwhile. $3, $4 as $4, $5 of in_the_way.
-- name: clear
UPDATE :"state".lease l SET fence = l.fence OPERATOR(pg_catalog.+) 1, beat = '-infinity', entered = NULL
 WHERE l.run OPERATOR(pg_catalog.=) $1::bigint AND l.fence OPERATOR(pg_catalog.=) $2::bigint
   AND (l.beat OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $3::int)
        OR l.pid IS NOT NULL
           AND l.beat OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $4::int)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity p WHERE p.pid OPERATOR(pg_catalog.=) l.pid))

-- While it queues, status says so.
-- name: queue
UPDATE :"state".runs r
   SET state = 'waiting',
       waiting = pg_catalog.jsonb_build_object('reason', $3::text, 'since',
           COALESCE(r.waiting OPERATOR(pg_catalog.->>) 'since', pg_catalog.to_char(
                    pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  FROM :"state".lease l
 WHERE r.run OPERATOR(pg_catalog.=) $1::bigint AND l.run OPERATOR(pg_catalog.=) r.run
   AND l.fence OPERATOR(pg_catalog.=) $2::bigint

-- name: leave_queue
UPDATE :"state".runs r SET waiting = NULL WHERE r.run OPERATOR(pg_catalog.=) $1::bigint AND r.waiting IS NOT NULL
