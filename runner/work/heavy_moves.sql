-- Groups that are too large to go at once: what moves is listed first, by edge, in the order in which rows are
-- preferred when they collide, and moves in pieces of that order. So a piece only meets rows that stay by right.

-- Logged: after a crash the list is what is left to do.
-- name: create_moves
CREATE TABLE IF NOT EXISTS :moves (
    seq bigint PRIMARY KEY, root bigint NOT NULL, :definitions, UNIQUE (:columns)
) WITH (autovacuum_enabled = off)

-- $1: the group.
-- name: list_moves
WITH listed AS (
    INSERT INTO :moves (seq, root, :numbered)
    SELECT pg_catalog.nextval(:'order_name'::pg_catalog.regclass), x.pgwinnow_root, :found
      FROM (SELECT p.pgwinnow_seq AS pgwinnow_root, :child_keys FROM (:parents) AS p JOIN :child AS c ON :points
             WHERE :named AND :leaves
             ORDER BY :order) AS x
    ON CONFLICT DO NOTHING
    RETURNING seq)
SELECT pg_catalog.count(*), COALESCE(pg_catalog.min(seq), 0), COALESCE(pg_catalog.max(seq), 0) FROM listed
