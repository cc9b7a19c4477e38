-- Heavy rows: a family larger than a batch may be. l is a list: the descendants of heavy rows, tracked once.

-- The tracked row, if it still qualifies, locked so that it cannot change while a piece of its family goes. $1 is its
-- seq, or the range of a piece.
-- name: locked_roots
SELECT pgwinnow_k.pgwinnow_seq :refs
  FROM :from AS :alias
  JOIN (:qualified
       ) AS pgwinnow_k ON :table_is_tracked
 WHERE (:condition
       ) AND :still :leaves
   FOR SHARE OF :alias

-- name: listed_parents
SELECT l.root AS pgwinnow_seq, :refs FROM :list AS l JOIN :parent AS p ON :parent_is_listed
 WHERE :of_root AND l.round = $2::int :leaves

-- Its children are tracked once, by key, in physical order, round by round down the tree: LIMIT loops would walk their
-- own dead rows again and again. UNIQUE (key) ends circles. Highest seq first is deepest first. $1 the heavy row or
-- group, $2 the round.
-- name: list_children
WITH listed AS (
    INSERT INTO :child_list (seq, root, round, :numbered)
    SELECT pg_catalog.nextval(:'order_name'::pg_catalog.regclass), x.pgwinnow_root, $2::int + 1, :found
      FROM (SELECT p.pgwinnow_seq AS pgwinnow_root, :child_keys FROM (:parents) AS p JOIN :child AS c ON :points
             WHERE :named AND NOT EXISTS (SELECT FROM :child_list AS l WHERE :child_is_listed)
             ORDER BY c.tableoid, c.ctid) AS x
    ON CONFLICT DO NOTHING
    RETURNING seq)
SELECT pg_catalog.count(*), COALESCE(pg_catalog.min(seq), 0), COALESCE(pg_catalog.max(seq), 0) FROM listed

-- name: list_ends
SELECT COALESCE(pg_catalog.min(seq), 0), COALESCE(pg_catalog.max(seq), 0) FROM :list WHERE :which

-- $1, $2: the piece. Only rows that still point at a row of the family.
-- name: remove_piece
WITH r AS MATERIALIZED (:roots),
pgwinnow_gone AS (
    DELETE FROM :child AS c
     USING :list AS l JOIN r ON r.pgwinnow_seq = l.root
     WHERE l.seq BETWEEN $1::bigint AND $2::bigint AND :child_is_listed AND (:belongs)
    RETURNING 1:returning):kept
SELECT pg_catalog.count(*) FROM pgwinnow_gone

-- name: lock_piece
WITH r AS MATERIALIZED (:roots)
INSERT INTO :family (batch, round, :numbered)
SELECT pg_catalog.pg_current_xact_id(), 0, x.*
  FROM (SELECT :child_keys
          FROM :list AS l JOIN r ON r.pgwinnow_seq = l.root JOIN :child AS c ON :child_is_listed
         WHERE l.seq BETWEEN $1::bigint AND $2::bigint AND (:belongs)
         ORDER BY :child_keys
           FOR UPDATE OF c) AS x

-- OFFSET 0 keeps these as a look for each row of the piece. Turned into a join, the planner starts from the parent and
-- walks all its children for every piece.
-- name: belongs_to_root
EXISTS (SELECT FROM :track AS t JOIN :parent AS p ON :parent_is_tracked WHERE t.seq = l.root
           AND :points :leaves OFFSET 0)

-- name: belongs_to_listed
EXISTS (SELECT FROM :parent_list AS pl JOIN :parent AS p ON :parent_is_listed WHERE pl.root = l.root
           AND :points :leaves OFFSET 0)

-- Children of one row that are set to NULL, or have no key, in bounded pieces: a ctid is used in the statement that
-- found it and never across partitions. $1, $2: the row's seq twice, $3: how many.
-- name: drain_delete
WITH p AS MATERIALIZED (:parents),
pgwinnow_gone AS (
    DELETE FROM ONLY :leaf AS c
     WHERE c.ctid = ANY (ARRAY (SELECT c.ctid FROM p JOIN ONLY :leaf AS c ON :points
                                 WHERE :unnamed LIMIT $3::bigint FOR UPDATE OF c SKIP LOCKED))
    RETURNING 1:returning):kept
SELECT pg_catalog.count(*) FROM pgwinnow_gone

-- A row that changed since the statement began is not seen here; another round, or the parent's last one, finds it.
-- name: drain_set_null
WITH p AS MATERIALIZED (:parents),
pgwinnow_changed AS (
    UPDATE ONLY :leaf AS c SET :nulls FROM (SELECT) AS nothing:beside
     WHERE c.ctid = ANY (ARRAY (SELECT c.ctid FROM p JOIN ONLY :leaf AS c ON :points
                                 LIMIT $3::bigint FOR UPDATE OF c SKIP LOCKED))
           :same_row
    RETURNING 1:returning):kept
SELECT pg_catalog.count(*) FROM pgwinnow_changed

-- name: listed_row
SELECT :refs FROM :list AS l JOIN :parent AS p ON :parent_is_listed
 WHERE l.seq BETWEEN $1::bigint AND $2::bigint
   AND EXISTS (SELECT FROM (:roots) AS r WHERE r.pgwinnow_seq = l.root) :leaves
