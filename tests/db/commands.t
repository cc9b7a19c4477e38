#!/bin/bash
# The command line as people and scripts meet it: what goes to which stream, exit codes, help. Needs no database.
. "$(dirname "$0")/lib.sh"
export PGHOST=/nowhere NO_COLOR=1

cat >"$work/good.yaml" <<'PLAN'
plan: purge-old
table: public.events
steps:
  - discover
  - track: { where: "created_at < now() - interval '30 days'" }
  - delete
PLAN
cat >"$work/bad.yaml" <<'PLAN'
plan: purge-old
tabel: public.events
steps:
  - trak: { where: true }
  - delete
PLAN

pgw check good.yaml
is "$code" 0 'a valid plan: exit code 0'
like "$out" '^good.yaml: valid' 'a line says so'
is "$err" '' 'and nothing else'
pgw check --quiet good.yaml
is "$code$out$err" 0 'quiet says nothing'
pgw check --json good.yaml
is "$(tr -d ' \n' <<<"$out")" '[]' 'an empty list in JSON'

pgw check good.yaml bad.yaml
is "$code" 2 'a problem in one of two plans: exit code 2'
like "$out" 'good.yaml: valid' 'the good one is told'
like "$err" 'bad.yaml:2:1: .*tabel' 'a problem has file, line and column'
like "$err" "did you mean 'table'" 'and the nearest key'
like "$err" 'bad.yaml:4:5: .*trak' 'the second problem is told too'
is "$(grep -c '^pgwinnow:' <<<"$err")" 1 'one error at the end'
pgw check --json bad.yaml good.yaml
is "$code" 2 'the same exit code with --json'
like "$out" '"line": 2' 'the JSON has the line'
unlike "$out" '"error"' 'and is the list alone'
pgw check nosuch.yaml
is "$code" 2 'a plan that is not there: exit code 2'
"$PGWINNOW" check - <"$work/good.yaml" >/dev/null
is $? 0 'standard input'

pgw status --json
is "$code" 5 'no connection: exit code 5'
like "$out" '"exit_code": 5' 'the error is in the JSON answer'
like "$err" '^pgwinnow: ' 'and on standard error'

pgw
is "$code" 2 'no command: exit code 2'
like "$err" 'run +PLAN' 'the commands are listed'
pgw stauts
is "$code" 2 'an unknown command: exit code 2'
like "$err" 'did you mean pgwinnow status' 'the nearest is named'
pgw run --max-rows many good.yaml
is "$code" 2 'a bad value: exit code 2'
like "$err" 'hint: pgwinnow help run' 'the hint leads to help'
pgw help
is "$code" 0 'help'
for command in check explain run status history clean init help; do
    like "$out" $'\n'"  $command +" "help lists $command"
    ("$PGWINNOW" "$command" --help && "$PGWINNOW" help "$command") >/dev/null 2>&1
    is $? 0 "$command has help"
done
pgw help track
like "$out" 'duplicates' 'help of a step lists its keys'
pgw --version
like "$out" '^pgwinnow [0-9]+\.[0-9]+' 'the version'
(cd "$work" && "$PGWINNOW" help >/dev/full) 2>"$work/err"
is $? 1 'an answer that cannot be written is a failure'

# Plans in the docs are valid.
count=0
for page in "$root"/docs/*.md "$root"/README.md; do
    [ -e "$page" ] || continue
    awk -v out="$work/doc" '
        /^    plan: / { file = out NR ".yaml" }
        file && !/^    / && !/^$/ { file = "" }
        file { sub(/^    /, ""); print > file }' "$page"
    for file in "$work"/doc*.yaml; do
        [ -e "$file" ] || continue
        "$PGWINNOW" check "$file" >"$work/said" 2>&1
        is $? 0 "a plan in ${page##*/} is valid" || diag "$(cat "$work/said")"
        count=$((count + 1))
        rm -f "$file"
    done
done
ok $((count == 0)) 'there were plans in the docs'
done_testing
