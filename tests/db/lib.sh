# What the scripts in tests/db share. They run inside tests/with-postgres (`make db`, or `tests/with-postgres FILE.t`):
#
#   . "$(dirname "$0")/lib.sh"
#   new_database                              # an own, empty database; PGDATABASE names it; dropped at the end
#   sql "CREATE TABLE t (id int PRIMARY KEY)"
#   plan <<'PLAN' ... PLAN                    # writes $work/plan.yaml
#   pgw run plan.yaml                         # in $work; fills $code, $out (standard output), $err, $all (both)
#   is "$code" 0 "the run ends well"
#   like "$all" 'removed +3' "it says so"
#   done_testing
#
# Standard output is TAP. Expected values come from independent SQL, never from what the program printed.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PGWINNOW=${PGWINNOW:-$root/build/pgwinnow}
tests=0 failures=0
code=0 out='' err='' all=''
work=$(mktemp -d "${TMPDIR:-/tmp}/pgwinnow-test.XXXXXX") || exit 1
databases=()

[ -n "${PGW_SERVER_PID:-}" ] || { echo "Bail out! run this inside tests/with-postgres"; exit 1; }

lib_clean_up() {
    local status=$? name
    # shellcheck disable=SC2046
    kill $(jobs -p) 2>/dev/null
    for name in "${databases[@]}"; do
        psql -XAtqc "DROP DATABASE IF EXISTS \"$name\" WITH (FORCE)" postgres >/dev/null 2>&1
    done
    rm -rf "$work"
    exit $status
}
trap lib_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# ok STATUS NAME
ok() {
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        failures=$((failures + 1))
    fi
    return "$1"
}

# is GOT EXPECTED NAME
is() {
    if [ "$1" = "$2" ]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        diag "     got: $1"
        diag "expected: $2"
        return 1
    fi
}

isnt() {
    if [ "$1" != "$2" ]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        diag "got what it must not be: $1"
        return 1
    fi
}

# like TEXT EXTENDED-REGEX NAME
like() {
    if [[ $1 =~ $2 ]]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        diag "no match for: $2"
        diag "in: $1"
        return 1
    fi
}

unlike() {
    if [[ ! $1 =~ $2 ]]; then
        ok 0 "$3"
    else
        ok 1 "$3"
        diag "must not match: $2"
        diag "in: $1"
        return 1
    fi
}

# is_sql QUERY EXPECTED NAME: the rows as psql -At prints them
is_sql() { is "$(sql "$1")" "$2" "$3"; }

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$tests"
    [ $failures = 0 ] || diag "$failures of $tests failed"
    exit $((failures > 0))
}

# new_database [HINT]: creates one and makes it current
new_database() {
    local name
    name="t$$_${#databases[@]}_${1:-db}"
    psql -XAtqc "CREATE DATABASE \"$name\"" postgres >/dev/null || { echo "Bail out! cannot create $name"; exit 1; }
    databases+=("$name")
    export PGDATABASE=$name
}

# sql TEXT [psql options]: rows without decoration; of several statements all are run, in one transaction
sql() { local text=$1; shift; psql -XAtq -v ON_ERROR_STOP=1 "$@" -c "$text"; }

sql_file() { psql -XAtq -v ON_ERROR_STOP=1 -f "$1" >/dev/null; }

plan() { cat >"$work/${1:-plan.yaml}"; }

# thing_tables ROWS: every key twice, and a part of each thing
thing_tables() {
    sql "CREATE TABLE things (id int PRIMARY KEY, key int);
         CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things);
         CREATE INDEX ON parts (thing);
         INSERT INTO things SELECT i, i / 2 FROM generate_series(0, $1 - 1) i;
         INSERT INTO parts SELECT i, i FROM generate_series(0, $1 - 1) i"
}

# Behind tests/with-pgbouncer what cannot go through the pooler goes past it.
direct=(${PGW_DIRECT_URL:+--database-direct "$PGW_DIRECT_URL"})

# pgw ARGUMENT...: runs the program in $work
pgw() {
    (cd "$work" && exec "$PGWINNOW" "${direct[@]}" "$@") >"$work/.out" 2>"$work/.err" </dev/null
    code=$?
    out=$(cat "$work/.out") err=$(cat "$work/.err")
    # shellcheck disable=SC2034
    all=$out$'\n'$err
    return 0
}

# pgw_start ARGUMENT...: in the background; $pid; pgw_end waits and fills what pgw fills
pgw_start() {
    (cd "$work" && exec env --default-signal=INT,QUIT,HUP "$PGWINNOW" "${direct[@]}" "$@") >"$work/.out" 2>"$work/.err" </dev/null &
    pid=$!
}

pgw_end() {
    wait "$pid"
    # shellcheck disable=SC2034
    code=$?
    out=$(cat "$work/.out") err=$(cat "$work/.err")
    # shellcheck disable=SC2034
    all=$out$'\n'$err
    return 0
}

# eventually QUERY EXPECTED [SECONDS]: waits until the database says so
eventually() {
    local until=$((SECONDS + ${3:-20}))
    while [ "$(sql "$1")" != "$2" ]; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

# Some machines have slow wrappers of it in the path.
python=$(command -v /usr/bin/python3 || command -v python3)

# hooks_start: an endpoint for webhooks (tests/db/receiver) whose folder is $work/hooks; $hooks, $hooks_tls and
# $hooks_refused are the beginnings of urls, of which the last one refuses connections.
hooks_start() {
    local until=$((SECONDS + 20))
    mkdir -p "$work/hooks"
    unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
    "$python" "$root/tests/db/receiver" "$work/hooks" >"$work/hooks/log" 2>&1 &
    until [ -e "$work/hooks/http" ]; do
        [ $SECONDS -lt $until ] || { echo "Bail out! the receiver does not start: $(cat "$work/hooks/log")"; exit 1; }
        sleep 0.05
    done
    # shellcheck disable=SC2034
    hooks=http://127.0.0.1:$(cat "$work/hooks/http") hooks_tls=https://127.0.0.1:$(cat "$work/hooks/https")
    # shellcheck disable=SC2034
    hooks_refused=http://127.0.0.1:$(cat "$work/hooks/closed")
}

# hooks_got FILTER [FIELD]: what the receiver got, line by line: of requests whose path begins with FILTER, a field (id)
hooks_got() {
    [ ! -e "$work/hooks/got" ] || "$python" -c '
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    request = json.loads(line)
    if request["path"].startswith(sys.argv[2]):
        body = json.loads(request["body"])
        print({**body, **request}.get(sys.argv[3]))' "$work/hooks/got" "$1" "${2:-id}"
}
