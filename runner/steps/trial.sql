-- name: save
SAVEPOINT pgwinnow_trial

-- name: back
ROLLBACK TO SAVEPOINT pgwinnow_trial

-- name: condition
SELECT FROM :from AS :"name" WHERE (:condition
)

-- name: setting
SELECT pg_catalog.set_config($1, $2, true)
