-- What a rule of merge is in SQL: an expression over the rows of a group, which go by the plan's table's name.
-- pgwinnow_rank is their place in the keep order, the survivor's is 1. NULLs are left out: IS DISTINCT FROM NULL and
-- not IS NOT NULL, which is false for a row value with one NULL in it.

-- name: rule_first
(pg_catalog.array_agg(:value ORDER BY :by) FILTER (WHERE :value IS DISTINCT FROM NULL))[1]

-- Arrays aggregate into arrays of one more dimension, or not at all: their whole rows do instead.
-- name: rule_first_array
((pg_catalog.array_agg(:alias.pgwinnow_row ORDER BY :by) FILTER (WHERE :value IS DISTINCT FROM NULL))[1]).:"column"

-- name: rule_sum
pg_catalog.sum(:value)

-- name: rule_range_union
pg_catalog.range_agg(:value)

-- Elements in the order in which they first appear; `a` holds the rows in keep order, o counts them, i their elements.
-- name: rule_array_union
CASE WHEN pg_catalog.count(:value) > 0 THEN
    COALESCE((SELECT pg_catalog.array_agg(u.e ORDER BY u.o, u.i)
                FROM (SELECT DISTINCT ON (w.e) w.e, g.o, w.i
                        FROM (SELECT pg_catalog.array_agg(:alias.pgwinnow_row ORDER BY :alias.pgwinnow_rank) AS rows
                             ) AS a,
                             pg_catalog.generate_subscripts(a.rows, 1) AS g (o),
                             pg_catalog.unnest((a.rows[g.o]).:"column") WITH ORDINALITY AS w (e, i)
                       ORDER BY w.e, g.o, w.i) AS u), '{}') END

-- Objects: the keys of the earlier row win. Otherwise a list of elements; what is no array is an element itself.
-- name: rule_json_union
CASE WHEN pg_catalog.bool_and(pg_catalog.jsonb_typeof(:value) = 'object') THEN
    COALESCE((SELECT pg_catalog.jsonb_object_agg(e.k, e.v ORDER BY d.o DESC)
                FROM pg_catalog.unnest(pg_catalog.array_agg(:value ORDER BY :alias.pgwinnow_rank))
                     WITH ORDINALITY AS d (j, o),
                     pg_catalog.jsonb_each(d.j) AS e (k, v)), '{}')
     WHEN pg_catalog.count(:value) > 0 THEN
    COALESCE((SELECT pg_catalog.jsonb_agg(u.e ORDER BY u.o, u.i)
                FROM (SELECT DISTINCT ON (w.e) w.e, d.o, w.i
                        FROM pg_catalog.unnest(pg_catalog.array_agg(:value ORDER BY :alias.pgwinnow_rank))
                             WITH ORDINALITY AS d (j, o),
                             pg_catalog.jsonb_array_elements(CASE pg_catalog.jsonb_typeof(d.j) WHEN 'array' THEN d.j
                                                             ELSE pg_catalog.jsonb_build_array(d.j) END)
                             WITH ORDINALITY AS w (e, i)
                       WHERE d.j IS NOT NULL
                       ORDER BY w.e, d.o, w.i) AS u), '[]') END

-- Each text once, where it first appears; byte for byte, whatever the collation takes for equal.
-- name: rule_concat
(SELECT pg_catalog.string_agg(u.v, :'between' ORDER BY u.o)
   FROM (SELECT DISTINCT ON (w.v COLLATE pg_catalog."C") w.v, w.o
           FROM pg_catalog.unnest(pg_catalog.array_agg((:value)::pg_catalog.text ORDER BY :alias.pgwinnow_rank))
                WITH ORDINALITY AS w (v, o)
          WHERE w.v IS NOT NULL
          ORDER BY w.v COLLATE pg_catalog."C", w.o) AS u)

-- In a CASE no function can give several rows.
-- name: rule_sql
CASE WHEN true THEN (:expression
) END

-- Only described: is it an expression over a group, of one value that the column takes?
-- name: try_rule
UPDATE :from SET :"column" = (
SELECT :expression
  FROM (SELECT 1::pg_catalog.int8 AS pgwinnow_group, 1::pg_catalog.int8 AS pgwinnow_rank, :row, :alias.*
          FROM :from AS :alias) AS :alias
 GROUP BY pgwinnow_group)

-- For a rule file that asks for it.
-- name: count_children
(SELECT pg_catalog.count(*) FROM :child AS pgwinnow_child WHERE :points :leaves)

-- What kind of types $1 are.
-- name: kinds
SELECT t.oid, t.typcategory = 'A', t.typtype
  FROM pg_catalog.pg_type AS t WHERE t.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])

-- Columns $2 of table $1 that the role may not change.
-- name: may_not_change
SELECT a.attname
  FROM pg_catalog.pg_attribute AS a
 WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
   AND a.attname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])
   AND NOT pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
