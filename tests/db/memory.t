#!/bin/bash
# The memory of the runner does not grow with the rows it removes, nor with the batches it takes for them.
#
#   MEMORY_ROWS=2000000 tests/with-postgres tests/db/memory.t      the long version
. "$(dirname "$0")/lib.sh"

many=${MEMORY_ROWS:-200000}

# peak ROWS BATCH: runs a plan over so many rows, each with a child; $kb is the largest resident size it had
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
    pgw_start run plan.yaml
    kb=0
    while read -r found < <(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null); do
        [ "${found:-0}" -gt "$kb" ] && kb=$found
        sleep 0.05
    done
    pgw_end
    is "$code" 0 "$1 rows by $2: the run ends well" || diag "$all"
    is_sql 'SELECT count(*), (SELECT count(*) FROM below) FROM rows' "$1|$1" "$1 rows by $2: they are gone"
    diag "$1 rows by $2: $kb kB"
}

peak 10000 1000
few=$kb
ok $((few == 0)) 'its size was seen'
peak "$many" 1000
ok $((kb - few >= 2048)) "$many rows take no more memory than 10000" || diag "$kb kB, $few kB"
ok $((kb >= 20480)) 'less than 20 MB' || diag "$kb kB"
peak "$many" 50000
ok $((kb - few >= 2048)) "nor do batches of 50000" || diag "$kb kB, $few kB"
done_testing
