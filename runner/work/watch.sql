-- One row about the server process $1: what it is at, how much of that is done, and the first session that it waits
-- for. Everything here may be read by any role; what others hide from us is NULL.
-- name: watch
SELECT COALESCE(i.phase, v.phase, a.phase),
       CASE WHEN i.phase OPERATOR(pg_catalog.~) 'tuples in tree$' THEN
                 100.0 OPERATOR(pg_catalog.*) i.tuples_done OPERATOR(pg_catalog./) NULLIF(i.tuples_total, 0)
            WHEN i.phase OPERATOR(pg_catalog.~) 'scanning (table|index)$' THEN
                 100.0 OPERATOR(pg_catalog.*) i.blocks_done OPERATOR(pg_catalog./) NULLIF(i.blocks_total, 0)
            WHEN v.phase OPERATOR(pg_catalog.=) 'scanning heap' THEN
                 100.0 OPERATOR(pg_catalog.*) v.heap_blks_scanned OPERATOR(pg_catalog./) NULLIF(v.heap_blks_total, 0)
            WHEN v.phase OPERATOR(pg_catalog.=) 'vacuuming heap' THEN
                 100.0 OPERATOR(pg_catalog.*) v.heap_blks_vacuumed OPERATOR(pg_catalog./) NULLIF(v.heap_blks_total, 0)
            WHEN a.phase OPERATOR(pg_catalog.=) 'acquiring sample rows' THEN
                 100.0 OPERATOR(pg_catalog.*) a.sample_blks_scanned
                 OPERATOR(pg_catalog./) NULLIF(a.sample_blks_total, 0)
       END::pg_catalog.int4,
       b.pid, x.application_name, x.usename,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) x.xact_start)::pg_catalog.int8
  FROM (SELECT $1::pg_catalog.int4 AS pid) AS me
  LEFT JOIN pg_catalog.pg_stat_progress_create_index AS i ON i.pid OPERATOR(pg_catalog.=) me.pid
  LEFT JOIN pg_catalog.pg_stat_progress_vacuum AS v ON v.pid OPERATOR(pg_catalog.=) me.pid
  LEFT JOIN pg_catalog.pg_stat_progress_analyze AS a ON a.pid OPERATOR(pg_catalog.=) me.pid
  LEFT JOIN LATERAL (SELECT u.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(me.pid)) AS u (pid) LIMIT 1) AS b
       ON true
  LEFT JOIN pg_catalog.pg_stat_activity AS x ON x.pid OPERATOR(pg_catalog.=) b.pid
