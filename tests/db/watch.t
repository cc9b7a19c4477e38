#!/bin/bash
# status --watch: follows a run from beside it, through the runner's death, a lost connection and the run's end.
. "$(dirname "$0")/lib.sh"
new_database watch
export NO_COLOR=1

# watch NAME ARGUMENT...: in the background; $watcher is its pid; its output is $work/NAME, errors $work/NAME.err
watch() {
    local name=$1
    shift
    (cd "$work" && exec env --default-signal=INT "$PGWINNOW" status --watch --every 200ms "$@") \
        >"$work/$name" 2>"$work/$name.err" </dev/null &
    watcher=$!
}

# shows NAME REGEX [SECONDS]: waits until that is in the output
shows() {
    local until=$((SECONDS + ${3:-20}))
    until grep -qsE -- "$2" "$work/$1"; do
        [ $SECONDS -lt $until ] || { diag "no match for: $2"; diag "$(tail -30 "$work/$1")"; return 1; }
        sleep 0.1
    done
}

# ends PID NAME: within 20 seconds, and well
ends() {
    local until=$((SECONDS + 20)) name="$2"
    while kill -0 "$1" 2>/dev/null && [ $SECONDS -lt $until ]; do sleep 0.05; done
    kill -9 "$1" 2>/dev/null && name+=' (it did not end)'
    wait "$1" 2>/dev/null
    is $? 0 "$name"
}

sql "CREATE TABLE things (id int PRIMARY KEY, key int);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 999) i"
plan <<'PLAN'
plan: dedupe-things
table: public.things
batch: { size: 100, max: 100, pause: 10min }
steps: [ discover, { track: { duplicates: [key] } }, delete ]
PLAN

pgw status --every 1s
is "$code" 2 '--every without --watch'
pgw status --watch --every 1ms
is "$code" 2 'too often'
pgw status --watch no-such-plan
is "$code" 2 'what is not there is not watched'
like "$err" 'no run of plan no-such-plan' 'and named'

# --- a run that works, dies, goes on and ends

watch all
all_watcher=$watcher
shows all 'Nothing is under way'
ok $? 'all runs, before there is one'
pgw init
pgw_start run plan.yaml
eventually 'SELECT count(*) FROM pgwinnow.batches' 1
watch one dedupe-things
one_watcher=$watcher
watch lines --json 1
shows one 'delete +running +100 of 500'
ok $? 'a run that works'
shows all 'dedupe-things +running +delete +100 of 500'
ok $? 'in the list too'
sleep 0.5
is "$(grep -c '^run 1 of' "$work/one")" 1 'a page is printed when something changed, and only then'
like "$(head -1 "$work/one")" '^20[0-9-]+T[0-9:.]+Z$' 'under its time'

kill -9 "$pid"
wait "$pid" 2>/dev/null
shows one 'state +interrupted: its runner, .* pid [0-9]+, has been gone'
ok $? 'its runner is killed: interrupted'
shows one 'go on +pgwinnow run FILE +\(the file of plan dedupe-things\)'
ok $? 'and how to go on'
shows all 'dedupe-things +interrupted +delete'
ok $? 'in the list too'
shows lines '"state":"interrupted"'
ok $? 'and in JSON'

# --- the connection

sql "ALTER DATABASE $PGDATABASE ALLOW_CONNECTIONS false" -d postgres
sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '$PGDATABASE'" -d postgres >/dev/null
shows one.err 'trying again'
ok $? 'a lost connection is told'
sleep 1.5
is "$(grep -c 'trying again' "$work/one.err")" 1 'once'
sql "ALTER DATABASE $PGDATABASE ALLOW_CONNECTIONS true" -d postgres
sed -i 's/10min/0ms/' "$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'the run goes on'
ends "$one_watcher" 'who watches it connects again, and ends when it is over'
ends "$watcher" 'also in JSON'
like "$(tail -12 "$work/one")" 'state +finished at' 'the last page is that of its end'
is "$(perl -MJSON::PP -ne '$last = decode_json($_); END { print "$last->{state} $last->{removed}" }' "$work/lines")" \
    "finished $(sql 'SELECT 1000 - count(*) FROM things')" 'each line is a JSON object, the last one of the end'

# --- stopping

kill -0 "$all_watcher"
ok $? 'the list goes on'
kill -INT "$all_watcher"
ends "$all_watcher" 'Ctrl-C ends it, and that is no failure'
pgw status --watch 1
is "$code" 0 'a run that is over is shown once'
watch empty --json
shows empty '^\[\]$'
ok $? 'nothing is under way: an empty list in JSON'
kill -TERM "$watcher"
ends "$watcher" 'SIGTERM ends it, too'

# --- on a terminal

type script >/dev/null 2>&1 || done_testing
sql "UPDATE pgwinnow.runs SET state = 'paused', finished = NULL"
(cd "$work" && timeout 30 script -qfec "stty cols 50 rows 12; timeout --foreground -s INT 2 $PGWINNOW status --watch --every 200ms 1" \
    "$work/typed" >/dev/null </dev/null)
like "$(cat -v "$work/typed")" 'lines more\)' 'a page that is too high for the terminal says so'
shows typed $'\033\\[[0-9]+A'
ok $? 'it is drawn in place'
is "$(perl -CSD -ne 's/\e\[[?0-9;]*[A-Za-z]|[\r\n]//g; print if length > 50 && !/^Script /' "$work/typed")" '' \
    'and nothing is wider than the terminal'
done_testing
