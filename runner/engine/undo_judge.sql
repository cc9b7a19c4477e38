-- What is in the way of rows that are to come back. The same texts look before anything is changed (at the run's whole
-- archive, as if all later batches were taken back already) and inside each batch (at the tables as they are then).
--
-- An image is the row as it will be written: pgwinnow_seq of its archive row, pgwinnow_k1.. the key of the row that is
-- there now, pgwinnow_n1.. its columns.

-- name: removed_images
SELECT o.:"seq" AS pgwinnow_seq, o.:"batch" AS pgwinnow_batch, o.:"order" AS pgwinnow_order,
       true AS pgwinnow_comes:keys, :columns
  FROM :archive AS o WHERE :these AND o.:"action" = 'delete'

-- Columns that the run changed get their old value back, the others keep what the application made of them.
-- name: changed_images
SELECT o.:"seq" AS pgwinnow_seq, o.:"batch" AS pgwinnow_batch, o.:"order" AS pgwinnow_order,
       false AS pgwinnow_comes:keys, :columns
  FROM :archive AS o
  JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order" AND a.:"seq" = o.:"seq"
       AND a.:"action" = 'after'
 CROSS JOIN LATERAL (:present) AS w
 WHERE :these AND o.:"action" NOT IN ('delete', 'after')

-- The row that a changed one is now.
-- name: present_row
SELECT :values FROM :from AS c WHERE :same_key

-- The row that it will be when all later batches are taken back: its next old image, else what is there. Not one of its
-- own statement: that is of a row whose key it has got.
-- name: present_later
SELECT y.* FROM (
    SELECT x.* FROM (SELECT 0 AS pgwinnow_later, :later_values FROM :archive AS l
                      WHERE :later_key AND l.:"seq" > a.:"seq" AND l.:"action" <> 'after' AND (:pending)
                        AND (l.:"batch" <> a.:"batch" OR l.:"order" <> a.:"order")
                      ORDER BY l.:"seq" LIMIT 1) AS x
     UNION ALL
    SELECT 1, :values FROM :from AS c WHERE :same_key) AS y
 ORDER BY y.pgwinnow_later LIMIT 1

-- Not taken back yet. $2: the last turn that is done.
-- name: pending
EXISTS (SELECT FROM :plan AS u WHERE u.batch = :alias.:"batch" AND u.seq > $2::bigint)

-- A row that the run made so, and that the undo will have changed back by then.
-- name: moves_away
EXISTS (SELECT FROM :archive AS pgwinnow_l WHERE :after_key AND pgwinnow_l.:"action" = 'after'
           AND (pgwinnow_l.:"seq" > pgwinnow_n.pgwinnow_seq OR :same_statement) AND (:pending))

-- One that took the place of a removed row in one statement goes back in one, before that row comes.
-- name: moves_away_now
EXISTS (SELECT FROM :archive AS pgwinnow_l WHERE :after_key AND pgwinnow_l.:"action" = 'after' AND :same_statement)

-- name: same_statement
pgwinnow_l.:"batch" = pgwinnow_n.pgwinnow_batch AND pgwinnow_l.:"order" = pgwinnow_n.pgwinnow_order

-- The judgements of one table, the first of each row.
-- name: judged
SELECT DISTINCT ON (j.seq) j.seq, j.key, j.reason
  FROM (:judgements) AS j (seq, rank, key, reason)
 ORDER BY j.seq, j.rank

-- name: judge_key
SELECT pgwinnow_n.pgwinnow_seq, 1, :shown, 'a row with this key is there again'
  FROM (:images) AS pgwinnow_n
 WHERE EXISTS (SELECT FROM :from AS c WHERE :is_there AND NOT (:excused))

-- name: judge_gone
SELECT o.:"seq", 1, :shown, 'the row is gone'
  FROM :archive AS o
  JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order" AND a.:"seq" = o.:"seq"
       AND a.:"action" = 'after'
 WHERE :these AND o.:"action" NOT IN ('delete', 'after') AND NOT EXISTS (:present)

-- Rows without a key are known by all they hold: as many of a kind must be there as were left.
-- They are counted once for all: the table has no index that could find them.
-- name: judge_gone_keyless
SELECT x.seq, 1, x.shown, 'no row is as the run left it'
  FROM (SELECT a.:"seq" AS seq, :image AS image, :shown AS shown,
               pg_catalog.row_number() OVER (PARTITION BY :image ORDER BY a.:"seq") AS nth
          FROM :archive AS a WHERE :these AND a.:"action" = 'after') AS x
  LEFT JOIN (SELECT p.image, pg_catalog.count(*) AS there FROM (:present) AS p GROUP BY p.image) AS y
       ON y.image = x.image
 WHERE x.nth > COALESCE(y.there, 0)

-- name: keyless_rows
SELECT :image AS image FROM :from AS c

-- name: keyless_rows_later
SELECT :image AS image FROM :from AS c
 UNION ALL
SELECT :later_image FROM :archive AS l WHERE l.:"action" <> 'after' AND (:pending)

-- name: judge_changed
SELECT o.:"seq", 2, :shown, 'changed since: ' OPERATOR(pg_catalog.||) pg_catalog.concat_ws(', ', :changed)
  FROM :archive AS o
  JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order" AND a.:"seq" = o.:"seq"
       AND a.:"action" = 'after'
 CROSS JOIN LATERAL (:present) AS w
 WHERE :these AND o.:"action" NOT IN ('delete', 'after') AND (:differs)

-- name: judge_unique
SELECT pgwinnow_n.pgwinnow_seq, 3, :shown, :'reason'
  FROM (:images) AS pgwinnow_n :scope
 WHERE :taken

-- Rows that come back in one statement, by an index that came since: the first of them may.
-- name: judge_twice
SELECT x.seq, 3, x.shown, :'reason'
  FROM (SELECT pgwinnow_n.pgwinnow_seq AS seq, :shown AS shown,
               pg_catalog.row_number() OVER (PARTITION BY pgwinnow_n.pgwinnow_batch, pgwinnow_n.pgwinnow_order, :values
                                                 ORDER BY pgwinnow_n.pgwinnow_seq) AS nth
          FROM (:images) AS pgwinnow_n :scope WHERE :counts) AS x
 WHERE x.nth > 1

-- name: scope
CROSS JOIN LATERAL (SELECT :scoped FROM (SELECT :named) AS :"alias") AS pgwinnow_i

-- name: taken
(:counts) AND EXISTS (SELECT FROM :from AS :"alias" WHERE :collides AND NOT (:itself) AND NOT (:excused))

-- name: judge_rules
SELECT pgwinnow_n.pgwinnow_seq, 4, :shown, pgwinnow_i.broken
  FROM (:images) AS pgwinnow_n
 CROSS JOIN LATERAL (SELECT CASE :broken END AS broken FROM (SELECT :named) AS :"alias") AS pgwinnow_i
 WHERE pgwinnow_i.broken IS NOT NULL

-- name: judge_parent
SELECT pgwinnow_n.pgwinnow_seq, 5, :shown, :'reason'
  FROM (:images) AS pgwinnow_n
 WHERE :given AND NOT EXISTS (SELECT FROM :parent AS p WHERE :points) AND NOT (:comes)

-- The parent comes back in the same statement.
-- name: parent_comes
EXISTS (SELECT FROM :archive AS x WHERE x.:"batch" = $1::bigint AND x.:"order" = $2::int
           AND x.:"action" <> 'after' AND :points
           AND NOT EXISTS (SELECT FROM :left AS f WHERE f.table_oid = :table::pg_catalog.oid AND f.seq = x.:"seq"))

-- name: parent_comes_some_day
EXISTS (SELECT FROM :archive AS x WHERE x.:"action" <> 'after' AND :points AND (:pending))

-- A row points at a key that the run made and that goes back: it neither goes back with it nor finds another row.
-- name: judge_referred
SELECT o.:"seq", 6, :shown, :'reason'
  FROM :archive AS o
  JOIN :archive AS a ON a.:"batch" = o.:"batch" AND a.:"order" = o.:"order" AND a.:"seq" = o.:"seq"
       AND a.:"action" = 'after'
 WHERE :these AND o.:"action" NOT IN ('delete', 'after') AND (:differs)
   AND EXISTS (SELECT FROM :child AS p WHERE :points AND NOT (:goes_back))
   AND NOT EXISTS (SELECT FROM :archive AS x WHERE x.:"action" <> 'after' AND :same_reference AND :when)

-- name: child_goes_back
EXISTS (SELECT FROM :archive AS pgwinnow_l WHERE :after_key AND pgwinnow_l.:"action" = 'after' AND :when)

-- name: in_this_statement
:alias.:"batch" = $1::bigint AND :alias.:"order" = $2::int AND :stays_out

-- name: foresee
SELECT j.key, j.reason, pg_catalog.count(*) OVER () FROM (:judged) AS j ORDER BY j.seq LIMIT 1000

-- What is in the way of a batch; in what it wrote the reasons of earlier looks stand.
-- name: index_in_the_way
SELECT EXISTS (SELECT FROM (:removed) AS pgwinnow_n :scope WHERE :taken)
    OR EXISTS (SELECT FROM (:removed) AS pgwinnow_n :scope WHERE :counts
                GROUP BY :values HAVING pg_catalog.count(*) > 1)
