#!/bin/bash
# run and explain as people and scripts meet them: refusals and what mends them, resuming, canaries, environments, rights.
. "$(dirname "$0")/lib.sh"
new_database commands
export NO_COLOR=1

load() {
    psql -Xq -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
SET client_min_messages = error;
DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA other; GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE TABLE listings (id int PRIMARY KEY, tenant int NOT NULL, code text, mail text, UNIQUE (tenant, id));
CREATE TABLE posts (id int PRIMARY KEY, listing_id int REFERENCES listings ON DELETE CASCADE);
CREATE TABLE "Odd 'Likes'" (id int PRIMARY KEY, "Post Id" int REFERENCES posts);
CREATE TABLE other.notes (id int PRIMARY KEY, t int, l int, FOREIGN KEY (t, l) REFERENCES listings (tenant, id) ON DELETE SET NULL);
CREATE INDEX ON posts (listing_id);
CREATE INDEX ON "Odd 'Likes'" ("Post Id");
CREATE INDEX ON other.notes (t, l);
INSERT INTO listings SELECT g, 1, 'c' || g % 10, NULL FROM generate_series(1, 40) g;
INSERT INTO posts SELECT g, 1 + g % 40 FROM generate_series(1, 80) g;
INSERT INTO "Odd 'Likes'" SELECT g, 1 + g % 80 FROM generate_series(1, 160) g;
INSERT INTO other.notes SELECT g, 1, 1 + g % 40 FROM generate_series(1, 80) g;
ANALYZE;
SQL
}
sums="SELECT md5(string_agg(t, '|' ORDER BY t)) FROM (
    SELECT 'l' || l::text FROM listings l UNION ALL SELECT 'p' || p::text FROM posts p
    UNION ALL SELECT 'o' || o::text FROM \"Odd 'Likes'\" o UNION ALL SELECT 'n' || n::text FROM other.notes n) x (t)"
# What must be left when copies go and the notes are set to NULL: listings 1..10 and what hangs on them.
left='10|20|40|80|20'
counts="SELECT (SELECT count(*) FROM listings), (SELECT count(*) FROM posts), (SELECT count(*) FROM \"Odd 'Likes'\"),
               (SELECT count(*) FROM other.notes), (SELECT count(l) FROM other.notes)"
load
before=$(sql "$sums")

# --- policies

head_of_plan='plan: listings
table: listings
steps:
  - discover:
      children:
'
tail_of_plan='  - track:
      duplicates: [code]
  - delete-children
  - delete
'
printf '%s%s' "${head_of_plan/ children:/ missing_index: stop}" "$tail_of_plan" >"$work/plan.yaml"
pgw run plan.yaml
is "$code" 3 'edges without policy: exit code 3'
is "$(sql "$sums")" "$before" 'and nothing is changed'
lines=$(grep -E '^ +[^ ].*: (delete|set-null|stop)  #' <<<"$err")
is "$(wc -l <<<"$lines")" 3 'a line for each of the edges, also below the first ones'
printf '%s%s\n%s' "$head_of_plan" "$lines" "$tail_of_plan" >"$work/plan.yaml"
pgw check plan.yaml
is "$code" 0 'the printed lines, pasted into the plan, are valid' || diag "$all"

pgw explain --json plan.yaml
is "$code" 0 'explain of the pasted plan' || diag "$all"
cp "$work/.out" "$work/explain.json"
is "$(psql -XAtq -v j="$out" <<<"SELECT string_agg(k, ' ' ORDER BY k) FROM json_object_keys(:'j'::json) k WHERE k <> 'throttle'")" \
    'fingerprint plan problems risks steps table track tree' 'explain --json has the keys of the contract'
is "$(psql -XAtq -v j="$out" <<<"SELECT bool_and((e::jsonb) ?& ARRAY['constraint','child','columns','parent','parent_columns','depth','on_delete','policy','rows','indexed','cycle']) FROM json_array_elements(:'j'::json->'tree') e")" \
    t 'and those of an edge'
is "$(psql -XAtq -v j="$out" <<<"SELECT e->>'child', e->>'policy', e->>'on_delete', e->>'rows', e->>'depth' FROM json_array_elements(:'j'::json->'tree') e ORDER BY 1")" \
    "other.notes|set-null|SET NULL|60|1
public.\"Odd 'Likes'\"|delete|NO ACTION|120|2
public.posts|delete|CASCADE|60|1" 'rows by edge, as they were made'
is "$(psql -XAtq -v j="$out" <<<"SELECT :'j'::json->'track'->>'rows', :'j'::json->'track'->>'groups', :'j'::json->'track'->>'share'")" '30|10|0.75' \
    'tracked rows, groups, share'
is "$(sql "$sums")" "$before" 'explain changes nothing'
pgw explain plan.yaml
like "$out" '30 of 40 rows would go' 'explain as text: the rows'
like "$out" 'posts.listing_id' 'and the tree'

pgw run plan.yaml --output json
is "$code" 0 'and make it pass' || diag "$all"
is_sql "$counts" "$left" 'what explain counted is gone, and no more'
is_sql 'SELECT rows FROM pgwinnow.steps WHERE name IN ($$delete-children$$, $$delete$$) AND run = (SELECT max(run) FROM pgwinnow.runs) ORDER BY name' \
    '30
240' 'what the run counted is what explain counted'
pgw run plan.yaml
is "$code" 0 'a second run of a finished plan: exit code 0'
like "$all" 'nothing to do' 'it says that there is nothing to do'
is_sql "$counts" "$left" 'and changes nothing'

sed 's/^      children:/&\n              nosuch.listing_id: delete/' "$work/plan.yaml" >"$work/wrong.yaml"
pgw run wrong.yaml
is "$code" 2 'a policy for an edge that is not there'
like "$err" 'wrong.yaml:6:15: .*nosuch' 'has its place'

star() { printf 'plan: star-%s\ntable: listings\nsteps:\n  - discover: { children: { "*": %s } }\n%s' "$1" "$2" "$tail_of_plan" >"$work/star.yaml"; }
load
star a delete
pgw run star.yaml
is "$code" 3 '"*": delete is asked for'
like "$err" '--tree ([0-9a-f]{12})' 'the fingerprint is told'
tree=$(grep -oE -e '--tree [0-9a-f]+' <<<"$err" | head -1 | cut -d' ' -f2)
is "$(psql -XAtq -v j="$(cat "$work/explain.json")" <<<"SELECT :'j'::json->>'fingerprint'")" "$tree" 'it is the one of explain'
pgw run star.yaml --tree 0123456789ab
is "$code" 3 'another fingerprint is refused'
pgw run star.yaml --tree "$tree"
is "$code" 0 '--tree accepts it' || diag "$all"
is_sql "$counts" '10|20|40|20|20' 'and all children go'
load
star b delete
pgw run star.yaml --yes
is "$code" 0 '--yes accepts it'
load
star c stop
pgw run star.yaml
is "$code" 3 '"*": stop needs no yes, and stops'
is "$(sql "$sums")" "$before" 'with nothing changed'
sql 'DELETE FROM "Odd '"'Likes'"'"; DELETE FROM posts; DELETE FROM other.notes'
pgw run star.yaml
is "$code" 0 'without children it passes' || diag "$all"
is_sql 'SELECT count(*) FROM listings' 10 'and removes the rows'

# --- a plan that was changed, canaries, until

load
cat >"$work/plan.yaml" <<PLAN
plan: steps
table: listings
batch: { size: 8, min: 1, max: 8, pause: 0ms }
variables: { column: { default: code } }
steps:
  - discover: { children: { posts.listing_id: delete, "\"Odd 'Likes'\".\"Post Id\"": delete, 'other.notes(t, l)': delete } }
  - track: { duplicates: ["\${column}"] }
  - check: { as: look, query: SELECT count(*) FROM listings, is: 40 }
  - delete-children
  - delete
PLAN
pgw run plan.yaml --until trck
is "$code" 2 '--until an unknown step'
like "$err" 'did you mean track' 'the nearest is named'
pgw run plan.yaml --until look
is "$code" 75 '--until a step, by its other name: exit code 75' || diag "$all"
is "$(sql "$sums")" "$before" 'nothing is removed yet'
is_sql 'SELECT count(*) FROM pgwinnow.track_'"$(sql 'SELECT max(run) FROM pgwinnow.runs')" 30 'what will go can be queried'
sed 's/duplicates: .*/duplicates: [tenant, code] }/' "$work/plan.yaml" >"$work/changed.yaml"
pgw run changed.yaml
is "$code" 3 'a plan changed in the middle of a run is refused'
like "$err" 'duplicates.*tenant' 'with what changed'
sed 's/size: 8/size: 4/; s/^plan: steps/&\nabout: other words/' "$work/plan.yaml" >"$work/same.yaml"
pgw run same.yaml --max-rows 7
is "$code" 75 '--max-rows: exit code 75; other batch sizes and words do not count as a change' || diag "$all"
gone=$((40 - $(sql 'SELECT count(*) FROM listings')))
ok $((gone < 5 || gone > 9)) "about so many rows are gone: $gone"
pgw run plan.yaml --set column=mail
is "$code" 3 '--set of a variable that counts is a change'
pgw run changed.yaml --fresh --until track
is "$code" 75 '--fresh starts anew' || diag "$all"
is_sql "SELECT state FROM pgwinnow.runs WHERE plan = 'steps' ORDER BY run" 'cancelled
paused' 'the old run is cancelled'
pgw run plan.yaml --fresh --until track --set column=mail
is "$code" 75 '--set with --fresh'
is_sql 'SELECT count(*) FROM pgwinnow.track_'"$(sql 'SELECT max(run) FROM pgwinnow.runs')" 0 'the variable is used: no mail, no duplicates'
sed -i '/as: look/d' "$work/plan.yaml"
pgw run plan.yaml --fresh
is "$code" 0 'and to the end' || diag "$all"
is_sql "$counts" '10|20|40|20|20' 'all copies are gone'

load
cat >"$work/when.yaml" <<'PLAN'
plan: when
table: posts
steps:
  - discover: { children: { "\"Odd 'Likes'\".\"Post Id\"": delete } }
  - track: { where: id > 70 }
  - check: { as: never, query: SELECT 1, is: 2, when: { query: SELECT count(*) = 3 FROM listings, is: t } }
  - delete: { as: rather, when: { query: SELECT count(*) FROM listings, is: 40 } }
PLAN
pgw run when.yaml
is "$code" 0 'when' || diag "$all"
is_sql "SELECT name, state, rows FROM pgwinnow.steps WHERE run = (SELECT max(run) FROM pgwinnow.runs) AND name IN ('never', 'rather') ORDER BY 1" 'never|skipped|0
rather|done|10' 'a step whose condition does not hold is skipped, the other runs'
is_sql 'SELECT count(*) FROM posts' 70 'once'

# --- environments, connections

cat >"$work/env.yaml" <<PLAN
plan: env
table: listings
environments:
  staging: { database: "\${STAGING_URL}" }
  production: { database: "host=$PGHOST dbname=$PGDATABASE user=$PGUSER", confirm: true }
steps:
  - track: { where: false }
PLAN
pgw run env.yaml
is "$code" 2 'a plan with environments needs --env'
like "$err" 'staging, production' 'they are named'
pgw run env.yaml --env production
is "$code" 3 'confirm: refused when nobody is there'
pgw run env.yaml --env production --yes
is "$code" 0 'confirm: --yes' || diag "$all"
is_sql "SELECT environment FROM pgwinnow.runs WHERE plan = 'env'" production 'the run knows its environment'
STAGING_URL='host=/nowhere password=geheim' pgw run env.yaml --env staging
is "$code" 5 'no connection: exit code 5'
unlike "$all" geheim 'the secret is not shown'
pgw run when.yaml --database "host=$PGHOST dbname=nosuch"
is "$code" 5 'a wrong database: exit code 5'
like "$err" 'nosuch' 'it is named'
unset STAGING_URL
pgw run env.yaml --env staging
is "$code" 2 'a variable that is not set: exit code 2'

# --- rights

load
sql "CREATE ROLE reader_$$ LOGIN; CREATE ROLE worker_$$ LOGIN; GRANT USAGE ON SCHEMA other TO reader_$$;
     GRANT SELECT ON ALL TABLES IN SCHEMA public, other TO reader_$$; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO worker_$$;
     DROP SCHEMA pgwinnow CASCADE" 2>/dev/null
printf '%s%s\n%s' "$head_of_plan" "$lines" "$tail_of_plan" >"$work/plan.yaml"
before=$(sql "$sums")
PGUSER=reader_$$ pgw explain --json plan.yaml
is "$code" 0 'explain works for a role that may only read' || diag "$all"
is "$(psql -XAtq -v j="$out" <<<"SELECT sum((e->>'rows')::int) FROM json_array_elements(:'j'::json->'tree') e")" 240 'with the same counts'
like "$out" 'GRANT ' 'and tells which rights a run would need'
is "$(sql "$sums")" "$before" 'and changes nothing'
is_sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgwinnow'" 0 'no schema is made either'
for round in 1 2 3; do
    PGUSER=worker_$$ pgw run plan.yaml
    [ "$code" = 3 ] || break
    grants=$(grep -oE 'GRANT .*;' <<<"$err")
    [ $round = 1 ] && like "$grants" 'GRANT .*DELETE.* ON public.listings TO' 'missing rights: exit code 3 with GRANTs'
    sql "$grants" || break
done
is "$code" 0 'run by the owner, they make it pass' || diag "$all"
is "$round" 2 'all of them were told at once'
is_sql "$counts" "$left" 'and the rows are gone'
sql "DROP OWNED BY reader_$$; DROP OWNED BY worker_$$ CASCADE; DROP ROLE reader_$$; DROP ROLE worker_$$" 2>/dev/null

# --- explain where run would refuse

load
printf '%s%s' "${head_of_plan/ children:/ missing_index: stop}" "$tail_of_plan" >"$work/plan.yaml"
sql 'DROP INDEX posts_listing_id_idx'
pgw explain --json plan.yaml
is "$code" 3 'explain of a plan that run would refuse: exit code 3'
is "$(psql -XAtq -v j="$out" <<<"SELECT json_array_length(:'j'::json->'problems'), :'j'::json->'track'->>'rows', json_array_length(:'j'::json->'tree')")" \
    '2|30|2' 'with the problems, the rows, and the edges that are reached'
pgw explain plan.yaml
is "$code" 3 'the same as text'
like "$out" 'CREATE INDEX CONCURRENTLY ON .*posts' 'an index that is missing'
like "$out" 'posts.listing_id: delete  #' 'the lines to paste'
done_testing
