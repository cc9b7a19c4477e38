-- Does this expression, as EXPLAIN writes it, call a function whose value changes from one statement or transaction
-- to the next? Volatile ones, and those that tell the time.
-- name: changes
SELECT $1::pg_catalog.text OPERATOR(pg_catalog.~) '(CURRENT_(DATE|TIME)|LOCALTIME)'
    OR EXISTS (SELECT
                 FROM pg_catalog.regexp_matches($1::pg_catalog.text, '([[:alnum:]_$]+)"?\(', 'g') AS m (parts)
                 JOIN pg_catalog.pg_proc AS p ON p.proname OPERATOR(pg_catalog.=) m.parts[1]::pg_catalog.name
                WHERE p.provolatile OPERATOR(pg_catalog.=) 'v'
                   OR p.proname OPERATOR(pg_catalog.=)
                      ANY (ARRAY['now', 'transaction_timestamp', 'statement_timestamp']::pg_catalog.name[]))
