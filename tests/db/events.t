#!/bin/bash
# docs/events: the lines of real runs, of every type, and what is kept of them in pgwinnow.events, are what the schemas say.
. "$(dirname "$0")/lib.sh"
new_database events
export NO_COLOR=1
schemas=$root/docs/events
validate=("$root/tests/db/validate-events")

# run_json ARGUMENT...: a run whose lines are added to $work/lines
run_json() {
    pgw run --output json "$@"
    echo "$out" >>"$work/lines"
}

# in_output TYPE: waits until the run in the background has told it
in_output() {
    local until=$((SECONDS + 20))
    until grep -qsF "\"type\":\"$1\"" "$work/.out"; do
        [ $SECONDS -lt $until ] || { diag "$(tail -3 "$work/.out" "$work/.err")"; return 1; }
        sleep 0.1
    done
}

# --- the validator can say no

good='{"type":"lost","lines":3}'
is "$(echo "$good" | "${validate[@]}" "$schemas")" '' 'what is as it should be'
is "$(echo '{"type":"lost","lines":0}' | "${validate[@]}" "$schemas")" 'line 1: lost: it.lines is 0, below 1' 'a number too small'
is "$(echo '{"type":"lost","lines":"3"}' | "${validate[@]}" "$schemas")" 'line 1: lost: it.lines is "3", not integer' 'another type'
is "$(echo '{"type":"lost"}' | "${validate[@]}" "$schemas")" 'line 1: lost: it has no lines' 'a key that is missing'
is "$(echo '{"type":"lost","lines":3,"b":1}' | "${validate[@]}" "$schemas")" 'line 1: lost: it.b is not in the schema' 'a key too many'
is "$(echo '{"type":"new"}' | "${validate[@]}" "$schemas")" 'line 1: new: has no schema' 'a type without a schema'

# --- runs

sql "CREATE TABLE things (id int PRIMARY KEY, key int);
     CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things);
     CREATE INDEX ON parts (thing);
     CREATE TABLE busy (n int);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 999) i;
     INSERT INTO parts SELECT i, i FROM generate_series(0, 999) i"
# plan_of NAME [STEP]: a plan with one more step, or not
plan_of() {
    plan <<PLAN
plan: $1
table: public.things
environments: { staging: { } }
batch: { size: 100, max: 100, pause: 0ms }
throttle: { query: { sql: "SELECT count(*) FROM public.busy", above: 0 } }
steps:
  - discover: { children: { parts.thing: delete } }
  - track: { duplicates: [key] }
  - delete-children
  - delete
$2
PLAN
}
plan_of finishes
run_json --env staging --max-rows 200 plan.yaml
is "$code" 75 'a run that stops'
run_json --env staging --metrics-file nowhere/m.prom plan.yaml
is "$code" 0 'and goes on to its end, with a notice'

plan_of fails '  - check: { query: "SELECT count(*) FROM public.things", is: 0 }'
run_json --env staging plan.yaml
isnt "$code" 0 'a run that fails'

sql "INSERT INTO things SELECT i, i / 2 FROM generate_series(2000, 2999) i; INSERT INTO busy VALUES (1)"
plan_of waits
rm -f "$work/.out" # of the run before
pgw_start run --output json --env staging plan.yaml
in_output throttle.waiting
ok $? 'a run that waits'
sql 'DELETE FROM busy'
pgw_end
is "$code" 0 'and goes on'
echo "$out" >>"$work/lines"

sql 'INSERT INTO busy VALUES (1)'
plan_of cancelled
rm -f "$work/.out" # of the run before
pgw_start run --output json --env staging plan.yaml
in_output throttle.waiting
sql "UPDATE pgwinnow.runs SET wanted = 'cancelled' WHERE plan = 'cancelled'"
pgw_end
is "$code" 75 'one that is cancelled'
echo "$out" >>"$work/lines"
sql 'DELETE FROM busy'

plan_of asks '  - approve: { message: "Shall it go on?" }'
run_json --env staging plan.yaml
is "$code" 75 'one that wants an approval'

is "$("${validate[@]}" "$schemas" <"$work/lines")" '' 'every line is what the schema of its type says'
echo "$good" >>"$work/lines" # by hand: the reader of a run would have to be slow for long
met=$("${validate[@]}" --types "$schemas" <"$work/lines" | tr '\n' ' ')
is "$met" "$(cd "$schemas" && ls -- *.schema.json | sed 's/\.schema\.json$//' | grep -vx common | LC_ALL=C sort | tr '\n' ' ')" \
    'and there was one of every type that has a schema'

pgw undo --yes finishes
is "$code" 0 'a run that is undone'
sql 'SELECT body FROM pgwinnow.events ORDER BY event' >"$work/kept"
is "$("${validate[@]}" "$schemas" <"$work/kept")" '' 'what is kept in pgwinnow.events, too'
is_sql "SELECT count(*) FROM pgwinnow.events WHERE type <> body ->> 'type' OR run <> (body ->> 'run')::bigint
            OR type IN ('progress', 'batch.committed', 'notice')" 0 'under its type and run'
done_testing
