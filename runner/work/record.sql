-- What a run writes down about itself. FOR KEY SHARE on the lease, as everything that a runner writes: one that lost it
-- writes nothing.

-- name: write_statements
INSERT INTO :"state".statements (run, step, name, place, text)
SELECT l.run, s.step, s.name, s.place, s.text
  FROM :"state".lease l
 CROSS JOIN pg_catalog.jsonb_to_recordset($3::jsonb) AS s (step int, name text, place text, text text)
 WHERE l.run = $1::bigint AND l.fence = $2::bigint
   FOR KEY SHARE OF l
ON CONFLICT DO NOTHING

-- name: write_sample
INSERT INTO :"state".samples (run, step, rate, batch_size, lag_ms, waiting)
SELECT l.run, $3::int, $4::float8, $5::bigint, $6::bigint, $7
  FROM :"state".lease l
 WHERE l.run = $1::bigint AND l.fence = $2::bigint
   FOR KEY SHARE
ON CONFLICT DO NOTHING
