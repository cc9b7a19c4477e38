-- name: save
SAVEPOINT pgwinnow_trial

-- name: back
ROLLBACK TO SAVEPOINT pgwinnow_trial

-- name: condition
SELECT FROM :from AS :"name" WHERE (:condition
)

-- name: setting
SELECT pg_catalog.set_config($1, $2, true)

-- name: explain
EXPLAIN (COSTS off) :statement

-- What of the words $1 "permission denied for table orders" is a table that the role may not read, or a schema that it
-- may not look into.
-- name: unreadable
SELECT 'GRANT SELECT ON ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname) OPERATOR(pg_catalog.||) ' TO '
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(CURRENT_USER) OPERATOR(pg_catalog.||) ';'
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE pg_catalog.right($1::pg_catalog.text, pg_catalog.length(c.relname::pg_catalog.text) OPERATOR(pg_catalog.+) 1)
       OPERATOR(pg_catalog.=) (' ' OPERATOR(pg_catalog.||) c.relname::pg_catalog.text)
   AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
   AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
 UNION ALL
SELECT 'GRANT USAGE ON SCHEMA ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) ' TO '
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(CURRENT_USER) OPERATOR(pg_catalog.||) ';'
  FROM pg_catalog.pg_namespace AS n
 WHERE pg_catalog.right($1::pg_catalog.text, pg_catalog.length(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.+) 1)
       OPERATOR(pg_catalog.=) (' ' OPERATOR(pg_catalog.||) n.nspname::pg_catalog.text)
   AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
