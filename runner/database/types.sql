-- Types as statements write them, with the operators of their default btree class: what a unique index, a window and a
-- comparison of ours must agree on (citext equality silently becomes that of text otherwise). $1 types, $2 modifiers.
--
-- A domain stands for its base type. A type outside pg_catalog is always qualified, since format_type() leaves the
-- schema out when it is on the search_path of the moment. The class is found as the server finds it: of the type
-- itself, of one that it is binary-coercible to (varchar to text), or of the pseudo-type of its kind.
-- name: read_types
WITH RECURSIVE base (position, oid, modifier, not_null) AS (
    SELECT w.position, w.oid, w.modifier, false
      FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[]))
           WITH ORDINALITY AS w (oid, modifier, position)
    UNION ALL
    SELECT b.position, t.typbasetype, t.typtypmod, b.not_null OR t.typnotnull
      FROM base AS b
      JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) b.oid AND t.typtype OPERATOR(pg_catalog.=) 'd'
)
SELECT t.oid,
       CASE WHEN n.nspname OPERATOR(pg_catalog.=) 'pg_catalog'
              OR NOT pg_catalog.pg_type_is_visible(COALESCE(e.oid, t.oid))
            THEN pg_catalog.format_type(t.oid, b.modifier)
            ELSE pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
                 pg_catalog.format_type(t.oid, b.modifier) END,
       b.not_null, t.typcollation OPERATOR(pg_catalog.<>) 0::pg_catalog.oid, t.typtype OPERATOR(pg_catalog.=) 'p',
       equal.text, less.text
  FROM base AS b
  JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) b.oid AND t.typtype OPERATOR(pg_catalog.<>) 'd'
  LEFT JOIN pg_catalog.pg_type AS e ON e.oid OPERATOR(pg_catalog.=) t.typelem
        AND t.typsubscript OPERATOR(pg_catalog.=) 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
        AND t.typstorage OPERATOR(pg_catalog.<>) 'p'
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) COALESCE(e.typnamespace, t.typnamespace)
  LEFT JOIN LATERAL (
       SELECT k.opcfamily AS family, k.opcintype AS type
         FROM pg_catalog.pg_opclass AS k
         JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) k.opcmethod
               AND m.amname OPERATOR(pg_catalog.=) 'btree'
         JOIN pg_catalog.pg_type AS kt ON kt.oid OPERATOR(pg_catalog.=) k.opcintype
         LEFT JOIN pg_catalog.pg_cast AS x ON x.castsource OPERATOR(pg_catalog.=) t.oid
               AND x.casttarget OPERATOR(pg_catalog.=) k.opcintype
               AND x.castmethod OPERATOR(pg_catalog.=) 'b' AND x.castcontext OPERATOR(pg_catalog.=) 'i'
        WHERE k.opcdefault
          AND (k.opcintype OPERATOR(pg_catalog.=) t.oid
               OR x.oid IS NOT NULL
               OR k.opcintype OPERATOR(pg_catalog.=) 'pg_catalog.anyarray'::pg_catalog.regtype AND e.oid IS NOT NULL
               OR k.opcintype OPERATOR(pg_catalog.=) 'pg_catalog.anyenum'::pg_catalog.regtype
                  AND t.typtype OPERATOR(pg_catalog.=) 'e'
               OR k.opcintype OPERATOR(pg_catalog.=) 'pg_catalog.anyrange'::pg_catalog.regtype
                  AND t.typtype OPERATOR(pg_catalog.=) 'r'
               OR k.opcintype OPERATOR(pg_catalog.=) 'pg_catalog.anymultirange'::pg_catalog.regtype
                  AND t.typtype OPERATOR(pg_catalog.=) 'm'
               OR k.opcintype OPERATOR(pg_catalog.=) 'pg_catalog.record'::pg_catalog.regtype
                  AND t.typtype OPERATOR(pg_catalog.=) 'c')
        ORDER BY k.opcintype OPERATOR(pg_catalog.=) t.oid DESC, kt.typispreferred DESC, k.opcintype
        LIMIT 1
       ) AS class ON true
  LEFT JOIN LATERAL (
       SELECT 'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
              OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')' AS text
         FROM pg_catalog.pg_amop AS p
         JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.amopopr
         JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) o.oprnamespace
        WHERE p.amopfamily OPERATOR(pg_catalog.=) class.family AND p.amopstrategy OPERATOR(pg_catalog.=) 3
          AND p.amoplefttype OPERATOR(pg_catalog.=) class.type AND p.amoprighttype OPERATOR(pg_catalog.=) class.type
       ) AS equal ON true
  LEFT JOIN LATERAL (
       SELECT 'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
              OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')' AS text
         FROM pg_catalog.pg_amop AS p
         JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) p.amopopr
         JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) o.oprnamespace
        WHERE p.amopfamily OPERATOR(pg_catalog.=) class.family AND p.amopstrategy OPERATOR(pg_catalog.=) 1
          AND p.amoplefttype OPERATOR(pg_catalog.=) class.type AND p.amoprighttype OPERATOR(pg_catalog.=) class.type
       ) AS less ON true
 ORDER BY b.position
