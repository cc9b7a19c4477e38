-- name: begin_write
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE

-- name: begin_read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- The role's own limit counts until here: a few milliseconds may be too few for the settings.
-- name: no_timeout
SET LOCAL statement_timeout = 0

-- row_security off: the server raises an error instead of hiding rows from us. JIT switches on at 10,000 estimated rows
-- and costs more than a batch. A client that vanished is noticed within two seconds.
-- A commit that is only in the server's memory must not be built upon: a crash would take it back behind our back.
-- name: settings
SELECT pg_catalog.set_config('search_path', $1, true),
       pg_catalog.set_config('application_name', $2, true),
       pg_catalog.set_config('lock_timeout', $3, true),
       pg_catalog.set_config('statement_timeout', $4, true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', $5, true),
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', true) END,
       pg_catalog.set_config('client_connection_check_interval', '2s', true),
       pg_catalog.set_config('row_security', 'off', true),
       pg_catalog.set_config('synchronous_commit',
           CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' THEN 'local'
                ELSE pg_catalog.current_setting('synchronous_commit') END, true),
       pg_catalog.set_config('jit', 'off', true),
       pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
       pg_catalog.set_config('IntervalStyle', 'postgres', true),
       pg_catalog.set_config('extra_float_digits', '1', true),
       pg_catalog.set_config('bytea_output', 'hex', true),
       pg_catalog.set_config('enable_hashjoin', $6, true),
       pg_catalog.set_config('enable_mergejoin', $7, true),
       pg_catalog.set_config('enable_seqscan', $7, true),
       pg_catalog.set_config('max_parallel_workers_per_gather',
           CASE WHEN $7::boolean THEN pg_catalog.current_setting('max_parallel_workers_per_gather') ELSE '0' END, true)

-- Deferred errors would come at COMMIT, without the name of what failed.
-- name: immediate
SET CONSTRAINTS ALL IMMEDIATE
