-- What the role lacks. Columns count: UPDATE of any column of a table is enough for its row locks, of the columns that
-- are set to NULL for set-null, or that moves change. $1 tables and $2 whether rows of it are removed (else: only
-- looked at), each once.
-- name: missing_on_tables
SELECT pg_catalog.quote_ident(n.nspname),
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(c.relname),
       NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       NOT pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       w.removed AND NOT pg_catalog.has_table_privilege(c.oid, 'DELETE'),
       w.removed AND NOT pg_catalog.has_any_column_privilege(c.oid, 'UPDATE'),
       pg_catalog.quote_ident(CURRENT_USER)
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.bool[]))
       WITH ORDINALITY AS w (oid, removed, position)
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) w.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 ORDER BY n.nspname, w.position

-- $1 tables, $2 columns to be changed, as pairs.
-- name: missing_on_columns
SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(c.relname),
       pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(a.attname), ', '
                             ORDER BY pg_catalog.quote_ident(a.attname)),
       pg_catalog.quote_ident(CURRENT_USER)
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int2[])) AS w (oid, number)
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) w.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) w.oid
       AND a.attnum OPERATOR(pg_catalog.=) w.number
 WHERE NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'UPDATE')
 GROUP BY n.nspname, c.relname
 ORDER BY n.nspname, c.relname
