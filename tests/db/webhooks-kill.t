#!/bin/bash
# A runner that is killed at one commit after the other, its own and those of its courier: every event that is in the
# database, and of every batch that was committed, arrives at least once, and first arrives in the order in which it
# happened.
#
#   KILLS=100 tests/with-postgres tests/db/webhooks-kill.t
. "$(dirname "$0")/lib.sh"
proxy=$PGW_TESTS/torture/proxy
kills=${KILLS:-12}
new_database killed
hooks_start
SECRET=whsec_$(openssl rand -base64 32)
export SECRET
echo "$SECRET" >"$work/hooks/secrets"
printf 'wait=60 200\n' >"$work/hooks/slow.script"
printf '500\n200\n' >"$work/hooks/once.script"

sql "CREATE TABLE things (id int PRIMARY KEY, key int); INSERT INTO things SELECT i, (i + 1) / 2 FROM generate_series(1, 1000) i"
plan <<PLAN
plan: killed
table: things
batch: { size: 20, min: 20, max: 20, pause: 1ms }
notify:
  - { url: "$hooks/all/x", as: all, secret: "\${SECRET}", events: [run, step, batch], timeout: 200ms }
  - { url: "$hooks/slow/x", as: slow, secret: "\${SECRET}", timeout: 200ms }
  - { url: "$hooks/once/x", as: once, events: [run], timeout: 200ms }
steps: [ discover, track: { duplicates: [key] }, delete, vacuum ]
PLAN
pgw init

# What was delivered cannot be taken back, so nobody may be told of what was rolled back.
code=137 done=0
while [ "$code" = 137 ] && [ $done -lt "$kills" ]; do
    done=$((done + 1)) kind=before
    [ $((done % 2)) = 0 ] || kind=after
    (cd "$work" && exec "$proxy" --listen "$work" --fault $kind --by commits --from 'events (run, id' \
        --at $((1 + 5 * done % 13)) --kill --limit 60 -- "$PGWINNOW" run plan.yaml) >"$work/.out" 2>&1 </dev/null
    code=$?
    sql "UPDATE pgwinnow.outbox SET due = now()" # time goes by: what the dead one was sending is free
done
is "$code" 137 "killed $done times" || diag "$(cat "$work/.out")"
pgw run plan.yaml
is "$code" 0 'then it is let go on to the end' || diag "$all"
is_sql 'SELECT count(*) FROM things' 500 'and has done its work'
pgw notify --flush plan.yaml
is "$code" 0 'what is left is sent' || diag "$all"

in_order() { # of those that are stored
    hooks_got "/$1/" | awk '!seen[$0]++' | grep -xF -f "$work/stored" | paste -sd' '
}
sql 'SELECT id FROM pgwinnow.events' | sort >"$work/stored"
is "$(in_order all)" "$(sql "SELECT string_agg(id, ' ' ORDER BY event) FROM pgwinnow.events")" 'every event arrives, first in order'
is "$(in_order slow)" "$(sql "SELECT string_agg(id, ' ' ORDER BY event) FROM pgwinnow.events")" 'at a slow receiver too'
is "$(in_order once)" "$(sql "SELECT string_agg(id, ' ' ORDER BY event) FROM pgwinnow.events WHERE type LIKE 'run.%'")" 'and at one that wants some of them'
is "$(hooks_got /slow/ | sort -u | comm -23 - "$work/stored")" '' 'no other'
is "$(hooks_got /all/ body | grep pgwinnow.batch.committed | grep -o 'evt_[0-9a-f]*' | sort -u | wc -l)" \
    "$(sql 'SELECT count(*) FROM pgwinnow.batches')" 'every batch that was committed, and no other'
is "$(hooks_got /all/ verdict | sort -u)" ok 'all of them signed'
is "$("$python" -c '
import json, sys
seen = {}
for line in open(sys.argv[1], encoding="utf-8"):
    request = json.loads(line)
    if seen.setdefault((request["path"], request["id"]), request["body"]) != request["body"]: print(request["id"])' "$work/hooks/got")" '' \
    'what comes again comes byte by byte as before'
diag "$(hooks_got / | wc -l) requests, $(hooks_got /all/ | sort | uniq -d | wc -l) ids came again; $(sql 'SELECT count(*) FROM pgwinnow.events') events"
done_testing
