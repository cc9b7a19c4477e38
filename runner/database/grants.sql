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

-- Only the owner builds an index, on each partition too, and the index is created in the schema of its table.
-- name: missing_to_index
WITH family AS MATERIALIZED (
     SELECT $1::pg_catalog.oid AS oid
      UNION
     SELECT t.relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) AS t)
SELECT pg_catalog.format('GRANT %I TO %I; -- only its owner builds an index on %s',
                         pg_catalog.pg_get_userbyid(c.relowner), CURRENT_USER,
                         pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.relname), ', '
                                               ORDER BY c.oid))
  FROM family AS f
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) f.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
 GROUP BY c.relowner
 UNION ALL
SELECT DISTINCT pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I; -- an index is created in the schema of its table',
                                  n.nspname, CURRENT_USER)
  FROM family AS f
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) f.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE')

-- VACUUM by others than the table's owner, the database's owner, and from PostgreSQL 17 on who holds MAINTAIN, does
-- nothing and warns; so it does partition by partition.
-- name: missing_to_vacuum
SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.<) 170000
            THEN pg_catalog.format('GRANT %I TO %I; -- this role may not VACUUM %I.%I: its owner, the database''s may',
                                   pg_catalog.pg_get_userbyid(c.relowner), CURRENT_USER, n.nspname, c.relname)
            ELSE pg_catalog.format('GRANT MAINTAIN ON %I.%I TO %I; -- this role may not VACUUM it', n.nspname,
                                   c.relname, CURRENT_USER) END
  FROM (SELECT $1::pg_catalog.oid
         UNION
        SELECT t.relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) AS t) AS f (oid)
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) f.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
 WHERE NOT (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.pg_has_role(d.datdba, 'USAGE')
            OR CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4
                         OPERATOR(pg_catalog.>=) 170000
                    THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') ELSE false END)
 ORDER BY c.oid
