-- The SELECT of the rows that go: run puts them into the tracking table, explain counts them. Each has its place
-- (pgwinnow_table, pgwinnow_place), its key (pgwinnow_k1..) and its survivor's (pgwinnow_s1..).

-- One sort; never `NOT IN (SELECT min(id) ...)`, which is quadratic. Where groups stand together the outer window finds
-- the rows as the inner one left them: it costs no further sort.
-- name: rows_duplicates
SELECT pgwinnow_ranked.* :group_place FROM (
    SELECT :alias.tableoid AS pgwinnow_table, :alias.ctid AS pgwinnow_place, :keys, :survivors :versions :group_values,
           pg_catalog.row_number() OVER pgwinnow_group AS pgwinnow_rank
      FROM :from AS :alias
     WHERE (:condition
           ) AND :no_nulls
    WINDOW pgwinnow_group AS (PARTITION BY :list ORDER BY :order)) AS pgwinnow_ranked
 WHERE pgwinnow_rank > 1

-- The first place of a group in its table.
-- name: place_in_table
, pg_catalog.min(pgwinnow_place) OVER (PARTITION BY :group) AS pgwinnow_group_place

-- The same over partitions: table and ctid as the server sends them, which puts the bytes in their order.
-- name: place_in_partitions
, pg_catalog.min(pg_catalog.encode(pg_catalog.oidsend(pgwinnow_table) OPERATOR(pg_catalog.||)
                                   pg_catalog.tidsend(pgwinnow_place), 'hex') COLLATE "C")
      OVER (PARTITION BY :group) AS pgwinnow_group_place

-- name: rows_where
SELECT :alias.tableoid AS pgwinnow_table, :alias.ctid AS pgwinnow_place, :keys
  FROM :from AS :alias
 WHERE (:condition
       )

-- xmin is the version that was judged; a row that changed afterwards is spared.
-- name: rows_query
SELECT :alias.tableoid AS pgwinnow_table, :alias.ctid AS pgwinnow_place, :keys, :alias.xmin AS pgwinnow_version
  FROM (SELECT DISTINCT :query_keys FROM (:query
       ) AS pgwinnow_query) AS pgwinnow_q
  JOIN :from AS :alias ON :table_is_queried
