/* Taking, giving back and listing named leases. */
#include "state/locks.h"

#include "sql/state/locks.sql.h"
#include "state/lease.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

int64_t locks_take(const struct state *state, struct arena *arena, const char *name, const char *command,
                   int64_t ttl_ms, struct error *error) {
    const char *values[] = {name, lease_ourselves(arena), command, number(arena, ttl_ms)};
    struct rows *rows = state_ask(state, arena, "taking the lock", &sql_take_lock, values, 4, error);
    return rows && rows_count(rows) ? rows_int(rows, 0, 0) : 0;
}

void locks_release(const struct state *state, struct arena *arena, const char *name, int64_t fence,
                   struct error *error) {
    const char *values[] = {name, number(arena, fence)};
    state_ask(state, arena, "giving the lock back", &sql_release_lock, values, 2, error);
}

struct lock_holder *locks_held(const struct state *state, struct arena *arena, const char *name, size_t *count,
                               struct error *error) {
    const char *schema[] = {state->schema}, *values[] = {name};
    *count = 0;
    struct rows *rows = state_ask(state, arena, "looking for locks", &sql_has_locks, schema, 1, error);
    if (!rows || !rows_flag(rows, 0, 0)) return NULL;
    rows = state_ask(state, arena, "reading the locks", &sql_held_locks, values, 1, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct lock_holder *held = arena_alloc(arena, (*count + 1) * sizeof *held);
    for (int i = 0; i < (int)*count; i++)
        held[i] = (struct lock_holder){rows_text(rows, i, 0), rows_text(rows, i, 1), rows_text(rows, i, 2),
                                       rows_int(rows, i, 3),  rows_int(rows, i, 4),  rows_int(rows, i, 5)};
    return held;
}

const char *locks_beat_text(struct arena *arena, const char *schema, struct error *error) {
    return sql_expand(arena, &sql_beat_lock, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}
