-- What survivors become. Everything of ours is named pgwinnow_; the table goes by its own name.

-- UNLOGGED: it matters inside the batch's transaction only. Autovacuum would stand in the way of dropping it.
-- name: create_merge
CREATE UNLOGGED TABLE :merge (batch xid8 NOT NULL, :keys, :values, UNIQUE (batch, :key_names))
  WITH (autovacuum_enabled = off)

-- What an earlier session of the run left, perhaps with other columns.
-- name: drop_merge
DROP TABLE IF EXISTS :merge

-- A group is taken whole or not at all. A row that still qualifies and is not among those that were locked is held by
-- somebody: its whole group is left for the last pass. Rows that no longer qualify are none of the group's any more.
-- name: leave_parts
DELETE FROM :family AS pgwinnow_f
 USING (SELECT seq AS pgwinnow_seq, group_no AS pgwinnow_group FROM :track) AS pgwinnow_t
  JOIN (SELECT DISTINCT pgwinnow_g.pgwinnow_group
          FROM (:plain
               ) AS pgwinnow_k
          JOIN (SELECT seq AS pgwinnow_seq, group_no AS pgwinnow_group FROM :track) AS pgwinnow_g
            ON pgwinnow_g.pgwinnow_seq = pgwinnow_k.pgwinnow_seq
          JOIN :from AS :alias ON :table_is_tracked
         WHERE NOT EXISTS (SELECT FROM :family AS pgwinnow_f
                            WHERE pgwinnow_f.batch = pg_catalog.pg_current_xact_id() AND :table_is_family)
           AND (:reason) = 'contested') AS pgwinnow_busy ON pgwinnow_busy.pgwinnow_group = pgwinnow_t.pgwinnow_group
 WHERE pgwinnow_f.batch = pg_catalog.pg_current_xact_id() AND pgwinnow_f.seq = pgwinnow_t.pgwinnow_seq

-- The rows of the groups, survivors first: those that go and are locked, and the survivors, locked too.
-- name: members
SELECT DISTINCT 1::pg_catalog.int8 AS pgwinnow_rank, :survivor_keys, :survivor_as_row
  FROM :family AS pgwinnow_f JOIN :track AS pgwinnow_track ON pgwinnow_track.seq = pgwinnow_f.seq
 WHERE pgwinnow_f.batch = pg_catalog.pg_current_xact_id()
 UNION ALL
SELECT pgwinnow_track.rank, :survivor_keys, :tracked_keys
  FROM :family AS pgwinnow_f JOIN :track AS pgwinnow_track ON pgwinnow_track.seq = pgwinnow_f.seq
 WHERE pgwinnow_f.batch = pg_catalog.pg_current_xact_id()

-- A new statement behind the locks: it sees what the rows are now, and they stay so until the commit.
-- name: merge_values
INSERT INTO :merge (batch, :key_names, :value_names)
SELECT pg_catalog.pg_current_xact_id(), :survivors, :expressions
  FROM (SELECT pgwinnow_m.*, :row, :alias.*
          FROM (:members
               ) AS pgwinnow_m
          JOIN :from AS :alias ON :table_is_member) AS :alias
 GROUP BY :survivors

-- Of which group it is that an error speaks.
-- name: name_group
SELECT pg_catalog.concat(:name)
  FROM (:members
       ) AS pgwinnow_m
  JOIN :from AS :alias ON :table_is_member
 WHERE pgwinnow_m.pgwinnow_rank = 1 LIMIT 1

-- Only what differs, byte for byte: a survivor that stays as it is fires no trigger and writes no WAL. Fewer written
-- than differ: a trigger kept survivors as they were, and their groups' values would be lost with the losers.
-- name: write_merged
WITH pgwinnow_changed AS (
    UPDATE :from AS c SET :assignments FROM :merge AS m:beside
     WHERE m.batch = pg_catalog.pg_current_xact_id() AND :survivor AND :differs :same_row
    RETURNING 1:returning):kept
SELECT (SELECT pg_catalog.count(*) FROM pgwinnow_changed),
       (SELECT pg_catalog.count(*) FROM :merge AS m JOIN :from AS c ON :survivor
         WHERE m.batch = pg_catalog.pg_current_xact_id() AND :differs)
