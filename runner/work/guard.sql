-- Guards that stand, and how they go: disarmed first, then dropped in short tries. All of it in transactions, so that a
-- pooler may stand in between.

-- The guards of a run ($1; NULL: of all runs that are over and had table $2), and where their triggers are now: by the
-- function, since people rename and move tables. A partition's clone of the trigger goes with its parent's.
-- name: guards
SELECT g.run, g.step, COALESCE(g.until, -1), g.name, g.constraint_name, g.disarmed IS NOT NULL,
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(c.relname),
       t.tgname, t.oid IS NOT NULL
  FROM :"state".guards AS g
  JOIN :"state".runs AS r ON r.run OPERATOR(pg_catalog.=) g.run
  LEFT JOIN pg_catalog.pg_trigger AS t
       ON t.tgfoid OPERATOR(pg_catalog.=)
          pg_catalog.to_regprocedure(pg_catalog.format('%I.%I()', :'state'::pg_catalog.text, g.name))::pg_catalog.oid
      AND t.tgparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE CASE WHEN $1::pg_catalog.int8 IS NOT NULL THEN g.run OPERATOR(pg_catalog.=) $1::pg_catalog.int8
            ELSE g.table_oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
                 AND r.state OPERATOR(pg_catalog.=)
                     ANY (ARRAY['cancelled', 'finished', 'undone']::pg_catalog.text[]) END
 ORDER BY g.run, g.step

-- $1 how long to wait for a lock.
-- name: guard_settings
SELECT pg_catalog.set_config('search_path', 'pg_catalog', true),
       pg_catalog.set_config('application_name', 'pgwinnow: guard', true),
       pg_catalog.set_config('lock_timeout', $1, true)

-- Needs no lock on the table, and whoever comes next calls this one. It runs as whoever writes, and does nothing.
-- name: disarm
CREATE OR REPLACE FUNCTION :function() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'

-- name: note_disarmed
UPDATE :"state".guards SET disarmed = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND step = $2::int AND disarmed IS NULL

-- ACCESS EXCLUSIVE on the table: everybody queues behind it, so never without a short lock_timeout.
-- name: drop_guard_trigger
DROP TRIGGER IF EXISTS :"trigger" ON :table

-- After the trigger: whoever had made a claim held the table too.
-- name: drop_guard_function
DROP FUNCTION IF EXISTS :function()

-- name: drop_guard_claims
DROP TABLE IF EXISTS :claims

-- name: forget_guard
DELETE FROM :"state".guards WHERE run = $1::bigint AND step = $2::int
