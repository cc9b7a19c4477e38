-- The path that the plan's SQL sees: the role's own, unless the plan gives one. Kept with the run.
-- The transaction has another one, and a pooled session may have that of somebody else: asked is what the role and the
-- database, or the connection's options, have as default.
-- name: search_path
SELECT s.reset_val FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'search_path'

-- What a path means now, in this session: its first schema, but for pg_temp, and those that stand before pg_catalog.
-- name: before_catalog
SELECT pg_catalog.string_agg(p.name, ', ' ORDER BY p.position)
  FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS p (name, position)
 WHERE p.name OPERATOR(pg_catalog.!~) '^pg_temp'
   AND p.position OPERATOR(pg_catalog.<) (
       SELECT c.position FROM pg_catalog.unnest(pg_catalog.current_schemas(true)) WITH ORDINALITY AS c (name, position)
        WHERE c.name OPERATOR(pg_catalog.=) 'pg_catalog')
