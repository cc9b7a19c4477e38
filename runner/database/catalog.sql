-- What a name of a plan means. A qualified name is looked up in the catalog itself, since to_regclass() fails where the
-- role has no USAGE on the schema, and the missing GRANT is told later. $1 schema or NULL, $2 name.
-- name: resolve_table
SELECT c.oid, c.relkind,
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(c.relname)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE ($1::pg_catalog.text IS NULL
        AND c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.quote_ident($2::pg_catalog.text)))
    OR (n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.text AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.text)

-- What may have been meant when there is none: tables of the schema (or of the search_path), and tables of that name
-- in any schema. $1 schema or NULL, $2 name.
-- name: similar_tables
SELECT n.nspname, c.relname, c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
   AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'
   AND (c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.text
        OR CASE WHEN $1::pg_catalog.text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
                ELSE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.text END)
 ORDER BY n.nspname, c.relname
 LIMIT 2000

-- Tables in the order asked for, $1 an oid[]. Estimates are the planner's, summed over the partitions: no table is
-- opened, so nobody's ACCESS EXCLUSIVE lock is waited for. Only a table that was never analysed is measured.
-- name: read_tables
WITH RECURSIVE wanted (oid, position) AS (
    SELECT w.oid, w.position
      FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS w (oid, position)
), members (top, oid) AS (
    SELECT w.oid, w.oid FROM wanted AS w
    UNION ALL
    SELECT m.top, i.inhrelid
      FROM members AS m
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) m.oid AND NOT i.inhdetachpending
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid AND c.relispartition
), sizes (top, rows, bytes) AS (
    SELECT m.top,
           pg_catalog.sum(CASE WHEN c.reltuples OPERATOR(pg_catalog.>) 0
                          THEN c.reltuples::pg_catalog.float8 ELSE 0 END),
           pg_catalog.sum(CASE WHEN c.reltuples OPERATOR(pg_catalog.<) 0 THEN pg_catalog.pg_table_size(c.oid)
                          ELSE (c.relpages OPERATOR(pg_catalog.+) COALESCE(t.relpages, 0))::pg_catalog.int8
                               OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.int8 END)
      FROM members AS m
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) m.oid
      LEFT JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) c.reltoastrelid
     WHERE c.relkind OPERATOR(pg_catalog.<>) 'p'
     GROUP BY m.top
)
SELECT c.oid, n.nspname, c.relname, c.relkind OPERATOR(pg_catalog.=) 'p', c.relispartition,
       s.rows::pg_catalog.int8, s.bytes::pg_catalog.int8,
       pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       pg_catalog.row_security_active(c.oid)
  FROM wanted AS w
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) w.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN sizes AS s ON s.top OPERATOR(pg_catalog.=) w.oid
 ORDER BY w.position

-- Their columns, $1 an oid[].
-- name: read_columns
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(l.collname),
       a.attnotnull, a.attgenerated OPERATOR(pg_catalog.<>) '', a.attidentity OPERATOR(pg_catalog.=) 'a'
  FROM pg_catalog.pg_attribute AS a
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) a.attcollation
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) l.collnamespace
 WHERE a.attrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum

-- The key that names a row: the primary key, else the shortest unique index that no two committed rows can share and
-- that no NULL escapes. One row a table that has one, $1 an oid[].
-- name: read_keys
SELECT DISTINCT ON (i.indrelid) i.indrelid, c.relname, i.indisprimary, i.indnkeyatts, i.indkey::pg_catalog.text
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE i.indrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND i.indisunique AND i.indisvalid AND i.indislive AND (i.indisprimary OR i.indimmediate)
   AND i.indpred IS NULL AND i.indexprs IS NULL
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (number, position)
                     JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
                                                      AND a.attnum OPERATOR(pg_catalog.=) k.number
                    WHERE k.position OPERATOR(pg_catalog.<=) i.indnkeyatts AND NOT a.attnotnull)
 ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, c.relname

-- The leaf partitions of a table, or the table itself. A partition that is being detached is none of it any more.
-- name: read_leaves
WITH RECURSIVE members (oid) AS (
    SELECT $1::pg_catalog.oid
    UNION ALL
    SELECT i.inhrelid
      FROM members AS m
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) m.oid AND NOT i.inhdetachpending
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid AND c.relispartition
)
SELECT c.oid, n.nspname, c.relname
  FROM members AS m
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) m.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.relkind OPERATOR(pg_catalog.<>) 'p'
 ORDER BY c.oid
