-- Merging by a rule file: the groups' rows come to the runner, bounded by the batch, and what the rule says goes back.

-- Survivors first, each with the name of its group for errors.
-- name: merge_rows
SELECT pgwinnow_m.pgwinnow_rank, CASE WHEN pgwinnow_m.pgwinnow_rank = 1 THEN pg_catalog.concat(:name) END,
       :columns :children
  FROM (:members
       ) AS pgwinnow_m
  JOIN :from AS :alias ON :table_is_member
 ORDER BY :survivors, pgwinnow_m.pgwinnow_rank

-- $1: [{"k": [key of the survivor], "v": {column: text or null}}]. Columns that are not named stay as they are.
-- name: merge_ruled
INSERT INTO :merge (batch, :key_names, :value_names)
SELECT pg_catalog.pg_current_xact_id(), :keys, :values
  FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS pgwinnow_j (g)
  JOIN :from AS c ON :survivor
