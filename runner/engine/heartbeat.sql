-- Of server processes that owe us an answer, those that are gone, or have nothing to do any more: the answer was lost
-- on its way, in a proxy that hangs or a network that was cut.
-- name: through
SELECT p.pid FROM pg_catalog.unnest($1::int[]) AS p (pid)
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) p.pid
 WHERE a.pid IS NULL
    OR (a.state OPERATOR(pg_catalog.<>) 'active'
        AND a.state_change OPERATOR(pg_catalog.<) pg_catalog.clock_timestamp() - interval '5 s')
