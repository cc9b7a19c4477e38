-- The function of a guard, and what the server makes of its key.

-- A row that is about to come: its key. Everything is fresh in here: a volatile function's statements each see what is
-- committed by then, unless the transaction keeps one snapshot. Such a one would not see a duplicate that came after
-- that; it meets it in the claims.
--
-- Another row of the key that somebody is deleting: a unique index waits for its end. So do we, but only for 200 ms,
-- for that somebody may be waiting for our claim.
-- body: guard_body
#variable_conflict use_column
DECLARE
    pgwinnow_key record;
    pgwinnow_level text := current_setting('transaction_isolation');
    pgwinnow_steady boolean := pgwinnow_level IN ('repeatable read', 'serializable');
    pgwinnow_timeout text := current_setting('lock_timeout');
    pgwinnow_lost boolean := false;
    pgwinnow_rows int;
BEGIN
    SELECT :values, hash_record_extended(ROW(:list), 0) AS pgwinnow_hash INTO pgwinnow_key
      FROM (SELECT NEW.*) AS pgwinnow_row WHERE (:condition
           ) AND :filled;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF TG_OP = 'UPDATE' THEN
        PERFORM FROM (SELECT OLD.*) AS pgwinnow_row WHERE (:condition
           ) AND :equal;
        IF FOUND THEN RETURN NULL; END IF;
    END IF;
    IF NOT pgwinnow_steady THEN
        INSERT INTO :claims AS pgwinnow_claim (hash) VALUES (pgwinnow_key.pgwinnow_hash)
            ON CONFLICT (hash) DO UPDATE SET times = pgwinnow_claim.times + 1;
    ELSE
        PERFORM FROM :claims WHERE hash = pgwinnow_key.pgwinnow_hash;
        IF NOT FOUND THEN
            INSERT INTO :claims (hash) VALUES (pgwinnow_key.pgwinnow_hash);
        ELSE
            BEGIN
                UPDATE :claims SET times = times + 1 WHERE hash = pgwinnow_key.pgwinnow_hash;
            EXCEPTION WHEN serialization_failure THEN
                IF pgwinnow_level = 'serializable' THEN RAISE; END IF;
                pgwinnow_lost := true;
            END;
        END IF;
    END IF;
    IF NOT pgwinnow_lost THEN
        PERFORM FROM :from WHERE (:condition
           ) AND :equal LIMIT 1 OFFSET 1;
        IF NOT FOUND THEN RETURN NULL; END IF;
    END IF;
    IF NOT pgwinnow_steady THEN
        PERFORM FROM :from WHERE (:condition
           ) AND :equal AND xmax = '0' LIMIT 1 OFFSET 1;
        IF NOT FOUND THEN
            BEGIN
                PERFORM set_config('lock_timeout', '200ms', true);
                PERFORM FROM :from WHERE (:condition
                   ) AND :equal LIMIT 2 FOR SHARE;
                GET DIAGNOSTICS pgwinnow_rows = ROW_COUNT;
                PERFORM set_config('lock_timeout', pgwinnow_timeout, true);
                IF pgwinnow_rows < 2 THEN RETURN NULL; END IF;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                NULL;
            END;
        END IF;
    END IF;
    RAISE unique_violation USING
        MESSAGE = :'message',
        DETAIL = format('Key (%s)=(%s) already exists.', :'shown'::text, concat_ws(', ', :shown_values)),
        HINT = :'hint',
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = :'constraint';
END

-- An empty table of the same columns and the same name, gone with the transaction, and the guard's key as an index of
-- it: what the server makes of the plan's texts, in its own words. Afterwards with no path at all, so that every name
-- comes back qualified: nobody can put another function or operator into its place later.
-- name: clone_table
CREATE TEMP TABLE :"name" (LIKE :table)

-- name: clone_index
CREATE INDEX pgwinnow_key ON pg_temp.:"name" USING :definition

-- name: no_path
SELECT pg_catalog.set_config('search_path', '', true)

-- A row for each element: expression, collation, the operator by which the index takes two as equal; the condition.
-- name: key_texts
SELECT pg_catalog.pg_get_indexdef(i.indexrelid, p.position::pg_catalog.int4, false),
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)
       pg_catalog.quote_ident(l.collname),
       'OPERATOR(' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(s.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) o.oprname OPERATOR(pg_catalog.||) ')',
       pg_catalog.pg_get_expr(i.indpred, i.indrelid)
  FROM pg_catalog.pg_index AS i
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indclass), pg_catalog.unnest(i.indcollation))
       WITH ORDINALITY AS p (class, sorting, position)
  JOIN pg_catalog.pg_opclass AS k ON k.oid OPERATOR(pg_catalog.=) p.class
  JOIN pg_catalog.pg_amop AS a ON a.amopfamily OPERATOR(pg_catalog.=) k.opcfamily
       AND a.amopstrategy OPERATOR(pg_catalog.=) 3
       AND a.amoplefttype OPERATOR(pg_catalog.=) k.opcintype AND a.amoprighttype OPERATOR(pg_catalog.=) k.opcintype
  JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) a.amopopr
  JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) o.oprnamespace
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid OPERATOR(pg_catalog.=) p.sorting
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) l.collnamespace
 WHERE i.indexrelid OPERATOR(pg_catalog.=) 'pg_temp.pgwinnow_key'::pg_catalog.regclass
 ORDER BY p.position

-- The path that the function has. A key that calls a function which finds nothing on it would make every insert fail.
-- name: guard_path
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)

-- name: try_key
SELECT pg_catalog.hash_record_extended(ROW(:list), 0) FROM :from WHERE (:condition
       ) LIMIT 100

-- name: drop_clone
ROLLBACK
