-- For the whole session: it is ours alone. A client that vanished is noticed within two seconds, so that the
-- statement of a runner that was killed does not go on for hours.
-- name: session
SELECT pg_catalog.set_config('search_path', $1, false),
       pg_catalog.set_config('application_name', $2, false),
       pg_catalog.set_config('lock_timeout', '0', false),
       pg_catalog.set_config('statement_timeout', '0', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '15s', false),
       pg_catalog.set_config('idle_session_timeout', '0', false),
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', false) END,
       pg_catalog.set_config('default_transaction_read_only', 'off', false),
       pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
       pg_catalog.set_config('client_connection_check_interval', '2s', false),
       pg_catalog.set_config('row_security', 'off', false),
       pg_catalog.set_config('DateStyle', 'ISO, YMD', false),
       pg_catalog.set_config('IntervalStyle', 'postgres', false),
       pg_catalog.set_config('extra_float_digits', '1', false),
       pg_catalog.set_config('bytea_output', 'hex', false)

-- name: setting
SELECT pg_catalog.set_config($1, $2, false)

-- The database by its own name (a pooler may call it differently), the server by its start.
-- name: place
SELECT pg_catalog.current_database(), pg_catalog.pg_postmaster_start_time()
