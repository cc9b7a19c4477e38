-- What the tracking tables of a run still tell. They may be gone, large, or not for this role: each question stands
-- behind a savepoint, and what has no answer is not known.

-- name: save_reading
SAVEPOINT pgwinnow_tracked

-- name: back_to_reading
ROLLBACK TO SAVEPOINT pgwinnow_tracked

-- name: tracked_patience
SELECT pg_catalog.set_config('statement_timeout', '20s', true)

-- The tables, one a round, and their columns that are not ours: those of the key, then those of the survivor's. $1 the
-- state schema, $2 the run.
-- name: tracked_tables
SELECT c.relname, a.attname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname = $1::name AND c.relkind = 'r'
   AND (c.relname = 'track_' || $2::text OR c.relname ~ ('^track_' || $2::text || '_[0-9]+$'))
   AND has_table_privilege(c.oid, 'SELECT') AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attname <> ALL ('{seq,hold,outcome,version,survivor_version,group_no,rank}'::name[])
 ORDER BY length(c.relname), c.relname, a.attnum

-- name: spared_rows
SELECT COALESCE(json_agg(json_build_object('reason', x.reason, 'rows', x.rows, 'examples', x.examples)
                         ORDER BY x.rows DESC, x.reason), '[]')
  FROM (SELECT y.reason, max(y.rows) AS rows, json_agg(y.example ORDER BY y.place) AS examples
          FROM (SELECT z.*, row_number() OVER (PARTITION BY z.reason ORDER BY z.round, z.seq) AS place,
                       count(*) OVER (PARTITION BY z.reason) AS rows
                  FROM (:each) AS z) AS y
         WHERE y.place <= 20 GROUP BY y.reason) AS x

-- name: spared_of_round
SELECT :round::int AS round, t.seq, t.outcome AS reason, concat_ws(', ', :key) AS example
  FROM :track AS t WHERE t.outcome NOT IN ('contested', 'removed')

-- name: kept_rows
SELECT COALESCE(sum(x.held), 0)::bigint, COALESCE(sum(x.contested), 0)::bigint FROM (:each) AS x

-- name: kept_of_round
SELECT count(*) FILTER (WHERE t.hold) AS held, count(*) FILTER (WHERE t.outcome = 'contested') AS contested
  FROM :track AS t

-- name: survivors_kept
SELECT count(*) FROM (:each) AS x

-- name: survivors_of_round
SELECT DISTINCT :survivor FROM :track AS t
