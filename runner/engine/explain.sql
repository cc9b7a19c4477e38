-- What explain asks, in its READ ONLY transaction.

-- name: track_counts
SELECT pg_catalog.count(*), :groups FROM (:rows
) AS pgwinnow_rows

-- name: table_count
SELECT pg_catalog.count(*) FROM :from AS pgwinnow_t

-- The rows below, level by level: joins that the planner may hash, so that a child without an index is read once and
-- not once for each row. A row has a place (table, ctid), also without a key.
-- name: level_counts
WITH pgwinnow_tracked AS MATERIALIZED (:rows
):levels
:counts

-- name: level_edge
,
:link (rel, place) AS MATERIALIZED (
    SELECT DISTINCT c.tableoid, c.ctid
      FROM (:above) AS r (rel, place)
      JOIN :parent AS p ON p.ctid = r.place AND p.tableoid = r.rel JOIN :child AS c ON :points
     WHERE true :leaves)

-- For trees with circles: the closure over the rows, as one snapshot sees it: (edge, table, place) names a row exactly,
-- also without a key. Edge -1 is a tracked row. UNION drops a row that the same edge has found before, which ends
-- circles.
-- name: closure_counts
WITH RECURSIVE pgwinnow_tracked AS MATERIALIZED (:rows
),
pgwinnow_closure (edge, rel, place) AS (
    SELECT -1, pgwinnow_table, pgwinnow_place FROM pgwinnow_tracked
    UNION
    SELECT pgwinnow_found.edge, pgwinnow_found.rel, pgwinnow_found.place
      FROM pgwinnow_closure AS r
     CROSS JOIN LATERAL (:steps) AS pgwinnow_found)
SELECT edge, pg_catalog.count(*) FROM pgwinnow_closure WHERE edge >= 0 GROUP BY edge

-- name: closure_step
SELECT :edge AS edge, c.tableoid AS rel, c.ctid AS place
  FROM :parent AS p JOIN :child AS c ON :points
 WHERE r.edge = ANY (:reaching) AND p.ctid = r.place AND p.tableoid = r.rel :leaves
