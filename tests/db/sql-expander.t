#!/bin/bash
# The expander and psql must send the same bytes: every .sql file can then be tried in psql as it stands.
. "$(dirname "$0")/lib.sh"
expand=${PGW_TESTS:-$root/build/tests}/db/expand
new_database

# same NAME STATEMENT [NAME=VALUE...]: what psql -e says it sent, against the expander
same() {
    local name=$1 statement=$2 options=() binding ours theirs
    shift 2
    for binding in "$@"; do options+=(-v "$binding"); done
    printf '%s;\n' "$statement" >"$work/statement.sql"
    theirs=$(psql -X -q -e "${options[@]}" -o /dev/null -f "$work/statement.sql" 2>/dev/null)
    ours=$(printf '%s;' "$statement" | "$expand" "$@")
    [ -n "$theirs" ] || theirs='(psql sent nothing)'
    is "$ours" "$theirs" "$name"
}

hostile=('plain' 'With Space' 'quo"te' "apo'strophe" 'back\slash' "all\\\"'of" 'Größe' '日本語' '$1' '$$' '$a$' '%s%n' '--' '/*'
    '*/' ';' ':x' '::' 'a:b' "'; DROP TABLE t; --" '"; DROP TABLE t; --' $'new\nline' $'tab\t' '\' "'" '"' "\\'" 'E' 'select' ' ')

for value in "${hostile[@]}"; do
    same "identifier: ${value@Q}" 'SELECT 1 AS :"x", 2 AS :"x"' "x=$value"
    same "literal: ${value@Q}" "SELECT :'x' || :'x', cast(:'x'AS text)" "x=$value"
    is "$(printf "SELECT :'x'" | "$expand" "x=$value" | psql -XAtq)" "$value" "the server reads it back: ${value@Q}"
done

same 'verbatim lists' 'SELECT :columns FROM (VALUES (1,2)) v(a,b) WHERE :where' 'columns="a", v."b"' 'where=a = 1 AND b IN (2)'
same 'casts and slices' "SELECT 1::int, '{1,2}'::int[], (ARRAY[1,2,3])[1:2], :v::text" 'v=7'
same 'quotes hide placeholders' "SELECT ':x', \":x\", E'\\' :x', \$\$ :x \$\$, \$a\$ :x \$\$ \$a\$, 'a'':x'" 'x=no'
same 'backslashes outside of E' "SELECT '\\', :'x', '\\'" 'x=yes'
same 'a word that ends in e' "SELECT date'2020-01-01', :'x'" 'x=yes'
same 'a string of many parts' "SELECT E'it''s \\' :x', U&'\\0041', :'x'" 'x=yes'
same 'dollars in a word' 'SELECT 1 AS a$b$, :x AS c$b$' 'x=1'
same 'placeholders that touch' 'SELECT :a:b' 'a=1' 'b=2'
same 'names with digits and letters of other scripts' 'SELECT :x1, :größe' 'x1=1' 'größe=2'
same 'parameters stay' 'SELECT $1::int + :x' 'x=1'
same 'a comment within' $'SELECT 1 /* :x \' */ + :x' 'x=1'
done_testing
