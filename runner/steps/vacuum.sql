-- Autovacuum's own pace for this session: -1 means that of a plain VACUUM.
-- name: pace_of_autovacuum
SELECT pg_catalog.set_config('vacuum_cost_delay', CASE WHEN a.setting::pg_catalog.float8 OPERATOR(pg_catalog.>=) 0
                             THEN a.setting ELSE v.setting END, false),
       pg_catalog.set_config('vacuum_cost_limit', CASE WHEN b.setting::pg_catalog.int4 OPERATOR(pg_catalog.>) 0
                             THEN b.setting ELSE w.setting END, false)
  FROM pg_catalog.pg_settings AS a, pg_catalog.pg_settings AS b,
       pg_catalog.pg_settings AS v, pg_catalog.pg_settings AS w
 WHERE a.name OPERATOR(pg_catalog.=) 'autovacuum_vacuum_cost_delay'
   AND b.name OPERATOR(pg_catalog.=) 'autovacuum_vacuum_cost_limit'
   AND v.name OPERATOR(pg_catalog.=) 'vacuum_cost_delay' AND w.name OPERATOR(pg_catalog.=) 'vacuum_cost_limit'

-- name: pace_full
SELECT pg_catalog.set_config('vacuum_cost_delay', '0', false)

-- TRUNCATE off: giving the empty end of the file back takes ACCESS EXCLUSIVE, which standbys replay while they are
-- read.
-- name: vacuum
VACUUM (ANALYZE :analyze, TRUNCATE :truncate:parallel) :table
