# What the scripts in tests/unit share: $root, $pgwinnow, a scratch folder $work, and is() for TAP.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
pgwinnow=${PGWINNOW:-$root/build/pgwinnow}
work=$(mktemp -d "${TMPDIR:-/tmp}/pgwinnow-test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$root" || exit 1
tests=0 failures=0

# is GOT EXPECTED NAME
is() {
    tests=$((tests + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $tests - $3"
    else
        echo "not ok $tests - $3"
        printf 'got: %s\nexpected: %s\n' "$1" "$2" | sed 's/^/# /'
        failures=$((failures + 1))
    fi
}

done_testing() {
    echo "1..$tests"
    exit $((failures > 0))
}
