-- The archive: old images of what goes or changes. Everything of ours is named pgwinnow_.

-- name: create_archive_order
CREATE SEQUENCE IF NOT EXISTS :order

-- No index and no constraint: it is only written to. An undo makes the index that it wants.
-- name: create_archive
CREATE TABLE IF NOT EXISTS :archive (
    :definitions,
    :"seq" bigint NOT NULL DEFAULT pg_catalog.nextval(:'order_name'::pg_catalog.regclass),
    :"batch" bigint NOT NULL, :"order" int NOT NULL, :"action" text NOT NULL
)

-- name: note_archive
INSERT INTO :"state".archives (run, table_oid, name, schema_name, table_name, key_columns, own_columns, keep)
VALUES ($1::bigint, $2::oid, $3, $4, $5, $6::text[], $7::text[], 
        $8::bigint OPERATOR(pg_catalog.*) interval '1 ms')
ON CONFLICT (run, table_oid) DO NOTHING

-- Columns that the archive of an earlier session lacks: the source got them since. $1 the archive, $2 the source's.
-- name: missing_columns
SELECT c.name
  FROM pg_catalog.unnest($2::text[]) AS c (name)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                    WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass
                      AND a.attname OPERATOR(pg_catalog.=) c.name AND NOT a.attisdropped)

-- name: add_archive_column
ALTER TABLE :archive ADD COLUMN IF NOT EXISTS :definition

-- name: keep_removed
,
:kept AS (
    INSERT INTO :archive (:columns, :"batch", :"order", :"action")
    SELECT :values, pg_catalog.pg_current_xact_id()::text::bigint, :number, 'delete' FROM :source)

-- One row for what was, one for what the run made of it, with one number for both.
-- name: keep_changed
,
:kept AS (
    INSERT INTO :archive (:columns, :"seq", :"batch", :"order", :"action")
    SELECT :old_values, pgwinnow_seq, pg_catalog.pg_current_xact_id()::text::bigint, :number, :'does' FROM :source
     UNION ALL
    SELECT :new_values, pgwinnow_seq, pg_catalog.pg_current_xact_id()::text::bigint, :number, 'after' FROM :source)

-- name: changed_columns
, pg_catalog.nextval(:'order_name'::pg_catalog.regclass) AS pgwinnow_seq, :old_columns, :new_columns

-- Our own statements hold these tables by now, so no column can come until the commit; what came before is found here.
-- name: check_columns
SELECT c.relname FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::int[])) AS k (oid, columns)
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) k.oid
 WHERE k.columns OPERATOR(pg_catalog.<>) (
       SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid OPERATOR(pg_catalog.=) k.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
 LIMIT 1
