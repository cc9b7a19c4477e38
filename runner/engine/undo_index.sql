-- Unique indexes that the run made.

-- name: drop_unique_constraint
ALTER TABLE :table DROP CONSTRAINT :"name"

-- name: is_constraint
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
                  AND k.conname OPERATOR(pg_catalog.=) $2::pg_catalog.name)

-- What a DROP INDEX CONCURRENTLY that was cut off leaves: nothing uses it, and nothing but another DROP takes it away.
-- name: half_dropped
SELECT c.relname
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
 WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND i.indisunique AND NOT i.indislive
 ORDER BY c.relname
