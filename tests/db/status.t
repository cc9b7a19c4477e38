#!/bin/bash
# status and history: what people and scripts are told about runs that work, wait, stopped, died and ended.
. "$(dirname "$0")/lib.sh"
new_database status
export NO_COLOR=1

# json PATH: of the last answer
json() { sql "SELECT \$json\$$out\$json\$::jsonb #>> '{$1}'"; }

# --- nothing there yet

pgw status
is "$code" 0 'no state schema: status ends well'
like "$out" 'Nothing is under way' 'and says so in a line'
pgw status --json
is "$code$(tr -d ' \n' <<<"$out")" '0[]' 'an empty list in JSON'
pgw history --json
is "$code$(tr -d ' \n' <<<"$out")" '0[]' 'history too'
pgw status 7
is "$code" 2 'a run that is not there: exit code 2'
like "$err" 'no run 7' 'it is named'
is_sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgwinnow'" 0 'reading has created nothing'

# --- a run that stopped half-way

thing_tables 2000
plan <<'PLAN'
plan: dedupe-things
table: public.things
environments:
  staging: { batch: { size: 100, max: 100, pause: 0ms } }
steps:
  - discover: { children: { parts.thing: delete } }
  - track: { duplicates: [key] }
  - delete-children
  - delete
  - index: { name: uix_things_key, unique: [key] }
PLAN
pgw run --env staging --max-rows 200 plan.yaml
is "$code" 75 'a canary stops half-way'
left=$(sql 'SELECT count(*) - 1000 FROM things')
pgw status --json 1
is "$code" 0 'status of a run by number'
is "$(json run)/$(json plan)/$(json environment)/$(json state)" '1/dedupe-things/staging/paused' 'run, plan, environment, state'
is "$(json steps,0,name) $(json steps,1,name) $(json steps,2,name) $(json steps,3,name) $(json steps,4,name)" \
    'discover track delete-children delete index' 'all steps, in order'
is "$(json steps,1,state) $(json steps,1,rows) $(json steps,1,total)" 'done 1000 1000' 'a step that is done'
is "$(json steps,3,state) $(json steps,3,rows) $(json steps,3,total)" "running $((1000 - left)) 1000" \
    'rows of a step half-way are those of its committed batches'
is "$(json steps,2,rows)" "$(sql 'SELECT 2000 - count(*) FROM parts')" 'children settled in the same batches'
is "$(json steps,3,batches)" "$(sql 'SELECT count(*) FROM pgwinnow.batches')" 'batches'
is "$(json steps,4,state) $(json steps,4,seconds)" 'waiting ' 'a step that has not begun has no time'
is "$(sql "SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(\$j\$$out\$j\$::jsonb #> '{steps,0}') k
           WHERE k IN ('name', 'state', 'rows', 'total', 'spared', 'archived', 'batches', 'seconds')")" \
    'archived batches name rows seconds spared state total' 'the keys of a step that scripts rely on'
is "$(json steps,0,archived)" 0 'nothing is archived'
is "$(sql "SELECT \$j\$$out\$j\$::jsonb @> '{\"waiting\": null, \"rate\": null, \"eta_seconds\": null}'")" t 'what is not known is null'

pgw status dedupe-things
like "$out" 'run 1 of plan dedupe-things, environment staging, table public.things' 'by the plan name: who it is'
like "$out" 'state +paused for' 'its state'
like "$out" 'because +stopped after 200 rows' 'why it stopped'
like "$out" 'go on +pgwinnow run --env staging FILE' 'how to go on'
like "$out" "delete +begun +$((1000 - left)) of 1,000" 'what is left'
pgw status --env staging plan.yaml
like "$out" 'go on +pgwinnow run --env staging plan.yaml' 'by the plan file the command can be pasted'
pgw status
like "$out" '1 +dedupe-things +staging +paused +delete' 'without argument: a line for each run that is not over'
pgw status --json
is "$(json 0,run)" 1 'and a list in JSON'
pgw status --env production
like "$out" 'Nothing is under way' 'of one environment only'
pgw status dedupe-thing
is "$code" 2 'a plan that never ran: exit code 2'
like "$err" 'run 1 of plan dedupe-things \(staging, paused\)' 'what there is is told'
pgw status nosuch.yaml
is "$code" 2 'a plan file that is not there'
pgw history
like "$out" 'No run is over' 'nothing in history yet'

# --- a reader may look, and nobody else

role=reader_$$
sql "CREATE ROLE $role LOGIN"
PGUSER=$role pgw status
is "$code" 1 'a role without rights is refused by the server'
like "$err" "GRANT USAGE ON SCHEMA \"pgwinnow\" TO \"$role\"" 'the missing GRANT is printed'
sql "GRANT USAGE ON SCHEMA pgwinnow TO $role; GRANT SELECT ON ALL TABLES IN SCHEMA pgwinnow TO $role"
PGUSER=$role pgw status 1
is "$code" 0 'SELECT is enough: status changes nothing'
sql "ALTER ROLE $role SET default_transaction_read_only = on; ALTER ROLE $role SET search_path = ''"
PGUSER=$role pgw status --json 1
is "$(json state)" paused 'also in a session that is read-only and has no search_path'
sql "DROP OWNED BY $role; DROP ROLE $role"

# --- at work, and dead

# Another session's open transaction keeps the concurrent build waiting as long as we like.
mkfifo "$work/talk"
psql -XAtq <"$work/talk" >"$work/heard" 2>&1 &
exec 9>"$work/talk"
echo "SET application_name = 'a long report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM things;" >&9
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'a long report' AND state = 'idle in transaction'" 1
reporter=$(sql "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'a long report'")
pgw_start run --env staging plan.yaml
eventually "SELECT state FROM pgwinnow.steps WHERE kind = 'index'" running
eventually "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND $reporter = ANY (pg_blocking_pids(pid))" 1
running=$pid
pgw status --json dedupe-things
is "$(json state)" running 'at work: running'
like "$(json waiting,reason)" "pid $reporter.*a long report" 'whom it waits for'
like "$(json waiting,since)" '^20[0-9-]+T[0-9:.]+Z$' 'and since when'
like "$(json runner)" "pid $running" 'who runs it'
pgw status 1
like "$out" "waiting .*a long report" 'the page tells it too'
unlike "$out" 'go on' 'there is nothing to go on with'
sql "UPDATE pgwinnow.runs SET wanted = 'paused' WHERE run = 1"
pgw status 1
like "$out" 'running, and asked to be paused' 'the switch in the table is told while it has not been seen to'
sql "UPDATE pgwinnow.runs SET wanted = NULL"
kill -KILL "$running"
pid=$running pgw_end
eventually "SELECT count(*) FROM pg_stat_activity a JOIN pgwinnow.lease l USING (pid)" 0
pgw status --json 1
is "$(json state)" interrupted 'killed: interrupted, as soon as its connection is gone'
is "$(json runner)" '' 'nobody runs it'
pgw status --env staging plan.yaml
like "$out" "interrupted: its runner, .*pid $running, has been gone" 'the page names who died'
like "$out" 'go on +pgwinnow run --env staging plan.yaml' 'and how to go on'
is_sql 'SELECT state FROM pgwinnow.runs' running 'status has not written that down: the next run decides'
echo 'COMMIT; \q' >&9
exec 9>&-

# Behind a pooler nobody sees the runner's connection: then the beat decides.
sql "UPDATE pgwinnow.lease SET pid = NULL, beat = now() - interval '55 s'"
pgw status --json 1
is "$(json state)" running 'behind a pooler: a beat 55 seconds ago is alive'
sql "UPDATE pgwinnow.lease SET beat = now() - interval '61 s'"
pgw status --json 1
is "$(json state)" interrupted '61 seconds ago is not'
sql "UPDATE pgwinnow.lease SET beat = '-infinity'"
pgw status --json 1
is "$(json state)" interrupted 'a lease that was given back is nobody'\''s'

# --- over

pgw run --env staging plan.yaml
is "$code" 0 'the next run finishes it'
pgw status --json 1
is "$(json state) $(json steps,3,rows) $(json steps,2,rows)" 'finished 1000 1000' 'finished, with all rows of all sessions'
pgw status
like "$out" 'Nothing is under way' 'and no longer listed as unfinished'
pgw history
like "$out" '1 +dedupe-things +staging +finished +20.* 1,000 +1,000 +0 +postgres' 'history: rows removed, rows below, rows spared, who'
pgw run --env staging plan.yaml
pgw history --json
is "$(json 0,run) $(json 1,run)" "$(sql "SELECT string_agg(run::text, ' ' ORDER BY run DESC) FROM pgwinnow.runs")" 'the newest first'
is "$(json 1,removed)/$(json 1,children)/$(json 1,spared)" 1000/1000/0 'the same in JSON'
is "$(sql "SELECT abs((\$j\$$out\$j\$::jsonb #>> '{1,seconds}')::numeric - EXTRACT(epoch FROM finished - started)) < 0.01
           FROM pgwinnow.runs WHERE run = 1")" t 'how long it took'
pgw history other-plan
is "$code" 0 'history of a plan that never ran'
like "$out" 'No run of plan other-plan is over' 'says so'

# --- how fast: five batches of 200 rows, of ten seconds each, the last just now, and an older one that no longer counts

sql "INSERT INTO pgwinnow.runs (plan, table_name, table_oid, definition, search_path, program)
     VALUES ('by-hand', 'public.things', 'things'::regclass, '{}', 'public', '0');
     INSERT INTO pgwinnow.lease SELECT max(run), 1, 'nobody', NULL, now() FROM pgwinnow.runs;
     INSERT INTO pgwinnow.steps (run, step, name, kind, state, rows, total, started)
     SELECT r.run, s.* FROM (SELECT max(run) AS run FROM pgwinnow.runs) r,
            (VALUES (0, 'track', 'track', 'done', 10000, 10000, now() - interval '5 min'),
                    (1, 'delete', 'delete', 'running', 0, NULL, now() - interval '4 min')) s (step, name, kind, state, rows, total, started);
     INSERT INTO pgwinnow.batches (run, step, round, part, pass, first, last, rows, ms, at)
     SELECT r.run, 1, 1, 0, 1, b * 200 + 1, b * 200 + 200, 200, 10000,
            clock_timestamp() - make_interval(secs => CASE WHEN b = 0 THEN 120 ELSE (5 - b) * 10 END)
       FROM (SELECT max(run) AS run FROM pgwinnow.runs) r, generate_series(0, 5) b"
pgw status --json by-hand
is "$(json state) $(json steps,1,rows) $(json steps,1,total)" 'running 1200 10000' 'what a delete will go through is what was tracked'
ok "$(sql "SELECT NOT (\$j\$$out\$j\$::jsonb ->> 'rate')::numeric BETWEEN 18 AND 20.1" | sed 's/f/0/; s/t/1/')" \
    "1,000 rows in the last 50 seconds: 20 a second (it said $(json rate))"
ok "$(sql "SELECT NOT (\$j\$$out\$j\$::jsonb ->> 'eta_seconds')::numeric BETWEEN 437 AND 490" | sed 's/f/0/; s/t/1/')" \
    "8,800 rows to go: 440 seconds (it said $(json eta_seconds))"
sql "UPDATE pgwinnow.batches SET at = at - interval '5 min'"
pgw status --json by-hand
is "$(json rate)/$(json eta_seconds)" / 'no batch in the last minute: null'
sql "UPDATE pgwinnow.runs SET state = 'failed', error = '{\"message\": \"it broke\", \"detail\": \"line one\\nline two\", \"hint\": \"mend it\"}'
     WHERE plan = 'by-hand'; UPDATE pgwinnow.lease SET beat = '-infinity'"
pgw status by-hand
like "$out" 'state +failed' 'a failed run'
like "$out" $'because +it broke\n +line one\n +line two\n +hint +mend it' 'the error as it was, with its hint'
like "$out" 'or anew +pgwinnow run --fresh FILE' 'and both ways on'
done_testing
