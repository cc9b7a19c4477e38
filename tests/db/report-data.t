#!/bin/bash
# The data of a report (`report --format json`): of runs that ended, are under way, were undone, of older versions of the
# state, and of those whose tracking table is gone.
. "$(dirname "$0")/lib.sh"
new_database report
export NO_COLOR=1

# json PATH: of the last answer
json() { sql "SELECT \$json\$$out\$json\$::jsonb #>> '{$1}'"; }

pgw report 7 --format json
is "$code" 2 'a run that is not there: exit code 2'

thing_tables 2000
plan <<'PLAN'
plan: dedupe-things
table: public.things
batch: { size: 100, max: 100, pause: 0ms }
steps:
  - discover: { children: { parts.thing: delete } }
  - track: { duplicates: [key] }
  - sql: { run: "UPDATE things SET key = -id WHERE id IN (5, 7, 9)" }
  - sql: { as: rest, run: "UPDATE things SET key = key WHERE id = 0 AND pg_sleep(1.5) IS NOT NULL" }
  - delete-children
  - delete
PLAN
pgw run --max-rows 200 plan.yaml
is "$code" 75 'a canary stops half-way'
pgw report dedupe-things --format json
is "$code" 0 'a report of a run that is not over'
is "$(json run)/$(json plan)/$(json state)/$(json finished)" '1/dedupe-things/paused/' 'run, plan, state'
is "$(json totals,removed)" "$(sql 'SELECT 2000 - count(*) FROM things')" 'rows that went so far'
like "$(json error,message)" 'max-rows' 'why it stopped'

pgw run plan.yaml
is "$code" 0 'it goes on'
pgw report 1 --format json
is "$code" 0 'a report of a run that is over' || diag "$all"
is "$(json totals,removed) $(json totals,children) $(json totals,spared) $(json totals,archived) $(json totals,held)" \
    '997 997 3 1994 0' 'its totals'
is "$(json spared,0,rows)/$(json spared,0,examples)" '3/["5", "7", "9"]' 'what was spared, with keys'
is "$(json kept)" '{"held": 0, "contested": 0, "survivors": 1000}' 'what stayed'
is "$(json steps,5,name) $(json steps,5,rows) $(json steps,5,total) $(json steps,5,round)" 'delete 997 1000 1' 'a step'
like "$(json steps,5,started) $(json steps,5,finished)" '^20.*T.*Z 20.*T.*Z$' 'when it began and ended'
is "$(sql "SELECT sum((p ->> 'rows')::int), sum((p ->> 'children')::int), sum((p ->> 'batches')::int), count(*) <= 300
             FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb #> '{series,throughput}') p")" \
    "997|997|$(sql 'SELECT count(*) FROM pgwinnow.batches')|t" 'the points of the throughput add up'
is "$(sql "SELECT count(*), bool_and((b ->> 'rows')::int <= 100) FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb -> 'slowest') b")" \
    "$(sql 'SELECT LEAST(count(*), 20) FROM pgwinnow.batches')|t" 'the slowest batches'
is "$(json tree,root) $(json tree,edges,0,child) $(json tree,edges,0,columns) $(json tree,edges,0,policy) $(json tree,edges,0,rows)" \
    'public.things public.parts ["thing"] delete 997' 'the tree, with the rows that went by each edge'
is "$(json server)" "$(sql 'SHOW server_version')" 'the version of the server'
is "$(sql "SELECT count(*), bool_and(s ->> 'place' ~ '^(runner/[a-z_/]+[.]sql|plan.yaml):[0-9]+$') FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb -> 'statements') s
            WHERE (s ->> 'step', s ->> 'name') IN (('track', 'fill_track'), ('delete', 'remove_families'), ('sql', 'run'), ('rest', 'run'))")" \
    '4|t' 'the SQL that was sent, by step'
is "$(sql "SELECT count(*) > 0 FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb #> '{series,samples}') s WHERE (s ->> 'seconds')::numeric > 0.5")" t \
    'samples of how it went'
like "$(json definition,steps,1,options,duplicates)" 'key' 'the plan'
like "$(json archive,until)" '^20.*Z$' 'until when it can be undone'

# --- afterwards

pgw undo 1 --yes
is "$code" 0 'undo' || diag "$all"
pgw report 1 --format json
is "$(json state) $(json totals,removed)" 'undone 997' 'a run that was undone'
is "$(sql "SELECT sum((p ->> 'batches')::int) FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb #> '{series,throughput}') p")" \
    "$(sql "SELECT count(*) FROM pgwinnow.batches JOIN pgwinnow.steps USING (run, step) WHERE kind <> 'undo'")" \
    'its throughput is that of the run'
pgw clean --yes 1
pgw report 1 --format json
is "$code $(json totals,spared) $(json spared) $(json kept,survivors)" '0 3 [] ' 'a tracking table that is gone'

# --- a step that keeps nothing: what undo would refuse is not promised

plan <<'PLAN'
plan: without
table: public.things
steps:
  - discover: { children: { parts.thing: delete } }
  - track: { where: id < 3 }
  - delete-children: { archive: { off: "worth nothing" } }
  - delete
PLAN
pgw run plan.yaml
pgw report without --format json
is "$code $(json totals,removed) $(json archive,without)" '0 3 delete-children' 'which step kept nothing' || diag "$all"
pgw status without
like "$out" 'undo +not possible: step delete-children kept nothing' 'status promises no undo'
pgw undo without --yes
is "$code" 3 'nor is there one'

# --- a state schema of an older version: looking does not upgrade it

sql "INSERT INTO pgwinnow.acts (run, act, detail) VALUES (1, 'set', '{\"batch.size\": \"50\"}');
     DROP TABLE pgwinnow.events, pgwinnow.outbox, pgwinnow.endpoints, pgwinnow.samples, pgwinnow.statements;
     ALTER TABLE pgwinnow.runs DROP uid, DROP hold, DROP tree_shown, DROP server; ALTER TABLE pgwinnow.batches DROP edges;
     UPDATE pgwinnow.version SET version = 3"
pgw report 1 --format json
is "$code $(json totals,removed) $(json tree,edges) $(json server)" '0 997 [] ' 'of version 3' || diag "$all"
is "$(sql "SELECT t ->> 'role' = current_user, t ->> 'message' FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb -> 'timeline') t
            WHERE t ->> 'what' = 'act' AND t ->> 'type' = 'set'")" 't|batch.size=50' 'who asked for what'
sql 'DROP TABLE pgwinnow.acts, pgwinnow.guards, pgwinnow.archives; ALTER TABLE pgwinnow.runs DROP lane, DROP tables, DROP settings, DROP waiting;
     UPDATE pgwinnow.version SET version = 1'
pgw report 1 --format json
is "$code $(json totals,removed) $(json archive)" '0 997 ' 'of version 1' || diag "$all"
like "$(json timeline)" 'step.finished.*delete' 'what the steps know of its time'
is_sql 'SELECT version FROM pgwinnow.version' 1 'and nothing was upgraded'

done_testing
