-- A trial that fails must not end the transaction in which a plan is compiled.
-- name: save
SAVEPOINT pgwinnow_throttle

-- name: back
ROLLBACK TO SAVEPOINT pgwinnow_throttle

-- Does the server know the zone?
-- name: zone
SELECT pg_catalog.timezone($1::pg_catalog.text, pg_catalog.clock_timestamp())

-- Whether this role may see others' sessions, and whether a standby is there. Without that right the rows of
-- pg_stat_replication are there, but empty.
-- name: sight
SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'),
       EXISTS (SELECT FROM pg_catalog.pg_stat_replication)
       OR EXISTS (SELECT FROM pg_catalog.pg_replication_slots AS s
                   WHERE s.slot_type OPERATOR(pg_catalog.=) 'physical' AND s.restart_lsn IS NOT NULL),
       CURRENT_USER
