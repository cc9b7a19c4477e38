-- The partitions of table $1, and their indexes that are attached to index $2.
-- name: partitions
SELECT c.oid, c.relkind, x.relname, COALESCE(x.indisvalid AND x.indisready AND x.indislive, false),
       c.oid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.pg_inherits AS h
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid AND c.relispartition
  LEFT JOIN LATERAL (
       SELECT k.relname, i.indisvalid, i.indisready, i.indislive
         FROM pg_catalog.pg_index AS i
         JOIN pg_catalog.pg_inherits AS a ON a.inhrelid OPERATOR(pg_catalog.=) i.indexrelid
              AND a.inhparent OPERATOR(pg_catalog.=) $2::pg_catalog.oid
         JOIN pg_catalog.pg_class AS k ON k.oid OPERATOR(pg_catalog.=) i.indexrelid
        WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid) AS x ON true
 WHERE h.inhparent OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND NOT h.inhdetachpending
 ORDER BY c.oid

-- Nothing is built: it is invalid until every partition has its own attached. Takes SHARE on the parent, so writers
-- queue behind it: in short tries only.
-- name: create_parent
CREATE :unique INDEX :"name" ON ONLY :from USING :definition

-- For a while nobody may use the partition's index: in short tries.
-- name: attach
ALTER INDEX :index ATTACH PARTITION :partition

-- Takes ACCESS EXCLUSIVE on the table and all its partitions; it cannot be done concurrently. In short tries.
-- name: drop_partitioned
DROP INDEX IF EXISTS :index
