-- All that a run leaves in a database, in a form that two runs of the same plan over the same rows have in common: rows
-- of every table, indexes, constraints and triggers, and what the state schema says was done. Batches may be cut
-- differently; their sums are the same. Numbers from sequences, transactions and times are left out; the run's own
-- number is R.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET search_path = public;
SET TimeZone = UTC;

SELECT format($$SELECT 'rows of ', %1$L, count(*), md5(string_agg(x::text, E'\n' ORDER BY x::text COLLATE "C"))
                  FROM ONLY %2$I.%3$I AS x$$, format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$|^pgwinnow$' ORDER BY n.nspname, c.relname
\gexec

SELECT 'index', pg_get_indexdef(indexrelid), indisvalid, indisready, indislive
  FROM pg_index i JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_|^information_schema$|^pgwinnow$' ORDER BY 2;
SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(c.oid), convalidated
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace
 WHERE n.nspname !~ '^pg_|^information_schema$|^pgwinnow$' ORDER BY 2, 3;
SELECT 'trigger', tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2, 3;
SELECT 'function', p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
 WHERE n.nspname !~ '^pg_|^information_schema$' ORDER BY 2;

-- The run that did the work. One whose end was not heard of is begun anew by the same command, and finds nothing to do.
SELECT min(run) AS run FROM pgwinnow.batches \gset
CREATE TEMP VIEW idle AS
    SELECT run FROM pgwinnow.runs r
     WHERE state = 'finished' AND run <> :run AND NOT EXISTS (SELECT FROM pgwinnow.batches b WHERE b.run = r.run);

SELECT 'runs', plan, state, error IS NULL, finished IS NOT NULL, count(*) FROM pgwinnow.runs
 WHERE run NOT IN (TABLE idle) GROUP BY 2, 3, 4, 5 ORDER BY 2, 3;
SELECT 'state', c.relkind, regexp_replace(c.relname, '_' || :run || '(_|$)', '_R\1') FROM pg_class c
 WHERE c.relnamespace = 'pgwinnow'::regnamespace AND c.relkind NOT IN ('i', 'I', 't')
   AND NOT EXISTS (SELECT FROM idle WHERE c.relname ~ ('_' || run || '(_|$)')) ORDER BY 2, 3;
SELECT 'step', s.step, s.name, s.state, s.round, s.rows, s.total, s.spared,
       (SELECT concat_ws('/', sum(b.rows), sum(b.children), sum(b.spared))
          FROM pgwinnow.batches b WHERE (b.run, b.step) = (s.run, s.step))
  FROM pgwinnow.steps s WHERE s.run = :run ORDER BY 2;
SELECT 'object', kind, schema_name, regexp_replace(name, '_' || :run || '(_|$)', '_R\1')
  FROM pgwinnow.objects WHERE run NOT IN (TABLE idle) ORDER BY 2, 3, 4;
SELECT format($$SELECT 'images of ', %1$L, count(*), md5(string_agg(x, E'\n' ORDER BY x COLLATE "C"))
                  FROM (SELECT concat(a.%2$I, ' ', to_jsonb(a) - %3$L::text[]) AS x FROM pgwinnow.%4$I AS a) AS x$$,
              table_name, own_columns[4], own_columns, name)
  FROM pgwinnow.archives WHERE run = :run AND dropped IS NULL ORDER BY table_name
\gexec
