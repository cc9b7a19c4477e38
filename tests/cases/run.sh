#!/bin/bash
# run.sh [NAME...]: runs the cases in tests/cases, each a folder of data:
#
#   schema.sql   what the database holds before
#   plan.yaml    the plan, and whatever else it needs
#   run          what to do and what it must say, line by line (below)
#   expect.sql   queries about the database afterwards; they know nothing of pgwinnow
#   expect.txt   what they must give, as psql -At prints it; written by hand from the schema, never from a run
#
# In `run`, blank lines and lines with # are skipped:
#   $ pgwinnow run plan.yaml      a command, for bash, in a copy of the folder and with an own database
#   exit 3                        its exit code; 0 when there is no such line
#   says TEXT                     it printed this (standard output or error)
#   lacks TEXT                    it did not
# Standard output is TAP. Runs inside tests/with-postgres.
. "$(dirname "${BASH_SOURCE[0]}")/../db/lib.sh"

# check_command: settles what was collected for the last command
check_command() {
    [ -n "$command" ] || return
    local text
    is "$code" "$expected_code" "$case: $command: exit code $expected_code" || diag "$all"
    for text in "${says[@]}"; do
        [[ $all == *"$text"* ]]
        ok $? "$case: $command: says $text" || diag "$all"
    done
    for text in "${lacks[@]}"; do
        [[ $all != *"$text"* ]]
        ok $? "$case: $command: lacks $text" || diag "$all"
    done
}

start_command() {
    command=$1 expected_code=0 says=() lacks=()
    all=$(cd "$work/$case" && bash -c "$command" 2>&1 </dev/null)
    code=$?
}

run_lines() {
    local line
    command=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '' | '#'*) ;;
        '$ '*) check_command; start_command "${line#\$ }" ;;
        'exit '*) expected_code=${line#exit } ;;
        'says '*) says+=("${line#says }") ;;
        'lacks '*) lacks+=("${line#lacks }") ;;
        *) ok 1 "$case: cannot read this line of run: $line" ;;
        esac
    done <"$work/$case/run"
    check_command
}

run_case() {
    case=$1
    cp -r "$root/tests/cases/$case" "$work/$case"
    new_database "$case"
    sql_file "$work/$case/schema.sql"
    ok $? "$case: the schema loads" || return
    run_lines
    [ -f "$work/$case/expect.sql" ] || return
    psql -XAtq -f "$work/$case/expect.sql" >"$work/$case/got.txt" 2>&1
    diff -u "$work/$case/expect.txt" "$work/$case/got.txt" >"$work/$case/diff.txt"
    ok $? "$case: the database looks as expected" || diag "$(cat "$work/$case/diff.txt")"
}

# `pgwinnow` in the lines is the program under test.
mkdir "$work/bin"
ln -s "$PGWINNOW" "$work/bin/pgwinnow"
export PATH=$work/bin:$PATH

if [ $# -gt 0 ]; then
    for name in "$@"; do run_case "$name"; done
else
    for folder in "$root"/tests/cases/*/; do
        [ -f "$folder/run" ] && run_case "$(basename "$folder")"
    done
fi
done_testing
