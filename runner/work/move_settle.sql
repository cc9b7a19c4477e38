-- The tables of moves and the changes of a batch that moves. m is a move table.

-- name: create_move
CREATE UNLOGGED TABLE IF NOT EXISTS :move (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, batch xid8 NOT NULL, leaf oid NOT NULL, place tid NOT NULL,
    rank bigint, conflict int NOT NULL, arrives boolean NOT NULL, pref bigint, sure boolean NOT NULL DEFAULT false,
    dropped boolean NOT NULL DEFAULT false, rule int, winner bigint :definitions, UNIQUE (batch, leaf, place)
) WITH (autovacuum_enabled = off)

-- name: create_pairs
CREATE UNLOGGED TABLE IF NOT EXISTS :pairs (
    batch xid8 NOT NULL, pass int NOT NULL, worse bigint NOT NULL, better bigint NOT NULL,
    PRIMARY KEY (batch, pass, worse, better)
) WITH (autovacuum_enabled = off)

-- name: settle_moves
WITH :links
SELECT * FROM (:counts) AS pgwinnow_counts

-- name: move_link
:link AS (
    UPDATE :child AS c SET :assignments FROM :move AS m:beside
     WHERE m.batch = pg_catalog.pg_current_xact_id() AND NOT m.dropped AND :same_row AND :after :same_place
    RETURNING 1 :returning):kept

-- name: drop_link
:link AS (
    DELETE FROM :child AS c USING :move AS m
     WHERE m.batch = pg_catalog.pg_current_xact_id() AND m.dropped AND :unnamed
       AND c.tableoid = m.leaf AND c.ctid = m.place
    RETURNING NULL::bigint AS seq :returning):kept

-- name: count_link
SELECT :node::int, (SELECT pg_catalog.count(*) FROM :link), (SELECT pg_catalog.count(:roots) FROM :link),
       (:expected), :moves

-- name: expected_moves
SELECT pg_catalog.count(*) FROM :move AS m WHERE m.batch = pg_catalog.pg_current_xact_id() AND :which

-- name: note_versions
UPDATE :track AS t SET :version = pg_catalog.pg_current_xact_id()::xid
  FROM :move AS m
 WHERE m.batch = pg_catalog.pg_current_xact_id() AND NOT m.dropped AND :tracked_is_moved
