/* Entering a lane, as statements. Leaves waiting and telling to engine/lanes.c. */
#include "state/lanes.h"

#include "sql/state/lanes.sql.h"

enum { GONE_SECONDS = 5 }; /* for a runner whose connection broke to connect anew */

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static const char *keep(struct arena *arena, const struct rows *rows, int column) {
    const char *text = rows_text(rows, 0, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static struct lane_blocker *in_the_way(const struct state *state, struct arena *arena, int64_t run, const char *lane,
                                       const char *around, struct error *error) {
    const char *values[] = {number(arena, run), lane, around, number(arena, LEASE_STALE_SECONDS),
                            number(arena, GONE_SECONDS)};
    struct rows *rows = state_ask(state, arena, "looking who is in the lane", &sql_in_the_way, values, 5, error);
    if (!rows || !rows_count(rows)) return NULL;
    struct lane_blocker *found = arena_alloc(arena, sizeof *found);
    *found = (struct lane_blocker){.run = rows_int(rows, 0, 0),
                                   .fence = rows_int(rows, 0, 4),
                                   .plan = keep(arena, rows, 1),
                                   .environment = keep(arena, rows, 2),
                                   .holder = keep(arena, rows, 3),
                                   .age = rows_number(rows, 0, 5),
                                   .lane = lane,
                                   .there = rows_flag(rows, 0, 6),
                                   .dead = rows_flag(rows, 0, 7),
                                   .table = keep(arena, rows, 8)};
    return found;
}

static void enter(const struct state *state, struct arena *arena, const struct holder *holder, const char *lane,
                  const char *tables, struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence), lane, tables};
    struct rows *rows = state_ask(state, arena, "entering the lane", &sql_enter, values, 4, error);
    if (!rows || rows_affected(rows) > 0) return;
    fail(error, FAULT_HELD, "the lease of this run was taken over by another runner");
    fail_hint(error, "`pgwinnow status` shows who runs it now");
}

struct lane_blocker *lanes_enter(const struct state *state, struct arena *arena, const struct holder *holder,
                                 const struct lane_claim *claim, struct error *error) {
    state_ask(state, arena, "locking the gate of the lanes", &sql_lock_gate, NULL, 0, error);
    const char *values[] = {number(arena, holder->run), claim->tables, claim->lane};
    struct rows *rows = state_ask(state, arena, "listing the tables of the run", &sql_spread, values, 3, error);
    if (!rows) return NULL;
    const char *tables = keep(arena, rows, 0), *around = keep(arena, rows, 1), *lane = keep(arena, rows, 2);
    struct lane_blocker *found = in_the_way(state, arena, holder->run, lane, around, error);
    if (!found && holder->fence) enter(state, arena, holder, lane, tables, error);
    return found;
}

void lanes_clear(const struct state *state, struct arena *arena, const struct lane_blocker *dead, struct error *error) {
    const char *values[] = {number(arena, dead->run), number(arena, dead->fence), number(arena, LEASE_STALE_SECONDS),
                            number(arena, GONE_SECONDS)};
    state_ask(state, arena, "shutting out a runner that is gone", &sql_clear, values, 4, error);
}

void lanes_queue(const struct state *state, struct arena *arena, const struct holder *holder, const char *reason,
                 struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence), reason};
    state_ask(state, arena, "recording why the run waits", &sql_queue, values, 3, error);
}

void lanes_leave_queue(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    state_ask(state, arena, "recording that the run waits no more", &sql_leave_queue, values, 1, error);
}
