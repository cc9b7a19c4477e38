-- What an undo must know of the tables: where their old images are, and the rules that a row must keep to come back.

-- name: read_archives
SELECT a.table_oid, pg_catalog.to_regclass(pg_catalog.format('%I.%I', $2::text, a.name))::pg_catalog.oid, a.name,
       pg_catalog.format('%I.%I', a.schema_name, a.table_name), pg_catalog.to_json(a.key_columns)::text,
       pg_catalog.to_json(a.own_columns)::text, pg_catalog.to_char(a.dropped, 'YYYY-MM-DD HH24:MI'),
       EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = a.table_oid)
  FROM :"state".archives AS a WHERE a.run = $1::bigint ORDER BY a.table_oid

-- name: may_write
SELECT pg_catalog.concat_ws(', ',
           CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'SELECT') THEN 'SELECT' END,
           CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'INSERT') THEN 'INSERT' END,
           CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'UPDATE') THEN 'UPDATE' END),
       pg_catalog.quote_ident(CURRENT_USER)

-- Which columns the run changed, over all rows of the archive.
-- name: changed_columns
SELECT :differ FROM :archive AS o JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order"
       AND a.:"seq" = o.:"seq" AND a.:"action" = 'after'
 WHERE o.:"action" NOT IN ('delete', 'after')

-- Unique indexes and exclusion constraints, a row a column. `columns` are all that the index depends on: expressions
-- and predicate included. A unique index compares by the equality of its operator class.
-- name: unique_rules
SELECT c.relname, x.oid IS NOT NULL AS excludes,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       COALESCE((pg_catalog.to_jsonb(i) OPERATOR(pg_catalog.->>) 'indnullsnotdistinct')::boolean, false),
       pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, false),
       'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')',
       ' COLLATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(ln.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(l.collname),
       (SELECT pg_catalog.json_agg(a.attname)::text
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.>) 0
           AND (a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey)
                OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                              AND d.objid OPERATOR(pg_catalog.=) i.indexrelid
                              AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                              AND d.refobjid OPERATOR(pg_catalog.=) i.indrelid
                              AND d.refobjsubid OPERATOR(pg_catalog.=) a.attnum)))
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  LEFT JOIN pg_catalog.pg_constraint AS x ON x.conindid OPERATOR(pg_catalog.=) i.indexrelid
       AND x.contype OPERATOR(pg_catalog.=) 'x' AND x.conrelid OPERATOR(pg_catalog.=) i.indrelid
 CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts) AS k (position)
  JOIN pg_catalog.pg_opclass AS p ON p.oid OPERATOR(pg_catalog.=) i.indclass[k.position - 1]
  LEFT JOIN pg_catalog.pg_amop AS m ON x.oid IS NULL AND m.amopfamily OPERATOR(pg_catalog.=) p.opcfamily
       AND m.amopstrategy OPERATOR(pg_catalog.=) 3 AND m.amoplefttype OPERATOR(pg_catalog.=) p.opcintype
       AND m.amoprighttype OPERATOR(pg_catalog.=) p.opcintype
  JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) COALESCE(m.amopopr, x.conexclop[k.position])
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) i.indcollation[k.position - 1]
  LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid OPERATOR(pg_catalog.=) l.collnamespace
 WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND i.indislive
   AND (i.indisunique AND i.indisready OR x.oid IS NOT NULL)
 ORDER BY c.relname, k.position

-- Since 18 there are foreign keys that are not enforced, and those over periods, which the server alone checks.
--
-- Foreign keys of the table ($2 false), or those that refer to it (true: what still points at a key that is taken
-- back), a row a column. The clones that the server keeps for partitions of the other table are left out.
-- name: references_of
SELECT k.oid, k.conname, other.oid,
       CASE other.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END
       OPERATOR(pg_catalog.||) pg_catalog.format('%I.%I', pn.nspname, other.relname),
       mine.attname, theirs.attname,
       'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')',
       k.confupdtype OPERATOR(pg_catalog.=) 'c'
  FROM pg_catalog.pg_constraint AS k
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(CASE WHEN $2::boolean THEN k.confkey ELSE k.conkey END),
                               pg_catalog.unnest(CASE WHEN $2::boolean THEN k.conkey ELSE k.confkey END),
                               pg_catalog.unnest(k.conpfeqop))
       WITH ORDINALITY AS p (mine, theirs, operator, position)
  JOIN pg_catalog.pg_class AS other
        ON other.oid OPERATOR(pg_catalog.=) CASE WHEN $2::boolean THEN k.conrelid ELSE k.confrelid END
  JOIN pg_catalog.pg_namespace AS pn ON pn.oid OPERATOR(pg_catalog.=) other.relnamespace
  JOIN pg_catalog.pg_attribute AS mine ON mine.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
        AND mine.attnum OPERATOR(pg_catalog.=) p.mine
  JOIN pg_catalog.pg_attribute AS theirs ON theirs.attrelid OPERATOR(pg_catalog.=) other.oid
        AND theirs.attnum OPERATOR(pg_catalog.=) p.theirs
  JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.operator
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
 WHERE CASE WHEN $2::boolean THEN k.confrelid ELSE k.conrelid END OPERATOR(pg_catalog.=) $1::pg_catalog.oid
   AND k.contype OPERATOR(pg_catalog.=) 'f'
   AND (pg_catalog.to_jsonb(k) OPERATOR(pg_catalog.->>) 'conenforced') IS DISTINCT FROM 'false'
   AND (pg_catalog.to_jsonb(k) OPERATOR(pg_catalog.->>) 'conperiod') IS DISTINCT FROM 'true'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS up
                    WHERE up.oid OPERATOR(pg_catalog.=) k.conparentid
                      AND CASE WHEN $2::boolean THEN up.confrelid OPERATOR(pg_catalog.=) k.confrelid
                               ELSE up.conrelid OPERATOR(pg_catalog.=) k.conrelid END)
 ORDER BY k.conname, k.oid, p.position

-- What a row must satisfy by itself, with what to say of one that does not: check constraints, those of its columns'
-- domains, where the word VALUE reads as a column of that name, and that some partition takes it. Where rows go by a
-- hash there is one for each, unless it was detached.
-- name: check_rules
WITH RECURSIVE types (attname, type) AS (
    SELECT a.attname, a.atttypid FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND a.attnum OPERATOR(pg_catalog.>) 0
       AND NOT a.attisdropped AND a.attgenerated OPERATOR(pg_catalog.=) ''
     UNION ALL
    SELECT d.attname, t.typbasetype FROM types AS d JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) d.type
     WHERE t.typtype OPERATOR(pg_catalog.=) 'd'),
partitions AS (
    SELECT COALESCE(pg_catalog.pg_get_partition_constraintdef(p.relid), 'true') AS takes
      FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) AS p WHERE p.isleaf)
SELECT pg_catalog.concat('the check constraint ', k.conname), pg_catalog.pg_get_expr(k.conbin, k.conrelid)
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND k.contype OPERATOR(pg_catalog.=) 'c'
   AND (pg_catalog.to_jsonb(k) OPERATOR(pg_catalog.->>) 'conenforced') IS DISTINCT FROM 'false'
 UNION ALL
SELECT pg_catalog.concat('the constraint ', k.conname, ' of the domain ', t.typname, ', of which ', d.attname, ' is'),
       pg_catalog.format('(SELECT %s FROM (SELECT %I.%I AS value) AS pgwinnow_value)',
                         pg_catalog.pg_get_expr(k.conbin, 0), c.relname, d.attname)
  FROM types AS d
  JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) d.type
  JOIN pg_catalog.pg_constraint AS k ON k.contypid OPERATOR(pg_catalog.=) t.oid AND k.contype OPERATOR(pg_catalog.=) 'c'
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
 UNION ALL
SELECT 'there is no partition that takes it',
       COALESCE((SELECT pg_catalog.string_agg(pg_catalog.concat('(', p.takes, ')'), ' OR ')
                   FROM partitions AS p), 'false')
  FROM pg_catalog.pg_class AS c
 WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND c.relkind OPERATOR(pg_catalog.=) 'p'
   AND NOT EXISTS (SELECT FROM partitions AS p
                    WHERE pg_catalog.strpos(p.takes, 'satisfies_hash_partition') OPERATOR(pg_catalog.>) 0)
 ORDER BY 1
