-- name: when
SELECT (:query
) AS pgwinnow_when
