-- Statements over the tracking table that all batches of tracked rows share. $1, $2: the range, of seq or group_no.

-- The survivor is locked FOR SHARE before it is compared: with FOR KEY SHARE its key could be changed meanwhile (the
-- key is in no unique index yet), and without a lock groups were emptied. LockRows hands on its newest version.
-- In the order of the tracked keys, so rows that go are locked in it too: applications that lock several rows do so by
-- key, if in any order, and two that agree on it never meet in a deadlock.
-- name: qualified_with_survivor
SELECT pgwinnow_t.* :survivor_values
  FROM (SELECT seq AS pgwinnow_seq, :tracked_keys, :survivor_keys :judged
          FROM :track AS pgwinnow_track
         WHERE (:range) AND NOT hold AND :pending) AS pgwinnow_t
  JOIN :from AS :alias ON :table_is_survivor
 WHERE (:condition
       )
 ORDER BY :key_order
   FOR :strength OF :alias :skip_locked

-- name: qualified_alone
SELECT seq AS pgwinnow_seq, :tracked_keys :judged
  FROM :track AS pgwinnow_track
 WHERE (:range) AND NOT hold AND :pending
 ORDER BY :key_order

-- name: tracking_count_pending
SELECT pg_catalog.count(*) FROM :track WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND :pending

-- After the removal, in its transaction: what of the range is still there, and why. A row for which no reason is found
-- was locked by somebody: it is contested and waits for the last pass.
-- name: tracking_classify
WITH pgwinnow_left AS (
    SELECT pgwinnow_k.pgwinnow_seq, :reason AS pgwinnow_reason
      FROM (:plain
           ) AS pgwinnow_k
      JOIN :from AS :alias ON :table_is_tracked),
pgwinnow_told AS (
    UPDATE :track AS pgwinnow_track SET outcome = pgwinnow_left.pgwinnow_reason
      FROM pgwinnow_left WHERE pgwinnow_track.seq = pgwinnow_left.pgwinnow_seq
    RETURNING pgwinnow_track.outcome = 'contested' AS contested)
SELECT pg_catalog.count(*) FILTER (WHERE contested), pg_catalog.count(*) FILTER (WHERE NOT contested) FROM pgwinnow_told

-- Without locks: for reasons only, never to decide that a row goes.
-- name: plain_with_survivor
SELECT pgwinnow_t.*, pgwinnow_s.*
  FROM (SELECT seq AS pgwinnow_seq, :tracked_keys, :survivor_keys :judged
          FROM :track AS pgwinnow_track
         WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND :pending) AS pgwinnow_t
  LEFT JOIN LATERAL (SELECT true AS pgwinnow_there, COALESCE((:condition
                            ), false) AS pgwinnow_meets :survivor_values
                       FROM :from AS :alias WHERE :table_is_survivor) AS pgwinnow_s ON true

-- name: plain_alone
SELECT seq AS pgwinnow_seq, :tracked_keys :judged
  FROM :track AS pgwinnow_track
 WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND :pending

-- name: reason_with_survivor
CASE WHEN NOT COALESCE((:condition
         ), false) THEN 'the condition no longer holds'
     WHEN pgwinnow_k.pgwinnow_there IS NULL THEN 'its survivor is gone'
     WHEN NOT pgwinnow_k.pgwinnow_meets THEN 'its survivor no longer meets the condition'
     :changes
     ELSE 'contested' END

-- name: changes_of_duplicates
WHEN NOT COALESCE(:same_key, false) THEN 'its key is no longer its survivor''s'
     WHEN NOT COALESCE(:keeps, false) THEN 'it would now win over its survivor'

-- name: changes_of_versions
WHEN NOT (:same_version) THEN 'it was changed after it was judged'
     WHEN NOT (:same_survivor) THEN 'its survivor was changed after it was judged'

-- name: changes_of_recheck
WHEN NOT COALESCE((:recheck
         ), false) THEN 'it was changed after it was tracked'

-- name: reason_alone
CASE WHEN NOT COALESCE((:condition
         ), false) THEN 'the condition no longer holds'
     WHEN NOT COALESCE(:still, false) THEN 'it was changed after it was tracked'
     ELSE 'contested' END

-- The rows of a range whose tries are used up wait for the last pass.
-- name: tracking_give_up
UPDATE :track SET outcome = 'contested'
 WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND outcome IS NULL

-- In the last pass, behind the removal: what waited for it and is not there any more is settled, whoever removed it.
-- name: tracking_gone
UPDATE :track AS pgwinnow_track SET outcome = NULL
  FROM (SELECT seq AS pgwinnow_seq, :tracked_keys
          FROM :track AS pgwinnow_track
         WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND :pending) AS pgwinnow_k
 WHERE pgwinnow_track.seq = pgwinnow_k.pgwinnow_seq AND NOT EXISTS (SELECT FROM :from AS :alias WHERE :table_is_tracked)

-- Behind the removal of a piece of a group: the group itself has no checkpoint yet, and after a kill its rows are
-- looked at again. Those that are gone are no longer pending.
-- name: tracking_removed
UPDATE :track AS pgwinnow_track SET outcome = 'removed'
  FROM (SELECT seq AS pgwinnow_seq, :tracked_keys
          FROM :track AS pgwinnow_track
         WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold AND :pending) AS pgwinnow_k
 WHERE pgwinnow_track.seq = pgwinnow_k.pgwinnow_seq AND NOT EXISTS (SELECT FROM :from AS :alias WHERE :table_is_tracked)

-- name: tracking_spare
UPDATE :track SET outcome = $3 WHERE :unit BETWEEN $1::bigint AND $2::bigint AND NOT hold
   AND (outcome IS NULL OR outcome = 'contested')

-- The survivor wins: its whole row and the loser's stand side by side and the plan's order decides.
-- name: keeps_by_order
(SELECT pgwinnow_side FROM (SELECT 0 AS pgwinnow_side, (pgwinnow_k.pgwinnow_row).*
                            UNION ALL
                            SELECT 1, :alias.*) AS :alias
  ORDER BY :order, :table_keys LIMIT 1) = 0

-- The smaller value stays, NULL never wins, ties go to the smaller key. For `last` the two sides are swapped.
-- name: keeps_by_value
CASE WHEN :loser_value IS NULL THEN pgwinnow_k.pgwinnow_order IS NOT NULL OR :survivor_key_is_smaller
     WHEN pgwinnow_k.pgwinnow_order IS NULL THEN false
     WHEN :survivor_is_better THEN true
     WHEN pgwinnow_k.pgwinnow_order :equal :loser_value THEN :survivor_key_is_smaller
     ELSE false END
