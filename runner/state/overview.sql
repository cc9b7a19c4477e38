-- Reading runs for people. All of it in one transaction that the server lets change nothing.

-- name: begin_reading
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- The role's own limit may be a few milliseconds.
-- name: no_reading_timeout
SET LOCAL statement_timeout = 0

-- name: reading_settings
SELECT pg_catalog.set_config('search_path', 'pg_catalog', true),
       pg_catalog.set_config('application_name', 'pgwinnow: status', true),
       pg_catalog.set_config('lock_timeout', '5s', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '15s', true),
       CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', true) END,
       pg_catalog.set_config('statement_timeout', '1min', true)

-- Somebody is there when the lease was beaten within $8 seconds and the connection that beats it, where we can see it,
-- still exists: the rule by which the next runner takes over. A run without any lease is one that begins in this
-- moment, or died then. A lease that was given back has beat -infinity, from which nothing can be subtracted before
-- PostgreSQL 17. Columns that older versions of the state do not have are read by to_jsonb.
-- $1 run, $2 plan, $3 environment, $4 over or not, $5 ms since its end, $6 only with objects, $7 most.
-- The last batch is the one of the highest key, near enough: there may be millions.
-- name: overviews
SELECT r.run, r.plan, r.environment, r.table_name,
       CASE WHEN r.state IN ('running', 'waiting') AND NOT h.alive THEN 'interrupted' ELSE r.state END,
       r.wanted, r.role, r.program,
       to_char(r.started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(r.finished AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(r.started, 'YYYY-MM-DD HH24:MI:SS TZ'), to_char(r.finished, 'YYYY-MM-DD HH24:MI:SS TZ'),
       (EXTRACT(epoch FROM COALESCE(r.finished, clock_timestamp()) - r.started) * 1000)::bigint,
       (EXTRACT(epoch FROM clock_timestamp() - GREATEST(r.started, r.finished, s.last, b.last,
                CASE WHEN isfinite(l.beat) THEN l.beat END)) * 1000)::bigint,
       l.holder, h.alive,
       r.error ->> 'message', r.error ->> 'detail', r.error ->> 'hint', r.error ->> 'sqlstate',
       (SELECT count(*) FROM :"state".objects o WHERE o.run = r.run) + (:guards), k.archives, k.expired, k.until,
       to_jsonb(r) ->> 'lane', to_jsonb(r) ->> 'settings', COALESCE((to_jsonb(r) ->> 'hold')::boolean, false)
  FROM :"state".runs r
  LEFT JOIN :"state".lease l ON l.run = r.run
 CROSS JOIN LATERAL (
       SELECT CASE WHEN l.run IS NULL THEN r.started > clock_timestamp() - interval '10 s'
                   ELSE l.beat >= clock_timestamp() - make_interval(secs => $8::int)
                        AND (l.pid IS NULL OR EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid)) END)
       h (alive)
 CROSS JOIN LATERAL (
       SELECT GREATEST(max(t.started), max(t.finished)) FROM :"state".steps t WHERE t.run = r.run) s (last)
  LEFT JOIN LATERAL (
       SELECT t.at FROM :"state".batches t WHERE t.run = r.run AND r.finished IS NULL
        ORDER BY t.step DESC, t.round DESC, t.part DESC, t.pass DESC, t.first DESC LIMIT 1) b (last) ON true
 CROSS JOIN LATERAL (:kept) k (archives, expired, until)
 WHERE ($1::bigint IS NULL OR r.run = $1::bigint)
   AND ($2::text IS NULL OR r.plan = $2::text)
   AND ($3::text IS NULL OR r.environment = $3::text)
   AND ($4::boolean IS NULL OR (r.state IN ('finished', 'cancelled', 'undone')) = $4::boolean)
   AND ($5::bigint IS NULL OR r.finished < clock_timestamp() - make_interval(secs => $5::bigint / 1000.0))
   AND (NOT $6::boolean OR k.expired > 0 OR $9::boolean AND k.archives > 0
        OR EXISTS (SELECT FROM :"state".objects o WHERE o.run = r.run) OR (:guards) > 0)
 ORDER BY r.run DESC LIMIT $7::bigint

-- Expired: nobody needs them any more, as in clean.
-- name: overview_archives
SELECT count(*),
       count(*) FILTER (WHERE r.finished + a.keep < clock_timestamp()
                              OR r.state = 'undone' AND NOT EXISTS (SELECT FROM :"state".steps u
                                  WHERE u.run = r.run AND u.kind = 'undo' AND u.spared > 0)),
       to_char(max(r.finished + a.keep), 'YYYY-MM-DD HH24:MI:SS TZ')
  FROM :"state".archives a WHERE a.run = r.run AND a.dropped IS NULL

-- Version 1 of the state had no archives, and looking does not upgrade it.
-- name: overview_no_archives
SELECT 0::bigint, 0::bigint, NULL::text

-- name: overview_guards
SELECT count(*) FROM :"state".guards g WHERE g.run = r.run

-- Before version 3 there were none.
-- name: overview_no_guards
SELECT 0::bigint

-- The guards of a run, and whether their triggers are still there. By the function: people rename tables.
-- name: overview_guard_list
SELECT format('%I.%I', COALESCE(n.nspname, g.schema_name), COALESCE(c.relname, g.table_name)), g.trigger_name,
       g.constraint_name,
       CASE WHEN g.disarmed IS NOT NULL THEN 'disarmed' WHEN t.oid IS NULL THEN 'missing' ELSE 'armed' END,
       to_char(COALESCE(g.disarmed, g.armed, g.made) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(COALESCE(g.disarmed, g.armed, g.made), 'YYYY-MM-DD HH24:MI:SS TZ')
  FROM :"state".guards g
  LEFT JOIN pg_trigger t
       ON t.tgfoid = to_regprocedure(format('%I.%I()', :'state'::text, g.name))::oid AND t.tgparentid = 0
  LEFT JOIN pg_class c ON c.oid = t.tgrelid
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE g.run = $1::bigint ORDER BY g.step

-- Steps are recorded when they begin and end; what happened since is in their batches, which may be millions: they are
-- gone through once. A delete-children that works inside the delete behind it has no batches: the children are counted
-- there. The tracked rows are what a delete will go through, before it has said so itself.
-- name: overview_steps
WITH d AS MATERIALIZED (
     SELECT x.step, x.round, count(*) AS batches, sum(x.rows)::bigint AS rows, sum(x.children)::bigint AS children,
            sum(x.spared)::bigint AS spared, max(x.at) AS last,
            sum(x.rows + x.spared) FILTER (WHERE x.at > now() - interval '1 min') AS recent,
            min(x.at - make_interval(secs => COALESCE(x.ms, 0) / 1000.0))
                FILTER (WHERE x.at > now() - interval '1 min') AS since
       FROM :"state".batches x WHERE x.run = $1::bigint GROUP BY x.step, x.round)
SELECT s.run, s.name, s.kind, s.state, s.note, s.round,
       CASE WHEN b.batches > 0 THEN b.rows WHEN s.state = 'running' AND c.rows IS NOT NULL THEN c.rows ELSE s.rows END,
       COALESCE(s.total, t.rows, -1),
       CASE WHEN b.batches > 0 THEN b.spared ELSE s.spared END,
       GREATEST(b.batches, s.batches),
       CASE WHEN s.started IS NULL THEN -1
            WHEN s.state = 'running' THEN GREATEST(s.ms, (1000 * EXTRACT(epoch FROM
                 CASE WHEN $2::boolean THEN clock_timestamp() ELSE COALESCE(b.last, c.last, s.started) END
                 - s.started))::bigint)
            ELSE s.ms END,
       b.recent, EXTRACT(epoch FROM clock_timestamp() - GREATEST(now() - interval '1 min', b.since)),
       a.rows, a.children, a.spared,
       s.kind IN ('delete', 'delete-children', 'together') AND $3::boolean
       AND COALESCE((r.definition #>> '{archive,on}')::boolean, true)
       AND r.definition #> ARRAY['steps', s.step::text, 'archive', 'off'] IS NULL,
       s.state NOT IN ('waiting', 'skipped')
       AND r.definition #> ARRAY['steps', s.step::text, 'archive', 'off'] IS NOT NULL
  FROM :"state".steps s
  JOIN :"state".runs r ON r.run = s.run
  LEFT JOIN d b ON b.step = s.step AND b.round = s.round
 CROSS JOIN LATERAL (
       SELECT sum(d.rows)::bigint, sum(d.children)::bigint, sum(d.spared)::bigint FROM d WHERE d.step = s.step)
       a (rows, children, spared)
  LEFT JOIN LATERAL (
       SELECT d.children, d.last
         FROM :"state".steps n
         JOIN d ON d.step = n.step AND d.round = n.round
        WHERE s.kind = 'delete-children' AND n.run = s.run AND n.step = s.step + 1 AND n.kind = 'delete')
       c (rows, last) ON true
  LEFT JOIN LATERAL (
       SELECT x.rows FROM :"state".steps x
        WHERE s.kind IN ('delete', 'together') AND x.run = s.run AND x.kind = 'track' AND x.step < s.step
              AND x.state = 'done'
        ORDER BY x.step DESC LIMIT 1) t (rows) ON true
 WHERE s.run = $1::bigint ORDER BY s.step

-- The last column: it is the approval that its step asks for, which no runner has heard of yet.
-- name: overview_acts
SELECT to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), to_char(a.at, 'YYYY-MM-DD HH24:MI:SS TZ'),
       a.role, a.act, a.detail::text,
       EXISTS (SELECT FROM :"state".steps s
                WHERE s.run = a.run AND s.kind = 'approve' AND s.state = 'running' AND a.act = 'approve'
                  AND a.detail ->> 'step' = s.name AND a.detail ->> 'round' = s.round::text)
  FROM :"state".acts a WHERE a.run = $1::bigint ORDER BY a.at

-- What its runner wrote down when the throttle stopped it.
-- name: overview_throttle
SELECT r.waiting ->> 'reason', r.waiting ->> 'until', r.waiting ->> 'since',
       (EXTRACT(epoch FROM clock_timestamp() - (r.waiting ->> 'since')::timestamptz) * 1000)::bigint
  FROM :"state".runs r WHERE r.run = $1::bigint AND r.waiting IS NOT NULL

-- The first session of the run that waits for somebody: for what, since when, and for whom. Any role may read all of it
-- but what others hide, which is NULL then.
-- name: overview_waiting
SELECT l.what, b.pid, x.application_name, x.usename,
       to_char(l.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       (EXTRACT(epoch FROM clock_timestamp() - l.since) * 1000)::bigint,
       (EXTRACT(epoch FROM clock_timestamp() - x.xact_start) * 1000)::bigint
  FROM pg_stat_activity a
  JOIN LATERAL (SELECT p.pid FROM unnest(pg_blocking_pids(a.pid)) AS p (pid) LIMIT 1) b ON true
  LEFT JOIN pg_stat_activity x ON x.pid = b.pid
  LEFT JOIN LATERAL (
       SELECT CASE WHEN k.relation IS NOT NULL THEN k.relation::regclass::text END, k.waitstart
         FROM pg_locks k WHERE k.pid = a.pid AND NOT k.granted LIMIT 1) l (what, since) ON true
 WHERE a.datname = current_database()
   AND starts_with(a.application_name, 'pgwinnow: ' || $1::text || ' ')
 LIMIT 1

-- Endpoints of a run: what was delivered, and what is still in the outbox.
-- name: overview_webhooks
SELECT COALESCE(e.endpoint, w.endpoint), COALESCE(w.answer, e.answer), COALESCE(w.waiting, 0),
       COALESCE(e.delivered, 0), COALESCE(e.dropped, 0),
       to_char(e.gone AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM (SELECT * FROM :"state".endpoints WHERE run = $1::bigint) AS e
  FULL JOIN (SELECT endpoint, count(*) AS waiting,
                    (array_agg(answer ORDER BY seq) FILTER (WHERE answer IS NOT NULL))[1] AS answer
               FROM :"state".outbox WHERE run = $1::bigint GROUP BY endpoint) AS w ON w.endpoint = e.endpoint
 ORDER BY 1

-- name: end_reading
ROLLBACK
