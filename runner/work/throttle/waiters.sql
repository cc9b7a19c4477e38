-- Who waits for a session of this run ($1: how their application names begin), and is none of them. Locks that are not
-- granted are few, and only of those it is asked whom they wait for, which stops the lock table for a moment.
-- name: waiters
SELECT pg_catalog.count(DISTINCT w.pid), pg_catalog.min(w.pid),
       pg_catalog.min(w.relation::pg_catalog.regclass::pg_catalog.text)
  FROM (SELECT pg_catalog.array_agg(a.pid) AS pids
          FROM pg_catalog.pg_stat_activity AS a
         WHERE pg_catalog.starts_with(a.application_name, $1)) AS o
  JOIN pg_catalog.pg_locks AS w ON NOT w.granted AND w.pid OPERATOR(pg_catalog.<>) ALL (o.pids)
 WHERE pg_catalog.pg_blocking_pids(w.pid) OPERATOR(pg_catalog.&&) o.pids
