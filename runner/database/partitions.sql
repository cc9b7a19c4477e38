-- Every partition of the database with what it is a partition of. Inheritance children are tables of their own, and a
-- partition that is being detached is none any more.
-- name: partitions
SELECT i.inhrelid, i.inhparent, c.relkind OPERATOR(pg_catalog.<>) 'p'
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.inhrelid AND c.relispartition
 WHERE NOT i.inhdetachpending AND c.relkind OPERATOR(pg_catalog.<>) ALL (ARRAY['i', 'I']::pg_catalog."char"[])
 ORDER BY i.inhrelid
