-- Moves: rows that point at a row that goes get the key of the row that stays. m is a move table: the rows of one table
-- that a batch moves, with their new values, found by its transaction; nothing is changed before all is decided.
-- Everything of the plan's tables keeps its own column names in the rules' texts, so ours carry the prefix pgwinnow_.

-- UNLOGGED: it matters inside the batch's transaction only. The place of a row is valid because the row stays locked.
-- Pairs of moved rows that an exclusion constraint keeps apart.
-- What an edge refers to, old and new: of rows that go, and of those that stay in their place, which may be moved too.
-- Of rows that are moved themselves, where what changes is referred to.
-- What becomes of a row that is there already; lost: it loses a reference only.
-- name: enter_moves
ON CONFLICT (batch, leaf, place) DO UPDATE
   SET rank = LEAST(m.rank, EXCLUDED.rank), conflict = GREATEST(m.conflict, EXCLUDED.conflict),
       arrives = m.arrives OR EXCLUDED.arrives, :changed
 WHERE :differs OR m.rank > EXCLUDED.rank OR m.conflict < EXCLUDED.conflict OR EXCLUDED.arrives > m.arrives
RETURNING m.xmax = '0'::pg_catalog.xid AS fresh, :lost AS lost

-- The rows of an edge that are moved, locked. A row that several edges move is there once, with what each of them
-- changes; how many are new, and how many are new or changed. $1: how many at most (one more than the bound).
-- name: collect_moves
WITH found AS (
    INSERT INTO :move AS m (batch, leaf, place, rank, conflict, arrives, :columns)
    SELECT pg_catalog.pg_current_xact_id(), x.*
      FROM (SELECT c.tableoid, c.ctid, p.pgwinnow_rank, :conflict::int, :arrives, :values
              FROM (:mapping) AS p JOIN :child AS c ON :points
             WHERE :not_in_family
             ORDER BY :order
             LIMIT $1::bigint
               FOR UPDATE OF c) AS x
    :enter)
SELECT pg_catalog.count(*) FILTER (WHERE fresh), pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE lost)
  FROM found

-- A piece of a heavy group's list, $2 to $3. The rank is the place in the list, for what is found below dropped rows
-- too: so where a piece ends makes no difference.
-- name: collect_listed
WITH p AS MATERIALIZED (:mapping),
found AS (
    INSERT INTO :move AS m (batch, leaf, place, rank, conflict, arrives, :columns)
    SELECT pg_catalog.pg_current_xact_id(), x.*
      FROM (SELECT c.tableoid, c.ctid, l.seq, :conflict::int, :arrives, :values
              FROM :moves AS l JOIN :child AS c ON :child_is_listed JOIN p ON :points
             WHERE l.seq BETWEEN $2::bigint AND $3::bigint AND :not_in_family
             ORDER BY :order
             LIMIT $1::bigint
               FOR UPDATE OF c) AS x
    :enter)
SELECT pg_catalog.count(*) FILTER (WHERE fresh), pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE lost)
  FROM found

-- The rows as they will be, generated columns too, and what each rule sees of them.
-- A row of the table that is not moved and does not go stays, whosever it is. It is locked: the moved row is given up
-- in favour of it.
-- name: drop_for_others
WITH fallen AS (
    UPDATE :move AS m SET dropped = true, sure = false, winner = NULL, rule = x.pgwinnow_rule :stays
      FROM (SELECT DISTINCT ON (pgwinnow_i.pgwinnow_n) pgwinnow_i.pgwinnow_n, pgwinnow_o.*
              FROM (:values) AS pgwinnow_i CROSS JOIN LATERAL (:others) AS pgwinnow_o
             ORDER BY pgwinnow_i.pgwinnow_n, pgwinnow_o.pgwinnow_rule) AS x
     WHERE m.n = x.pgwinnow_n AND m.arrives
    RETURNING 1)
SELECT pg_catalog.count(*) FROM fallen

-- A row that only loses a reference has its place already: it stays, like those that are not moved at all.
-- The order of preference, and for each unique rule which rows are equal by it: sorted by its operator class.
-- name: number_moves
UPDATE :move AS m SET sure = NOT m.arrives, pref = x.pref :groups
  FROM (SELECT pgwinnow_n,
               pg_catalog.row_number() OVER (ORDER BY pgwinnow_arrives, pgwinnow_order, :order) AS pref :ranks :has
          FROM (:values) AS pgwinnow_i) AS x
 WHERE m.n = x.pgwinnow_n

-- name: pair_moves
INSERT INTO :pairs (batch, pass, worse, better)
SELECT pg_catalog.pg_current_xact_id(), $1::int, pgwinnow_j.pgwinnow_n, pgwinnow_i.pgwinnow_n
  FROM (:values) AS pgwinnow_i JOIN (:values) AS pgwinnow_j ON pgwinnow_i.pgwinnow_pref < pgwinnow_j.pgwinnow_pref
 WHERE :live AND :conflicts
ON CONFLICT DO NOTHING

-- Sure is a row that no better one can drop any more. By a rule, who holds a place is better than who arrives; where
-- two rows hold each other's places by two rules, the first in order of preference stays.
-- name: mark_sure
UPDATE :move AS m SET sure = true
  FROM (SELECT n, pref, sure, pg_catalog.min(pref) FILTER (WHERE NOT sure) OVER () AS least :bests
          FROM :move WHERE batch = pg_catalog.pg_current_xact_id() AND NOT dropped) AS x
 WHERE m.n = x.n AND NOT x.sure AND ((:best AND :unpaired) OR (:forced AND x.pref = x.least))

-- What collides with a sure row is given up in favour of it; a row is never dropped for one that is dropped itself.
-- Some may still be open: they collide with better ones that were dropped only now.
-- name: drop_for_sure
WITH judged AS MATERIALIZED (
    SELECT n, sure, :winners AS winner
      FROM (SELECT n, sure, pref :groups FROM :move
             WHERE batch = pg_catalog.pg_current_xact_id() AND NOT dropped) AS x),
fallen AS (
    UPDATE :move AS m SET dropped = true, winner = j.winner[1], rule = j.winner[2]
      FROM judged AS j
     WHERE m.n = j.n AND NOT j.sure AND j.winner IS NOT NULL
    RETURNING 1)
SELECT (SELECT pg_catalog.count(*) FROM fallen),
       (SELECT pg_catalog.count(*) FROM judged WHERE NOT sure AND winner IS NULL)

-- The row as it is, not yet moved, tells by which of its references it would be.
-- name: find_conflict
SELECT m.rule, pg_catalog.concat(:loser), pg_catalog.concat(:winner), pg_catalog.concat_ws(' and ', :targets)
  FROM :move AS m LEFT JOIN :move AS w ON w.n = m.winner JOIN :child AS c ON :same_row
 WHERE m.batch = pg_catalog.pg_current_xact_id() AND m.dropped AND m.conflict = 2
 ORDER BY m.n LIMIT 1

-- Dropped rows go like the tracked ones: with a row that stays in their place.
-- name: enter_dropped
INSERT INTO :family (batch, round, rank, :numbered, :stay_numbered)
SELECT m.batch, $1::int, m.rank, :keys, :stays
  FROM :move AS m LEFT JOIN :move AS w ON w.n = m.winner
 WHERE m.batch = pg_catalog.pg_current_xact_id() AND m.dropped AND :named
ON CONFLICT DO NOTHING

-- In circles: a row that goes by another edge is not moved.
-- name: evict_moves
DELETE FROM :move AS m USING :family AS f
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND m.batch = f.batch AND NOT m.dropped AND :same

-- In circles: what stayed for others may have been dropped since, for another one.
-- name: follow_stays
UPDATE :family AS f SET :stays
  FROM :family AS d
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND d.batch = f.batch AND d.s1 IS NOT NULL AND :stays_is_dropped

-- All changes of a batch at once: foreign keys are checked at its end, when every row points where it should, and a row
-- whose key changes meets those that follow it. A table's rows go before others take their places.
-- Tracked rows that a move changed were changed by nobody else.

-- In circles: a row that others were dropped for goes itself, by a delete edge.
-- name: find_unstable
SELECT FROM :family AS f JOIN :family AS g ON :stays_is_going
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND g.batch = f.batch AND g.s1 IS NULL LIMIT 1
