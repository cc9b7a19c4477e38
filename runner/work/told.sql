-- Texts that do not depend on the session, for rules in Lua.

-- The very text that the server gives in UTC; behind the era it would put no zone.
-- name: told_moment
CASE WHEN NOT pg_catalog.isfinite(:column) THEN :column::pg_catalog.text
     WHEN :column OPERATOR(pg_catalog.<) '0001-01-01 00:00:00+00'::pg_catalog.timestamptz
     THEN pg_catalog.replace(pg_catalog.timezone('UTC', :column)::pg_catalog.text, ' BC', '+00 BC')
     ELSE pg_catalog.concat(pg_catalog.timezone('UTC', :column), '+00') END
