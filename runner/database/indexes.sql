-- The indexes that can find rows by a list of columns, of the leaves of referencing tables ($1 oid[]): a row for each
-- key column. A column whose index collation is not its own has no name here: `=` on it cannot use that index.
-- name: read_indexes
SELECT i.indrelid, i.indexrelid, a.attname,
       CASE WHEN p.position OPERATOR(pg_catalog.=) 1 THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END,
       pg_catalog.quote_ident(a.attname)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam
       AND m.amname OPERATOR(pg_catalog.=) ANY (ARRAY['btree', 'hash']::pg_catalog.name[])
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey), pg_catalog.unnest(i.indcollation))
       WITH ORDINALITY AS p (number, collation_oid, position)
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
       AND a.attnum OPERATOR(pg_catalog.=) p.number
       AND (p.collation_oid OPERATOR(pg_catalog.=) a.attcollation
            OR p.collation_oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid)
 WHERE i.indrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND i.indisvalid AND i.indisready AND i.indislive
   AND p.position OPERATOR(pg_catalog.<=) i.indnkeyatts
 ORDER BY i.indrelid, i.indexrelid, p.position
