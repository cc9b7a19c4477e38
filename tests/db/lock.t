#!/bin/bash
# `pgwinnow lock`: one leader at a time; a lost lease ends the command and all it has started; exit codes are passed on.
. "$(dirname "$0")/lib.sh"

new_database lock
lock() { pgw lock "$@"; }
# start ARGUMENT...: pgwinnow lock in the background
start() {
    (cd "$work" && exec env --default-signal=INT,QUIT,HUP "$PGWINNOW" lock "$@") >"$work/.out" 2>"$work/.err" </dev/null &
    pid=$!
}
has_it() { eventually "SELECT count(*) FROM pgwinnow.locks WHERE name = '$1' AND isfinite(beat)" 1 2>/dev/null; }
# gone FILE: the process whose number is in it ends; within ten seconds
gone() {
    local n=0
    until [ -s "$1" ]; do sleep 0.05; [ $((n += 1)) -lt 200 ] || return 1; done
    while kill -0 "$(cat "$1")" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$(cat "$1")/status" 2>/dev/null; do
        sleep 0.05
        [ $((n += 1)) -lt 400 ] || return 1
    done
}

# --- the command

lock job -- sh -c 'echo "fence $PGWINNOW_LOCK_FENCE"; echo to-err >&2; exit 7'
is "$code" 7 'the exit code is passed on' || diag "$all"
is "$out" 'fence 1' 'the command finds its fence, and writes where we would'
is "$err" to-err 'standard error, too'
lock job -- sh -c 'echo "fence $PGWINNOW_LOCK_FENCE"'
is "$out" 'fence 2' 'each holder has a larger one'
is_sql "SELECT beat FROM pgwinnow.locks" -infinity 'the lock is given back'
lock job -- sh -c 'kill -KILL $$'
is "$code" 137 'a command that is killed: 128 and the signal'
lock job -- no-such-command
is "$code" 127 'a command that is not there'
lock job -- /etc/passwd
is "$code" 126 'one that cannot be run'
lock job
is "$code" 2 'no command'
lock job --ttl 10ms -- true
is "$code" 2 'a time to live that is no time'
lock job --database 'host=/nowhere' -- touch ran
is "$code" 5 'no connection'
[ ! -e "$work/ran" ]
ok $? 'then nothing is run'
echo input >"$work/in"
(cd "$work" && exec "$PGWINNOW" lock job -- cat) <"$work/in" >"$work/.out" 2>&1
is "$(cat "$work/.out")" input 'it reads what we would'

# --- who comes second

start job -- sleep 60
has_it job
lock job -- touch ran
is "$code" 4 'held: exit code 4' || diag "$all"
like "$err" "lock job is held by .* pid $pid" 'it says by whom'
like "$err" 'running: sleep 60' 'and what runs'
[ ! -e "$work/ran" ]
ok $? 'nothing is run'
lock other -- true
is "$code" 0 'another name is another lock'
pgw status
like "$out" 'lock job is held by .*pid .*, running: sleep 60' 'status shows it'
lock job --wait 500ms -- true
is "$code" 4 '--wait: 4 when the time is over'
(cd "$work" && exec "$PGWINNOW" lock job --wait 1min -- true) >"$work/second" 2>&1 &
second=$!
kill -TERM "$pid"
pgw_end
is "$code" 143 'SIGTERM is passed on' || diag "$all"
wait "$second"
is $? 0 'and the one that waits gets it' || diag "$(cat "$work/second")"
start job -- sh -c 'trap "echo heard; exit 3" INT; while :; do sleep 0.05; done'
has_it job
kill -INT "$pid"
pgw_end
is "$code $out" '3 heard' 'so is Ctrl-C'

# --- eight at once

for n in 1 2 3 4 5 6 7 8; do
    (cd "$work" && exec "$PGWINNOW" lock race --wait 1min -- sh -c 'mkdir inside || touch two; rmdir inside; echo x >>times') \
        >/dev/null 2>&1 &
    racers+=($!)
done
for n in "${racers[@]}"; do wait "$n" || diag "exit code $?"; done
is "$(wc -l <"$work/times")" 8 'eight at once: each had its turn'
[ ! -e "$work/two" ]
ok $? 'no two at a time'

# --- killed, suspended, taken away, cut off

# $$ of a shell in the background of the command, which survives its parent unless somebody sees to it
command='sh -c "echo \$\$ >grandchild; exec sleep 300" & echo $$ >child; wait'
start dead --ttl 2s -- sh -c "$command"
until [ -s "$work/grandchild" ]; do sleep 0.05; done
kill -9 "$pid"
wait "$pid" 2>/dev/null
gone "$work/child" && gone "$work/grandchild"
ok $? 'a killed runner takes the command with it, and what that has started'
lock dead --wait 20s -- true
is "$code" 0 'the lock goes to the next one when its time is over' || diag "$all"

rm -f "$work/child" "$work/grandchild"
start asleep --ttl 2s -- sh -c "$command"
until [ -s "$work/grandchild" ]; do sleep 0.05; done
kill -STOP "$pid"
lock asleep --wait 20s -- sh -c "cat /proc/$(cat "$work/child")/status /proc/$(cat "$work/grandchild")/status | grep '^State:.[^Z]' && touch two; true"
is "$code" 0 'a suspended runner loses it' || diag "$all"
[ ! -e "$work/two" ]
ok $? 'and its command was gone before that'
kill -CONT "$pid"
pgw_end
is "$code" 4 'when it wakes up it says so: exit code 4' || diag "$all"

rm -f "$work/child" "$work/grandchild"
start taken --ttl 4s -- sh -c "trap 'touch told; exit 0' TERM; $command"
until [ -s "$work/grandchild" ]; do sleep 0.05; done
sql "UPDATE pgwinnow.locks SET fence = fence + 1 WHERE name = 'taken'"
pgw_end
is "$code" 4 'a lock that was taken away: exit code 4' || diag "$all"
like "$err" 'lock taken was lost to somebody else' 'with the reason'
[ -e "$work/told" ] && gone "$work/grandchild"
ok $? 'the command was told by SIGTERM'

start again --ttl 2s -- sleep 4
has_it again
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgwinnow'" >/dev/null
pgw_end
is "$code" 0 'a connection that is cut is opened again' || diag "$all"

rm -f "$work/child" "$work/grandchild" "$work/told"
sql "CREATE ROLE lock_$$ LOGIN; GRANT ALL ON SCHEMA pgwinnow TO lock_$$; GRANT ALL ON ALL TABLES IN SCHEMA pgwinnow TO lock_$$"
PGUSER=lock_$$ start cut --ttl 2s -- sh -c "trap '' TERM; $command"
until [ -s "$work/grandchild" ]; do sleep 0.05; done
sql "ALTER ROLE lock_$$ NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'lock_$$'" >/dev/null
pgw_end
is "$code" 5 'no sign of life comes through: exit code 5' || diag "$all"
gone "$work/grandchild"
ok $? 'a command that does not hear SIGTERM is killed'
sql "DROP OWNED BY lock_$$; DROP ROLE lock_$$"
done_testing
