/* THE table of what may make a run wait, and how sizes are said. */
#include "work/throttle/limit.h"

const struct limit *const limit_table[] = {
    &window_limit,
    &replica_lag_limit,
    &slot_lag_limit,
    &wal_rate_limit,
    &oldest_transaction_limit,
    &waiters_limit,
    &query_limit,
    NULL,
};

const char *look_size(struct arena *arena, int64_t bytes) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit < 4; unit++) size /= 1024;
    return unit ? arena_printf(arena, "%.1f %s", size, units[unit])
                : arena_printf(arena, "%lld bytes", (long long)bytes);
}
