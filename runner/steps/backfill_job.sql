-- For compile: is each value of a type that its column takes? Only described.
-- name: insert_trial
INSERT INTO :into (:columns)
(:select
)

-- name: update_trial
UPDATE :from AS :"name" SET :assignments WHERE (:where
)

-- name: plan_of_select
EXPLAIN (VERBOSE, FORMAT json) (:select
)

-- name: plan_of_update
EXPLAIN (FORMAT json) SELECT FROM :from AS :"name" WHERE (:where
)

-- The columns of table $1 on which the role lacks privilege $2.
-- name: lacking
SELECT a.attname
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
   AND NOT pg_catalog.has_column_privilege(a.attrelid, a.attnum, $2)

-- Sequences that give columns of table $1 their default, which are not among $2: nextval() asks for rights of its own.
-- name: lacking_sequences
SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %I.%I TO %I;', n.nspname, s.relname, CURRENT_USER),
       pg_catalog.format('the default of %s takes its next number', a.attname)
  FROM pg_catalog.pg_attrdef AS d
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) d.adrelid
       AND a.attnum OPERATOR(pg_catalog.=) d.adnum
  JOIN pg_catalog.pg_depend AS p ON p.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass
       AND p.objid OPERATOR(pg_catalog.=) d.oid
       AND p.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
  JOIN pg_catalog.pg_class AS s ON s.oid OPERATOR(pg_catalog.=) p.refobjid AND s.relkind OPERATOR(pg_catalog.=) 'S'
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) s.relnamespace
 WHERE d.adrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
   AND a.attname OPERATOR(pg_catalog.<>) ALL ($2::pg_catalog.name[])
   AND CASE WHEN s.relkind OPERATOR(pg_catalog.=) 'S'
            THEN NOT pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE') ELSE false END
