-- Dropping what runs that are over left behind.

-- For the whole session, which is ours alone then: a concurrent drop waits for old transactions, and nobody queues
-- behind it.
-- name: index_session
SELECT pg_catalog.set_config('application_name', 'pgwinnow: clean', false),
       pg_catalog.set_config('lock_timeout', '0', false),
       pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('default_transaction_read_only', 'off', false),
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('client_connection_check_interval', '2s', false)

-- It stands on a table that the application uses, so never without CONCURRENTLY.
-- name: drop_index
DROP INDEX CONCURRENTLY IF EXISTS :object

-- name: clean_settings
SELECT pg_catalog.set_config('application_name', 'pgwinnow: clean', true),
       pg_catalog.set_config('lock_timeout', '2s', true),
       pg_catalog.set_config('statement_timeout', '1min', true)

-- name: drop_table
DROP TABLE IF EXISTS :object

-- name: drop_sequence
DROP SEQUENCE IF EXISTS :object

-- Those whose time is over, and those of a run that is undone: all they held is back, unless the undo left rows out.
-- $2: also those that are to be kept still.
-- name: archives_to_drop
SELECT a.table_oid, a.name, pg_catalog.format('%I.%I', a.schema_name, a.table_name)
  FROM :"state".archives a JOIN :"state".runs r ON r.run = a.run
 WHERE a.run = $1::bigint AND a.dropped IS NULL
   AND ($2::boolean OR r.finished + a.keep < pg_catalog.clock_timestamp()
        OR r.state = 'undone' AND NOT EXISTS (SELECT FROM :"state".steps s
                                               WHERE s.run = r.run AND s.kind = 'undo' AND s.spared > 0))
 ORDER BY a.name

-- Noted and not forgotten: an undo must say why it cannot. Whether it was the last one.
-- name: note_dropped
UPDATE :"state".archives a SET dropped = pg_catalog.clock_timestamp() WHERE a.run = $1::bigint AND a.table_oid = $2::oid
RETURNING NOT EXISTS (SELECT FROM :"state".archives o
                       WHERE o.run = a.run AND o.table_oid <> a.table_oid AND o.dropped IS NULL)
