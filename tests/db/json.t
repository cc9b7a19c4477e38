#!/bin/bash
# --json: every command that has it answers with one JSON document, whether it can do what was asked or not.
. "$(dirname "$0")/lib.sh"
new_database json
export NO_COLOR=1
covered=''

# answers COMMAND ARGUMENT...: one document; its keys, or those of its first item, are in $keys
answers() {
    pgw "$@" --json
    keys=$(perl -MJSON::PP -e 'local $/; $a = decode_json(<STDIN>); $a = $a->[0] if ref $a eq "ARRAY"; print join " ", sort keys %{$a // {}}' \
        <"$work/.out" 2>&1)
    unlike "$keys" 'malformed|unexpected|error at|garbage' "$1: one JSON document"
    covered+="$1"$'\n'
}

# has KEY...: what scripts rely on
has() {
    local key
    for key in "$@"; do like " $keys " " $key " "there is $key"; done
}

sql "CREATE TABLE things (id int PRIMARY KEY, key int);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 999) i"
plan <<'PLAN'
plan: dedupe-things
table: public.things
steps: [ discover, { track: { duplicates: [key] } }, delete, approve ]
PLAN
printf 'plan: wrong\ntabel: t\n' >"$work/wrong.yaml"

answers check plan.yaml
answers check wrong.yaml
is "$keys" 'column file hint line message' 'a problem, with its place'
answers explain plan.yaml
answers status
pgw run plan.yaml
is "$code" 75 'a run that waits for an approval'
answers status 1
has environment eta_seconds plan rate run state steps waiting
answers pause 1
answers set 1 batch.size=500
is "$keys" 'act changed environment plan run runner settings state' 'what is set now'
answers set 1 batch.size=
pgw status 1
like "$out" 'set by [a-z]+: batch\.size=$'$'\n' 'what was taken back reads as it was typed'
answers resume 1
answers approve 1
answers approve 1
like "$keys" '^(error|.*run.*)$' 'a second time, too'
pgw run plan.yaml
answers history
has acts finished plan role run state
answers report 1
answers undo 1
pgw history
like "$out" '1 +dedupe-things +undone .* undone by postgres' 'who took it back'
answers cancel 1
like "$keys" '^error$' 'a run that is over is not cancelled'

reading=$(for file in $(grep -l COMMAND_READS, "$root"/runner/commands/*.c); do sed -n 's/^    \.name = "\(.*\)",/\1/p' "$file"; done | sort)
is "$(sort -u <<<"$covered" | sed '/^$/d')" "$reading" 'these are all the commands that take --json'

# --- and without a server

for command in $reading; do
    argument=1
    case $command in check | explain) argument=nowhere.yaml ;; esac
    PGHOST=$work/nowhere answers "$command" "$argument"
    isnt "$code" 0 "$command: exit code"
done
done_testing
