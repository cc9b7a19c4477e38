-- For the names of events.
-- name: run_uid
SELECT uid FROM :"state".runs WHERE run = $1::bigint

-- What happened, and what endpoints are to be told of it, in the transaction of what it tells: $1 run, $2 fence, $3 a
-- JSON array of { id, type, body }, $4 one of { endpoint, id, type, body, stored, alone }. An id is there once, whoever
-- writes it again because he never heard of the COMMIT; and what he wrote may have been delivered by now, so only news
-- are put into the outbox (`stored`: the event has a row). Who writes the same at the same time waits at the first id
-- and comes in behind, so the order of seq is the order of what happened. Events go first everywhere, or two such
-- writers would wait for each other. An endpoint that is gone is told nothing more by this run. `alone`: not while one
-- of its type is still waiting to be delivered.
-- name: put
WITH held AS MATERIALIZED (
     SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE),
     told AS (
     INSERT INTO :"state".events (run, id, type, at, body)
     SELECT held.run, e.one ->> 'id', e.one ->> 'type', (e.one #>> '{body,time}')::timestamptz, e.one -> 'body'
       FROM held CROSS JOIN pg_catalog.jsonb_array_elements($3::jsonb) WITH ORDINALITY AS e (one, place)
      ORDER BY e.place
         ON CONFLICT (id) DO NOTHING
     RETURNING id),
     news AS MATERIALIZED (SELECT COALESCE(pg_catalog.array_agg(id), '{}') AS ids FROM told),
     queued AS (
     INSERT INTO :"state".outbox (run, endpoint, id, type, body)
     SELECT held.run, o.one ->> 'endpoint', o.one ->> 'id', o.one ->> 'type', o.one ->> 'body'
       FROM held CROSS JOIN news CROSS JOIN pg_catalog.jsonb_array_elements($4::jsonb) WITH ORDINALITY AS o (one, place)
      WHERE (NOT (o.one ->> 'stored')::boolean OR o.one ->> 'id' = ANY (news.ids))
        AND NOT EXISTS (SELECT FROM :"state".endpoints AS g
                         WHERE g.run = held.run AND g.endpoint = o.one ->> 'endpoint' AND g.gone IS NOT NULL)
        AND NOT ((o.one ->> 'alone')::boolean
                 AND EXISTS (SELECT FROM :"state".outbox AS w
                              WHERE w.run = held.run AND w.endpoint = o.one ->> 'endpoint'
                                AND w.type = o.one ->> 'type'))
      ORDER BY o.place
         ON CONFLICT (endpoint, id) DO NOTHING
     RETURNING seq)
SELECT (SELECT pg_catalog.count(*) FROM queued), held.run FROM held

-- The next row for an endpoint ($3) of a plan and environment ($1, $2), of earlier runs first, if it is due; who takes
-- it puts `due` ahead by the longest that sending it may take ($4 ms), so nobody else sends it or what stands behind it
-- meanwhile, and when he is killed it is taken again. Who looks at the same time waits for that row and finds it taken.
-- $5: due or not, but for one that somebody is sending: that one has no answer yet. Without a row to send: how long
-- the first is still to be waited for. No row: nothing is left.
-- name: next
WITH head AS MATERIALIZED (
     SELECT o.seq, o.due
       FROM :"state".outbox AS o JOIN :"state".runs AS r ON r.run = o.run
      WHERE o.endpoint = $3 AND r.plan = $1 AND COALESCE(r.environment, '') = COALESCE($2, '')
      ORDER BY o.seq
      LIMIT 1),
     taken AS (
     UPDATE :"state".outbox AS o
        SET due = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4::bigint / 1000.0),
            tries = o.tries + 1, answer = NULL
       FROM head
      WHERE o.seq = head.seq
        AND (o.due <= pg_catalog.clock_timestamp() OR $5::boolean AND o.answer IS NOT NULL)
     RETURNING o.seq, o.run, o.id, o.body, o.tries)
SELECT t.seq, t.run, t.id, t.body, t.tries,
       GREATEST(0, EXTRACT(epoch FROM head.due - pg_catalog.clock_timestamp()) * 1000)::bigint
  FROM head LEFT JOIN taken AS t ON t.seq = head.seq

-- $1 seq, $2 what it answered. Somebody else may have delivered it meanwhile.
-- name: delivered
WITH gone AS (DELETE FROM :"state".outbox WHERE seq = $1::bigint RETURNING run, endpoint)
INSERT INTO :"state".endpoints AS e (run, endpoint, delivered, answer)
SELECT run, endpoint, 1, $2 FROM gone
    ON CONFLICT (run, endpoint) DO UPDATE SET delivered = e.delivered + 1, answer = excluded.answer

-- $1 seq, $2 what it answered, or why it did not, $3 in how many ms it is tried again.
-- name: undelivered
WITH kept AS (
     UPDATE :"state".outbox
        SET due = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $3::bigint / 1000.0), answer = $2
      WHERE seq = $1::bigint
     RETURNING run, endpoint)
INSERT INTO :"state".endpoints AS e (run, endpoint, answer)
SELECT run, endpoint, $2 FROM kept
    ON CONFLICT (run, endpoint) DO UPDATE SET answer = excluded.answer

-- It wants to hear no more: $1, $2, $3 as above, $4 what it answered. What waits is dropped, counted with the runs it
-- was of, and run $5, if it is given, puts nothing more there.
-- name: gone
WITH dropped AS (
     DELETE FROM :"state".outbox AS o
      USING :"state".runs AS r
      WHERE r.run = o.run AND o.endpoint = $3 AND r.plan = $1 AND COALESCE(r.environment, '') = COALESCE($2, '')
     RETURNING o.run)
INSERT INTO :"state".endpoints AS e (run, endpoint, dropped, gone, answer)
SELECT run, $3, pg_catalog.sum(n), pg_catalog.clock_timestamp(), $4
  FROM (SELECT run, 1 AS n FROM dropped UNION ALL SELECT $5::bigint, 0 WHERE $5 IS NOT NULL) AS x
 GROUP BY run
    ON CONFLICT (run, endpoint) DO UPDATE
       SET dropped = e.dropped + excluded.dropped, gone = COALESCE(e.gone, excluded.gone), answer = excluded.answer

-- What could not be delivered for too long ($3 days) is dropped and counted, of endpoints too that the plan does not
-- have any more.
-- name: expire
WITH dropped AS (
     DELETE FROM :"state".outbox AS o
      USING :"state".runs AS r
      WHERE r.run = o.run AND r.plan = $1 AND COALESCE(r.environment, '') = COALESCE($2, '')
        AND o.made < pg_catalog.clock_timestamp() - pg_catalog.make_interval(days => $3::int)
     RETURNING o.run, o.endpoint)
INSERT INTO :"state".endpoints AS e (run, endpoint, dropped)
SELECT run, endpoint, pg_catalog.count(*) FROM dropped GROUP BY run, endpoint
    ON CONFLICT (run, endpoint) DO UPDATE SET dropped = e.dropped + excluded.dropped

-- What is still to be told to whom.
-- name: waiting
SELECT o.endpoint, pg_catalog.count(*),
       (pg_catalog.array_agg(o.answer ORDER BY o.seq) FILTER (WHERE o.answer IS NOT NULL))[1]
  FROM :"state".outbox AS o JOIN :"state".runs AS r ON r.run = o.run
 WHERE r.plan = $1 AND COALESCE(r.environment, '') = COALESCE($2, '')
 GROUP BY o.endpoint
 ORDER BY o.endpoint
