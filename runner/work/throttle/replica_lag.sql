-- The moment and the end of the WAL, then the standbys: first those that are connected, then slots of standbys that are
-- not. Logical subscribers, base backups and receivers that replay nothing are no standbys. Lag as the server
-- knows it is only for the time before our own samples: it is NULL where nothing happens, and stale after a catch-up.
-- name: standbys
SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,
       (w.lsn OPERATOR(pg_catalog.-) '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8,
       s.slot, s.application, s.address, s.connections,
       (s.replayed OPERATOR(pg_catalog.-) '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8, s.lag
  FROM (SELECT pg_catalog.pg_current_wal_flush_lsn()) AS w (lsn)
  LEFT JOIN (
       SELECT l.slot_name::pg_catalog.text, r.application_name, pg_catalog.host(r.client_addr), pg_catalog.count(*),
              pg_catalog.min(r.replay_lsn),
              (EXTRACT(epoch FROM pg_catalog.max(r.replay_lag)) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8
         FROM pg_catalog.pg_stat_replication AS r
         LEFT JOIN pg_catalog.pg_replication_slots AS l ON l.active_pid OPERATOR(pg_catalog.=) r.pid
        WHERE r.replay_lsn IS NOT NULL AND l.slot_type IS DISTINCT FROM 'logical'
        GROUP BY 1, 2, 3
       UNION ALL
       SELECT l.slot_name::pg_catalog.text, NULL, NULL, 0, NULL, NULL
         FROM pg_catalog.pg_replication_slots AS l
        WHERE l.slot_type OPERATOR(pg_catalog.=) 'physical' AND NOT l.active AND NOT l.temporary
              AND l.restart_lsn IS NOT NULL AND l.wal_status IS DISTINCT FROM 'lost')
       AS s (slot, application, address, connections, replayed, lag) ON true
