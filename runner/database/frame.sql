-- name: frame_begin
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE

-- name: frame_begin_read
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY

-- First, and cheap: a role's timeout of a few milliseconds counts until here. Counting the batches of a long run may
-- take a while, and a takeover waits for the batches that the old runner has open, 15 s at most.
-- name: frame_no_timeout
SET LOCAL statement_timeout = 0

-- lock_timeout: longer than a takeover may wait; nobody but runners queues behind these statements.
-- name: frame_settings
SELECT pg_catalog.set_config('search_path', COALESCE($1, 'pg_catalog'), true),
       pg_catalog.set_config('lock_timeout', '20s', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '15s', true),
       pg_catalog.set_config('client_connection_check_interval', '2s', true),
       pg_catalog.set_config('synchronous_commit',
           CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' THEN 'local'
                ELSE pg_catalog.current_setting('synchronous_commit') END, true),
       pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
       pg_catalog.set_config('bytea_output', 'hex', true),
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', true) END
