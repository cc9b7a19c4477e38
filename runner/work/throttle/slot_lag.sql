-- The slot that holds back most. One that the server has given up holds back nothing any more.
-- name: slot_lag
SELECT s.slot_name,
       (pg_catalog.pg_current_wal_lsn() OPERATOR(pg_catalog.-) s.restart_lsn)::pg_catalog.int8 AS bytes, s.active
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
 ORDER BY bytes DESC LIMIT 1
