#!/bin/bash
# The metrics file of real runs: a scraper takes it, its numbers are the database's, docs/metrics.md has every metric.
. "$(dirname "$0")/lib.sh"
new_database metrics
export NO_COLOR=1

# value METRIC [LABEL="VALUE"...]: of the sample that has these labels
value() {
    local name=$1 label found
    found=$(grep -E "^$name\{" "$work/m.prom")
    shift
    for label in "$@"; do found=$(grep -F "$label" <<<"$found"); done
    echo "${found##* }"
}

# sound NAME: the file is what the text format's description says
sound() {
    local bad
    bad=$(perl -ne '
        if (/^# HELP (\S+) \S.*$/) { $help{$1}++ and print "HELP twice: $_"; next }
        if (/^# TYPE (\S+) (counter|gauge)$/) { $type{$1} = $2; $now = $1; $help{$1} or print "no HELP before: $_"; next }
        /^(\w+)\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?\d+(?:\.\d+)?)$/ or do { print "no sample: $_"; next };
        ($name, $labels) = ($1, $2);
        $name eq $now or print "not behind its TYPE: $_";
        $seen{"$name $labels"}++ and print "twice: $_";
        ($name =~ /_total$/) == ($type{$name} eq "counter") or print "a name that is not its type'\''s: $_";
    ' "$work/m.prom")
    is "$bad" '' "$1: the file is in the text format"
    if command -v promtool >/dev/null 2>&1; then
        is "$(promtool check metrics <"$work/m.prom" 2>&1)" '' "$1: promtool has nothing to say"
    fi
}

thing_tables 1000
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
pgw run --env staging --max-rows 200 --metrics-file m.prom plan.yaml
is "$code" 75 'a canary stops half-way'
sound 'stopped'
is "$(value pgwinnow_run_state 'state="paused"')" 1 'its state'
is "$(value pgwinnow_run_exit_code)" 75 'its exit code'
is "$(value pgwinnow_step_rows_total 'step="delete"')" "$(sql 'SELECT 1000 - count(*) FROM things')" 'rows of a step half-way'
is "$(value pgwinnow_step_expected_rows 'step="delete"')" 500 'and all of them'
is "$(value pgwinnow_step_state 'step="delete"' 'state="running"')" 1 'the state of the step'
is "$(value pgwinnow_step_state 'step="index"' 'state="waiting"')" 1 'and of one to come'
is "$(value pgwinnow_last_success_timestamp_seconds)" '' 'no success yet'

pgw run --env staging --metrics-file m.prom plan.yaml
is "$code" 0 'the rest'
sound 'finished'
is "$(value pgwinnow_run_state 'state="finished"')$(value pgwinnow_run_exit_code)" 10 'it is finished'
is "$(value pgwinnow_step_rows_total 'step="delete"')" "$(sql 'SELECT 1000 - count(*) FROM things')" 'rows of all sessions'
is "$(value pgwinnow_step_rows_total 'step="delete-children"')" "$(sql 'SELECT 1000 - count(*) FROM parts')" 'children too'
is "$(value pgwinnow_step_batches_total 'step="delete"')" "$(sql 'SELECT count(*) FROM pgwinnow.batches')" 'batches'
is "$(value pgwinnow_run_info 'run="1"' 'table="public.things"')" 1 'which run it was'
success=$(value pgwinnow_last_success_timestamp_seconds)
is_sql "SELECT abs(extract(epoch FROM finished) - $success) < 5 FROM pgwinnow.runs" t 'when it finished'
cp "$work/m.prom" "$work/finished.prom"

pgw undo --yes --metrics-file m.prom 1
is "$code" 0 'undone'
sound 'undone'
is "$(value pgwinnow_run_state 'state="undone"')" 1 'undone: its state'
is "$(value pgwinnow_step_rows_total 'step="undo"')" 1000 'rows that came back'
is "$(value pgwinnow_last_success_timestamp_seconds)" "$success" 'the last success is still that of the run, not the undo'

pgw run --env staging --metrics-file nowhere/m.prom plan.yaml
is "$code" 0 'a file that cannot be written stops nothing'
is "$(grep -c 'nowhere/m.prom' <<<"$out")" 1 'and is told once'

written=$(grep -oE '^\| `pgwinnow_[a-z_]+' "$root/docs/metrics.md" | tr -d '|` ' | sort)
is "$(sed -n 's/^    {"\(pgwinnow_[a-z_]*\)".*/\1/p; s/.*last_success\[\] = "\(.*\)".*/\1/p' "$root/runner/events/metrics.c" | sort)" \
    "$written" 'docs/metrics.md has every metric, and no other'
is "$(grep -ohE '^# TYPE [a-z_]+' "$work"/*.prom | cut -d' ' -f3 | sort -u | comm -23 - <(echo "$written"))" '' \
    'and every one of these files'
done_testing
