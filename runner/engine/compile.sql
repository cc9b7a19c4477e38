-- The path that the plan's SQL sees: the role's own, unless the plan gives one. Kept with the run.
-- name: search_path
SELECT pg_catalog.current_setting('search_path')
