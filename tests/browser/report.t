#!/bin/bash
# Reports in a real browser, Chromium without a window: nothing is fetched, nothing complained about, charts have data, all of it can be
# read on a phone and on a screen, light and dark, and on paper. Of a real run, and of runs that never
# were: with hostile names, with 200 foreign keys over three days, and of which next to nothing is known.
#
#   CHROMIUM     the browser; else the first of the usual names
#   BROWSER_ALL  looks at more widths
#   SHOTS        a folder for pictures of each page
. "$(dirname "$0")/../db/lib.sh"

for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    browser=$(command -v "$name" 2>/dev/null) && break
done
[ -n "$browser" ] || skip_all 'there is no Chromium here: make browser installs it'
command -v python3 >/dev/null || skip_all 'there is no python3 here'
here=$root/tests/browser

# looked FILE...: problems, a line each
looked() { timeout 150 python3 "$here/look.py" "$browser" "$@" 2>&1; }

# --- a run, stopped, settings changed, and gone on with

new_database browser
sql "CREATE TABLE things (id int PRIMARY KEY, key int, twin int REFERENCES things);
     CREATE TABLE parts (id int PRIMARY KEY, thing int REFERENCES things ON DELETE CASCADE);
     CREATE TABLE notes (id int PRIMARY KEY, part int REFERENCES parts);
     CREATE TABLE marks (id int PRIMARY KEY, thing int REFERENCES things);
     CREATE INDEX ON things (twin); CREATE INDEX ON parts (thing); CREATE INDEX ON notes (part); CREATE INDEX ON marks (thing);
     INSERT INTO things SELECT i, i / 2 FROM generate_series(0, 1999) i;
     INSERT INTO parts SELECT i, i FROM generate_series(0, 1999) i;
     INSERT INTO notes SELECT i, i FROM generate_series(0, 1999) i;
     INSERT INTO marks SELECT i, i FROM generate_series(0, 1999, 3) i"
plan <<'PLAN'
plan: dedupe-things
table: public.things
batch: { size: 100, max: 100, pause: 0ms }
steps:
  - discover: { children: { parts.thing: delete, notes.part: delete, marks.thing: { move: { on_conflict: delete } }, things.twin: set-null } }
  - track: { duplicates: [key] }
  - sql: { run: "UPDATE things SET key = -id WHERE id IN (5, 7, 9)" }
  - delete-children
  - delete
PLAN
pgw run --max-rows 300 plan.yaml
pgw set 1 batch.size=80
pgw run plan.yaml
is "$code" 0 'a run to tell about'

pgw report 1 -o page.html
is "$code $out" '0 The report is in page.html' 'its page' || diag "$all"

# --- and runs that never were

python3 "$here/runs.py" "$work" || exit 1
for name in hostile large little; do
    "$PGW_TESTS/browser/page" html <"$work/$name.json" >"$work/$name.html"
done
problems=$(looked "$work"/{page,hostile,large,little}.html)
is "$problems" '' 'a real run, hostile names, 200 foreign keys, next to nothing known: nothing is wrong with their pages'

# --- what the page says, as the browser sees it

facts=$(timeout 60 python3 - "$browser" "$work/page.html" "$here" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[3])
from chromium import Chromium
with Chromium(sys.argv[1]) as page:
    page.size(1280, 900)
    page.open("file://" + sys.argv[2])
    for question in ("document.querySelector('.figures dd').firstChild.data",
                     "document.querySelectorAll('.box').length",
                     "document.querySelectorAll('.link').length",
                     "document.querySelector('.data path').getBoundingClientRect().height > 20",
                     "[...document.querySelectorAll('.timeline .act')].some(e => e.textContent.includes('batch.size=80'))",
                     "getComputedStyle(document.body).backgroundColor"):
        print(page.ask(question))
    page.media("screen", "dark")
    print(page.ask("getComputedStyle(document.body).backgroundColor"))
PYTHON
)
{ read -r removed; read -r boxes; read -r links; read -r drawn; read -r told; read -r light; read -r dark; } <<<"$facts"
is "$removed" "$(sql 'SELECT 2000 - count(*) FROM things')" 'the rows that it removed'
is "$boxes $links" '4 4' \
    'a box for each table, a line for each foreign key'
is "$drawn" 'True' 'throughput is drawn'
is "$told" 'True' 'what was changed under way is told'
isnt "$light" "$dark" 'light and dark differ'

# --- the looking looks: a page that is spoilt is found out

sed -e 's/--soft: #55616d/--soft: #c5c1cd/' -e 's|<main|<p style="width:3000px">wide</p><img src="https://example.com/x"><script>alert(1)</script><main|' \
    "$work/page.html" >"$work/spoilt.html"
problems=$(looked "$work/spoilt.html")
for found in 'wider than the window' 'poor contrast' 'there is a script' 'error: .*script'; do
    like "$problems" "$found" "a spoilt page: $found"
done

done_testing
