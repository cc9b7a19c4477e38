-- name: describe_order
SELECT FROM :from AS :alias ORDER BY :order

-- name: describe_query
SELECT * FROM (:query
) AS pgwinnow_query

-- A text that the server refuses must not end the transaction in which the plan is compiled.
-- name: save
SAVEPOINT pgwinnow_text

-- name: restore
ROLLBACK TO SAVEPOINT pgwinnow_text
