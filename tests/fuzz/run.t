#!/bin/bash
# Each fuzz target for FUZZ_SECONDS (10): any crash, leak, overflow or hang is a failure, and leaves its input in FUZZ_KEEP.
set -u
seconds=${FUZZ_SECONDS:-10}
targets=${FUZZ_TARGETS:?the programs, built by make fuzz}
root=$(cd "$(dirname "$0")/../.." && pwd)
keep=${FUZZ_KEEP:-$(mktemp -d "${TMPDIR:-/tmp}/pgwinnow-fuzz.XXXXXX")}
mkdir -p "$keep"
tests=0 failures=0
for target in $targets; do
    name=$(basename "$target")
    corpus=$keep/$name.corpus
    mkdir -p "$corpus"
    seeds=("$root/plans")
    [ -d "$root/tests/fuzz/$name.seeds" ] && seeds+=("$root/tests/fuzz/$name.seeds")
    tests=$((tests + 1))
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix="$keep/$name." "$corpus" "${seeds[@]}" >"$keep/$name.log" 2>&1 </dev/null; then
        echo "ok $tests - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$keep/$name.log") inputs in $seconds s"
    else
        echo "not ok $tests - $name: the log, and the input if there is one, are in $keep"
        tail -30 "$keep/$name.log" | sed 's/^/# /'
        failures=$((failures + 1))
    fi
done
echo "1..$tests"
[ $failures != 0 ] || [ -n "${FUZZ_KEEP:-}" ] || rm -rf "$keep"
exit $((failures > 0))
