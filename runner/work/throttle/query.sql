-- The plan's question as one number, and whether that is above $1. More than one row is the server's error to tell.
-- name: ask_query
SELECT a.answer, a.answer OPERATOR(pg_catalog.>) $1::pg_catalog.numeric
  FROM (SELECT (:query
)::pg_catalog.numeric) AS a (answer)
