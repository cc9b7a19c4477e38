-- The plan's statement, as it stands.
-- name: statement
:statement
