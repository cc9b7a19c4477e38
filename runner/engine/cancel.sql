-- What a cancelled run leaves.

-- Rows over all rounds, as status counts them; until when an archive is kept that begins to count now; what there is
-- beside the archive. Steps that did something which no undo takes back: indexes, backfills, statements of the plan.
-- name: remains
SELECT COALESCE(n.removed, 0), COALESCE(n.children, 0),
       (SELECT pg_catalog.to_char(pg_catalog.max(pg_catalog.clock_timestamp() + a.keep), 'YYYY-MM-DD HH24:MI:SS TZ')
          FROM :"state".archives a WHERE a.run = $1::bigint AND a.dropped IS NULL),
       (SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', o.schema_name, o.name), ', ' ORDER BY o.name)
          FROM :"state".objects o WHERE o.run = $1::bigint AND o.kind = 'tracking'),
       (SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', o.schema_name, o.name), ', ' ORDER BY o.name)
          FROM :"state".objects o WHERE o.run = $1::bigint AND o.kind = 'index'),
       (SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', g.schema_name, g.table_name), ', ')
          FROM :"state".guards g WHERE g.run = $1::bigint),
       (SELECT pg_catalog.string_agg(pg_catalog.concat(s.name, ': ' || s.note), ', ' ORDER BY s.step)
          FROM :"state".steps s
         WHERE s.run = $1::bigint AND s.kind IN ('index', 'backfill', 'sql') AND s.state = 'done')
  FROM (SELECT pg_catalog.sum(b.rows) FILTER (WHERE s.kind IN ('delete', 'together')) AS removed,
               pg_catalog.sum(b.children) FILTER (WHERE s.kind IN ('delete', 'together', 'delete-children')) AS children
          FROM :"state".batches b JOIN :"state".steps s ON s.run = b.run AND s.step = b.step
         WHERE b.run = $1::bigint) n

-- Indexes that a step had begun and that are not valid: those of its name, and of its partitions, whose names begin
-- with it. Not one that somebody is building in this moment. Whether it is the run's own to drop: it has sent a CREATE
-- INDEX there (what it sent last need not be written down yet), and a concurrent drop can do it, which it cannot of a
-- partitioned table.
-- name: cut_short
SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname),
       c.relkind OPERATOR(pg_catalog.=) 'i' AND EXISTS (SELECT FROM :"state".statements b
                                                         WHERE b.run OPERATOR(pg_catalog.=) s.run
                                                           AND b.step OPERATOR(pg_catalog.=) s.step
                                                           AND b.name OPERATOR(pg_catalog.=) 'create'),
       c.relkind OPERATOR(pg_catalog.=) 'i'
  FROM :"state".runs r
 CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.definition OPERATOR(pg_catalog.->) 'steps')
       WITH ORDINALITY d (step, position)
 CROSS JOIN LATERAL (SELECT d.step OPERATOR(pg_catalog.#>>) '{options,name}') w (name)
  JOIN :"state".steps s ON s.run OPERATOR(pg_catalog.=) r.run
       AND s.step OPERATOR(pg_catalog.=) (d.position OPERATOR(pg_catalog.-) 1)
       AND s.kind OPERATOR(pg_catalog.=) 'index' AND s.state OPERATOR(pg_catalog.=) 'running'
  JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) ANY (r.tables)
  JOIN pg_catalog.pg_index i ON i.indrelid OPERATOR(pg_catalog.=) t.oid AND NOT i.indisvalid
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
       AND (c.relname::pg_catalog.text OPERATOR(pg_catalog.=) w.name
            OR t.relispartition
               AND pg_catalog.starts_with(c.relname::pg_catalog.text, pg_catalog.left(w.name, 40)))
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE r.run OPERATOR(pg_catalog.=) $1::bigint
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                    WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid)
 ORDER BY 3
