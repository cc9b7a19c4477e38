-- The guard: a trigger that keeps new duplicates out until the unique index is there.

-- Where two writers of a key meet: each writes the row of its key's hash first. Unlogged, since claims matter only to
-- transactions that are open. The key has the name that the unique index will have: a snapshot that is older than
-- another writer's claim cannot see it, and gets 23505 with this name from here.
-- name: create_claims
CREATE UNLOGGED TABLE IF NOT EXISTS :claims (
    hash bigint,
    times bigint NOT NULL DEFAULT 1,
    CONSTRAINT :"constraint" PRIMARY KEY (hash)
)

-- SECURITY DEFINER: a unique index sees all rows, so must its stand-in, and writers have no rights on the claims. So
-- the path is fixed, and all names in the body were resolved when it was made. enable_seqscan: a sequential scan may
-- look cheap for one row, until there is none.
-- name: create_function
CREATE OR REPLACE FUNCTION :function() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off :settings AS :'body'

-- Whoever may call it could put it on a table of his own, and ask by it which keys there are.
-- name: revoke_function
REVOKE ALL ON FUNCTION :function() FROM :grantees

-- Who may, by default privileges of the role: PUBLIC always, unless those say otherwise.
-- name: function_grantees
SELECT pg_catalog.string_agg(DISTINCT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                                           ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, ', ')
  FROM pg_catalog.pg_proc AS p
 CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
 WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure($1)::pg_catalog.oid
   AND a.grantee OPERATOR(pg_catalog.<>) p.proowner

-- Never UPDATE OF: BEFORE triggers change columns that no statement named. Takes SHARE ROW EXCLUSIVE, which waits for
-- all transactions that wrote to the table: in short tries only, since writers queue behind it.
-- name: create_trigger
CREATE TRIGGER :"trigger" AFTER INSERT OR UPDATE ON :table FOR EACH ROW EXECUTE FUNCTION :function()

-- On a small table a scan of it is cheaper: not asked for is the one that is cheap today.
-- name: scans
SELECT pg_catalog.set_config('enable_seqscan', $1, true)

-- How the server would look a key up: the inner side must be an index scan by the key. The outer one is a row of NULLs
-- that stays a parameter; no row of the table is read.
-- name: probe_plan
EXPLAIN (FORMAT json)
SELECT
  FROM (SELECT :nulls OFFSET 0) AS pgwinnow_key
 CROSS JOIN LATERAL (SELECT FROM :from AS :"name" WHERE (:condition
       ) AND :equal LIMIT 1 OFFSET 1) AS pgwinnow_found

-- Fails for a type that cannot be hashed.
-- name: try_hash
SELECT pg_catalog.hash_record_extended(ROW(:nulls), 0)

-- name: add_guard
INSERT INTO :"state".guards (run, step, until, table_oid, schema_name, table_name, name, trigger_name, constraint_name)
VALUES ($1::bigint, $2::int, NULLIF($3::int, -1), $4::oid, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING

-- name: note_armed
UPDATE :"state".guards SET armed = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND step = $2::int AND armed IS NULL

-- Transactions of this database that hold a snapshot now: one that keeps it does not see what was committed between its
-- snapshot and the trigger, and made no claim that it could meet. As a concurrent index build, we wait for them.
-- name: open_transactions
SELECT pg_catalog.array_agg(l.virtualtransaction)
  FROM pg_catalog.pg_stat_activity AS a
  JOIN pg_catalog.pg_locks AS l ON l.pid OPERATOR(pg_catalog.=) a.pid
       AND l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.granted
       AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
 WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND a.backend_xmin IS NOT NULL
   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND a.backend_type OPERATOR(pg_catalog.<>)
       ALL (ARRAY['autovacuum worker', 'walsender', 'logical replication worker']::pg_catalog.text[])

-- Those of $1 that are still there: how many, and who the oldest is.
-- name: still_open
SELECT pg_catalog.count(*) OVER (), a.pid, a.application_name, a.usename,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start)::pg_catalog.int8
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.granted
   AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
   AND l.virtualtransaction OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
 ORDER BY a.xact_start NULLS LAST LIMIT 1

-- Rows that a subscription applies fire no trigger of this kind.
-- name: subscriptions
SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel AS s
 WHERE s.srrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid

-- What the role lacks to make a guard of table $1 and to drop it again. The temporary table is the trial of the index.
-- name: lacking_to_guard
SELECT pg_catalog.format('GRANT %I TO %I;', pg_catalog.pg_get_userbyid(c.relowner), CURRENT_USER),
       pg_catalog.format('only its owner drops a trigger of %I.%I again', n.nspname, c.relname)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
 UNION ALL
SELECT pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I;', pg_catalog.current_database(), CURRENT_USER),
       'the guard tries its index on a temporary table'
 WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
 UNION ALL
SELECT pg_catalog.format('GRANT USAGE ON LANGUAGE plpgsql TO %I;', CURRENT_USER),
       'the guard''s trigger is written in it'
  FROM pg_catalog.pg_language AS l
 WHERE l.lanname OPERATOR(pg_catalog.=) 'plpgsql' AND NOT pg_catalog.has_language_privilege(l.oid, 'USAGE')
