# Torture: a run is disturbed, gone on with until it ends well, and everything it leaves is compared with what an undisturbed
# run of the same plan over the same rows left. `run` and tests/db/torture.t use this, behind tests/db/lib.sh.
#
#   scenario demo                   the tables and the plan of scenarios/demo, and what an undisturbed run leaves
#   undoing                         from here on the undo of that run is tortured
#   torture before 1 1              the connection is cut before each statement (proxy.c), from the first, every one
#   random_times 20 terminate_some "backends terminated"
#
# A scenario is a folder: tables.sql, plan.yaml, and maybe settle.sql, which takes out what two good runs need not have in
# common. TORTURE_JOBS at a time (2); TORTURE_KEEP=DIR keeps what came out wrong.

torture=$root/tests/torture
proxy=${PGW_TESTS:-$root/build/tests}/torture/proxy
jobs=${TORTURE_JOBS:-2}
workers=1
pids=()
direct=() # how the program finds the server itself, where the proxy stands before a pooler (pool_host, pool_port)
TORTURE_SEED=${TORTURE_SEED:-$RANDOM}
most_sessions=12 # of a run that was disturbed

copy_database() {
    psql -XAtqc "CREATE DATABASE \"$2\" TEMPLATE \"$1\"" postgres || { echo "Bail out! cannot copy $1"; exit 1; }
}

drop_database() { psql -XAtqc "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" postgres; }

# What a database holds now.
state_of() {
    if [ "$settled" = no ] && [ -f "$folder/settle.sql" ]; then
        PGDATABASE=$1 psql -Xq -v ON_ERROR_STOP=1 -f "$folder/settle.sql" || return
    fi
    PGDATABASE=$1 psql -XAtq -f "$torture/state.sql"
}

# --- what is disturbed ---

# Counts the points of an undisturbed run, and writes down what it leaves.
undisturbed() {
    local began
    here=$work/whole sessions=0
    finished=$source.whole
    copy_database "$source" "$finished"
    databases+=("$finished")
    mkdir -p "$here"
    began=$(date +%s%3N)
    session "$finished"
    took=$(($(date +%s%3N) - began))
    is "$code" 0 "$what: undisturbed it ends well" || diag "$(cat "$here/out.0")"
    # shellcheck disable=SC1091
    . "$here/report"
    state_of "$finished" >"$work/expected" || { echo 'Bail out! no state to compare with'; exit 1; }
}

# Some groups go whole, in one batch.
largest_batch() { [ "$1" = merge ] && echo 200 || echo 60; }

scenario() {
    what=$1
    settled=no
    folder=$work/$what
    rm -rf "$folder"
    cp -RL "$torture/scenarios/$what" "$folder"
    sed -i "/^table:/a batch: { size: 40, min: 20, max: $(largest_batch "$what"), pause: 0ms, workers: $workers }" \
        "$folder/plan.yaml"
    new_database "$what"
    source=$PGDATABASE
    psql -Xq -v ON_ERROR_STOP=1 -v listings=60 -f "$folder/tables.sql" >/dev/null ||
        { echo "Bail out! no tables for $what"; exit 1; }
    command=(run --output plain "${direct[@]}" plan.yaml)
    undisturbed
}

# The run that was not disturbed is taken back.
undoing() {
    what="undo of $what"
    settled=yes
    source=$finished
    command=(undo 1 --yes "${direct[@]}")
    undisturbed
}

# --- one run ---

# session DATABASE [PROXY OPTION...]: one start of the program; fills $code
session() {
    local name=$1
    shift
    (cd "$folder" && PGHOST=${pool_host:-$PGHOST} PGPORT=${pool_port:-$PGPORT} PGDATABASE=$name "$proxy" --listen "$here" --report "$here/report" --log "$here/points" --limit 150 \
        --skip 'WITH beat AS' "$@" -- "$PGWINNOW" "${command[@]}") >"$here/out.$sessions" 2>&1 </dev/null
    code=$?
    echo $code >"$here/code"
    sessions=$((sessions + 1))
}

# A lost connection ends a session with 5, a kill with 137; anything else is wrong.
ended_right() { [[ $code == 0 || $code == 5 || $code == 137 ]]; }

# disturbed NUMBER FUNCTION...: a run in a database of its own; FUNCTION NAME is its first session. Prints
# NUMBER SESSIONS FAULTS CODES VERDICT; missed: no fault happened, as this run asked less than the one that was counted.
disturbed() {
    local n=$1 name=$source.$job sessions=0 verdict=same codes faults=0
    shift
    rm -f "$here"/out.* "$here/actual"
    copy_database "$source" "$name"
    "$@" "$name" "$n"
    codes=$code
    while [ "$code" != 0 ] && ended_right && [ $sessions -lt $most_sessions ]; do
        session "$name"
        codes+=,$code
    done
    if [ "$code" != 0 ]; then
        verdict=ending
    elif ! state_of "$name" >"$here/actual" 2>&1 || ! cmp -s "$work/expected" "$here/actual"; then
        verdict=differs
    elif [ "$faults" = 0 ]; then
        verdict=missed
    fi
    echo "$n $sessions $faults $codes $verdict"
    [[ $verdict = same || $verdict = missed ]] || keep_evidence "$n" "$@"
    drop_database "$name"
}

keep_evidence() {
    local n=$1 file
    shift
    {
        echo "--- $what, $* $n"
        diff "$work/expected" "$here/actual" 2>/dev/null | head -20
        for file in "$here"/out.*; do
            echo "session ${file##*.}:"
            tail -n 6 "$file"
        done
    } >>"$work/evidence"
    [ -z "${TORTURE_KEEP:-}" ] || {
        mkdir -p "$TORTURE_KEEP"
        cp -R "$here" "$TORTURE_KEEP/$(echo "$what $* $n" | tr -c 'a-z0-9\n-' _)"
    }
}

# --- many ---

# each FIRST STEP LAST FUNCTION...: a disturbed run for each number, some at a time
each() {
    local first=$1 step=$2 last=$3 job n
    shift 3
    rm -f "$work"/results* "$work/evidence"
    for ((job = 0; job < jobs; job++)); do
        (
            here=$work/job.$job
            mkdir -p "$here"
            for ((n = first + job * step; n <= last; n += jobs * step)); do disturbed "$n" "$@"; done >"$work/results.$job"
        ) &
        pids[job]=$!
    done
    wait "${pids[@]:0:jobs}"
    cat "$work"/results.* >"$work/results"
}

# How often at all, and is all as it should be?
verdict() {
    awk '{ faults += $3 } $5 == "missed" { next } { runs++; if ($2 == 1) alone++; if ($5 != "same") bad++ }
         END { printf "%d runs, %d faults, %d recovered by themselves, %d were started again, %d differ\n",
                      runs, faults, alone, runs - alone, bad; exit !runs || bad > 0 }' "$work/results" >"$work/told"
    ok $? "$what, $1: $(cat "$work/told")" ||
        diag "$(awk '$5 != "same"' "$work/results")" "$(head -300 "$work/evidence" 2>/dev/null)"
}

faulty() {
    local name=${*: -2:1} at=${*: -1}
    session "$name" --at "$at" "${@:1:$#-2}"
    # shellcheck disable=SC1091
    . "$here/report"
}

# torture FAULT FIRST STEP [TIMES [PROXY OPTION...]]: at every STEPth point, trip or commit from FIRST on; TIMES: that many in
# a row, seven apart. FAULT: before, after, within; kill-before, kill-after: at commits, and the program is killed.
torture() {
    local last=$commits fault=$1 times=${4:-1} options=()
    case $1 in
    before) last=$points ;;
    after | within) last=$trips ;;
    kill-*) fault=${1#kill-} options=(--kill --by commits) ;;
    esac
    each "$2" "$3" "$last" faulty --fault "$fault" "${options[@]}" --again 7 --times "$times" "${@:5}"
    verdict "$1 each of $last by $3${4:+, $4 in a row}${5:+ ${*:5}}${workers/1/}"
}

# One fault each, in runs of their own: "what it is|--fault|after|--at|1|...".
at_places() {
    places=("$@")
    each 1 1 $# at_place
    verdict "at $# places"
    is "$(grep -c missed "$work/results")" 0 "$what: something went wrong at each of them" || diag "$(cat "$work/results")"
}

at_place() {
    local options
    IFS='|' read -ra options <<<"${places[$2 - 1]}"
    session "$1" "${options[@]:1}"
    # shellcheck disable=SC1091
    . "$here/report"
}

# --- at random times ---

nap() { sleep "$(awk -v ms="$((1 + RANDOM * $1 / 32768))" 'BEGIN { print ms / 1000 }')"; }

# random_times ROUNDS FUNCTION NAME: FUNCTION DATABASE disturbs what runs there, once in a while
random_times() {
    each 1 1 "$1" at_random_times "$2"
    verdict "$3"
}

at_random_times() {
    local disturb=$1 name=$2 running
    RANDOM=$((TORTURE_SEED + $3))
    session "$name" &
    running=$!
    nap "$took"
    while kill -0 $running 2>/dev/null && [ $faults -lt 5 ]; do
        "$disturb" "$name" && faults=$((faults + 1))
        nap 500
    done
    wait $running
    sessions=1
    code=$(cat "$here/code")
}

terminate_some() {
    psql -XAtqc "SELECT count(pg_terminate_backend(pid)) > 0
                   FROM (SELECT pid FROM pg_stat_activity WHERE datname = '$1' AND application_name LIKE 'pgwinnow%'
                          ORDER BY random() LIMIT 1) AS x" postgres | grep -q t
}

as_server() {
    [ "$(id -u)" = 0 ] || { "$@"; return; }
    setpriv --reuid="$(stat -c %u "$PGHOST/data")" --regid="$(stat -c %g "$PGHOST/data")" --clear-groups "$@"
}

control() { (cd / && as_server "$PG_BINDIR/pg_ctl" -D "$PGHOST/data" -l "$PGHOST/data/log" -w "$@" >/dev/null 2>&1); }

restart_server() { control restart -m immediate; }
