-- What is missing, or which rows are to change, is settled once: this is the high-water mark. The columns have the
-- types of the target, so what a plain INSERT would coerce is coerced here. seq has no gaps, since one statement
-- fills the table.
-- name: create_work
CREATE TABLE :work (pgwinnow_seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, :definitions)

-- name: fill_with_rows
INSERT INTO :work (:columns)
(:select
)

-- name: fill_with_keys
INSERT INTO :work (:columns)
SELECT :keys FROM :from AS :"name"
 WHERE (:where
       )

-- name: work_exists
SELECT pg_catalog.to_regclass(:'work') IS NOT NULL

-- How much there is, and which columns hold a NULL: plain equality can use an index of the tables below, NULL-safe
-- equality cannot.
-- name: work_facts
SELECT COALESCE(pg_catalog.max(pgwinnow_seq), 0):nulls FROM :work

-- Each row is looked for anew in the plan's SELECT, so what the application has inserted meanwhile is not doubled.
-- OFFSET 0 keeps the planner from turning this around: it is computed row by row, by the indexes below. Without it
-- (:fence empty) the whole SELECT is computed once for the batch: for one whose rows cannot be found one by one.
-- name: insert_batch
INSERT INTO :into (:columns)
SELECT :work_columns FROM :work AS pgwinnow_w
 WHERE pgwinnow_w.pgwinnow_seq BETWEEN $1::bigint AND $2::bigint
   AND EXISTS (SELECT FROM (:select
                           ) AS pgwinnow_x (:columns)
                WHERE :equal :fence)
:conflict

-- The condition is looked at again: the row may have changed since.
-- name: update_batch
UPDATE :from AS :"name" SET :assignments
  FROM :work AS pgwinnow_w
 WHERE pgwinnow_w.pgwinnow_seq BETWEEN $1::bigint AND $2::bigint
   AND :key_equal
   AND (:where
       )

-- What it costs to look for one row.
-- name: plan_of_row
EXPLAIN (FORMAT json) SELECT FROM :work AS pgwinnow_w
 WHERE pgwinnow_w.pgwinnow_seq OPERATOR(pg_catalog.=) 1
   AND EXISTS (SELECT FROM (:select
                           ) AS pgwinnow_x (:columns)
                WHERE :equal OFFSET 0)

-- name: drop_work
DROP TABLE IF EXISTS :work

-- What it costs to compute the SELECT once.
-- name: cost_of_select
EXPLAIN (FORMAT json) (:select
)
