-- Whole families in one statement.
--
-- p is a parent, c a child. Everything of ours carries the prefix pgwinnow_.

-- The first choice, where every edge is NO ACTION or RESTRICT: the survivor is locked FOR SHARE and compared, the loser
-- is re-checked by the DELETE itself, and only what really went takes its children along. All foreign keys are checked
-- at the end of the statement; a child that came after its snapshot raises 23503, and the batch is done again
-- thoroughly. The children are counted by edge; a row that two edges lead to goes by one of them.
-- name: remove_families
WITH pgwinnow_0 AS (
    DELETE FROM :from AS :alias
     USING (:qualified
           ) AS pgwinnow_k
     WHERE :table_is_tracked AND (:condition
           ) AND :still
    RETURNING :returning):kept:links
SELECT (SELECT pg_catalog.count(*) FROM pgwinnow_0) :children

-- name: link_delete
,
:link AS (
    DELETE FROM :child AS c USING :parents AS p WHERE :points RETURNING :returning):kept

-- name: link_set_null
,
:link AS (
    UPDATE :child AS c SET :nulls FROM :parents AS p:beside WHERE :points :same_row RETURNING 1:returning):kept
