-- A query of keys and survivors: who goes where is followed to its end, set by set.
--
-- The table of pairs goes with the transaction that tracks. p.pgwinnow_k1.. is the row that goes, p.pgwinnow_s1.. its
-- survivor as far as it has been followed, p.pgwinnow_f1.. the one that the query gave.

-- The versions of both rows are those that the query's own snapshot sees: what changed since is not what it judged.
-- Rows that are not there stay in for now: chains may lead through them. A row that is its own survivor stays.
-- name: direct_pairs
SELECT :alias.tableoid AS pgwinnow_table, :alias.ctid AS pgwinnow_place, :pair_keys, :pair_survivors,
       :alias.xmin AS pgwinnow_version, pgwinnow_other.xmin AS pgwinnow_survivor_version
  FROM (SELECT DISTINCT :query_keys, :query_survivors FROM (:query
       ) AS pgwinnow_query) AS pgwinnow_q
  LEFT JOIN :from AS :alias ON :table_is_queried
  LEFT JOIN :from AS pgwinnow_other ON :other_is_survivor
 WHERE :has_key AND (:is_itself) IS NOT TRUE

-- name: direct_pairs_there
SELECT * FROM (:pairs_given
) AS pgwinnow_pairs WHERE pgwinnow_table IS NOT NULL

-- name: create_pairs
CREATE UNLOGGED TABLE :pairs (
    pgwinnow_table oid, pgwinnow_place tid, :definitions, pgwinnow_version xid, pgwinnow_survivor_version xid)

-- name: fill_pairs
INSERT INTO :pairs (pgwinnow_table, pgwinnow_place, :keys, :survivors, :firsts, pgwinnow_version,
                    pgwinnow_survivor_version)
SELECT pgwinnow_table, pgwinnow_place, :keys, :survivors, :survivors, pgwinnow_version, pgwinnow_survivor_version
  FROM (:pairs_given
) AS pgwinnow_given

-- name: analyze_pairs
ANALYZE :pairs

-- name: find_unpaired
SELECT :key_shown FROM :pairs AS p WHERE :no_survivor LIMIT 1

-- name: find_ambiguous
WITH twice AS MATERIALIZED (
    SELECT :keys FROM :pairs GROUP BY :keys HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1)
SELECT :key_shown, :survivor_shown FROM twice AS q JOIN :pairs AS p ON :same_key ORDER BY :survivors_of_p LIMIT 2

-- Pointer doubling: each round doubles how far a row has been followed, so a chain of a million takes twenty rounds.
-- Every row is seen as it was when the statement began.
-- name: follow_pairs
UPDATE :pairs AS p SET (:survivors, pgwinnow_survivor_version) = ROW(:survivors_of_q, q.pgwinnow_survivor_version)
  FROM :pairs AS q WHERE :leads_to_q

-- Followed further than there are rows, what still leads on stands in a circle. Its first links.
-- name: find_circle
WITH RECURSIVE start AS MATERIALIZED (
    SELECT q.* FROM :pairs AS p JOIN :pairs AS q ON :leads_to_q ORDER BY :keys_of_q LIMIT 1),
walk AS (
    SELECT 1 AS pgwinnow_n, :key_shown AS pgwinnow_shown, :firsts FROM start AS p
    UNION ALL
    SELECT w.pgwinnow_n OPERATOR(pg_catalog.+) 1, :key_shown, :firsts_of_p
      FROM walk AS w JOIN :pairs AS p ON :walk_leads_to_p CROSS JOIN start AS q
     WHERE w.pgwinnow_n OPERATOR(pg_catalog.<) 20 AND NOT (:same_key))
SELECT pg_catalog.string_agg(pgwinnow_shown, ' -> ' ORDER BY pgwinnow_n)
       OPERATOR(pg_catalog.||) ' -> ' OPERATOR(pg_catalog.||)
       CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.<) 20 THEN (SELECT :key_shown FROM start AS p) ELSE '...' END
  FROM walk

-- name: find_missing_survivor
SELECT :key_shown, :survivor_shown, pg_catalog.count(*) OVER ()
  FROM :pairs AS p
 WHERE p.pgwinnow_table IS NOT NULL AND p.pgwinnow_survivor_version IS NULL
 ORDER BY :keys_of_p LIMIT 1

-- name: rows_followed
SELECT p.* :group_rank :group_place FROM :pairs AS p WHERE pgwinnow_table IS NOT NULL

-- Inside a group: by key.
-- name: rank_by_key
, 1 OPERATOR(pg_catalog.+) pg_catalog.row_number() OVER (PARTITION BY :survivors ORDER BY :keys) AS pgwinnow_rank

-- name: drop_pairs
DROP TABLE :pairs
