#!/bin/bash
# Webhooks of runs: whatever a receiver does, nothing is lost, the order holds, a retry has the same id, and the run does
# not wait; what could not be delivered is left for the next run of the plan, or for `notify --flush`.
. "$(dirname "$0")/lib.sh"
new_database webhooks
export NO_COLOR=1
hooks_start
SECRET=whsec_$(openssl rand -base64 32)
export SECRET
echo "$SECRET" >"$work/hooks/secrets"

# table ROWS: half of them go
table() {
    sql "SET client_min_messages = error; DROP TABLE IF EXISTS things; CREATE TABLE things (id int PRIMARY KEY, key int);
         INSERT INTO things SELECT i, (i + 1) / 2 FROM generate_series(1, $1) i"
}

# told NAME ENDPOINT...: a plan with these
told() {
    local name=$1
    shift
    {
        printf 'plan: %s\ntable: things\nbatch: { size: 50, min: 50, max: 50, pause: 0ms }\nnotify:\n' "$name"
        printf '  - %s\n' "$@"
        echo 'steps: [ discover, track: { duplicates: [key] }, delete ]'
    } >"$work/$name.yaml"
}

# first ENDPOINT: ids in the order in which they came first
first() { hooks_got "/$1/" | awk '!seen[$0]++' | paste -sd' '; }

# all_got: for each endpoint a line: NAME|TRIES|whether the second try was as the first|SECONDS between them|IDS as first
all_got() {
    "$python" -c '
import json, sys
got = {}
for line in open(sys.argv[1], encoding="utf-8"):
    request = json.loads(line)
    got.setdefault(request["path"].split("/")[1], []).append(request)
for name, all in got.items():
    one, two = all[0], all[min(1, len(all) - 1)]
    same = one["id"] == two["id"] and one["body"] == two["body"]
    print(name, len(all), "same" if same else "other", two["time"] - one["time"],
          " ".join(dict.fromkeys(request["id"] for request in all)), sep="|")' "$work/hooks/got"
}

# wanted [RUN]: ids of the events of a run, as they happened
wanted() { sql "SELECT string_agg(id, ' ' ORDER BY event) FROM pgwinnow.events WHERE run = ${1:-1}"; }

# json PATH: of the last answer
json() { sql "SELECT \$json\$$out\$json\$::jsonb #>> '{$1}'"; }

# --- receivers that fail, and take it the second time

printf '429 retry-after=2\n200\n' >"$work/hooks/later.script"
printf '503 retry-after=date+2\n200\n' >"$work/hooks/date.script"
fails=(500 302 401 hang drip drip-head close cut garbage slow)
lines=("{ url: $hooks/good/x, as: good, secret: '\${SECRET}' }" "{ url: $hooks/later/x, as: later }" "{ url: $hooks/date/x, as: date }")
for fail in "${fails[@]}"; do
    case $fail in slow) printf 'wait=700 500\n200\n' ;; *) printf '%s\n200\n' "$fail" ;; esac >"$work/hooks/a-$fail.script"
    lines+=("{ url: '$hooks/a-$fail/x', as: 'a-$fail', timeout: 500ms }")
done
lines+=("{ url: $hooks/410/x, as: gone }" "{ url: $hooks_refused/x, as: refused }" "{ url: $hooks_tls/x, as: untrusted }"
    "{ url: $hooks/500/x, as: bad, events: [run] }" "{ url: $hooks/hang/x, as: hanging, events: [step.finished] }")
table 2000
told everything "${lines[@]}"
pgw run everything.yaml
is "$code" 0 'the run ends well, whatever receivers do' || diag "$all"
is_sql 'SELECT count(*) FROM things' 1000 'and has done its work'
all_ids=$(wanted)
is "$(wc -w <<<"$all_ids")" 8 'eight events: the run and three steps, begun and ended'
is "$(first good)" "$all_ids" 'who takes all of it gets all of it, in order'
is "$(hooks_got /good/ verdict | sort -u)" ok 'signed so that an implementation of its own agrees'
is "$(hooks_got /good/ | sort | uniq -d)" '' 'once'
hooks_got /good/ body >"$work/bodies"
sql 'CREATE TABLE sent (body jsonb)'
psql -XAtqc "\\copy sent FROM '$work/bodies' WITH (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')"
is_sql "SELECT count(*) FROM sent JOIN pgwinnow.events e ON e.id = sent.body ->> 'id' AND e.body = sent.body -> 'data'" 8 'the very events of the table'
all_got >"$work/all"
for name in later date "${fails[@]/#/a-}"; do
    IFS='|' read -r _ tries same apart ids < <(grep "^$name|" "$work/all")
    is "$ids" "$all_ids" "$name: nothing is lost, the order holds"
    is "$same/$tries" same/9 "$name: the second try has the same id and the same body; one try more than there are events"
    case $name in later | date) ok "$(awk -v s="$apart" 'BEGIN { print (s < 0.9) }')" "$name: Retry-After is waited for" ;; esac
done
is "$(hooks_got /410/ | wc -l)" 1 'who says 410 is asked no more'
like "$out" 'webhooks: gone wants to hear no more \(HTTP 410\)' 'and that is told'
is_sql "SELECT gone IS NOT NULL, answer FROM pgwinnow.endpoints WHERE endpoint = 'gone'" 't|HTTP 410' 'and written down'
is "$(hooks_got /followed | wc -l)" 0 'no redirect is followed'
like "$out" 'webhooks: 21 events are still to be delivered to bad \(HTTP 500\), hanging .*refused.*untrusted' 'what is left is told'
told=$(sed -nE 's/^run 1 finished after ([0-9.]+ m?s).*/\1/p' <<<"$out") # "912 ms", "1.3 s"
is_sql "SELECT EXTRACT(epoch FROM '$told'::interval) - (body ->> 'run_seconds')::numeric < 3 FROM pgwinnow.events WHERE type = 'run.finished'" t 'the time that is told is that of the run, not of who was waited for'
is_sql "SELECT string_agg(id, ' ' ORDER BY seq) FROM pgwinnow.outbox WHERE endpoint = 'refused'" "$all_ids" 'who was not there finds all of it in the outbox'
is_sql "SELECT count(*), min(type), max(type) FROM pgwinnow.outbox WHERE endpoint = 'bad'" '2|run.finished|run.started' 'only what it wanted'
is_sql "SELECT count(*), min(type), max(type) FROM pgwinnow.outbox WHERE endpoint = 'hanging'" '3|step.finished|step.finished' 'and another one'
like "$(sql "SELECT string_agg(endpoint || ': ' || answer, ', ' ORDER BY endpoint) FROM pgwinnow.outbox WHERE tries > 0")" \
    '^bad: HTTP 500, hanging: .*, refused: .*refused.*, untrusted: .*certificate' 'with what they answered'
is "$(pg_dump -n pgwinnow | grep -c -e whsec_ -e 'hooks/[a-z]*/x' -e "${hooks#*//}/")" 0 'no secret and no path of a url is in the database'

# --- what is shown

pgw status 1
like "$out" 'webhook +refused: 0 delivered, 8 waiting' 'status: who waits for what'
like "$out" 'webhook +gone: .* it wants no more \(HTTP 410\)' 'status: who is gone'
unlike "$out" 'webhook +good' 'status: nothing of those that took all'
pgw status --json 1
is "$(sql "SELECT w ->> 'delivered', w ->> 'waiting', w ->> 'dropped', w ->> 'gone', w ->> 'answer'
             FROM jsonb_array_elements(\$j\$$out\$j\$::jsonb -> 'webhooks') w WHERE w ->> 'endpoint' = 'good'")" '8|0|0||HTTP 200' 'status --json'

# --- leftovers: flushed, or sent by the next run, before its own

rm -f "$work/hooks/got"
told everything "{ url: $hooks/one/x, as: refused }" "{ url: $hooks/500/y, as: bad, events: [run] }" "{ url: $hooks/two/x, as: untrusted }"
sql "UPDATE pgwinnow.outbox SET due = now() + interval '1 hour' WHERE endpoint = 'refused' AND answer IS NOT NULL"
pgw notify --flush everything.yaml
is "$code" 1 'notify --flush: one of three does not take it' || diag "$all"
like "$out" 'refused +8 +0 +HTTP 200' 'another one does'
like "$out" 'bad +0 +2 +HTTP 500' 'that one does not'
like "$out" '3 events for hanging, which the plan does not have any more' 'one is not in the plan any more'
like "$err" 'bad did not take what waits for it: HTTP 500' 'it says which'
is "$(first one)" "$all_ids" 'due or not, all of it comes, in order'
table 200
sql "UPDATE pgwinnow.outbox SET due = now() + interval '9 hours' WHERE answer IS NOT NULL"
told everything "{ url: $hooks/three/x, as: bad, events: [run] }"
pgw run everything.yaml
is "$(first three)" "$(sql "SELECT string_agg(id, ' ' ORDER BY event) FROM pgwinnow.events WHERE type LIKE 'run.%'")" \
    'the next run sends what is left of the one before, due or not, then its own'
unlike "$out" 'to be delivered to bad' 'nothing is left'
sql "UPDATE pgwinnow.outbox SET made = now() - interval '8 days'"
is_sql 'SELECT count(*) FROM pgwinnow.outbox' 3 'what nobody can be sent'
pgw notify --flush everything.yaml
is_sql "SELECT (SELECT count(*) FROM pgwinnow.outbox), dropped FROM pgwinnow.endpoints WHERE endpoint = 'hanging'" '0|3' 'is dropped after a week, and counted'
pgw notify --flush --env nosuch everything.yaml
is "$code" 2 'an environment that the plan does not have'
PGDATABASE=postgres pgw notify --flush everything.yaml
is "$code" 0 'nothing is there: nothing to do' || diag "$all"

# --- a courier whose connection is lost; batches, progress, chats; two environments

rm -f "$work/hooks/got"
table 2000
sql "CREATE TABLE gate (closed boolean); INSERT INTO gate VALUES (true);
     CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
         WHILE OLD.id = 1002 AND (SELECT closed FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; RETURN OLD; END';
     CREATE TRIGGER gate BEFORE DELETE ON things FOR EACH ROW EXECUTE FUNCTION gate()"
told cut "{ url: $hooks/all/x, as: all, events: [run, step, batch, progress], every: 1s }" "{ url: $hooks/chat/x, as: chat, format: slack }" \
    "{ url: $hooks/down/x, as: down, format: slack, every: 1s }"
printf '503 retry-after=600\n' >"$work/hooks/down.script"
pgw_start run cut.yaml
eventually "SELECT count(*) > 0 FROM pgwinnow.batches JOIN pgwinnow.runs USING (run) WHERE plan = 'cut'" t
is "$(sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgwinnow:%notify'")" 1 'the courier loses its connection'
until=$((SECONDS + 20))
until [ "$(hooks_got /all/ body | grep -c pgwinnow.progress)" -ge 2 ] || [ $SECONDS -gt $until ]; do sleep 0.1; done
is_sql "SELECT count(*) FROM pgwinnow.outbox WHERE endpoint = 'down' AND type = 'progress'" 1 'a chat that is down is told of progress once'
sql 'UPDATE gate SET closed = false'
pgw_end
is "$code" 0 'the run does not mind' || diag "$all"
batches=$(sql 'SELECT count(*) FROM pgwinnow.batches WHERE run = (SELECT max(run) FROM pgwinnow.runs)')
is "$(hooks_got /all/ body | grep -c pgwinnow.batch.committed)" "$batches" 'a batch, an event'
is "$(hooks_got /all/ body | grep -e pgwinnow.run -e pgwinnow.step | grep -o 'evt_[0-9a-f]*' | paste -sd' ')" \
    "$(wanted '(SELECT max(run) FROM pgwinnow.runs)')" 'all that happened, in order'
is "$(hooks_got /all/ data | grep -o "'rows': [0-9]*" | tail -2 | head -1)" "'rows': 1000" 'the numbers are those after the batch'
like "$(hooks_got /chat/ body | sed 1q)" '^\{"text":".*cut' 'a chat gets texts'
ok $(($(hooks_got /chat/ | wc -l) > 3)) 'and few of them'

# --- the run does not wait

# took NAME: ms of the delete step
took() { sql "SELECT ms FROM pgwinnow.steps s JOIN pgwinnow.runs r USING (run) WHERE r.plan = '$1' AND s.name = 'delete'"; }

# three NAME BEHAVIOUR: a run with three such receivers, who want to hear of each batch
three() {
    local i lines=()
    table 4000
    for i in 1 2 3; do lines+=("{ url: $hooks/$2/$i, as: to-$i, events: [run, step, batch], timeout: 300ms }"); done
    told "$1" "${lines[@]}"
    pgw run "$1.yaml"
    is "$code" 0 "three receivers of '$2': the run ends well" || diag "$all"
}
three quick 200
three slow hang
diag "40 batches: $(took quick) ms with three quick receivers, $(took slow) ms with three that hang"
ok $(($(took slow) > 3 * $(took quick) + 500)) 'and takes as long with those that hang'
done_testing
