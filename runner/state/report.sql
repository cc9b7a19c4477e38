-- What a run was and did, as JSON: each statement gives one value. They stand in one transaction (overview.sql) that
-- lets nothing be changed, with nothing in the search_path but pg_catalog. $1 is the run. However long the run was,
-- none gives more than some hundred entries. Columns that older versions of the state do not have are read by to_jsonb.

-- name: report_run
SELECT json_build_object(
           'server', to_jsonb(r) ->> 'server', 'search_path', r.search_path, 'definition', r.definition,
           'archive', CASE WHEN EXISTS (:archives) THEN (SELECT json_build_object('until', (:until))) END)
  FROM :"state".runs r WHERE r.run = $1::bigint

-- name: report_archives
SELECT FROM :"state".archives a WHERE a.run = r.run AND a.dropped IS NULL

-- Not known before the run is over: NULL.
-- name: report_until
SELECT to_char(max(r.finished + a.keep) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM :"state".archives a WHERE a.run = r.run AND a.dropped IS NULL

-- Version 1 of the state had no archives.
-- name: report_no_archives
SELECT WHERE false

-- name: report_no_until
SELECT NULL::text

-- In the order of the overview's steps.
-- name: report_step_times
SELECT to_char(s.started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       to_char(s.finished AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM :"state".steps s WHERE s.run = $1::bigint ORDER BY s.step

-- Rows whose old images were kept, children too, of steps that keep them.
-- name: report_archived
SELECT COALESCE(sum(b.rows + b.children), 0)::bigint
  FROM :"state".steps s
  JOIN :"state".runs r ON r.run = s.run
  JOIN :"state".batches b ON b.run = s.run AND b.step = s.step
 WHERE s.run = $1::bigint AND s.kind IN ('delete', 'delete-children', 'together')
   AND COALESCE((r.definition #>> '{archive,on}')::boolean, true)
   AND r.definition #> ARRAY['steps', s.step::text, 'archive', 'off'] IS NULL
   AND EXISTS (SELECT FROM :"state".archives a WHERE a.run = s.run)

-- Rows by edge: not known when some batch settled children and nobody counted by which edge.
-- name: report_tree
WITH counted AS MATERIALIZED (
     SELECT u.place, sum(u.rows) AS rows
       FROM :"state".batches b CROSS JOIN LATERAL unnest(b.edges) WITH ORDINALITY AS u (rows, place)
      WHERE b.run = $1::bigint GROUP BY u.place)
SELECT json_build_object('root', r.table_name, 'edges', COALESCE(
           (SELECT json_agg(e.edge - 'indexed' - 'key'
                            || jsonb_build_object('rows', CASE WHEN n.known THEN COALESCE(c.rows, 0) END)
                            ORDER BY e.place)
              FROM jsonb_array_elements(r.tree_shown) WITH ORDINALITY AS e (edge, place)
              LEFT JOIN counted c ON c.place = e.place), '[]'))
  FROM :"state".runs r
 CROSS JOIN LATERAL (
       SELECT NOT EXISTS (SELECT FROM :"state".batches b
                            JOIN :"state".steps s ON s.run = b.run AND s.step = b.step AND s.kind <> 'undo'
                           WHERE b.run = r.run AND b.children > 0 AND b.edges IS NULL)) AS n (known)
 WHERE r.run = $1::bigint

-- name: report_no_tree
SELECT json_build_object('root', r.table_name, 'edges', '[]'::json) FROM :"state".runs r WHERE r.run = $1::bigint

-- Equal spans of time from the run's start to its last batch, empty ones too; wide enough for two batches each on
-- average. A batch counts when it ended. What an undo did is not part of it.
-- name: report_throughput
WITH own AS MATERIALIZED (
     SELECT b.at + make_interval(secs => COALESCE(b.ms, 0) / 1000.0) AS ended, b.rows, b.children, s.name
       FROM :"state".batches b JOIN :"state".steps s ON s.run = b.run AND s.step = b.step
      WHERE b.run = $1::bigint AND s.kind <> 'undo'),
span AS MATERIALIZED (
     SELECT r.started AS began, o.points, GREATEST(EXTRACT(epoch FROM o.last - r.started), 0.001) / o.points AS width
       FROM :"state".runs r
      CROSS JOIN (SELECT max(ended), LEAST(300, GREATEST(count(*) / 2, 1)) FROM own) AS o (last, points)
      WHERE r.run = $1::bigint AND o.last IS NOT NULL),
counted AS (
     SELECT LEAST(GREATEST(floor(EXTRACT(epoch FROM o.ended - s.began) / s.width), 0), s.points - 1)::int AS place,
            sum(o.rows) AS rows, sum(o.children) AS children, count(*) AS batches,
            mode() WITHIN GROUP (ORDER BY o.name) AS step
       FROM own o CROSS JOIN span s GROUP BY 1)
SELECT COALESCE(json_agg(json_build_object(
           'at', to_char((s.began + make_interval(secs => (p.place * s.width)::float8)) AT TIME ZONE 'UTC',
                         'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'seconds', round(p.place * s.width, 3), 'width', round(s.width, 3), 'rows', COALESCE(c.rows, 0),
           'children', COALESCE(c.children, 0), 'batches', COALESCE(c.batches, 0), 'step', c.step)
       ORDER BY p.place), '[]')
  FROM span s CROSS JOIN LATERAL generate_series(0, s.points - 1) AS p (place) LEFT JOIN counted c ON c.place = p.place

-- At most 300 spans of time, those in which nobody looked left out; the worst lag of each, and one reason to wait.
-- name: report_samples
WITH span AS MATERIALIZED (
     SELECT r.started AS began, GREATEST(EXTRACT(epoch FROM max(m.at) - r.started) / 299, 0.2) AS width
       FROM :"state".runs r JOIN :"state".samples m ON m.run = r.run WHERE r.run = $1::bigint GROUP BY r.started)
SELECT COALESCE(json_agg(to_json(x) ORDER BY x.seconds), '[]')
  FROM (SELECT to_char(min(m.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
               round(EXTRACT(epoch FROM min(m.at) - s.began), 3) AS seconds, round(avg(m.rate)::numeric, 1) AS rate,
               round(avg(m.batch_size)) AS batch_size, round(max(m.lag_ms) / 1000.0, 3) AS lag_seconds,
               max(m.waiting) AS waiting
          FROM :"state".samples m CROSS JOIN span s
         WHERE m.run = $1::bigint
         GROUP BY s.began, floor(EXTRACT(epoch FROM m.at - s.began) / s.width)) AS x

-- The longest waits for the throttle. One that no event ended lasted to the end of that session, or goes on.
-- name: report_waits
SELECT COALESCE(json_agg(json_build_object(
           'at', to_char(x.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'seconds', round(EXTRACT(epoch FROM x.since - x.began), 3),
           'ms', (EXTRACT(epoch FROM x.until - x.since) * 1000)::bigint, 'reason', x.reason) ORDER BY x.since), '[]')
  FROM (SELECT e.*, r.started AS began
          FROM :"state".runs r
         CROSS JOIN LATERAL (
               SELECT e.type, COALESCE((e.body #>> '{waiting,since}')::timestamptz, e.at) AS since,
                      lead(e.at) OVER (ORDER BY e.event) AS until,
                      COALESCE(e.body #>> '{waiting,reason}', e.body ->> 'message') AS reason
                 FROM :"state".events e
                WHERE e.run = r.run AND (starts_with(e.type, 'throttle.') OR starts_with(e.type, 'run.'))) AS e
         WHERE r.run = $1::bigint AND e.type = 'throttle.waiting'
         ORDER BY e.until - e.since DESC NULLS FIRST LIMIT 300) AS x

-- name: report_slowest
SELECT COALESCE(json_agg(to_json(x) ORDER BY x.ms DESC), '[]')
  FROM (SELECT to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, s.name AS step, b.first,
               b.last, b.rows, b.children, b.ms
          FROM :"state".batches b JOIN :"state".steps s ON s.run = b.run AND s.step = b.step
         WHERE b.run = $1::bigint AND b.ms IS NOT NULL AND s.kind <> 'undo' ORDER BY b.ms DESC, b.at LIMIT 20) AS x

-- What was told, and what people asked for; where nothing was written down at that time, what the steps know. The
-- newest 500. Waits have a list of their own.
-- name: report_timeline
WITH source AS (:sources),
told AS (SELECT s.* FROM source s WHERE s.told),
chosen AS (
     SELECT s.* FROM source s
      WHERE s.at IS NOT NULL
        AND (s.told OR NOT EXISTS (SELECT FROM told t WHERE t.type = s.type AND t.step IS NOT DISTINCT FROM s.step))
      ORDER BY s.at DESC, s.place DESC LIMIT 500)
SELECT COALESCE(json_agg(json_build_object(
           'at', to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'seconds', round(EXTRACT(epoch FROM c.at - r.started), 3), 'what', c.what, 'type', c.type, 'step', c.step,
           'role', c.role, 'message', c.message, 'hint', c.hint) ORDER BY c.at, c.place), '[]')
  FROM :"state".runs r CROSS JOIN chosen c WHERE r.run = $1::bigint

-- name: timeline_steps
SELECT false AS told, 'event' AS what, x.at, x.place, x.type, x.step, NULL::text AS role, x.message, x.hint
  FROM :"state".runs r
 CROSS JOIN LATERAL (
       SELECT r.started, -1::bigint, 'run.started', NULL::text, NULL::text, NULL::text
       UNION ALL
       SELECT s.started, 3 * s.step::bigint, 'step.started', s.name, NULL, NULL
         FROM :"state".steps s WHERE s.run = r.run
       UNION ALL
       SELECT s.finished, 3 * s.step::bigint + 1, 'step.finished', s.name, s.note, NULL
         FROM :"state".steps s WHERE s.run = r.run
       UNION ALL
       SELECT CASE WHEN r.state <> 'undone' THEN r.finished END, 9223372036854775807,
              CASE r.state WHEN 'cancelled' THEN 'run.cancelled' ELSE 'run.finished' END, NULL, r.error ->> 'message',
              r.error ->> 'hint') AS x (at, place, type, step, message, hint)
 WHERE r.run = $1::bigint

-- name: timeline_events
UNION ALL
SELECT true, 'event', e.at, e.event, e.type, CASE WHEN starts_with(e.type, 'run.') THEN NULL ELSE e.body ->> 'step' END,
       NULL, e.body ->> 'message', e.body ->> 'hint'
  FROM :"state".events e
 WHERE e.run = $1::bigint AND NOT starts_with(e.type, 'throttle.')

-- A setting that was taken back is null.
-- name: timeline_acts
UNION ALL
SELECT true, 'act', a.at, 0, a.act, NULL, a.role,
       (SELECT string_agg(d.key || CASE WHEN d.value IS NULL THEN ' as the plan says' ELSE '=' || d.value END, ', ')
          FROM jsonb_each_text(CASE jsonb_typeof(a.detail) WHEN 'object' THEN a.detail ELSE '{}' END) AS d), NULL
  FROM :"state".acts a WHERE a.run = $1::bigint

-- name: report_statements
SELECT COALESCE(json_agg(json_build_object('step', x.step_name, 'name', x.name, 'place', x.place, 'text', x.text)
                         ORDER BY x.step, x.at, x.name), '[]')
  FROM (SELECT t.step, s.name AS step_name, t.name, t.place, "left"(t.text, 20000) AS text, t.at
          FROM :"state".statements t JOIN :"state".steps s ON s.run = t.run AND s.step = t.step
         WHERE t.run = $1::bigint ORDER BY t.step, t.at, t.name LIMIT 400) AS x

-- name: report_endpoints
SELECT COALESCE(json_agg(json_build_object(
           'endpoint', COALESCE(p.endpoint, w.endpoint), 'delivered', COALESCE(p.delivered, 0),
           'waiting', COALESCE(w.waiting, 0), 'dropped', COALESCE(p.dropped, 0),
           'gone', to_char(p.gone AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'answer', COALESCE(w.answer, p.answer)) ORDER BY COALESCE(p.endpoint, w.endpoint)), '[]')
  FROM (SELECT * FROM :"state".endpoints WHERE run = $1::bigint) AS p
  FULL JOIN (SELECT o.endpoint, count(*) AS waiting, (array_agg(o.answer ORDER BY o.seq))[1] AS answer
               FROM :"state".outbox o WHERE o.run = $1::bigint GROUP BY o.endpoint) AS w ON w.endpoint = p.endpoint
