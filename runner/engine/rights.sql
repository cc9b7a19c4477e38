-- For explain; run asks for itself, just before it creates the schema.
-- name: missing_to_create
SELECT pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I;', pg_catalog.current_database(), CURRENT_USER)
 WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name)
