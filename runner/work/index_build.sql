-- What stands under a name, $1 schema, $2 name, $3 the table meant, and who is building it. What other roles do is
-- hidden in the progress view but for the process; that holds the lock of a concurrent build on the table then.
-- name: find
SELECT c.oid, c.relkind, COALESCE(i.indrelid OPERATOR(pg_catalog.=) $3::pg_catalog.oid, false),
       COALESCE(i.indisvalid AND i.indisready AND i.indislive, false),
       CASE WHEN i.indexrelid IS NULL THEN 'no index'
            ELSE 'an index of ' OPERATOR(pg_catalog.||) i.indrelid::pg_catalog.regclass::pg_catalog.text END,
       b.pid, s.application_name
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
  LEFT JOIN LATERAL (
       SELECT p.pid
         FROM pg_catalog.pg_stat_progress_create_index AS p
        WHERE p.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
          AND (p.index_relid OPERATOR(pg_catalog.=) c.oid
               OR p.index_relid IS NULL
                  AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                               WHERE l.pid OPERATOR(pg_catalog.=) p.pid
                                 AND l.relation OPERATOR(pg_catalog.=) i.indrelid
                                 AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'))
        LIMIT 1) AS b ON true
  LEFT JOIN pg_catalog.pg_stat_activity AS s ON s.pid OPERATOR(pg_catalog.=) b.pid
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name

-- Never IF NOT EXISTS: it says success when an invalid leftover stands under the name.
-- name: create
CREATE :unique INDEX CONCURRENTLY :"name" ON :from USING :definition

-- IF EXISTS, since somebody else may drop the same leftover in this moment.
-- name: drop
DROP INDEX CONCURRENTLY IF EXISTS :index
