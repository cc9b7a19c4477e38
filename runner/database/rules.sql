-- What keeps two rows of a table apart: unique indexes, primary keys, unique and exclusion constraints, of tables ($1
-- oid[]) and of their partitions. A row for each key column. An index on a partition that belongs to a valid one of the
-- whole table is no rule of its own. Invalid ones count as soon as the server keeps them up: they enforce too.
--
-- The expression is the server's own text, its operators are those of the index's operator class, and the columns are
-- all that the index reads, also through generated columns (whose dependencies moved from the column to its default in
-- 15). indnullsnotdistinct exists since 15.
-- name: read_rules
WITH RECURSIVE members (top, oid) AS (
    SELECT t.oid, t.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS t (oid)
    UNION ALL
    SELECT m.top, h.inhrelid
      FROM members AS m
      JOIN pg_catalog.pg_inherits AS h ON h.inhparent OPERATOR(pg_catalog.=) m.oid AND NOT h.inhdetachpending
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid AND c.relispartition
)
SELECT m.top, i.indexrelid, COALESCE(k.conname, x.relname), m.oid OPERATOR(pg_catalog.=) m.top,
       CASE WHEN t.relkind OPERATOR(pg_catalog.=) 'p' THEN '' ELSE 'ONLY ' END OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(t.relname),
       i.indisexclusion,
       COALESCE((pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct')::pg_catalog.bool, false),
       CASE WHEN p.position OPERATOR(pg_catalog.=) 1 THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END,
       CASE WHEN p.position OPERATOR(pg_catalog.=) 1 AND m.oid OPERATOR(pg_catalog.<>) m.top
            THEN pg_catalog.pg_get_partition_constraintdef(m.oid) END,
       pg_catalog.pg_get_indexdef(i.indexrelid, p.position::pg_catalog.int4, false),
       CASE WHEN i.indisexclusion THEN excluded.text ELSE equal.text END, less.text,
       COALESCE(' COLLATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(ln.nspname) OPERATOR(pg_catalog.||) '.'
                OPERATOR(pg_catalog.||) pg_catalog.quote_ident(l.collname), ''),
       CASE WHEN p.position OPERATOR(pg_catalog.=) 1 THEN reads.names END
  FROM members AS m
  JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) m.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
  JOIN pg_catalog.pg_index AS i ON i.indrelid OPERATOR(pg_catalog.=) m.oid
       AND (i.indisunique OR i.indisexclusion) AND i.indislive AND i.indisready
  JOIN pg_catalog.pg_class AS x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.conindid OPERATOR(pg_catalog.=) i.indexrelid
       AND k.contype OPERATOR(pg_catalog.=) ANY (ARRAY['p', 'u', 'x']::pg_catalog."char"[])
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey), pg_catalog.unnest(i.indclass),
                               pg_catalog.unnest(i.indcollation), pg_catalog.unnest(k.conexclop))
       WITH ORDINALITY AS p (number, class, collation_oid, operator, position)
  LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid OPERATOR(pg_catalog.=) p.class
  LEFT JOIN LATERAL (
       SELECT 'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
              OPERATOR(pg_catalog.||) e.oprname OPERATOR(pg_catalog.||) ')' AS text
         FROM pg_catalog.pg_amop AS a
         JOIN pg_catalog.pg_operator AS e ON e.oid OPERATOR(pg_catalog.=) a.amopopr
         JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) e.oprnamespace
        WHERE a.amopfamily OPERATOR(pg_catalog.=) o.opcfamily AND a.amopstrategy OPERATOR(pg_catalog.=) 3
          AND a.amoplefttype OPERATOR(pg_catalog.=) o.opcintype
          AND a.amoprighttype OPERATOR(pg_catalog.=) o.opcintype
       ) AS equal ON NOT i.indisexclusion
  LEFT JOIN LATERAL (
       SELECT 'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
              OPERATOR(pg_catalog.||) e.oprname OPERATOR(pg_catalog.||) ')' AS text
         FROM pg_catalog.pg_amop AS a
         JOIN pg_catalog.pg_operator AS e ON e.oid OPERATOR(pg_catalog.=) a.amopopr
         JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) e.oprnamespace
        WHERE a.amopfamily OPERATOR(pg_catalog.=) o.opcfamily AND a.amopstrategy OPERATOR(pg_catalog.=) 1
          AND a.amoplefttype OPERATOR(pg_catalog.=) o.opcintype
          AND a.amoprighttype OPERATOR(pg_catalog.=) o.opcintype
       ) AS less ON NOT i.indisexclusion
  LEFT JOIN LATERAL (
       SELECT 'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
              OPERATOR(pg_catalog.||) e.oprname OPERATOR(pg_catalog.||) ')' AS text
         FROM pg_catalog.pg_operator AS e
         JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) e.oprnamespace
        WHERE e.oid OPERATOR(pg_catalog.=) p.operator
       ) AS excluded ON true
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) p.collation_oid
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid OPERATOR(pg_catalog.=) l.collnamespace
 CROSS JOIN LATERAL (
       WITH direct (number) AS (
           SELECT d.number FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS d (number, position)
            WHERE d.number OPERATOR(pg_catalog.>) 0 AND d.position OPERATOR(pg_catalog.<=) i.indnkeyatts
           UNION
           SELECT d.refobjsubid FROM pg_catalog.pg_depend AS d
            WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.objid OPERATOR(pg_catalog.=) i.indexrelid
              AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid AND d.refobjsubid OPERATOR(pg_catalog.>) 0
       ), through (number) AS (
           SELECT d.refobjsubid
             FROM direct AS r
             JOIN pg_catalog.pg_attribute AS g ON g.attrelid OPERATOR(pg_catalog.=) i.indrelid
                  AND g.attnum OPERATOR(pg_catalog.=) r.number AND g.attgenerated OPERATOR(pg_catalog.<>) ''
             LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid OPERATOR(pg_catalog.=) i.indrelid
                  AND f.adnum OPERATOR(pg_catalog.=) g.attnum
             JOIN pg_catalog.pg_depend AS d
               ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid AND d.refobjsubid OPERATOR(pg_catalog.>) 0
                  AND (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                       AND d.objid OPERATOR(pg_catalog.=) i.indrelid AND d.objsubid OPERATOR(pg_catalog.=) g.attnum
                       OR d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                       AND d.objid OPERATOR(pg_catalog.=) f.oid)
       )
       SELECT pg_catalog.json_agg(a.attname ORDER BY a.attname)::pg_catalog.text AS names
         FROM (SELECT number FROM direct UNION SELECT number FROM through) AS u
         JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
              AND a.attnum OPERATOR(pg_catalog.=) u.number
       ) AS reads
 WHERE p.position OPERATOR(pg_catalog.<=) i.indnkeyatts
   AND (x.relkind OPERATOR(pg_catalog.<>) 'I' OR i.indisvalid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h
                     JOIN pg_catalog.pg_index AS u ON u.indexrelid OPERATOR(pg_catalog.=) h.inhparent
                    WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid AND u.indisvalid
                      AND m.oid OPERATOR(pg_catalog.<>) m.top)
 ORDER BY m.top, 3, i.indexrelid, p.position

-- What generated columns are computed from, $1 oid[].
-- name: read_generated
SELECT a.attrelid, a.attname, pg_catalog.pg_get_expr(f.adbin, f.adrelid)
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_attrdef AS f ON f.adrelid OPERATOR(pg_catalog.=) a.attrelid
       AND f.adnum OPERATOR(pg_catalog.=) a.attnum
 WHERE a.attrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND a.attgenerated OPERATOR(pg_catalog.<>) '' AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum
