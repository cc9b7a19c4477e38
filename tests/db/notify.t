#!/bin/bash
# `pgwinnow notify --test`: every endpoint gets a sample that an independent implementation accepts, whatever goes wrong
# is told in words, nothing secret is, and no database is needed.
. "$(dirname "$0")/lib.sh"

hooks_start
export PGHOST=/nowhere PGPORT=1
old=whsec_$(openssl rand -base64 24) new=whsec_$(openssl rand -base64 64 | tr -d '\n')
echo "$old" >"$work/hooks/secrets"
export HOOK="$hooks/200/hidden" SECRET=$old NEW=$new
steps='steps: [ discover, { track: { where: a } }, delete ]'

# endpoints LINE...: a plan with these
endpoints() { { printf 'plan: told\ntable: t\nnotify:\n'; printf '  - %s\n' "$@"; echo "$steps"; } >"$work/plan.yaml"; }

# --- all is well

endpoints '{ url: "${HOOK}", secret: "${SECRET}" }' "{ url: $hooks/slack/hidden, format: slack }" \
    "{ url: $hooks/few/hidden, as: few, secret: ['\${NEW}', '\${SECRET}'], events: [approval, run.failed] }"
pgw notify --test plan.yaml
is "$code" 0 'all of them take it' || diag "$all"
like "$out" '\$\{HOOK\} +webhook +[0-9.]+ m?s +200' 'a url from the environment goes by its variable'
like "$out" "$hooks +slack" 'another one by its beginning'
like "$out" 'few +webhook' 'or by the name it was given'
unlike "$all" hidden 'no path is shown'
is "$(hooks_got /200 verdict)" ok 'the signature is right by an implementation of its own'
is "$(hooks_got /200 type)" 'application/cloudevents+json; charset=utf-8' 'the content is called what it is'
is "$(hooks_got /200 specversion)/$(hooks_got /200 subject)/$(hooks_got /200 source)" 1.0/told/pgwinnow/test/0 'a CloudEvent'
like "$(hooks_got /200 body)" '"type":"pgwinnow.run.started".*This is a test' 'of the first event that it wants, which says that it is a test'
like "$(hooks_got /200 id)" '^evt_' 'with an id'
like "$(hooks_got /slack body)" '^\{"text":".*told.*This is a test' 'Slack gets a text'
is "$(hooks_got /slack verdict)" unsigned 'that nobody signed'
like "$(hooks_got /few body)" '"type":"pgwinnow.run.failed"' 'who wants little gets a sample of that'
is "$(hooks_got /few verdict)" ok 'who knows the old secret only believes it'
echo "$new" >"$work/hooks/secrets"
pgw notify --test --quiet plan.yaml
is "$code/$out" 0/ 'nothing to tell with --quiet'
is "$(hooks_got /few verdict | tail -1)" ok 'who knows the new one only believes it too'
is "$(hooks_got /200 verdict | tail -1)" wrong 'who was not given it does not'
is "$(hooks_got / id | sort -u | wc -l)" 6 'each has an id of its own'

# --- everything that can go wrong

printf '503 retry-after=17\n' >"$work/hooks/later.script"
printf '429 retry-after=date+3000\n' >"$work/hooks/date.script"
nowhere=http://hidden.invalid
names=(500 later date 410 302 401 hang drip drip-head close cut garbage big)
lines=()
for name in "${names[@]}"; do lines+=("{ url: $hooks/$name/hidden, as: to-$name, timeout: 500ms }"); done
export REFUSED=$hooks_refused/hidden UNTRUSTED=$hooks_tls/hidden NOWHERE=$nowhere/hidden
lines+=('{ url: "${REFUSED}" }' '{ url: "${UNTRUSTED}" }' '{ url: "${NOWHERE}" }'
    "{ url: https${hooks#http}/hidden, as: no-tls }" "{ url: http${hooks_tls#https}/hidden, as: only-tls }")
endpoints "${lines[@]}"
SECONDS=0
pgw notify --test plan.yaml
took=$SECONDS
is "$code" 1 'exit code 1' || diag "$all"
diag "all at once: $took s"
ok $((took > 10)) 'they are tried beside each other'
like "$err" '17 of the 18 endpoints of plan told did not take' 'it says how many'
says() { like "$(grep -F "$1 " <<<"$out")" "$2" "$3"; }
says to-500 ' 500$' 'a status'
says to-later '503: not now, again in 17.0 s' 'when to come again, in seconds'
says to-date '429: not now, again in (49|50) min' 'and as a date'
says to-410 '410: it wants no more' 'gone'
says to-302 '302: redirects are not followed' 'a redirect'
says to-401 '401: .*is it the right secret' 'a wrong secret'
says to-hang 'no answer within 500 ms' 'no answer'
says to-drip 'its answer did not end within 500 ms' 'an answer without an end'
says to-drip-head '(its answer did not end|no answer) within 500 ms' 'a head without an end'
says to-close 'closed the connection without an answer' 'hanging up'
says to-cut 'its answer broke off' 'breaking off'
says to-garbage 'what it answered is not HTTP' 'another protocol'
says to-big ' 200$' 'who answers with too much has taken it'
says '${REFUSED}' 'no connection: Connection refused' 'refused'
says '${UNTRUSTED}' 'TLS certificate is not to be trusted' 'a certificate that nobody trusts'
says '${NOWHERE}' 'its name cannot be resolved' 'a name that is not there'
says no-tls 'TLS could not be agreed on' 'no TLS where it should be'
says only-tls 'without an answer|connection was lost|not HTTP|^only-tls.* 400' 'TLS where none is expected'
unlike "$all" hidden 'nothing of all this shows a url' || diag "$all"
is "$(hooks_got /followed)" '' 'the redirect was not followed'
is "$(grep -c . "$work/hooks/log")" 0 'the receiver is well' || diag "$(cat "$work/hooks/log")"

endpoints "{ url: https://hidden.invalid/hidden, as: behind }"
https_proxy=$hooks pgw notify --test plan.yaml
like "$out" 'behind +webhook +[0-9.]+ m?s +the proxy answered 501' 'a proxy is asked, and what it refuses is told' || diag "$out"
https_proxy=$hooks_refused pgw notify --test plan.yaml
like "$out" 'no connection: Connection refused' 'one that is not there' || diag "$out"

# --- command lines and plans

endpoints '{ url: "${HOOK}" }'
pgw notify plan.yaml
is "$code" 2 'something must be asked for'
(unset HOOK; pgw notify --test plan.yaml; echo "$code $err" >"$work/.unset"; pgw check plan.yaml; echo "$code" >>"$work/.unset")
like "$(cat "$work/.unset")" "^2 .*the environment variable 'HOOK' is not set" 'a variable that is not set is told' || cat "$work/.unset"
is "$(tail -1 "$work/.unset")" 0 'though the plan is valid without'
plan <<PLAN
plan: told
table: t
notify: [ { url: "$hooks/plans" } ]
environments:
  own: { notify: [ { url: "$hooks/own", as: own } ] }
  none: { notify: [] }
$steps
PLAN
pgw notify --test --env own plan.yaml
is "$code/$(hooks_got /own | wc -l)/$(hooks_got /plans | wc -l)" 0/1/0 'an environment has endpoints of its own' || diag "$all"
pgw notify --test --env none plan.yaml
is "$code" 2 'a plan without endpoints has nothing to try'
like "$err" 'plan told names no endpoint' 'and it says so'

# --- what docs/webhooks.md gives to receivers

awk '/^```python receiver/ { on = 1; next } /^```/ { on = 0 } on' "$root/docs/webhooks.md" >"$work/receiver.py"
echo "$old" >"$work/hooks/secrets"
WEBHOOK_SECRET=$old PORT=0 "$python" -u "$work/receiver.py" >"$work/heard" 2>"$work/heard.err" &
for _ in $(seq 100); do grep -q listening "$work/heard" && break; sleep 0.05; done
PYTHON_HOOK=http://127.0.0.1:$(sed -n 's/listening on //p' "$work/heard")/x
export PYTHON_HOOK
endpoints '{ url: "${PYTHON_HOOK}", secret: "${SECRET}" }'
pgw notify --test plan.yaml
is "$code" 0 'the receiver in the docs believes us' || diag "$all" "$(cat "$work/heard" "$work/heard.err")"
like "$(cat "$work/heard")" 'pgwinnow.run.started told: This is a test' 'and understands'
endpoints '{ url: "${PYTHON_HOOK}", secret: "${NEW}" }'
pgw notify --test plan.yaml
is "$code" 1 'but nobody with another secret' || diag "$all"
like "$out" ' 401: ' 'whom it does not let in'

done_testing
