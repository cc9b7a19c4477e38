-- Writing the tracking table: one row per row that will go, in one statement and one transaction.

-- name: create_track
CREATE TABLE :track (
    seq bigint NOT NULL, :definitions, hold boolean NOT NULL DEFAULT false, outcome text
)

-- Which rows go, by place and key. One sort; never `NOT IN (SELECT min(id) ...)`, which is quadratic.
-- name: rows_duplicates
SELECT * FROM (
    SELECT :alias.tableoid AS pgwinnow_table, :alias.ctid AS pgwinnow_place, :keys, :survivors,
           pg_catalog.row_number() OVER pgwinnow_group AS pgwinnow_n
      FROM :from AS :alias
     WHERE (:condition
           ) AND :no_nulls
    WINDOW pgwinnow_group AS (PARTITION BY :list ORDER BY :order)) AS pgwinnow_ranked
 WHERE pgwinnow_n > 1

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

-- seq is the physical order: batches then read and write pages one after the other.
-- name: fill_track
INSERT INTO :track (seq, :columns)
SELECT pg_catalog.row_number() OVER (ORDER BY pgwinnow_table, pgwinnow_place), :values FROM (:rows
) AS pgwinnow_rows

-- In a later round what people held back in the one before stays held.
-- name: carry_holds
UPDATE :track AS t SET hold = true FROM :before AS b WHERE b.hold AND :same_row

-- name: add_key
ALTER TABLE :track ADD PRIMARY KEY (seq)

-- For the last pass; empty as long as nobody stands in the way.
-- name: add_contested
CREATE INDEX ON :track (seq) WHERE outcome = 'contested'

-- name: analyze_track
ANALYZE :track

-- name: count_rows
SELECT pg_catalog.count(*) FROM :track

-- name: count_groups
SELECT pg_catalog.count(*) FROM (SELECT DISTINCT :groups FROM :track) AS groups

-- name: count_table
SELECT pg_catalog.count(*) FROM :from AS :alias
