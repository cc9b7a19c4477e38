-- The next transaction's number and the moment; then what keeps dead rows of this database from being vacuumed: other
-- sessions' transactions and prepared ones, whose age the server knows, and standbys and slots, of which it knows only
-- the number of a transaction. Our own sessions ($1: how their names begin) and autovacuum do not count.
-- name: holders
SELECT (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8,
       n.xid, h.what, h.age, n.xid OPERATOR(pg_catalog.-) pg_catalog.age(h.xmin)
  FROM (SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text::pg_catalog.int8)
       AS n (xid)
  LEFT JOIN (
       SELECT pg_catalog.format('the transaction of pid %s (%s%s)', a.pid, NULLIF(a.application_name, '')
                  OPERATOR(pg_catalog.||) ', ', a.usename),
              (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)
               OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8, NULL::pg_catalog.xid
         FROM pg_catalog.pg_stat_activity AS a
        WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
              AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
              AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
              AND NOT pg_catalog.starts_with(a.application_name, $1)
       UNION ALL
       SELECT pg_catalog.format('the prepared transaction %s (%s)', p.gid, p.owner),
              (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) p.prepared)
               OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8, NULL
         FROM pg_catalog.pg_prepared_xacts AS p
        WHERE p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
       UNION ALL
       SELECT pg_catalog.format('a query on standby %s', r.application_name), NULL, r.backend_xmin
         FROM pg_catalog.pg_stat_replication AS r WHERE r.backend_xmin IS NOT NULL
       UNION ALL
       SELECT pg_catalog.format('the replication slot %s', s.slot_name), NULL, s.xmin
         FROM pg_catalog.pg_replication_slots AS s WHERE s.xmin IS NOT NULL)
       AS h (what, age, xmin) ON true
