# An independent model of a removal, for shapes.t and its like; sourced after lib.sh.
#
#   shape 'a name' <<'SQL' ... SQL       schema public anew, filled by this; copied into plain tables without any constraint
#   edge KEY POLICY CHILD PARENT 'c.pid = p.id' ['pid = NULL']
#   removes ROOT 'condition on r' [batch size] <<'PLAN' ... PLAN
#
# The model knows no catalog: edges are as the test says, by hand. It marks what goes by a loop over the copies, applies that
# to the copies, and compares every table row by row with what pgwinnow left. explain's rows by edge are compared too.

sql_model() {
    sql "CREATE SCHEMA model" && psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE model.edges (key text, policy text, child oid, parent oid, points text, nulls text);
CREATE TABLE model.doomed (rel oid, place tid, level int, PRIMARY KEY (rel, place));
CREATE INDEX ON model.doomed (level);
CREATE FUNCTION model.tables() RETURNS TABLE (rel oid, name text, source text) LANGUAGE sql AS $$
    SELECT c.oid, format('model.m%s', c.oid), CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || c.oid::regclass
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'model', 'pgwinnow') $$;
CREATE FUNCTION model.copy() RETURNS void LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
    FOR t IN SELECT c.oid::regclass AS old FROM pg_class c
              WHERE relnamespace = 'model'::regnamespace AND relname ~ '^m[0-9]+$' LOOP
        EXECUTE format('DROP TABLE %s', t.old);
    END LOOP;
    TRUNCATE model.edges, model.doomed;
    FOR t IN SELECT * FROM model.tables() LOOP
        EXECUTE format('CREATE TABLE %s AS SELECT *, tableoid::regclass::text AS leaf_ FROM %s', t.name, t.source);
    END LOOP;
END $$;
CREATE FUNCTION model.below(e model.edges) RETURNS text LANGUAGE sql AS $$
    SELECT format('FROM model.m%s c JOIN model.m%s p ON %s JOIN model.doomed d ON d.rel = %s AND d.place = p.ctid',
                  e.child, e.parent, e.points, e.parent) $$;
CREATE FUNCTION model.mark(root oid, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE e model.edges; n bigint; found bigint; tracked bigint; depth int := 0;
BEGIN
    EXECUTE format('INSERT INTO model.doomed SELECT %s, r.ctid, 0 FROM model.m%s r WHERE %s', root, root, condition);
    GET DIAGNOSTICS tracked = ROW_COUNT;
    LOOP
        n := 0;
        FOR e IN SELECT * FROM model.edges WHERE policy = 'delete' LOOP
            EXECUTE format('INSERT INTO model.doomed SELECT DISTINCT %s::oid, c.ctid, %s + 1 %s AND d.level = %s ON CONFLICT DO NOTHING',
                           e.child, depth, model.below(e), depth);
            GET DIAGNOSTICS found = ROW_COUNT;
            n := n + found;
        END LOOP;
        EXIT WHEN n = 0;
        depth := depth + 1;
    END LOOP;
    RETURN tracked;
END $$;
-- Rows that each edge leads to, one line an edge.
CREATE FUNCTION model.counts() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE e model.edges; n bigint;
BEGIN
    FOR e IN SELECT * FROM model.edges ORDER BY key COLLATE "C", parent::regclass::text COLLATE "C" LOOP
        EXECUTE format('SELECT count(DISTINCT c.ctid) %s', model.below(e)) INTO n;
        RETURN NEXT e.key || ': ' || n;
    END LOOP;
END $$;
CREATE FUNCTION model.apply() RETURNS void LANGUAGE plpgsql AS $$
DECLARE e model.edges; t record;
BEGIN
    FOR e IN SELECT * FROM model.edges WHERE policy = 'set-null' LOOP
        EXECUTE format('UPDATE model.m%s x SET %s WHERE x.ctid IN (SELECT c.ctid %s) AND (%s, x.ctid) NOT IN (SELECT rel, place FROM model.doomed)',
                       e.child, e.nulls, model.below(e), e.child);
    END LOOP;
    FOR t IN SELECT * FROM model.tables() LOOP
        EXECUTE format('DELETE FROM %s x USING model.doomed d WHERE d.rel = %s AND d.place = x.ctid', t.name, t.rel);
    END LOOP;
END $$;
CREATE FUNCTION model.differences() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
    FOR t IN SELECT * FROM model.tables() ORDER BY rel LOOP
        RETURN QUERY EXECUTE format('
            SELECT * FROM (SELECT %1$L || '' should be gone: '' || x::text FROM (SELECT *, tableoid::regclass::text AS leaf_ FROM %2$s) x
                    EXCEPT ALL SELECT %1$L || '' should be gone: '' || x::text FROM %3$s x) a
            UNION ALL
            SELECT * FROM (SELECT %1$L || '' should be there: '' || x::text FROM %3$s x
                    EXCEPT ALL SELECT %1$L || '' should be there: '' || x::text FROM (SELECT *, tableoid::regclass::text AS leaf_ FROM %2$s) x) b',
            t.rel::regclass::text, t.source, t.name);
    END LOOP;
END $$;
SQL
}

shapes=0
shape() {
    shape=$1 children=''
    shapes=$((shapes + 1))
    { echo 'SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public;'
      cat; echo 'SELECT model.copy();'; } >"$work/shape.sql"
    psql -XAtq -v ON_ERROR_STOP=1 -f "$work/shape.sql" >/dev/null || { ok 1 "$shape: the schema loads"; return 1; }
}

# Again from the start, with the same edges: after a first removal.
again() {
    shapes=$((shapes + 1))
    sql "SELECT key, policy, child::regclass, parent::regclass, points, nulls FROM model.edges" >"$work/edges"
    psql -XAtq -v ON_ERROR_STOP=1 -f "$work/shape.sql" >/dev/null
    local old=$children
    while IFS='|' read -r key policy child parent points nulls; do edge "$key" "$policy" "$child" "$parent" "$points" "$nulls"; done <"$work/edges"
    children=$old
}

# edge KEY POLICY CHILD PARENT POINTS [NULLS]
edge() {
    psql -XAtq -v ON_ERROR_STOP=1 -v k="$1" -v o="$2" -v c="$3" -v p="$4" -v w="$5" -v n="${6:-}" >/dev/null <<'SQL' || ok 1 "$shape: edge $1"
INSERT INTO model.edges VALUES (:'k', :'o', :'c'::regclass, :'p'::regclass, :'w', :'n')
SQL
    local line="            '${1//\'/\'\'}': $2"
    [[ $'\n'$children == *$'\n'"$line"$'\n'* ]] || children+=$line$'\n'
}

# write_plan TABLE 'discover options' <<track options: a plan with the children that edge collected
write_plan() {
    {
        echo "plan: shape-$shapes"
        printf 'table: %s\n' "'${1//\'/\'\'}'"
        echo "batch: { size: ${2:-1000}, min: 1, max: ${2:-1000}, pause: 0ms }"
        echo 'steps:'
        echo '  - discover:'
        echo "      missing_index: ${missing_index:-ignore}"
        if [ -n "$children" ]; then printf '      children:\n%s' "$children"; fi
        echo '  - track:'
        sed 's/^/      /'
        echo '  - delete-children'
        echo '  - delete'
    } >"$work/plan.yaml"
}

# agrees TABLE 'condition on r' [SIZE] <<track options: explain, run, compare; batches of at most SIZE rows
# ROOT_MODEL: the model's table, where the plan's is a partition.
agrees() {
    name="$shape${3:+, batches of $3}"
    write_plan "$1" "${3:-1000}"
    tracked=$(psql -XAtq -v ON_ERROR_STOP=1 -v r="${ROOT_MODEL:-$1}" -v w="$2" <<<"SELECT model.mark(:'r'::regclass, :'w')")
    [ -n "${explained:-}" ] || check_explain
    sql 'SELECT model.apply()' >/dev/null
    pgw run plan.yaml --output plain
    is "$code" 0 "$name: run" || diag "$(tail -8 <<<"$all")"
    is "$(sql 'SELECT model.differences()' | head -5)" '' "$name: the tables are as the model says"
    is_sql "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgwinnow'::regnamespace
               AND relname ~ ('^(family|list|order)_' || (SELECT max(run) FROM pgwinnow.runs) || '(_|$)')" 0 \
        "$name: no helper tables are left"
}

check_explain() {
    local tracked_json rows_json
    pgw explain --json plan.yaml
    is "$code" 0 "$name: explain" || diag "$err"
    rows_json=$(psql -XAtq -v j="$out" <<'SQL'
SELECT format('%s: %s', e->>'key', e->>'rows') FROM json_array_elements(:'j'::json->'tree') e
 ORDER BY (e->>'key') COLLATE "C", (e->>'parent') COLLATE "C"
SQL
    )
    is "$rows_json" "$(sql 'SELECT model.counts()')" "$name: explain counts the rows by edge"
    tracked_json=$(psql -XAtq -v j="$out" <<<"SELECT :'j'::json->'track'->>'rows'")
    is "$tracked_json" "$tracked" "$name: explain counts what is tracked"
}

# both TABLE 'condition' [SIZE] <<track: large batches, then the same from the start with tiny ones
both() {
    local track explained=
    track=$(cat)
    agrees "$1" "$2" <<<"$track"
    again
    explained=1
    agrees "$1" "$2" "${3:-3}" <<<"$track"
}
