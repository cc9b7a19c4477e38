-- The value as text, and whether the server agrees that it is as expected. Two rows are enough to see that it is not
-- one.
-- name: value
SELECT pgwinnow_x.pgwinnow_value::pg_catalog.text, (:compared :operator :expected)
  FROM (:query
       ) AS pgwinnow_x (pgwinnow_value)
 LIMIT 2

-- The first rows, to be shown when there should be none.
-- name: rows
SELECT * FROM (:query
              ) AS pgwinnow_x
 LIMIT 4
