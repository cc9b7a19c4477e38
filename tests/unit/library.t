#!/bin/bash
# The rule library's tests and those of the example rules, through `pgwinnow hooks test`; and what that does when one fails.
. "$(dirname "$0")/tap.sh"

# hooks ARGUMENT...: what it prints, and how it ends in $code
hooks() {
    out=$("$pgwinnow" hooks "$@" 2>"$work/err")
    code=$?
}

hooks test lua plans/rules
is "$code" 0 'the tests of the library and of the examples pass'
is "$(grep '^not ok' <<<"$out")" '' 'none of them fails'
for file in lua/*.lua plans/rules/*.lua; do
    case $file in
    *_test.lua) ;;
    *) is "$(grep -c "^ok .* ${file%.lua}_test.lua: " <<<"$out" | sed 's/^[1-9].*/some/')" some "$file has tests" ;;
    esac
done

cat >"$work/keep.lua" <<'EOF2'
return { keep = function(rows) return #rows end }
EOF2
cat >"$work/keep_test.lua" <<'EOF2'
local check = require "check"
local rule = require "keep"
return {
  ["b comes first, as in the file"] = function() check.equal(rule.keep { {}, {} }, 2) end,
  ["a fails"] = function()
    print("looking at", { 1 })
    check.same({ a = 1, b = { "x" } }, { a = 1, b = { "y" } })
  end,
  ["the next runs all the same"] = function() check.truthy(true) end,
}
EOF2
cd "$work" || exit 1 # Lua cuts long names in its messages
hooks test keep_test.lua
is "$code" 6 'a failing test: exit code 6'
is "$out" "ok 1 - keep_test.lua: b comes first, as in the file
#   looking at	table
not ok 2 - keep_test.lua: a fails
#   keep_test.lua:7: not the same
#   .b[1]: expected \"y\", got \"x\"
#   expected: { a = 1, b = { \"y\" } }
#   got:      { a = 1, b = { \"x\" } }
ok 3 - keep_test.lua: the next runs all the same
1..3" 'TAP, with the place and the difference'
is "$(tail -1 "$work/err")" 'pgwinnow: 1 of 3 tests of rules failed' 'and the sum of it'

echo 'return {' >"$work/broken_test.lua"
hooks test "$work/broken_test.lua"
is "$code-${out%%$'\n'*}" "6-not ok 1 - $work/broken_test.lua" 'a file that cannot be read as Lua is a failed test'
echo 'require "../keep"' >"$work/broken_test.lua"
hooks test "$work/broken_test.lua"
is "$(grep -c "there is no library '../keep'" <<<"$out")" 1 'require stays in the folder'
echo 'while true do end' >"$work/broken_test.lua"
hooks test "$work/broken_test.lua"
is "$(grep -c 'out of time' <<<"$out")" 1 'tests have limits too'

mkdir "$work/empty"
hooks test "$work/empty"
is "$code" 2 'a folder without tests: exit code 2'
hooks test "$work/nosuch"
is "$code" 2 'a file that is not there: exit code 2'
hooks test
is "$code" 2 'no file: exit code 2'
hooks tset "$work"
is "$code" 2 'another word: exit code 2'
done_testing
