-- What a waiting run says to status: $1 run, $2 fence, $3 why (NULL: it goes on), $4 what would end it, $5 for how many
-- ms. FOR KEY SHARE on the lease, as everything that a runner writes: one that lost it writes nothing.
-- name: say_waiting
WITH held AS MATERIALIZED (SELECT run FROM :"state".lease WHERE run = $1::bigint AND fence = $2::bigint FOR KEY SHARE)
UPDATE :"state".runs r
   SET waiting = CASE WHEN $3::text IS NOT NULL THEN pg_catalog.jsonb_build_object(
           'reason', $3::text, 'until', $4::text, 'since', pg_catalog.to_char(
               (pg_catalog.clock_timestamp()
                - pg_catalog.make_interval(secs => $5::bigint OPERATOR(pg_catalog./) 1000.0))
               AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END
  FROM held WHERE r.run = held.run
