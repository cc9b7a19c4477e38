-- A row that points, by this path of edges, at a row that is tracked. Read once, with whatever plan is best.
-- name: find_stop
SELECT pg_catalog.left(:last::text, 200)
  FROM (SELECT seq AS pgwinnow_seq, :tracked_keys FROM :track AS pgwinnow_track WHERE NOT hold AND outcome IS NULL) AS t
  JOIN :from AS p ON :parent_is_tracked :joins
 LIMIT 1

-- name: join_edge
JOIN :child AS :alias ON :points
