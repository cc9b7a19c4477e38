-- The time of the day in the zone $1, or in the session's own: seconds since midnight, and as people write it.
-- name: time_of_day
SELECT pg_catalog.floor(EXTRACT(epoch FROM t.t))::pg_catalog.int8,
       pg_catalog.to_char(t.t::pg_catalog.interval, 'HH24:MI')
  FROM (SELECT pg_catalog.timezone(COALESCE($1::pg_catalog.text, pg_catalog.current_setting('TimeZone')),
                                   pg_catalog.clock_timestamp())::pg_catalog.time) AS t (t)
