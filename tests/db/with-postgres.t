#!/bin/bash
# tests/with-postgres itself: it passes on what its command does, and leaves nothing behind however it ends.
. "$(dirname "$0")/lib.sh"
with_postgres=$root/tests/with-postgres
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
chmod 755 "$work" "$TMPDIR"

left() { find "$TMPDIR" -mindepth 1 | head -1; }
servers() { pgrep -fc "^[^ ]*/postgres -D $TMPDIR"; }

is "$("$with_postgres" psql -XAtc 'SELECT current_user, current_database()')" 'postgres|postgres' 'its command finds the server'
is "$(echo 'SELECT 6 * 7' | "$with_postgres" psql -XAt)" 42 'its command has the input'
"$with_postgres" sh -c 'exit 7'
is $? 7 'its exit code is the command'\''s'
is "$(PGW_SERVER_OPTIONS='-c work_mem=7MB -c wal_level=logical' "$with_postgres" psql -XAtc 'SHOW work_mem' -c 'SHOW wal_level')" \
    $'7MB\nlogical' 'server options are taken'
is "$(cd / && PGSERVICE=nowhere PGPASSWORD=x "$with_postgres" pwd)" / 'it keeps the folder, and other libpq settings do no harm'
is "$(left)" '' 'nothing is left'

# ends SIGNAL SCOPE CODE: sends it to the script or to its whole group while the command sleeps
ends() {
    local signal=$1 scope=$2 pid status deadline=$((SECONDS + 30))
    rm -f "$work/up"
    setsid env --default-signal=INT,HUP,TERM "$with_postgres" sh -c "echo > '$work/up'; exec sleep 60" >/dev/null 2>&1 &
    pid=$!
    while [ ! -e "$work/up" ] && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
    if [ "$scope" = group ]; then kill "-$signal" -- "-$pid"; else kill "-$signal" "$pid"; fi
    wait "$pid" 2>/dev/null
    status=$?
    is "$status" "$3" "$signal to the $scope ends it with $3"
    [ "$signal" = KILL ] && sleep 2
    is "$(servers)" 0 "$signal to the $scope: no server is left"
    [ "$signal" = KILL ] || is "$(left)" '' "$signal to the $scope: no folder is left"
}

ends TERM script 143
ends HUP script 129
ends TERM group 143
ends INT group 130
ends KILL group 137
done_testing
