-- Pieces of the statements over move tables: images of rows as they will be, mappings of old values to new ones.

-- name: mapping_of_going
SELECT :refs, :values, f.rank AS pgwinnow_rank
  FROM :family AS f JOIN :parent AS p ON :parent_is_family JOIN :parent AS s ON :stays_is_family :image
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND f.s1 IS NOT NULL AND :which :leaves

-- name: mapping_image
LEFT JOIN :move AS x ON x.batch = pg_catalog.pg_current_xact_id() AND x.leaf = s.tableoid AND x.place = s.ctid
      AND NOT x.dropped

-- name: mapping_of_carried
SELECT :refs, :values, x.rank AS pgwinnow_rank
  FROM :move AS x JOIN :parent AS p ON :parent_is_moved
 WHERE x.batch = pg_catalog.pg_current_xact_id() AND NOT x.dropped AND :changes :leaves

-- name: mapping_to_null
SELECT :refs, NULL::bigint AS pgwinnow_rank
  FROM :family AS f JOIN :parent AS p ON :parent_is_family
 WHERE f.batch = pg_catalog.pg_current_xact_id() AND :which :leaves

-- name: move_values
SELECT pgwinnow_n, pgwinnow_pref, pgwinnow_arrives, pgwinnow_order, :order, :values :has
  FROM (SELECT pgwinnow_b.* :generated
          FROM (SELECT m.n AS pgwinnow_n, m.pref AS pgwinnow_pref, m.arrives AS pgwinnow_arrives,
                       CASE WHEN :ranked THEN m.rank ELSE 0 END AS pgwinnow_order, :named_order, :columns :holds
                  FROM :move AS m JOIN :child AS c ON :same_row
                 WHERE m.batch = pg_catalog.pg_current_xact_id() AND NOT m.dropped) AS pgwinnow_b) AS :alias

-- name: other_row
SELECT * FROM (
    SELECT :number::int AS pgwinnow_rule :identity
      FROM :from AS :alias
     WHERE :live AND :conflicts AND (:where)
       AND NOT EXISTS (SELECT FROM :move AS pgwinnow_m
                        WHERE pgwinnow_m.batch = pg_catalog.pg_current_xact_id()
                          AND pgwinnow_m.leaf = :alias.tableoid AND pgwinnow_m.place = :alias.ctid)
       AND :not_in_family
     :order LIMIT 1 FOR SHARE OF :alias) AS pgwinnow_other

-- name: unpaired
NOT EXISTS (SELECT FROM :pairs AS q JOIN :move AS b ON b.n = q.better
             WHERE q.batch = pg_catalog.pg_current_xact_id() AND q.pass = $1::int AND q.worse = x.n AND NOT b.dropped)

-- name: sure_of_group
CASE WHEN :group IS NOT NULL
     THEN pg_catalog.first_value(CASE WHEN sure THEN ARRAY[n, :number] END)
          OVER (PARTITION BY :group ORDER BY sure DESC, pref) END

-- name: sure_of_pairs
(SELECT pg_catalog.min(ARRAY[b.n, :number]) FROM :pairs AS q JOIN :move AS b ON b.n = q.better
  WHERE q.batch = pg_catalog.pg_current_xact_id() AND q.pass = $1::int AND q.worse = x.n AND b.sure AND NOT b.dropped)

-- name: not_going
 AND NOT (:unnamed AND EXISTS (SELECT FROM (:parents) AS pgwinnow_p WHERE :points))
