-- Keys that stand more than once, by the very list, condition and NULL rule of the unique index that is to be built,
-- the most frequent first, and how many such keys there are. One pass over the table, before a build that would fail
-- at its end.
-- name: duplicates
SELECT d.key, d.rows, pg_catalog.count(*) OVER ()
  FROM (SELECT ROW(:keys)::pg_catalog.text AS key, pg_catalog.count(*) AS rows
          FROM (SELECT :expressions FROM :from AS :"name" WHERE (:condition
                )) AS pgwinnow_all
         WHERE :not_null
         GROUP BY :keys
        HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) AS d
 ORDER BY d.rows DESC, d.key LIMIT 5

-- A constraint by name: $1 table, $2 name. Its kind and the name of its index.
-- name: constraint_named
SELECT n.contype, c.relname
  FROM pg_catalog.pg_constraint AS n
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) n.conindid
 WHERE n.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND n.conname OPERATOR(pg_catalog.=) $2::pg_catalog.name

-- Needs ACCESS EXCLUSIVE for a moment, but reads nothing: in short tries. The index takes the constraint's name.
-- name: add_constraint
ALTER TABLE :from ADD CONSTRAINT :"constraint" UNIQUE USING INDEX :"index"

-- The constraint that an index stands behind: it cannot be dropped without it. $1 schema, $2 name of the index.
-- name: constraint_behind
SELECT n.conname
  FROM pg_catalog.pg_constraint AS n
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) n.conindid
  JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE s.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name
   AND n.contype OPERATOR(pg_catalog.=) ANY (ARRAY['p', 'u', 'x']::pg_catalog."char"[])

-- The columns by which a table and its partitions are partitioned, on every level; NULL for an expression. $1 the
-- table.
-- name: partition_keys
WITH RECURSIVE members (oid) AS (
    SELECT $1::pg_catalog.oid
    UNION ALL
    SELECT h.inhrelid
      FROM members AS m
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent OPERATOR(pg_catalog.=) m.oid AND NOT h.inhdetachpending
)
SELECT DISTINCT a.attname
  FROM members AS m
  JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid OPERATOR(pg_catalog.=) m.oid
 CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs) AS k (number)
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) m.oid
       AND a.attnum OPERATOR(pg_catalog.=) k.number
