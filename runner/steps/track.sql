-- Writing the tracking table: one row per row that will go, in one statement and one transaction.

-- name: create_track
CREATE TABLE :track (
    seq bigint NOT NULL, :definitions, hold boolean NOT NULL DEFAULT false, outcome text
)

-- seq is the physical order: batches then read and write pages one after the other. Where groups stand together they
-- do so in the order of their first places.
-- name: fill_track
INSERT INTO :track (seq, :columns)
SELECT pg_catalog.row_number() OVER (ORDER BY :removal_order), :values FROM (:rows
) AS pgwinnow_rows

-- In a later round what people held back in the one before stays held.
-- name: carry_holds
UPDATE :track AS t SET hold = true FROM :before AS b WHERE b.hold AND :same_row

-- name: add_key
ALTER TABLE :track ADD PRIMARY KEY (seq)

-- For the last pass; empty as long as nobody stands in the way.
-- name: add_contested
CREATE INDEX ON :track (seq) WHERE outcome = 'contested'

-- Whole groups are taken by their number.
-- name: add_groups
CREATE INDEX ON :track (group_no)

-- name: analyze_track
ANALYZE :track

-- name: count_rows
SELECT pg_catalog.count(*) FROM :track

-- name: count_groups
SELECT pg_catalog.count(*) FROM (SELECT DISTINCT :groups FROM :track) AS groups

-- name: count_table
SELECT pg_catalog.count(*) FROM :from AS :alias
