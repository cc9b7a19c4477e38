-- Only described, never run: what the server says about the plan's expression, its type and its errors. The newline
-- keeps a trailing comment of the plan from eating the parenthesis.
-- name: describe_expression
SELECT (:expression
) FROM :from AS :"name"

-- The collation of an expression is in no description. The branch is never taken and is gone before anything could be
-- computed at planning, and the table is joined to on a condition that is never true: nothing of the plan's runs.
-- name: expression_collation
SELECT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(l.collname)
  FROM (SELECT pg_catalog.pg_collation_for(CASE WHEN false THEN (:expression
) END)::pg_catalog.regcollation::pg_catalog.oid AS oid
          FROM (SELECT) AS "(one row)" LEFT JOIN :from AS :"name" ON false) AS x
  JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) x.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) l.collnamespace
