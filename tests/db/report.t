#!/bin/bash
# The report as a file: written whole or not at all, to standard output, from a terminal, as markdown; when it cannot be.
# What a page looks like is tested in tests/browser, its data in report-data.t.
. "$(dirname "$0")/lib.sh"
new_database report
export NO_COLOR=1

sql "CREATE TABLE things (id int PRIMARY KEY, key int);
     CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things);
     CREATE INDEX ON parts (thing);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 99) i;
     INSERT INTO parts SELECT i, i FROM generate_series(0, 99) i"
plan <<'PLAN'
plan: dedupe-things
table: public.things
steps:
  - discover: { children: { parts.thing: delete } }
  - track: { duplicates: [key] }
  - delete-children
  - delete
PLAN
pgw report 1 -o page.html
is "$code" 2 'nothing has run: exit code 2'
ok "$([ ! -e "$work/page.html" ]; echo $?)" 'and no file'
pgw run plan.yaml
is "$code" 0 'a run'

# --- where it goes

pgw report 1 -o page.html
is "$code $out" '0 The report is in page.html' 'into a file'
left=("$work"/page*)
is "${#left[@]}" 1 'nothing is left beside it'
(umask 027 && pgw report 1 -o secret.html)
is "$(stat -c %a "$work/secret.html")" 640 'as the umask says'
like "$(head -1 "$work/page.html")" '^<!doctype html>$' 'a page'
is "$(tail -1 "$work/page.html")" '</html>' 'whole'
page=$(cat "$work/page.html")
pgw report dedupe-things -o -
is "$out" "$page" 'the same to standard output, of a plan by name'
pgw report plan.yaml
is "$out" "$page" 'by its file, without -o into a pipe'
pgw report 1 --quiet -o page.html
is "$code$all" $'0\n' 'quiet'

if command -v python3 >/dev/null; then
    (cd "$work" && python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' "$PGWINNOW" "${direct[@]}" report 1) >"$work/.out" </dev/null
    like "$(cat "$work/.out")" 'The report is in dedupe-things-run-1.html' 'from a terminal it goes into a file'
    is "$(cat "$work/dedupe-things-run-1.html")" "$page" 'with the same in it'
fi

# --- when it cannot be

pgw report 1 -o no/such/page.html
is "$code" 1 'no such folder: exit code 1'
like "$err" 'no/such/page.html: No such file' 'it says so'
echo kept >"$work/target"
ln -s target "$work/link"
pgw report 1 -o link
is "$code $(cat "$work/target")" '1 kept' 'a link is not replaced, nor written through'
pgw report 1 -x page.html
is "$code" 2 'an option of one letter that is not there'
pgw report 1 -o
is "$code" 2 '-o needs a value'
like "$err" '-o needs a value' 'it says so'

# --- other formats

pgw report 1 --format markdown
like "$out" '\| delete \| done \| 50 \|' 'markdown: a table of steps'
like "$out" '```mermaid' 'and a chart'
like "$out" "t0 --> ?\|\"thing: deleted, 50 rows\"\| t1" 'with the rows by foreign key'
markdown=$out
pgw report 1 --format markdown -o run.md
is "$(cat "$work/run.md")" "$markdown" 'into a file'
pgw report 1 --json
is "$(sql "SELECT \$json\$$out\$json\$::json ->> 'plan'")" dedupe-things '--json is --format json'

done_testing
