-- The indexes of table $1 that could be the one wished for: what columns of pg_index can tell. $2 method, $3 unique,
-- $4 and $5 key and all columns, $6 partial, $7 NULLS NOT DISTINCT (PostgreSQL 15; read through jsonb, since older
-- servers have no such column), $8 one index or NULL. A deferrable or exclusion constraint's index is another thing.
-- name: candidates
SELECT i.indexrelid, c.relname, i.indisvalid AND i.indisready AND i.indislive, c.relispartition,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam
 WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
   AND m.amname OPERATOR(pg_catalog.=) $2::pg_catalog.name
   AND i.indisunique OPERATOR(pg_catalog.=) $3::pg_catalog.bool
   AND i.indnkeyatts OPERATOR(pg_catalog.=) $4::pg_catalog.int2
   AND i.indnatts OPERATOR(pg_catalog.=) $5::pg_catalog.int2
   AND (i.indpred IS NOT NULL) OPERATOR(pg_catalog.=) $6::pg_catalog.bool
   AND COALESCE(pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(i), 'indnullsnotdistinct'),
                'false')::pg_catalog.bool OPERATOR(pg_catalog.=) $7::pg_catalog.bool
   AND i.indimmediate AND NOT i.indisexclusion
   AND ($8::pg_catalog.oid IS NULL OR i.indexrelid OPERATOR(pg_catalog.=) $8::pg_catalog.oid)
 ORDER BY c.relname

-- The columns of index $1: the server's own text, order, operator class, collation.
-- name: index_columns
SELECT pg_catalog.pg_get_indexdef(i.indexrelid, p.position::pg_catalog.int4, false),
       (p.option OPERATOR(pg_catalog.&) 1::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
       (p.option OPERATOR(pg_catalog.&) 2::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
       k.opcdefault, k.opcfamily, k.opcintype,
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(l.collname),
       pg_catalog.array_to_string(a.attoptions, ',')
  FROM pg_catalog.pg_index AS i
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey), pg_catalog.unnest(i.indclass),
                               pg_catalog.unnest(i.indcollation), pg_catalog.unnest(i.indoption))
       WITH ORDINALITY AS p (number, class, sorting, option, position)
  LEFT JOIN pg_catalog.pg_opclass AS k ON k.oid OPERATOR(pg_catalog.=) p.class
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) p.sorting
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) l.collnamespace
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indexrelid
       AND a.attnum OPERATOR(pg_catalog.=) p.position
 WHERE i.indexrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
 ORDER BY p.position

-- An operator class as the plan names it: $1 method, $2 name, $3 schema or NULL.
-- name: operator_class
SELECT k.opcfamily, k.opcintype
  FROM pg_catalog.pg_opclass AS k
  JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) k.opcmethod
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) k.opcnamespace
 WHERE m.amname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND k.opcname OPERATOR(pg_catalog.=) $2::pg_catalog.name
   AND CASE WHEN $3::pg_catalog.text IS NULL THEN pg_catalog.pg_opclass_is_visible(k.oid)
            ELSE n.nspname OPERATOR(pg_catalog.=) $3::pg_catalog.name END

-- The plan's expressions and the catalog's, side by side: the server parses both and writes them back in one way, so
-- equal ones come back as equal texts. Nothing is run. ONLY: of several partitions the answer would be a list of
-- answers.
-- name: side_by_side
EXPLAIN (VERBOSE, COSTS off, FORMAT json) SELECT :expressions FROM ONLY :table AS :"name"

-- What stands behind USING in the server's own text of index $1, and whether it is a partition's. The text before it is
-- built anew and cut off by its length: names may hold any word.
-- name: definition_text
SELECT pg_catalog.substr(pg_catalog.pg_get_indexdef(c.oid), 1 OPERATOR(pg_catalog.+) pg_catalog.length(
           CASE WHEN i.indisunique THEN 'CREATE UNIQUE INDEX ' ELSE 'CREATE INDEX ' END
           OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname) OPERATOR(pg_catalog.||)
           CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'I' THEN ' ON ONLY ' ELSE ' ON ' END
           OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
           OPERATOR(pg_catalog.||) pg_catalog.quote_ident(t.relname) OPERATOR(pg_catalog.||) ' USING '))
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
 WHERE i.indexrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
