-- Keep by a rule in Lua: groups stream out of one connection, and what the rule says of them into a table by another.

-- A group arrives whole, its rows in the order of the key: one sort for window and order. Rows that are alone stay in
-- the server; the size of a group tells where it ends. The version is that of the very row that the rule sees.
-- name: copy_groups
COPY (
SELECT pgwinnow_count, :alias.tableoid, :alias.pgwinnow_place, :alias.pgwinnow_version, :columns :children :group_fields
  FROM (SELECT :alias.*, :alias.tableoid AS tableoid, :alias.ctid AS pgwinnow_place, :alias.xmin AS pgwinnow_version,
               :group_values, pg_catalog.count(*) OVER (PARTITION BY :list ORDER BY :keys
                   ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS pgwinnow_count
          FROM :from AS :alias
         WHERE (:condition
               ) AND :no_nulls :repeated) AS :alias
 WHERE pgwinnow_count OPERATOR(pg_catalog.>) 1
 ORDER BY :group_names, :keys
) TO STDOUT

-- Rows are wide: those that are alone are found by list and key first, and never sorted with all they hold.
-- name: repeated
AND EXISTS (SELECT FROM (SELECT :numbered_keys, pg_catalog.count(*) OVER (PARTITION BY :list) AS pgwinnow_count
                           FROM :from AS :alias
                          WHERE (:condition
                                ) AND :no_nulls) AS pgwinnow_narrow
             WHERE pgwinnow_count OPERATOR(pg_catalog.>) 1 AND :table_is_narrow)

-- name: child_count
, (SELECT pg_catalog.count(*) FROM :child AS pgwinnow_child WHERE :points :leaves)

-- name: create_judged
CREATE UNLOGGED TABLE :judged (
    pgwinnow_table oid, pgwinnow_place tid, pgwinnow_version xid, :key_definitions, pgwinnow_survivor_version xid,
    :survivor_definitions :group_definitions)

-- name: fill_judged
COPY :judged FROM STDIN

-- name: rows_judged
SELECT * FROM :judged AS pgwinnow_judged

-- name: drop_judged
DROP TABLE :judged
