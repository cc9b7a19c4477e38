-- Default privileges of a role reach every table it makes. Tables of one run end in its number; of ours in schema $1,
-- those that others than the owner hold rights on, with who that is.
-- name: shared_tables
SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(c.relname),
       pg_catalog.string_agg(DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                                           ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, ', ')
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relkind OPERATOR(pg_catalog.=) 'r'
   AND c.relname::pg_catalog.text OPERATOR(pg_catalog.~) '_[0-9]+$'
   AND pg_catalog.pg_get_userbyid(c.relowner) OPERATOR(pg_catalog.=) CURRENT_USER
   AND a.grantee OPERATOR(pg_catalog.<>) c.relowner
 GROUP BY n.nspname, c.relname

-- name: revoke_shared
REVOKE ALL ON TABLE :table FROM :grantees
