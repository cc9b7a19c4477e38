-- Pieces that statements about one table share.

-- name: stays_out
NOT EXISTS (SELECT FROM :left AS f WHERE f.table_oid = :table::pg_catalog.oid AND f.seq = :alias.:"seq")
