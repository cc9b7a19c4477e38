# Which statements of the .sql files did a server accept? For statements.t.
#
#   awk -v parts='FILE:NAME ...' -f statements.awk runner/*/*.sql SERVER-LOG
#
# The log is that of a server with log_min_duration_statement=0, so it holds what was done to its end, and with
# log_line_prefix='@@|%e|%a|'. A line of the log belongs to the statement whose whole text it is, any text standing
# where the statement has placeholders; of several such statements, to the one with the most text of its own. Parts,
# which are put into other statements, need only be found within one. Prints `FILE:NAME executed|parsed|never`, and
# `error SQLSTATE TEXT` for each error that a server of the wrong version, or a slip in a statement, would give: all
# of class 42.

# Cuts the text of statement s into the pieces between its placeholders. Quotes, casts and comments hold none.
function cut(s, text,    i, c, rest, piece) {
    pieces[s] = 0
    piece = ""
    for (i = 1; i <= length(text); i++) {
        rest = substr(text, i)
        c = substr(rest, 1, 1)
        if (match(rest, /^('([^']|'')*'|"([^"]|"")*"|--[^\n]*|::|:=)/)) {
            piece = piece substr(rest, 1, RLENGTH)
            i += RLENGTH - 1
        } else if (match(rest, /^:('[a-zA-Z_][a-zA-Z_0-9]*'|"[a-zA-Z_][a-zA-Z_0-9]*"|[a-zA-Z_][a-zA-Z_0-9]*)/)) {
            end_piece(s, piece)
            piece = ""
            i += RLENGTH - 1
        } else {
            piece = piece c
        }
    }
    end_piece(s, piece)
}

function end_piece(s, piece) {
    piece_of[s, ++pieces[s]] = piece
    own[s] += length(piece)
}

function finish(    s) {
    if (name == "") return
    sub(/[ \t\n]*;?[ \t\n]*$/, "", text)
    sub(/^runner\//, "", file)
    s = ++statements
    id[s] = file ":" name
    cut(s, text)
    name = text = held = ""
}

# Does statement s, whole or as a part, stand in `line`?
function stands(s, line, part,    n, i, at, from, last) {
    n = pieces[s]
    if (!part && substr(line, 1, length(piece_of[s, 1])) != piece_of[s, 1]) return 0
    if (!part && n == 1) return line == piece_of[s, 1]
    last = piece_of[s, n]
    if (!part && substr(line, length(line) - length(last) + 1) != last) return 0
    from = 1
    for (i = 1; i <= n; i++) {
        at = index(substr(line, from), piece_of[s, i])
        if (!at && piece_of[s, i] != "") return 0
        if (at) from += at - 1 + length(piece_of[s, i])
    }
    return 1
}

function attribute(line, how,    s, most) {
    if (known[line] == how || known[line] == "executed") return
    known[line] = how
    most = -1
    for (s = 1; s <= statements; s++)
        if (is_part[id[s]]) {
            if (seen[s] != "executed" && stands(s, line, 1)) seen[s] = how
        } else if (own[s] >= most && stands(s, line, 0)) {
            if (own[s] > most) count = 0
            most = own[s]
            found[++count] = s
        }
    if (most < 0) return
    for (; count > 0; count--)
        if (seen[found[count]] != "executed") seen[found[count]] = how
}

function end_record(    fields, how) {
    if (split(record, fields, "|") > 3 && fields[3] != "psql") {
        how = ""
        line = substr(record, length(fields[1] fields[2] fields[3]) + 4)
        if (fields[2] ~ /^42/ && line ~ /^ERROR/) print "error", fields[2], line
        if (sub(/^LOG:  duration: [0-9.]+ ms  (statement|execute [^:]*): /, "", line)) how = "executed"
        else if (sub(/^LOG:  duration: [0-9.]+ ms  (parse|bind) [^:]*: /, "", line)) how = "parsed"
        if (how != "") attribute(line, how)
    }
    record = ""
}

BEGIN {
    count = split(parts, list, " ")
    for (; count > 0; count--) is_part[list[count]] = 1
}

FNR == 1 { finish(); file = FILENAME; in_log = FILENAME !~ /\.sql$/ }

in_log && /^@@\|/ { end_record(); record = $0; next }
in_log { sub(/^\t/, ""); record = record "\n" $0; next }

/^-- name:/ { finish(); name = $3; file = FILENAME; text = ""; next }
/^-- body:/ { finish(); next } # of a function: a literal in the statement that makes it
name == "" { next }
# Comments before a statement and behind it are not sent.
/^[ \t]*(--.*)?$/ { if (text != "") held = held "\n" $0; next }
{ text = text (text == "" ? "" : held "\n") $0; held = "" }

END {
    finish()
    end_record()
    for (s = 1; s <= statements; s++) print id[s], seen[s] == "" ? "never" : seen[s]
}
