-- The timeline stands in front of the name of the WAL file at hand; pg_control_checkpoint() knows a new one only after
-- the first checkpoint. Some services have no such function: then nothing is known, and nothing is compared.
-- name: timeline
SELECT pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8)

-- What the run had committed, as far as we know of it: its fence, and how many steps are done.
-- name: known
SELECT (SELECT l.fence FROM :"state".lease l WHERE l.run = $1::bigint),
       (SELECT pg_catalog.count(*) FROM :"state".steps s
         WHERE s.run = $1::bigint AND s.step < $2::int AND s.state = 'done')
