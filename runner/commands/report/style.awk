# Turns the page's style sheet into a C header that page.c includes: the text as style_text, less comments and margins.
#
#   awk -f style.awk style.css > build/report/style.h

function quoted(line) {
    gsub(/[\\"?]/, "\\\\&", line)
    return line
}

BEGIN {
    print "/* Made by style.awk. */\n#pragma once"
    print "#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Woverlength-strings\""
    print "static const char style_text[] ="
}

{
    sub(/\r$/, "")
    gsub(/\/\*[^*]*\*\//, "")
    gsub(/^ +| +$/, "")
}

/^\/\*/ { comment = 1 }
comment { if (/\*\/$/) comment = 0; next }
length { printf "    \"%s\\n\"\n", quoted($0) }

END { print "    ;\n#pragma GCC diagnostic pop" }
