-- Publications that would carry tables of the state schema $1: those FOR ALL TABLES, old and new ones alike.
-- name: for_all_tables
SELECT pg_catalog.quote_ident(p.pubname) FROM pg_catalog.pg_publication AS p WHERE p.puballtables ORDER BY p.pubname

-- The same from PostgreSQL 15 on, where a publication can be FOR TABLES IN SCHEMA, too.
-- name: for_all_tables_or_schema
SELECT pg_catalog.quote_ident(p.pubname) FROM pg_catalog.pg_publication AS p
 WHERE p.puballtables
    OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace AS s
                 JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) s.pnnspid
                WHERE s.pnpubid OPERATOR(pg_catalog.=) p.oid AND n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name)
 ORDER BY p.pubname
