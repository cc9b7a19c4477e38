-- What stands behind USING. The newline keeps a trailing comment of the plan from eating the parenthesis.
-- name: definition
:"method" (:elements):include:nulls:where
