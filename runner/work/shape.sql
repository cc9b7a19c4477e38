-- What batches rely on of the tables of the tree ($1, $2 the key columns of the first): their names, their columns, the
-- foreign keys that refer to them, and that the key is still unique. One line each. Foreign keys are found by their
-- triggers, for which there is an index; those of partitions follow their parents'.
-- name: shape_lines
SELECT pg_catalog.format('table %I.%I', n.nspname, c.relname) AS line, c.oid
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
 UNION ALL
SELECT pg_catalog.format('column %s.%I %s', a.attrelid::pg_catalog.regclass, a.attname,
                         pg_catalog.format_type(a.atttypid, a.atttypmod)), a.attrelid
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND a.attnum OPERATOR(pg_catalog.>) 0
   AND NOT a.attisdropped
 UNION ALL
SELECT DISTINCT pg_catalog.format('foreign key %I of %s on %s', k.conname, k.conrelid::pg_catalog.regclass,
                                  k.confrelid::pg_catalog.regclass), k.oid
  FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_constraint AS k ON k.oid OPERATOR(pg_catalog.=) t.tgconstraint
 WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND t.tgisinternal
   AND k.confrelid OPERATOR(pg_catalog.=) t.tgrelid AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
 UNION ALL
SELECT pg_catalog.format('unique key (%s) of %s', pg_catalog.array_to_string($2::pg_catalog.text[], ', '),
                         ($1::pg_catalog.oid[])[1]::pg_catalog.regclass), 0::pg_catalog.oid
 WHERE EXISTS (
       SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid OPERATOR(pg_catalog.=) ($1::pg_catalog.oid[])[1] AND i.indisunique AND i.indisvalid
          AND i.indpred IS NULL AND i.indexprs IS NULL
          AND i.indnkeyatts OPERATOR(pg_catalog.=) pg_catalog.cardinality($2::pg_catalog.text[])
          AND NOT EXISTS (SELECT FROM pg_catalog.unnest($2::pg_catalog.text[]) AS wanted (name)
                           WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                                              WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid
                                                AND a.attname::pg_catalog.text OPERATOR(pg_catalog.=) wanted.name
                                                AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey::pg_catalog.int2[]))))

-- name: shape_read
SELECT line, pg_catalog.md5(pg_catalog.string_agg(line OPERATOR(pg_catalog.||) oid, E'\n') OVER ())
  FROM (:lines ORDER BY 1, 2) AS lines

-- Behind all that a batch did, before its COMMIT, so under the locks of what it did: nobody can change a table or add
-- a foreign key to it until the end. An error and not an answer, since the COMMIT is already on its way: $3 as read
-- before, or what is said instead is no number.
-- name: shape_same
SELECT (CASE WHEN pg_catalog.md5(pg_catalog.string_agg(line OPERATOR(pg_catalog.||) oid, E'\n'))
                  OPERATOR(pg_catalog.=) $3 THEN '0' ELSE 'changed' END)::pg_catalog.int4
  FROM (:lines ORDER BY 1, 2) AS lines
