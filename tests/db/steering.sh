# For tests that steer a run from a second terminal: source lib.sh first.

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# ask ARGUMENT...: a command beside the run in the background: $asked_code, $asked, $took in ms
ask() {
    local began
    began=$(now_ms)
    asked=$(cd "$work" && timeout -k 5 60 "$PGWINNOW" "${direct[@]}" "$@" 2>&1 </dev/null)
    # shellcheck disable=SC2034
    asked_code=$?
    took=$(($(now_ms) - began))
}

# in_time NAME [MS]: the time is printed; what is allowed is five times what it takes here
in_time() {
    diag "$1: $took ms"
    ok $((took > ${2:-5000})) "$1: in time"
}

json() {
    "$python" -c 'import json, sys
value = json.loads(sys.argv[1])
for key in sys.argv[2].split(","):
    value = value[int(key) if key.isdigit() else key]
print("" if value is None else value)' "$1" "$2"
}

# batches RUN NUMBER: so many are committed
batches() { eventually "SELECT count(*) >= $2 FROM pgwinnow.batches WHERE run = $1" t; }

# steps_of PLAN PAUSE <<<STEPS: a plan of table t on standard output
steps_of() {
    printf 'plan: %s\ntable: t\nbatch: { size: 10, min: 10, max: 10, pause: %s }\nsteps:\n' "$1" "$2"
    cat
}
fill() { sql 'TRUNCATE t CASCADE; INSERT INTO t SELECT n, n % 100 FROM generate_series(0, 1099) n'; }

# make_operator: a role, $operator, that may steer and nothing else. Roles are the server's, where other tests run as well.
make_operator() {
    operator=${0##*/}_$$
    operator=t_${operator//[^a-z0-9]/_}
    sql "CREATE ROLE $operator LOGIN IN ROLE pgwinnow_operator"
}
