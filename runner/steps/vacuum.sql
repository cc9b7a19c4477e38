-- Whether VACUUM of a table would do anything: its owner, the database's owner, and from PostgreSQL 17 on who holds
-- MAINTAIN. Others get a warning and no error. $1 an oid[].
-- name: may_vacuum
SELECT c.oid::pg_catalog.regclass::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_database AS d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
 WHERE c.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
   AND NOT (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.pg_has_role(d.datdba, 'USAGE')
            OR CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4
                         OPERATOR(pg_catalog.>=) 170000
                    THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') ELSE false END)
 ORDER BY 1

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
