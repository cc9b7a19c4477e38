#!/bin/bash
# The memory of the runner does not grow with the rows it removes, nor with the batches it takes for them.
#
#   MEMORY_ROWS=2000000 tests/with-postgres tests/db/memory.t      the long version
. "$(dirname "$0")/lib.sh"

many=${MEMORY_ROWS:-200000}

# watch WHAT: runs plan.yaml; $kb is the largest resident size that the program had
watch() {
    pgw_start run plan.yaml
    kb=0
    while read -r found < <(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null); do
        [ "${found:-0}" -gt "$kb" ] && kb=$found
        sleep 0.05
    done
    pgw_end
    is "$code" 0 "$1: the run ends well" || diag "$all"
    diag "$1: $kb kB"
}

# peak ROWS BATCH: a plan over so many rows, each with a child
peak() {
    new_database memory
    sql "CREATE UNLOGGED TABLE rows (id int PRIMARY KEY, grp int);
         CREATE UNLOGGED TABLE below (id int PRIMARY KEY, row_id int);
         INSERT INTO rows SELECT n, n / 2 FROM generate_series(1, 2 * $1) n;
         INSERT INTO below SELECT n, n FROM generate_series(1, 2 * $1) n;
         CREATE INDEX ON below (row_id);
         ALTER TABLE below ADD FOREIGN KEY (row_id) REFERENCES rows"
    plan <<PLAN
plan: memory
table: rows
batch: { size: $2, min: $2, max: $2, pause: 0ms, workers: 2 }
steps:
  - discover: { children: { below.row_id: delete } }
  - track: { where: id % 2 = 0 }
  - delete-children
  - delete
PLAN
    watch "$1 rows by $2"
    is_sql 'SELECT count(*), (SELECT count(*) FROM below) FROM rows' "$1|$1" "$1 rows by $2: they are gone"
}

peak 10000 1000
few=$kb
ok $((few == 0)) 'its size was seen'
peak "$many" 1000
ok $((kb - few >= 2048)) "$many rows take no more memory than 10000" || diag "$kb kB, $few kB"
ok $((kb >= 20480)) 'less than 20 MB' || diag "$kb kB"
peak "$many" 50000
ok $((kb - few >= 2048)) "nor do batches of 50000" || diag "$kb kB, $few kB"

# peak_of_rule ROWS: a rule in Lua judges so many rows, in groups of four; one group is of 2,000
peak_of_rule() {
    new_database memory
    sql "CREATE UNLOGGED TABLE rows (id int PRIMARY KEY, grp int, note text);
         INSERT INTO rows SELECT n, CASE WHEN n <= 2000 THEN 0 ELSE n / 4 END, repeat('n', 50) FROM generate_series(1, $1) n; ANALYZE rows"
    echo 'return { keep = function(rows) return #rows end }' >"$work/rule.lua"
    plan <<'PLAN'
plan: memory
table: rows
batch: { size: 20000, max: 50000, pause: 0ms, workers: 2 }
steps:
  - discover
  - track: { duplicates: [grp], keep: { lua: rule.lua } }
  - delete
PLAN
    watch "a rule over $1 rows"
    is_sql 'SELECT count(*) = count(DISTINCT grp), max(id) FROM rows' "t|$1" "a rule over $1 rows: one of each group is left"
}

peak_of_rule 10000
few=$kb
peak_of_rule "${MEMORY_ROWS:-500000}"
ok $((kb - few >= 2048)) 'a rule over many rows takes no more memory than over 10000' || diag "$kb kB, $few kB"
ok $((kb >= 20480)) 'less than 20 MB' || diag "$kb kB"
done_testing
