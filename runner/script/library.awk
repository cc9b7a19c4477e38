# Turns the rule library's files into one C header: a struct library_file { name, text } for each, as script/require.c
# includes it.
#
#   awk -f library.awk lua/prefer.lua lua/similar.lua > build/lua/library.h

function quoted(line) {
    gsub(/[\\"?]/, "\\\\&", line)
    return line
}

function finish() {
    if (name != "") print "    },"
}

BEGIN {
    print "/* Made by library.awk. */\n#pragma once"
    print "#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Woverlength-strings\""
    print "static const struct library_file library_files[] = {"
}

FNR == 1 {
    finish()
    name = FILENAME
    sub(/^.*\//, "", name)
    sub(/\.lua$/, "", name)
    printf "    {\n        \"%s\",\n", name
}

{
    sub(/\r$/, "")
    printf "        \"%s\\n\"\n", quoted($0)
}

END {
    finish()
    print "    {0},\n};\n#pragma GCC diagnostic pop"
}
