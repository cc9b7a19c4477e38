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
