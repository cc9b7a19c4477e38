-- One transaction of the run taken back.

-- name: undo_statements
SELECT statement, table_oid, removed, changed, batch FROM :plan WHERE seq = $1::bigint
 ORDER BY statement DESC, table_oid

-- All tables of one statement of the run at once: foreign keys are checked at its end, as they were then.
-- name: bring_back
WITH :parts SELECT :counts

-- Behind the rows that go back: one of them may have taken a removed row's place, which an index checks at once.
-- name: insert_removed
:part AS (
    INSERT INTO :table (:names) OVERRIDING SYSTEM VALUE
    SELECT :columns FROM :archive AS o WHERE :these AND o.:"action" = 'delete' AND :stays_out AND NOT (:there)
       AND :behind
    RETURNING 1)

-- name: behind
(SELECT pg_catalog.count(*) FROM :changes) >= 0

-- name: overwrite
:part AS (
    UPDATE :from AS c SET :sets FROM :archive AS o
     WHERE :these AND o.:"action" = 'delete' AND :stays_out AND :same_key
    RETURNING 1)

-- The row may have changed since it was judged: it is looked at again under its lock.
-- name: change_back
:part AS (
    UPDATE :from AS c SET :sets
      FROM :archive AS o
      JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order" AND a.:"seq" = o.:"seq"
           AND a.:"action" = 'after'
     WHERE :these AND o.:"action" NOT IN ('delete', 'after') AND :stays_out AND :same_key AND NOT (:differs)
    RETURNING 1)

-- name: change_back_keyless
:part AS (
    UPDATE :from AS c SET :sets
      FROM (SELECT a.:"seq" AS seq, :image AS image,
                   pg_catalog.row_number() OVER (PARTITION BY :image ORDER BY a.:"seq") AS nth
              FROM :archive AS a WHERE :those AND a.:"action" = 'after' AND :after_stays_out) AS a
      JOIN :archive AS o ON o.:"seq" = a.seq AND :these AND o.:"action" NOT IN ('delete', 'after')
      JOIN (SELECT c.tableoid AS leaf, c.ctid AS place, :present_image AS image,
                   pg_catalog.row_number() OVER (PARTITION BY :present_image ORDER BY c.tableoid, c.ctid) AS nth
              FROM :from AS c) AS p ON p.image = a.image AND p.nth = a.nth
     WHERE c.tableoid = p.leaf AND c.ctid = p.place
    RETURNING 1)

-- For the writes alone: no trigger fires, and no foreign key is checked by the server.
-- name: triggers_off
SELECT pg_catalog.set_config('session_replication_role', 'replica', true)

-- name: triggers_on
SELECT pg_catalog.set_config('session_replication_role', 'origin', true)

-- Instead of the server: parents are locked until the commit, as its own check would.
-- name: lock_parents
SELECT x.key FROM (
    SELECT :shown AS key, k.found
      FROM (:images) AS pgwinnow_n
      LEFT JOIN LATERAL (SELECT true AS found FROM :parent AS p WHERE :points FOR KEY SHARE) AS k ON true
     WHERE :given) AS x
 WHERE x.found IS NULL LIMIT 1

-- What points at a key that was taken back.
-- name: find_orphan
SELECT :shown FROM :archive AS a
 WHERE :these AND a.:"action" = 'after' AND EXISTS (SELECT FROM :child AS p WHERE :points)
   AND NOT EXISTS (SELECT FROM :from AS c WHERE :same_reference) LIMIT 1

-- name: leave
INSERT INTO :left (table_oid, seq, batch, key, reason)
SELECT :table::pg_catalog.oid, j.seq, $1::bigint, j.key, j.reason FROM (:judged) AS j
ON CONFLICT DO NOTHING
RETURNING key, reason
