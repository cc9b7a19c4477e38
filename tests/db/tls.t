#!/bin/bash
# TLS goes through libpq: a server that takes no other connections, certificates checked on both sides, several workers, rows
# by COPY for a rule in Lua, and a statement that is cancelled.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null || skip_all 'no openssl'

# Each connection of the run must be TLS with a client's certificate: pg_hba.conf has no other line for TCP.
if [ "${1:-}" != inside ]; then
    said=$("$root/tests/with-postgres" "$0" inside 2>&1)
    ok $? 'TLS' || diag "$said"
    done_testing
fi

as_server() {
    [ "$(id -u)" = 0 ] || { "$@"; return; }
    setpriv --reuid="$(stat -c %u "$PGHOST/data")" --regid="$(stat -c %g "$PGHOST/data")" --clear-groups "$@"
}

# certificate NAME SUBJECT [SAN]: signed by our own authority
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo "subjectAltName=DNS:$2") -out "$work/$1.crt" 2>/dev/null
    chmod 600 "$work/$1.key"
}

authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -days 2 -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null; }

authority ca
authority other
certificate server localhost
certificate client postgres
install -m 600 "$work/server.key" "$work/server.crt" "$work/ca.crt" "$PGHOST/data/"
[ "$(id -u)" != 0 ] || chown --reference="$PGHOST/data" "$PGHOST"/data/{server.key,server.crt,ca.crt}
printf 'local all all trust\nhostssl all all 127.0.0.1/32 cert\n' >"$PGHOST/data/pg_hba.conf"
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
(cd / && as_server "$PG_BINDIR/pg_ctl" -D "$PGHOST/data" -l "$PGHOST/data/log" -w restart -m fast \
    -o "-k $PGHOST -c listen_addresses=127.0.0.1 -c port=$port -c fsync=off -c ssl=on -c ssl_ca_file=ca.crt" >"$work/control" 2>&1)
ok $? 'given: a server that takes TLS only' || diag "$(cat "$work/control")"
export PGPORT=$port

new_database
sql "CREATE TABLE t (id int PRIMARY KEY, k int, body text); CREATE TABLE slow (id int PRIMARY KEY);
     INSERT INTO t SELECT n, n % 3000, repeat('x', 300) FROM generate_series(1, 9000) n; INSERT INTO slow VALUES (1)"
plan rule.lua <<'LUA'
return { keep = function(rows) return #rows end }
LUA
plan <<'PLAN'
plan: tls
table: t
batch: { workers: 3 }
steps:
  - discover
  - track: { duplicates: [k], keep: { lua: rule.lua } }
  - delete
  - index: { name: t_k, unique: [k] }
  - vacuum
PLAN
plain="postgresql://postgres@localhost:$port/$PGDATABASE"
tls="$plain?sslmode=verify-full&sslcert=$work/client.crt&sslkey=$work/client.key"

pgw run --database "$plain?sslmode=disable" plan.yaml
is "$code" 5 'without TLS: no connection'
pgw run --database "$tls&sslrootcert=$work/other.crt" plan.yaml
is "$code" 5 'a certificate of an unknown authority: no connection'
like "$all" 'certificate verify failed' 'and it says why'
pgw run --database "${tls/localhost/127.0.0.1}&sslrootcert=$work/ca.crt" plan.yaml
is "$code" 5 'a certificate for another name: no connection'
pgw run --database "$tls&sslrootcert=$work/ca.crt" plan.yaml
is "$code" 0 'the certificate is right: the plan runs' || diag "$all"
is_sql 'SELECT count(*), min(id) FROM t' '3000|6001' 'and did its work'
pgw undo --yes --database "$tls&sslrootcert=$work/ca.crt" tls
is "$code" 0 'so does undo' || diag "$all"
is_sql 'SELECT count(*), min(id) FROM t' '9000|1' 'and all is back'

plan <<'PLAN'
plan: slow
table: slow
steps: [{ sql: { run: SELECT pg_sleep(60) } }]
PLAN
pgw_start run --database "$tls&sslrootcert=$work/ca.crt" plan.yaml
sleeping="SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE query = 'SELECT pg_sleep(60)' AND state = 'active' AND ssl"
eventually "$sleeping" 1
kill -TERM "$pid"
pgw_end
is "$code" 75 'SIGTERM cancels a statement over TLS'
is_sql "$sleeping" 0 'on the server too'
(cd / && as_server "$PG_BINDIR/pg_ctl" -D "$PGHOST/data" -w stop -m immediate >/dev/null)
done_testing
