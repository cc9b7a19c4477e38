-- The helper tables of a run: family tables and lists, one per table below the root.

-- (the descendants of one heavy row, tracked once). Everything of the plan's table itself carries the prefix pgwinnow_.

-- UNLOGGED: it matters inside the batch's transaction only. Autovacuum would stand in the way of dropping it.
-- name: create_family
CREATE UNLOGGED TABLE IF NOT EXISTS :family (
    batch xid8 NOT NULL, round int NOT NULL, seq bigint, :definitions :stays, UNIQUE (batch, :columns)
) WITH (autovacuum_enabled = off)

-- Logged: after a crash the list is what is left to do.
-- name: create_list
CREATE TABLE IF NOT EXISTS :list (
    seq bigint PRIMARY KEY, root bigint NOT NULL, round int NOT NULL, :definitions, UNIQUE (:columns)
) WITH (autovacuum_enabled = off)

-- name: create_order
CREATE SEQUENCE IF NOT EXISTS :order

-- name: drop_table
DROP TABLE IF EXISTS :table

-- name: drop_order
DROP SEQUENCE IF EXISTS :order

-- For the look whether a descendant is a survivor, or held back, in trees that lead back to the plan's table.
-- name: create_protection
CREATE INDEX IF NOT EXISTS :name ON :track (:columns)
