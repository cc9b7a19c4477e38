#!/bin/bash
# plans/purge-orders.yaml, the monthly purge: what must be gone is said by plain SQL. Stopped on the way it says what is left;
# next month the same file takes what has come to be due since.
. "$(dirname "$0")/lib.sh"

new_database purge
sql "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text NOT NULL, total numeric NOT NULL,
                          created_at timestamptz NOT NULL);
     CREATE TABLE order_lines (order_id bigint NOT NULL REFERENCES orders, line int, PRIMARY KEY (order_id, line));
     CREATE TABLE parcels (id int PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders);
     CREATE INDEX ON orders (created_at);
     CREATE INDEX ON parcels (order_id);
     INSERT INTO orders (status, total, created_at)
     SELECT CASE WHEN n % 3 = 0 THEN 'sent' ELSE 'abandoned' END, n % 200, now() - n * interval '4 hours'
       FROM generate_series(1, 9000) n;
     INSERT INTO order_lines SELECT id, line FROM orders, generate_series(1, 2) line;
     INSERT INTO parcels SELECT id, id FROM orders WHERE status = 'sent';
     CREATE VIEW due AS SELECT id FROM orders
      WHERE status = 'abandoned' AND total < 100 AND created_at < now() - interval '730 days'"
due=$(sql 'SELECT count(*) FROM due') all_orders=$(sql 'SELECT count(*) FROM orders')
cp "$root/plans/purge-orders.yaml" "$work/plan.yaml"

# The window of the plan is a matter of the clock: here it works at any time.
pgw check plan.yaml
is "$code" 0 'the plan as it stands is valid' || diag "$all"
sed -i "s|window: .*|window: off|" "$work/plan.yaml"

pgw explain plan.yaml
is "$code" 0 'explain' || diag "$all"
pgw run --max-rows 500 plan.yaml
is "$code" 75 'stopped on the way' || diag "$all"
left=$(sql 'SELECT count(*) FROM due')
ok $((left <= 0 || left >= due)) "some are gone, some are left ($left of $due)"
pgw status --json purge-orders
is_sql "SELECT (e->>'total')::int - (e->>'rows')::int FROM json_array_elements('$out'::json->'steps') e WHERE e->>'name' = 'delete'" \
    "$left" 'status knows how many are left'
pgw run plan.yaml
is "$code" 0 'the same command goes on' || diag "$all"
is_sql 'SELECT count(*) FROM due' 0 'nothing that is due is left'
is_sql 'SELECT count(*) FROM orders' $((all_orders - due)) 'and nothing else is gone'
is_sql 'SELECT count(*) FROM order_lines' $((2 * (all_orders - due))) 'the lines went with their orders'
is_sql 'SELECT count(*) FROM parcels' 3000 'what was sent is there'

sql "UPDATE orders SET created_at = created_at - interval '31 days'"
due=$(sql 'SELECT count(*) FROM due') all_orders=$(sql 'SELECT count(*) FROM orders')
isnt "$due" 0 'a month later more is due'
pgw run plan.yaml
is "$code" 0 'the same file runs again' || diag "$all"
is_sql "SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM orders)" "0|$((all_orders - due))" 'and takes just those'
is_sql "SELECT string_agg(state, ' ') FROM pgwinnow.runs" 'finished finished' 'in a run of its own'

# An order that was sent after all is among those that are due: the plan stops before anything is gone.
sql "INSERT INTO orders (status, total, created_at) VALUES ('abandoned', 1, '2020-01-01'), ('abandoned', 2, '2020-01-01');
     INSERT INTO parcels SELECT -1, max(id) FROM orders"
pgw run plan.yaml
is "$code" 3 'a parcel of such an order: refused'
like "$all" 'parcels' 'and named'
is_sql 'SELECT count(*) FROM due' 2 'nothing is gone'
done_testing
