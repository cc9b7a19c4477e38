-- How many rows a batch may take, and what is left.
--
-- p is a parent, c a child. Everything of ours carries the prefix pgwinnow_.

-- Without locks: the longest run of tracked rows whose families fit the bound ($3), and the first row seen. $1 the seq
-- before, $2 rows to look at, $4 the last seq of the gap. Counting stops one beyond the bound for each row.
-- name: probe
SELECT pg_catalog.max(seq) FILTER (WHERE total OPERATOR(pg_catalog.<=) $3::bigint), pg_catalog.min(seq),
       pg_catalog.count(*), COALESCE(pg_catalog.max(total) FILTER (WHERE total OPERATOR(pg_catalog.<=) $3::bigint), 0)
  FROM (SELECT t.pgwinnow_seq AS seq, pg_catalog.sum(1 + n.rows) OVER (ORDER BY t.pgwinnow_seq) AS total
          FROM (SELECT seq AS pgwinnow_seq, :tracked_keys FROM :track AS pgwinnow_track
                 WHERE seq > $1::bigint AND seq <= $4::bigint AND NOT hold AND outcome IS NULL
                 ORDER BY seq LIMIT $2::bigint) AS t
         :parent
         CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS rows
                               FROM (SELECT FROM (SELECT) AS nothing WHERE false :paths
                                      LIMIT $3::bigint + 1) AS found) AS n) AS families

-- The same over whole groups: $1 the group before, $2 groups to look at, $4 the last one. Survivors count where they
-- change too.
-- name: probe_groups
SELECT pg_catalog.max(number) FILTER (WHERE total OPERATOR(pg_catalog.<=) $3::bigint), pg_catalog.min(number),
       pg_catalog.count(*), COALESCE(pg_catalog.max(total) FILTER (WHERE total OPERATOR(pg_catalog.<=) $3::bigint), 0)
  FROM (SELECT t.pgwinnow_group AS number,
               pg_catalog.sum(:survivors OPERATOR(pg_catalog.+) pg_catalog.sum(1 OPERATOR(pg_catalog.+) n.rows))
                   OVER (ORDER BY t.pgwinnow_group) AS total
          FROM (SELECT group_no AS pgwinnow_group, :tracked_keys FROM :track AS pgwinnow_track
                 WHERE group_no > $1::bigint AND group_no <= LEAST($1::bigint + $2::bigint, $4::bigint)
                   AND NOT hold AND outcome IS NULL) AS t
         :parent
         CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS rows
                               FROM (SELECT FROM (SELECT) AS nothing WHERE false :paths
                                      LIMIT $3::bigint + 1) AS found) AS n
         GROUP BY t.pgwinnow_group) AS groups

-- The rows of a group that are still to do.
-- name: group_ends
SELECT pg_catalog.min(seq), pg_catalog.max(seq) FROM :track WHERE group_no = $1::bigint AND NOT hold AND outcome IS NULL

-- name: probe_row
LEFT JOIN :from AS p ON :parent_is_tracked

-- name: probe_key
CROSS JOIN LATERAL (SELECT :columns) AS p

-- name: probe_path
UNION ALL SELECT FROM :first :joins WHERE :points

-- name: probe_join
JOIN :child AS :child_alias ON :points

-- name: next_contested
SELECT pg_catalog.min(unit), pg_catalog.max(unit)
  FROM (SELECT :unit AS unit FROM :track WHERE outcome = 'contested' AND NOT hold AND :unit > $1::bigint
         ORDER BY :unit LIMIT $2::bigint) AS x

-- name: count_tracked
SELECT COALESCE(pg_catalog.max(seq), 0), COALESCE(pg_catalog.max(:unit), 0),
       pg_catalog.count(*) FILTER (WHERE hold AND outcome IS NULL),
       pg_catalog.count(*) FILTER (WHERE outcome = 'contested' AND NOT hold)
  FROM :track

-- The last pass and heavy rows number their tries; a number that an earlier session used would meet its checkpoint.
-- name: last_pass_used
SELECT COALESCE(pg_catalog.max(pass), 1) FROM :"state".batches WHERE run = $1::bigint
   AND step = $2::int AND round = $3::int
