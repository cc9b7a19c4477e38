-- Sizes of groups.

-- Set by set, so that the planner may read a child once for all groups or look it up for a few. $1 is the limit.
-- name: find_large_group
SELECT group_no, pgwinnow_rows, pg_catalog.count(*) OVER ()
  FROM (SELECT pgwinnow_group AS group_no, pg_catalog.sum(pgwinnow_rows)::bigint AS pgwinnow_rows
          FROM (SELECT group_no AS pgwinnow_group, 1 OPERATOR(pg_catalog.+) pg_catalog.count(*) AS pgwinnow_rows
                  FROM :track GROUP BY group_no
                :below) AS pgwinnow_parts
         GROUP BY pgwinnow_group) AS pgwinnow_sizes
 WHERE pgwinnow_rows OPERATOR(pg_catalog.>) $1::bigint
 ORDER BY pgwinnow_rows DESC, group_no LIMIT 1

-- name: rows_below
UNION ALL
SELECT p.pgwinnow_group, pg_catalog.count(*) FROM :parent :joins GROUP BY p.pgwinnow_group

-- What points at tracked rows does so by the key that was tracked: the rows themselves need not be read.
-- name: tracked_keys_only
(SELECT t.group_no AS pgwinnow_group, :keys FROM :track AS t) AS p

-- name: tracked_rows
(SELECT t.group_no AS pgwinnow_group, r.tableoid AS tableoid, r.*
   FROM :track AS t JOIN :from AS r ON :row_is_tracked) AS p

-- name: join_child
JOIN :child AS :alias ON :points :leaves

-- $1: the group. Its key, as people know it.
-- name: group_shown
SELECT :shown
  FROM (SELECT :survivor_keys FROM :track AS pgwinnow_track
         WHERE group_no OPERATOR(pg_catalog.=) $1::bigint LIMIT 1) AS pgwinnow_t
  JOIN :from AS :alias ON :table_is_survivor
