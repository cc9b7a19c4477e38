#!/bin/bash
# A network that is cut without anybody being told: a proxy between us and the server stops in the middle of a run, with all
# connections open. The run notices, comes back another way, and does nothing twice. Also: limits on idle sessions.
. "$(dirname "$0")/lib.sh"

# A proxy for the server's socket, in $work/proxy; $proxy is its process.
proxy() {
    mkdir -p "$work/proxy"
    # shellcheck disable=SC2016
    perl -MIO::Socket::UNIX -MIO::Select -e '
        my ($here, $there) = @ARGV;
        my $listen = IO::Socket::UNIX->new(Local => $here, Listen => 50) or die $!;
        my ($all, %other) = (IO::Select->new($listen));
        while (my @ready = $all->can_read) {
            for my $from (@ready) {
                if ($from == $listen) {
                    my ($a, $b) = ($listen->accept, IO::Socket::UNIX->new(Peer => $there));
                    $all->add($a, $b); @other{$a, $b} = ($b, $a);
                } elsif (my $to = $other{$from}) {
                    if (sysread $from, my $bytes, 65536) { syswrite $to, $bytes; next }
                    $all->remove($from, $to); delete @other{$from, $to}; close $from; close $to;
                }
            }
        }' "$work/proxy/.s.PGSQL.$PGPORT" "$PGHOST/.s.PGSQL.$PGPORT" &
    proxy=$!
    until [ -S "$work/proxy/.s.PGSQL.$PGPORT" ]; do sleep 0.05; done
}

tables() {
    new_database "$1"
    sql "CREATE TABLE t (id int PRIMARY KEY, k int); INSERT INTO t SELECT n, n % 1000 FROM generate_series(1, 4000) n"
    plan <<PLAN
plan: network
table: t
batch: { size: 50, min: 50, max: 50, pause: 20ms, workers: 2 }
steps: [discover, track: { duplicates: [k] }, delete]
PLAN
}

ended_right() {
    is_sql 'SELECT count(*), max(id) FROM t' '1000|1000' "$1: the table is as it should be"
    is_sql 'SELECT sum(rows) FROM pgwinnow.batches' 3000 "$1: every row is counted once"
}

# The run that is cut waits for a while; what else there is to try goes on meanwhile.
tables cut
proxy
cut=$PGDATABASE
cp "$work/plan.yaml" "$work/cut.yaml"
(cd "$work" && exec "$PGWINNOW" run --output plain --database "host=$work/proxy,$PGHOST connect_timeout=2" cut.yaml) >"$work/cut" 2>&1 </dev/null &
pid=$!
eventually 'SELECT count(*) >= 3 FROM pgwinnow.batches' t 2>/dev/null
kill -STOP "$proxy"
SECONDS=0

tables idle
sed -i 's/size: 50, min: 50, max: 50, pause: 20ms/size: 1000, pause: 1500ms/' "$work/plan.yaml"
sql "ALTER DATABASE \"$PGDATABASE\" SET idle_in_transaction_session_timeout = '50ms'"
sql "ALTER DATABASE \"$PGDATABASE\" SET idle_session_timeout = '300ms'"
pgw run plan.yaml
is "$code" 0 'sessions are ended whenever they are idle: the run goes on' || diag "$all"
ended_right 'idle limits'

export PGDATABASE=$cut
wait "$pid"
is $? 0 'the proxy hangs: the run goes on over the other host' || diag "$(cat "$work/cut")"
ok $((SECONDS > 60)) "within a minute ($SECONDS s)"
ended_right 'the proxy hangs'
kill -9 "$proxy"
wait 2>/dev/null
done_testing
