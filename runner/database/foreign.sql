-- Every foreign key of the database, a row for each of its clones on partitions too (conparentid leads up from those).
-- All at once and sorted out in C: a walk down the tree would cost a query a level. NOT ENFORCED and temporal ones
-- (PERIOD) exist since 18, in columns that older catalogs do not have.
-- name: foreign_keys
SELECT k.oid, k.conparentid, k.conrelid, k.confrelid, k.conname, k.confdeltype, k.confmatchtype, k.condeferrable,
       k.condeferred, k.convalidated, false AS temporal
  FROM pg_catalog.pg_constraint AS k
 WHERE k.contype OPERATOR(pg_catalog.=) 'f'
 ORDER BY k.oid

-- name: foreign_keys_18
SELECT k.oid, k.conparentid, k.conrelid, k.confrelid, k.conname, k.confdeltype, k.confmatchtype, k.condeferrable,
       k.condeferred, k.convalidated, k.conperiod AS temporal
  FROM pg_catalog.pg_constraint AS k
 WHERE k.contype OPERATOR(pg_catalog.=) 'f'
 ORDER BY k.oid

-- The pairs of columns of those that are declared and no clones: partitions have the same column names, operators and
-- collations as what they are partitions of. The operator is the constraint's own, parent OP child. Where the two
-- collations differ, the comparison needs one: as the server's own triggers do, the parent's if it is one under which
-- different texts are equal, else the child's, whose index then serves. confdelsetcols came with 15.
-- name: foreign_columns
SELECT k.oid, c.attname, r.attname,
       'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')',
       ' COLLATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(ln.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(l.collname),
       k.confdelsetcols IS NULL OR p.child OPERATOR(pg_catalog.=) ANY (k.confdelsetcols)
  FROM pg_catalog.pg_constraint AS k
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey),
                               pg_catalog.unnest(k.conpfeqop))
       WITH ORDINALITY AS p (child, parent, operator, position)
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid OPERATOR(pg_catalog.=) k.conrelid
        AND c.attnum OPERATOR(pg_catalog.=) p.child
  JOIN pg_catalog.pg_attribute AS r ON r.attrelid OPERATOR(pg_catalog.=) k.confrelid
        AND r.attnum OPERATOR(pg_catalog.=) p.parent
  JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.operator
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
  LEFT JOIN pg_catalog.pg_collation AS rl ON rl.oid OPERATOR(pg_catalog.=) r.attcollation
        AND c.attcollation OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
        AND c.attcollation OPERATOR(pg_catalog.<>) r.attcollation
  LEFT JOIN pg_catalog.pg_collation AS l
         ON l.oid OPERATOR(pg_catalog.=) CASE WHEN rl.collisdeterministic THEN c.attcollation ELSE rl.oid END
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid OPERATOR(pg_catalog.=) l.collnamespace
 WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
 ORDER BY k.oid, p.position

-- name: foreign_columns_14
SELECT k.oid, c.attname, r.attname,
       'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')',
       ' COLLATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(ln.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(l.collname),
       true
  FROM pg_catalog.pg_constraint AS k
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey),
                               pg_catalog.unnest(k.conpfeqop))
       WITH ORDINALITY AS p (child, parent, operator, position)
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid OPERATOR(pg_catalog.=) k.conrelid
        AND c.attnum OPERATOR(pg_catalog.=) p.child
  JOIN pg_catalog.pg_attribute AS r ON r.attrelid OPERATOR(pg_catalog.=) k.confrelid
        AND r.attnum OPERATOR(pg_catalog.=) p.parent
  JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.operator
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
  LEFT JOIN pg_catalog.pg_collation AS rl ON rl.oid OPERATOR(pg_catalog.=) r.attcollation
        AND c.attcollation OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
        AND c.attcollation OPERATOR(pg_catalog.<>) r.attcollation
  LEFT JOIN pg_catalog.pg_collation AS l
         ON l.oid OPERATOR(pg_catalog.=) CASE WHEN rl.collisdeterministic THEN c.attcollation ELSE rl.oid END
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid OPERATOR(pg_catalog.=) l.collnamespace
 WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
 ORDER BY k.oid, p.position
