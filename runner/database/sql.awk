# Turns one .sql file into a C header: a `static const struct sql sql_NAME` for each `-- name: NAME`.
#
#   awk -v file=runner/steps/delete.sql -f sql.awk runner/steps/delete.sql > build/sql/steps/delete.sql.h
#
# Each line of SQL becomes one C string, so that a position in the text maps to a line of the file. Backslash, double
# quote and question mark are escaped (a `?` may begin a trigraph under -std=c17). Comment lines before the first line
# of SQL under a name are for the reader of the file and are not sent. It stops on SQL before any name, on a name that
# is taken or is no C name, on a name without SQL, and on two statements under one name (a `;` anywhere but at the end).
# `-- body: NAME` instead begins the body of a function, which has many: it is sent as a literal inside a statement.

function wrong(line, what) {
    printf "%s:%d: %s\n", file, line, what > "/dev/stderr"
    bad = 1
    exit 1
}

# Looks for `;` and for open quotes, outside of comments. The state (quote, comment depth) lasts over lines.
function scan(line,    i, c, two, tag) {
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (comment > 0) {
            if (two == "*/") { comment--; i++ }
            else if (two == "/*") { comment++; i++ }
        } else if (dollar != "") {
            if (substr(line, i, length(dollar)) == dollar) { i += length(dollar) - 1; dollar = "" }
        } else if (quote != "") {
            if (c == quote) quote = ""
        } else if (two == "--") {
            return
        } else if (two == "/*") {
            comment = 1
            i++
        } else if (c == "'" || c == "\"") {
            begun()
            quote = c
        } else if (c == "$" && match(substr(line, i), /^\$([A-Za-z_][A-Za-z_0-9]*)?\$/)) {
            begun()
            dollar = substr(line, i, RLENGTH)
            i += RLENGTH - 1
        } else if (c == ";") {
            begun()
            closed = NR
        } else if (c !~ /[ \t\r]/) {
            begun()
        }
    }
}

function begun() {
    if (closed && !body) wrong(NR, "a second statement under \"" name "\"; the first ends in line " closed)
}

function finish() {
    if (name == "") return
    if (!count) wrong(named, "no SQL under \"" name "\"")
    if (quote != "" || dollar != "" || comment > 0) wrong(named, "an open quote or comment under \"" name "\"")
    if (!body) sub(/[ \t]*;?[ \t]*$/, "", text[last])
    printf "static const struct sql sql_%s = {\n    \"%s\", \"%s\", %d,\n", name, name, file, first
    for (n = 1; n <= last; n++) {
        line = text[n]
        gsub(/[\\"?]/, "\\\\&", line)
        printf "    \"%s%s\"%s\n", line, n < last ? "\\n" : "", n < last ? "" : "};"
    }
}

BEGIN {
    printf "/* Made from %s by sql.awk. */\n", file
    print "#pragma once\n#include \"database/sql.h\"\n"
    print "#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Woverlength-strings\""
}

/^-- (name|body):/ {
    finish()
    name = $3
    body = $2 == "body:"
    named = NR
    if (NF != 3 || name !~ /^[a-z][a-z0-9_]*$/) wrong(NR, "a name is lower case letters, digits and _, one to a line")
    if (name in seen) wrong(NR, "the name \"" name "\" is taken in line " seen[name])
    seen[name] = NR
    count = last = closed = 0
    next
}

{
    sub(/\r$/, "")
    outside = quote == "" && dollar == "" && comment == 0
    plain = $0 !~ /^[ \t]*(--.*)?$/ || !outside
    if (name == "") {
        if (plain) wrong(NR, "SQL before any \"-- name:\"")
        next
    }
    scan($0)
    if (!plain && !count) next
    if (!count++) { first = NR; delete text }
    text[NR - first + 1] = $0
    if (plain) last = NR - first + 1
}

END {
    if (bad) exit 1
    finish()
    print "#pragma GCC diagnostic pop"
}
