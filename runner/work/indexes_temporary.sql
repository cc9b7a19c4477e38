-- Whether table $1 has an index that finds rows by the columns $2: they are its first ones, in any order.
-- name: serves
SELECT EXISTS (
    SELECT
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
      JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.relam
           AND m.amname OPERATOR(pg_catalog.=) ANY (ARRAY['btree', 'hash']::pg_catalog.name[])
     WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
       AND i.indisvalid AND i.indisready AND i.indislive AND i.indpred IS NULL
       AND i.indnkeyatts OPERATOR(pg_catalog.>=) pg_catalog.cardinality($2::pg_catalog.name[])
       AND NOT EXISTS (
           SELECT
             FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS p (number, position)
             LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid
                  AND a.attnum OPERATOR(pg_catalog.=) p.number
            WHERE p.position OPERATOR(pg_catalog.<=) pg_catalog.cardinality($2::pg_catalog.name[])
              AND (a.attname IS NULL OR a.attname OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.name[]))))
