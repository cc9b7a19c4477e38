#!/bin/bash
# Real data with real duplicates: airlines with the same name, their routes, the routes' equipment. The figures are those of the
# data's README, by plain SQL. Skipped where the data is not there.
. "$(dirname "$0")/lib.sh"
data=$root/../shared/data/openflights
[ -r "$data/load.sql" ] || skip_all "no $data"
new_database openflights
(cd "$data" && psql -Xq -v ON_ERROR_STOP=1 -f load.sql >/dev/null) || { echo 'Bail out! the data cannot be loaded'; exit 1; }

plan <<'PLAN'
plan: openflights-airlines
about: One airline per name; the oldest entry stays.
table: openflights.airlines
steps:
  - discover:
      children:
        routes.alid: delete
        route_equipment.rid: delete
      missing_index: create
  - track:
      duplicates: [name]
  - delete-children
  - delete
  - index: { name: uix_airlines_name, unique: [name] }
PLAN

# By plain SQL: what has to stay.
sql "CREATE SCHEMA model;
     CREATE TABLE model.airlines AS SELECT min(alid) AS alid FROM openflights.airlines GROUP BY coalesce(name, alid::text || ' has none');
     CREATE TABLE model.routes AS SELECT * FROM openflights.routes r WHERE alid IS NULL OR alid IN (SELECT alid FROM model.airlines);
     CREATE TABLE model.route_equipment AS SELECT * FROM openflights.route_equipment WHERE rid IN (SELECT rid FROM model.routes)"
indexes="SELECT indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = 'openflights'::regnamespace ORDER BY 1::text"
before=$(sql "$indexes")

pgw explain --json plan.yaml
is "$code" 0 'explain' || diag "$err"
is "$(psql -XAtq -v j="$out" <<<"SELECT e->>'key', e->>'rows', e->>'indexed' FROM json_array_elements(:'j'::json->'tree') e ORDER BY 1")" \
    'route_equipment.rid|438|true
routes.alid|386|false' 'explain: 386 routes and 438 pieces of equipment'
is "$(psql -XAtq -v j="$out" <<<"SELECT :'j'::json->'track'->>'groups', :'j'::json->'track'->>'rows'")" '70|89' \
    'explain: 70 groups, 89 superfluous airlines'
is "$(sql "$indexes")" "$before" 'explain builds nothing'

pgw run plan.yaml
is "$code" 0 'the run ends well' || diag "$all"
is_sql 'SELECT count(*) FROM openflights.airlines' 6073 'airlines'
is_sql 'SELECT count(*) FROM openflights.routes' 67277 'routes'
is_sql 'SELECT count(*) FROM openflights.route_equipment' 78298 "the routes' equipment"
is_sql 'SELECT count(*) FROM openflights.routes WHERE alid IS NULL' 479 'routes without airline are still there'
is_sql "SELECT indisunique AND indisvalid FROM pg_index WHERE indexrelid = 'openflights.uix_airlines_name'::regclass" t \
    'a valid unique index on the name'
is "$(sql "$indexes" | grep -v uix_airlines_name)" "$before" 'the temporary indexes are gone again'
is_sql 'SELECT (SELECT count(*) FROM openflights.routes r WHERE alid IS NOT NULL AND NOT EXISTS (SELECT FROM openflights.airlines a WHERE a.alid = r.alid))
             + (SELECT count(*) FROM openflights.route_equipment e WHERE NOT EXISTS (SELECT FROM openflights.routes r WHERE r.rid = e.rid))' 0 'no orphans'
for table in 'airlines (alid)' 'routes' 'route_equipment'; do
    columns='*'
    [ "$table" = "${table% *}" ] || columns=alid
    table=${table% *}
    is_sql "SELECT (SELECT count(*) FROM (SELECT $columns FROM openflights.$table EXCEPT ALL TABLE model.$table) x),
                   (SELECT count(*) FROM (TABLE model.$table EXCEPT ALL SELECT $columns FROM openflights.$table) x)" '0|0' \
        "$table: the very rows that had to stay"
done
is_sql 'SELECT count(*) FROM openflights.airports' "$(wc -l <"$data/airports.csv")" 'airports are untouched'

pgw run plan.yaml
is "$code" 0 'a second run ends well'
is_sql 'SELECT count(*) FROM openflights.airlines' 6073 'and removes nothing'
done_testing
