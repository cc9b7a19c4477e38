-- Unique indexes that the run made.

-- name: drop_unique_constraint
ALTER TABLE :table DROP CONSTRAINT :"name"

-- name: is_constraint
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
                  AND k.conname OPERATOR(pg_catalog.=) $2::pg_catalog.name)
