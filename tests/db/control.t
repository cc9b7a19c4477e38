#!/bin/bash
# Steering a run from a second terminal: pause, resume, approve; when they are heard, who asked, what a runner that
# waits does. control-cancel.t has the rest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/steering.sh"

new_database control
pgw init
sql 'CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL)'
make_operator
fill

# --- pause of a live run, and what goes on with it

steps_of steered 1h <<<'  - discover
  - track: { duplicates: [k] }
  - delete' >"$work/plan.yaml"
pgw_start run --output plain plan.yaml
batches 1 1
ask pause 1
pgw_end
is "$asked_code/$code" 0/75 'pause: its runner ends with 75, though it rests for an hour' || diag "$asked" "$all"
in_time pause
like "$asked" 'Run 1 of plan steered is paused\.' 'the command tells it'
like "$asked" 'Next: pgwinnow run' 'and what to type next'
like "$err" "paused by $PGUSER" 'so does the runner, and who it was'
is_sql 'SELECT state FROM pgwinnow.runs' paused 'the run is paused'
is_sql "SELECT act, role, detail FROM pgwinnow.acts" "pause|$PGUSER|" 'the act is written down'
ask pause steered
is "$asked_code" 0 'a second pause'
like "$asked" 'nobody works on it: there is nothing to pause' 'has nothing to do'
is_sql 'SELECT count(*) FROM pgwinnow.acts' 1 'and is no act'
ask resume 1
like "$asked" 'Next: pgwinnow run' 'resume without a runner says what to type'
pgw run --max-rows 10 plan.yaml
is_sql "SELECT wanted IS NULL FROM pgwinnow.runs" t 'the next run takes the pause back'

# --- a pause that holds

ask pause --hold 1
is "$asked_code" 0 'pause --hold of a run that nobody works on'
like "$asked" 'on hold' 'is told'
for fresh in '' --fresh; do
    pgw run $fresh plan.yaml
    is "$code" 75 "run $fresh does not go on with it" || diag "$all"
    like "$err" 'run 1 of plan steered is on hold' 'and says why'
done
is_sql 'SELECT count(*), max(state) FROM pgwinnow.runs' '1|paused' 'nothing was begun'
pgw status 1
like "$out" 'on hold +until .pgwinnow resume 1.' 'status says so'
pgw_start run --wait 1min --output plain plan.yaml
eventually "SELECT count(*) FROM pgwinnow.lease WHERE entered IS NOT NULL" 1
eventually "SELECT state FROM pgwinnow.runs" paused
ok $? 'with --wait it waits for the end of that'
n=$(sql 'SELECT count(*) FROM pgwinnow.batches')
ask resume --json 1
is "$asked_code" 0 'resume' || diag "$asked"
in_time resume
is "$(json "$asked" effective) $(json "$asked" state) $(json "$asked" hold)" 'True running False' 'its runner goes on'
batches 1 $((n + 1))
ok $? 'and works'

# --- a runner that stays while it is paused

ask pause 1
in_time 'pause of a runner that waits'
like "$asked" 'is paused; its runner waits' 'it stays'
is_sql "SELECT state, (SELECT entered IS NOT NULL FROM pgwinnow.lease) FROM pgwinnow.runs" 'paused|t' 'with its lane'
n=$(sql 'SELECT count(*) FROM pgwinnow.batches')
ask status --json 1
is "$(json "$asked" state)/$(json "$asked" acts,0,act)" paused/pause 'status --json has the state and the acts'
isnt "$(json "$asked" runner)" '' 'and the runner'
ask status 1
like "$asked" 'go on +pgwinnow resume 1' 'the page says what to type'
like "$asked" 'hint +.pgwinnow resume 1. lets it go on' 'while its runner is there'
is_sql "SELECT error ->> 'message' ~ '^paused by', error ->> 'hint' FROM pgwinnow.runs" 't|' 'of one that is killed there nobody says so'
like "$asked" "asked .*pause by $PGUSER.*hold.*resume by $PGUSER" 'and who asked for what'
is_sql 'SELECT count(*) FROM pgwinnow.batches' "$n" 'nothing is done meanwhile'
ask resume 1
in_time 'resume of a runner that waits'
sql "UPDATE pgwinnow.runs SET wanted = 'paused'"
eventually 'SELECT state FROM pgwinnow.runs' paused
ok $? 'the switch in the table does the same'
sql 'UPDATE pgwinnow.runs SET wanted = NULL'
eventually 'SELECT state FROM pgwinnow.runs' running
ok $? 'both ways'
PGUSER=$operator ask cancel 1
pgw_end
is "$asked_code/$code" 0/75 'an operator cancels it' || diag "$asked" "$all"
like "$err" "cancelled by $operator" 'under his own name'
for command in pause resume cancel approve; do
    pgw $command 1
    is "$code" 3 "$command of a run that is over" || diag "$all"
    like "$err" 'run 1 of plan steered is over: it is cancelled since' 'says that'
done
pgw history --json
is "$(json "$out" 0,acts,0,act)" pause 'history --json has the acts'
sessions='run.started run.paused run.resumed run.paused run.resumed'
is_sql "SELECT string_agg(type, ' ' ORDER BY event) FROM pgwinnow.events WHERE run = 1 AND type ~ '^run'" \
    "$sessions run.paused run.resumed run.paused run.resumed run.paused run.resumed run.cancelled" 'the events tell all of it'
is "$(sql 'SELECT body FROM pgwinnow.events' | "$root/tests/db/validate-events" "$root/docs/events")" '' 'in the form of their schemas'

# --- an approval

steps_of asks 0ms <<<'  - discover
  - track: { duplicates: [k] }
  - approve: { message: Look at the list first. }
  - delete' >"$work/asks.yaml"
pgw explain asks.yaml
like "$out" 'pgwinnow approve RUN.*Look at the list first' 'explain says what it will wait for'
pgw run --until track asks.yaml
ask approve 2
is "$asked_code" 3 'an approval before it is waited for is refused' || diag "$asked"
like "$asked" 'has not come to its step approve yet' 'and why'
pgw run --output plain asks.yaml
is "$code" 75 'the run ends at its approve step' || diag "$all"
like "$out" 'Look at the list first.*pgwinnow approve 2' 'approval.needed tells what to type'
like "$err" 'waiting for an approval: Look at the list first' 'so does the end'
is_sql "SELECT count(*) FROM pgwinnow.lease WHERE run = 2 AND entered IS NOT NULL" 0 'its lane is free'
pgw status asks
like "$out" 'because +waiting for an approval' 'status says so'
pgw run asks.yaml
is "$code" 75 'a scheduler that tries again' || diag "$all"
is "$out" '' 'begins nothing'
PGUSER=$operator ask approve asks
is "$asked_code" 0 'an operator approves' || diag "$asked"
like "$asked" 'approved at its step approve.*Next: pgwinnow run' 'and is told what goes on'
ask approve asks
is "$asked_code" 3 'once'
pgw status asks
like "$out" "because +approved by $operator; the next run goes on" 'status no longer asks for it'
unlike "$out" 'hint +.pgwinnow approve' 'nor says how'
pgw run asks.yaml
is "$code" 0 'the run goes on' || diag "$all"
is_sql 'SELECT count(*) FROM t' 100 'to its end'
is_sql "SELECT note ~ 'approved by $operator at 20' FROM pgwinnow.steps WHERE run = 2 AND kind = 'approve'" t 'who approved is kept'
fill
pgw_start run --wait 1min --output plain asks.yaml
eventually "SELECT state || (waiting ->> 'until') FROM pgwinnow.runs WHERE run = 3" 'waitingpgwinnow approve 3'
ok $? 'with --wait it stays, and status says what it waits for'
sql "INSERT INTO pgwinnow.acts (run, act, detail) VALUES (3, 'approve', '{\"step\": \"other\", \"round\": 1}')"
ask approve 3
in_time approve
like "$asked" 'it goes on' 'its runner goes on'
pgw_end
is "$code" 0 'to its end' || diag "$all"
fill
pgw run --wait 500ms asks.yaml
is "$code" 75 'when the time is over it ends' || diag "$all"
like "$err" 'waiting for an approval, in vain for 500 ms' 'and says so'
pgw cancel asks
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 4' cancelled 'a run that waits for an approval can be cancelled'

# --- several connections at work

fill
steps_of wide 100ms <<<'  - discover
  - track: { duplicates: [k] }
  - delete' | sed 's/pause: 100ms/&, workers: 3/' >"$work/wide.yaml"
pgw_start run --wait 1min --output plain wide.yaml
batches 5 6
ask pause wide
in_time 'pause of three workers'
like "$asked" 'its runner waits' 'they stop together'
n=$(sql 'SELECT count(*) FROM pgwinnow.batches WHERE run = 5')
is_sql 'SELECT count(*) FROM pgwinnow.batches WHERE run = 5' "$n" 'nothing is done meanwhile'
ask resume wide
pgw_end
is "$code" 0 'and go on to the end' || diag "$all"
is_sql 'SELECT count(*) FROM t' 100 'with all of it done'
sql "DROP OWNED BY $operator; DROP ROLE $operator"
done_testing
