#!/bin/bash
# The script that turns .sql files into C: what the compiler gets is what the file says, and slips in a file stop the build.
. "$(dirname "$0")/tap.sh"

# turn: the file on standard input becomes $work/a.sql.h; prints complaints
turn() {
    cat >"$work/a.sql"
    # shellcheck disable=SC2069 # the errors alone
    awk -v file=a.sql -f runner/database/sql.awk "$work/a.sql" 2>&1 >"$work/a.sql.h"
}

# text NAME: what a C program has under sql_NAME, with its line
text() {
    printf '#include <stdio.h>\n#include "a.sql.h"\nint main(void) { printf("%%d:%%s", sql_%s.line, sql_%s.text); return 0; }\n' \
        "$1" "$1" >"$work/a.c"
    ${CC:-cc} -std=c17 -Wall -Wextra -Wpedantic -Werror -Wno-unused-const-variable -I runner -I "$work" -o "$work/a" "$work/a.c" 2>&1 &&
        "$work/a"
}

turn <<'SQL'
-- About the file; this is not SQL.

-- name: first
-- Why it is shaped so.
SELECT 'a\b"c', '??/' -- not a second; statement
  FROM t;

-- name: second_one

SELECT $f$ one; 'two $f$, ';',
       "x;y" /* ; ' */
-- A comment behind the end is not sent.

SQL
is "$(text first)" "5:SELECT 'a\\b\"c', '??/' -- not a second; statement
  FROM t" 'backslashes, quotes and trigraphs come through, the semicolon at the end goes'
is "$(text second_one)" "10:SELECT \$f\$ one; 'two \$f\$, ';',
       \"x;y\" /* ; ' */" 'semicolons in quotes and comments end nothing'

{ echo '-- name: long'; echo 'SELECT 1'; for i in $(seq 2000); do echo "     + $i"; done; } | turn
is "$(text long | wc -l)" 2000 'a statement beyond the length that C promises'

is "$(printf 'SELECT 1\n' | turn)" 'a.sql:1: SQL before any "-- name:"' 'SQL before any name'
is "$(printf -- '-- name: a\nSELECT 1;\nSELECT 2\n' | turn)" \
    'a.sql:3: a second statement under "a"; the first ends in line 2' 'two statements under a name'
is "$(printf -- '-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n' | turn)" 'a.sql:3: the name "a" is taken in line 1' 'a name twice'
is "$(printf -- '-- name: a\n-- why\n' | turn)" 'a.sql:1: no SQL under "a"' 'a name without SQL'
is "$(printf -- "-- name: a\nSELECT 'x\n" | turn)" 'a.sql:1: an open quote or comment under "a"' 'an open quote'
is "$(printf -- '-- name: A b\nSELECT 1\n' | turn)" 'a.sql:1: a name is lower case letters, digits and _, one to a line' 'a bad name'
printf 'SELECT 1\n' >"$work/a.sql"
awk -v file=a.sql -f runner/database/sql.awk "$work/a.sql" >/dev/null 2>&1
is $? 1 'the build stops'
done_testing
