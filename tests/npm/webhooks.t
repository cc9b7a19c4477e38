#!/bin/bash
# Do the npm packages standardwebhooks and cloudevents accept what we send, and does the receiver of docs/webhooks.md that
# uses them work? `make npm-webhooks`; needs npm, node and the registry, so it is no part of `make test`.
. "$(dirname "$0")/../db/lib.sh"

export WEBHOOK_SECRET
WEBHOOK_SECRET=whsec_$(openssl rand -base64 32)
cp "$root/tests/npm/judge.mjs" "$work"
awk '/^```js receiver/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/webhooks.md" >"$work/receiver.mjs"
npm install --prefix "$work" --no-audit --no-fund --loglevel=error standardwebhooks cloudevents >"$work/npm" 2>&1 ||
    { echo "Bail out! npm cannot install them: $(tail -3 "$work/npm")"; exit 1; }
diag "standardwebhooks $(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$work/node_modules/standardwebhooks/package.json")," \
    "cloudevents $(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$work/node_modules/cloudevents/package.json")"

# listens SCRIPT FILE: starts it, its output goes to FILE; $port
listens() {
    local until=$((SECONDS + 30))
    PORT=0 node "$work/$1" >"$work/$2" 2>"$work/$2.err" &
    until port=$(grep -oE '[0-9]+$' "$work/$2" | head -1) && [ -n "$port" ]; do
        [ $SECONDS -lt $until ] || { echo "Bail out! $1 does not start: $(cat "$work/$2.err")"; exit 1; }
        sleep 0.1
    done
}

# --- samples of all events

listens judge.mjs judged
judge=http://127.0.0.1:$port
types=(run.started run.resumed run.finished run.failed run.paused run.cancelled step.started step.finished batch.committed
    progress throttle.waiting throttle.cleared approval.needed)
{
    printf 'plan: told\ntable: t\nnotify:\n'
    for type in "${types[@]}"; do
        echo "  - { url: $judge, secret: \"\${WEBHOOK_SECRET}\", as: ${type/./-}, events: $type }"
    done
    echo 'steps: [ discover, { track: { where: a } }, delete ]'
} >"$work/plan.yaml"
pgw notify --test plan.yaml
is "$code" 0 'samples of all events arrive' || diag "$all"
is "$(tail -n +2 "$work/judged" | sort)" "$(printf 'pgwinnow.%s|pgwinnow/test/0|ok|ok\n' "${types[@]}" | sort)" \
    'standardwebhooks and cloudevents accept each'

# --- a run

new_database 'a shop'
sql "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL); INSERT INTO t SELECT n, n / 2 FROM generate_series(0, 999) n"
plan <<PLAN
plan: told
table: t
notify: [ { url: $judge, secret: "\${WEBHOOK_SECRET}", events: [run, step, batch] } ]
batch: { size: 100, max: 100, pause: 1ms }
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
lines=$(wc -l <"$work/judged")
pgw run plan.yaml
is "$code" 0 'a run' || diag "$all"
heard=$(tail -n +$((lines + 1)) "$work/judged")
is "$(grep -c . <<<"$heard")" "$(sql "SELECT 2 + 2 * 3 + count(*) FROM pgwinnow.batches WHERE step = 2")" 'all it tells arrives' ||
    diag "$heard"
is "$(grep -vc '|ok|ok$' <<<"$heard")" 0 'they accept all of it' || diag "$heard"
is "$(cut -d'|' -f2 <<<"$heard" | sort -u)" "pgwinnow/${PGDATABASE// /%20}/1" 'its source is a valid reference'
is "$(sed -n '1s/|.*//p;$s/|.*//p' <<<"$heard" | xargs)" 'pgwinnow.run.started pgwinnow.run.finished' 'from beginning to end'

# --- the receiver in the docs

listens receiver.mjs heard
plan <<PLAN
plan: told
table: t
notify: [ { url: "http://127.0.0.1:$port/", secret: "\${WEBHOOK_SECRET}" } ]
steps: [ discover, { track: { where: a } }, delete ]
PLAN
pgw notify --test plan.yaml
is "$code" 0 'the receiver in the docs believes us' || diag "$all" "$(cat "$work/heard.err")"
like "$(cat "$work/heard")" 'pgwinnow.run.started told This is a test' 'and understands'
export WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
pgw notify --test plan.yaml
is "$code" 1 'but nobody with another secret' || diag "$all"

done_testing
