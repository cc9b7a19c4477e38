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
