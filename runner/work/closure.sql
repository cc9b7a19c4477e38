-- Families in steps, parents locked first. f is a family table: the closure of one batch, found by its transaction.

-- FOR UPDATE blocks the KEY SHARE lock that inserting a child takes: from here on no child can come to these rows. In
-- key order; contested rows are passed over and left for the last pass, which waits.
-- name: lock_roots
INSERT INTO :family (batch, round, seq, :numbered :stay_columns)
SELECT pg_catalog.pg_current_xact_id(), 0, pgwinnow_x.*
  FROM (SELECT pgwinnow_k.pgwinnow_seq, :table_keys :stays
          FROM :from AS :alias
          JOIN (:qualified
               ) AS pgwinnow_k ON :table_is_tracked
         WHERE (:condition
               ) AND :still
         ORDER BY :table_keys
           FOR UPDATE OF :alias :skip_locked) AS pgwinnow_x

-- The columns that an edge refers to, of the parents in the closure; $1 is their round when `which` asks for it.
-- name: family_parents
SELECT :refs FROM :family AS f JOIN :parent AS p ON :parent_is_family
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which :leaves

-- One step down an edge: a new statement after the parents' locks, so it sees what came late; the children are locked
-- in their turn. $1 the parents' round, $2 how many at most (one more than the bound: too many is found out cheaply).
-- name: close_family
INSERT INTO :child_family (batch, round, :numbered)
SELECT pg_catalog.pg_current_xact_id(), $1::int + 1, x.*
  FROM (SELECT :child_keys FROM (:parents) AS p JOIN :child AS c ON :points
         WHERE :named AND :not_in_family
         ORDER BY :child_keys
         LIMIT $2::bigint
           FOR UPDATE OF c) AS x
ON CONFLICT DO NOTHING

-- What an edge will change beyond the closure, locked: what is kept of a row must be what is changed. $1: one more than
-- the bound.
-- name: count_settled
SELECT pg_catalog.count(*)
  FROM (SELECT FROM (:parents) AS p JOIN :child AS c ON :points WHERE :not_in_family LIMIT $1::bigint
           FOR UPDATE OF c) AS x

-- name: find_stopped
SELECT pg_catalog.left(c::text, 200) FROM (:parents) AS p JOIN :child AS c ON :points WHERE :not_in_family LIMIT 1

-- A row that goes as somebody's descendant must be neither a survivor that its group still needs nor held back.
-- name: find_protected
SELECT CASE WHEN t.hold THEN 'a row below it is held back' ELSE 'a row below it is the survivor of a group' END
  FROM :family AS f JOIN :track AS t ON (:tracked_is_family AND t.hold) OR (:survivor_is_family)
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND f.seq IS NULL
   AND (t.outcome IS NULL OR t.outcome = 'contested') LIMIT 1

-- name: set_null
WITH pgwinnow_changed AS (
    UPDATE :child AS c SET :nulls FROM (:parents) AS p:beside WHERE :points AND :not_in_family :same_row
    RETURNING 1:returning):kept
SELECT pg_catalog.count(*) FROM pgwinnow_changed

-- Tracked rows, or survivors, that are about to be set to NULL: changed by us and by nobody else. They are locked by
-- now.
-- name: note_nulls
UPDATE :track AS t SET :version = pg_catalog.pg_current_xact_id()::xid
  FROM (:parents) AS p JOIN :child AS c ON :points WHERE :not_in_family AND :tracked_is_child

-- Rows without a key of their own, or with NULL in it, go by what they point at.
-- name: delete_keyless
WITH pgwinnow_gone AS (
    DELETE FROM :child AS c USING (:parents) AS p WHERE :points AND :not_in_family RETURNING 1:returning):kept
SELECT pg_catalog.count(*) FROM pgwinnow_gone

-- Children before parents. Fewer removed than the closure holds: a trigger kept rows, which must not become orphans.
-- name: delete_family
WITH pgwinnow_gone AS (
    DELETE FROM :table AS c USING :family AS f
     WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which AND :child_is_family
    RETURNING f.seq:returning):kept
SELECT pg_catalog.count(*), pg_catalog.count(seq),
       (SELECT pg_catalog.count(*) FROM :family AS f WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which)
  FROM pgwinnow_gone

-- Tables that refer to each other in a circle go in one statement: their foreign keys are checked at its end.
-- name: delete_circle
WITH :links
SELECT :gone, :roots, :expected

-- name: circle_link
:link AS (
    DELETE FROM :table AS c USING :family AS f
     WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which AND :child_is_family
    RETURNING f.seq:returning):kept

-- name: expected_gone
SELECT pg_catalog.count(*) FROM :family AS f WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which
