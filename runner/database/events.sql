-- User triggers that a DELETE or UPDATE fires, and rewrite rules, of tables and their partitions ($1 oid[]).
-- Replica-only ones do not fire for us; what the server made for foreign and unique keys is no user's, its
-- clones on partitions are. Our own guard (steps/guard.sql) is none either: it lets all of our statements pass.
-- tgtype: 1 row, 2 before, 8 delete, 16 update. ev_type: 2 update, 4 delete.
-- name: read_events
SELECT t.tgrelid, t.tgname, (t.tgtype OPERATOR(pg_catalog.&) 3::pg_catalog.int2) OPERATOR(pg_catalog.=) 3
  FROM pg_catalog.pg_trigger AS t
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid OPERATOR(pg_catalog.=) t.tgconstraint
 WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND (t.tgtype OPERATOR(pg_catalog.&) 24::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
   AND (NOT t.tgisinternal OR t.tgparentid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid)
   AND (k.oid IS NULL OR k.contype OPERATOR(pg_catalog.=) 't')
   AND NOT pg_catalog.starts_with(t.tgname::pg_catalog.text, 'pgwinnow_guard_')
   AND t.tgenabled OPERATOR(pg_catalog.=) ANY (ARRAY['O', 'A']::pg_catalog."char"[])
UNION ALL
SELECT DISTINCT r.ev_class, NULL::pg_catalog.name, false
  FROM pg_catalog.pg_rewrite AS r
 WHERE r.ev_class OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND r.ev_type OPERATOR(pg_catalog.=) ANY (ARRAY['2', '4']::pg_catalog."char"[])
   AND r.ev_enabled OPERATOR(pg_catalog.=) ANY (ARRAY['O', 'A']::pg_catalog."char"[])
 ORDER BY 1, 2
