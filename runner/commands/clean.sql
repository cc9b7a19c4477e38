-- Dropping what runs that are over left behind.

-- For the whole session, which is ours alone then: a concurrent drop waits for old transactions, and nobody queues
-- behind it.
-- name: index_session
SELECT pg_catalog.set_config('application_name', 'pgwinnow: clean', false),
       pg_catalog.set_config('lock_timeout', '0', false),
       pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('client_connection_check_interval', '2s', false)

-- It stands on a table that the application uses, so never without CONCURRENTLY.
-- name: drop_index
DROP INDEX CONCURRENTLY IF EXISTS :object

-- name: begin_clean
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE

-- name: clean_settings
SELECT pg_catalog.set_config('application_name', 'pgwinnow: clean', true),
       pg_catalog.set_config('lock_timeout', '2s', true),
       pg_catalog.set_config('statement_timeout', '1min', true)

-- name: drop_table
DROP TABLE IF EXISTS :object

-- name: drop_sequence
DROP SEQUENCE IF EXISTS :object

-- name: end_clean
COMMIT

-- name: undo_clean
ROLLBACK
