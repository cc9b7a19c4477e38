/* Taking guards down. Owns the order: disarmed, then the trigger, then what is behind it. */
#include "work/guard.h"

#include "base/text.h"
#include "database/bindings.h"
#include "database/frame.h"
#include "sql/work/guard.sql.h"
#include "work/retry.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static void say(const struct state *state, struct arena *arena, const char *about, const struct sql *sql,
                const struct bindings *b, const char *const *values, int count, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    ask(state->slot, arena, &(struct statement){about, text, values, count}, error);
}

static const char *keep(struct arena *arena, const struct rows *rows, int row, int column) {
    const char *text = rows_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static struct guard *read_guards(const struct state *state, struct arena *arena, const char *const values[2],
                                 size_t *count, struct error *error) {
    struct rows *rows = state_ask(state, arena, "reading the guards", &sql_guards, values, 2, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct guard *guards = arena_alloc(arena, (*count + 1) * sizeof *guards);
    for (int i = 0; i < (int)*count; i++)
        guards[i] = (struct guard){.run = rows_int(rows, i, 0),
                                   .step = (int)rows_int(rows, i, 1),
                                   .until = (int)rows_int(rows, i, 2),
                                   .name = keep(arena, rows, i, 3),
                                   .constraint = keep(arena, rows, i, 4),
                                   .disarmed = rows_flag(rows, i, 5),
                                   .stands = rows_flag(rows, i, 8),
                                   .table = keep(arena, rows, i, 6),
                                   .trigger = keep(arena, rows, i, 7)};
    return guards;
}

struct guard *guards_of(const struct state *state, struct arena *arena, int64_t run, size_t *count,
                        struct error *error) {
    const char *values[] = {number(arena, run), NULL};
    return read_guards(state, arena, values, count, error);
}

/* --- transactions of our own: clean has no run --- */

static void begin(const struct state *state, struct arena *arena, const char *about, int64_t lock_timeout,
                  struct error *error) {
    const struct bindings none = {0};
    const char *values[] = {arena_printf(arena, "%lldms", (long long)lock_timeout)};
    if (failed(error)) return;
    frame_begin(state->slot, arena, error);
    say(state, arena, about, &sql_guard_settings, &none, values, 1, error);
}

static struct bindings names(const struct state *state, struct arena *arena, const struct guard *guard) {
    struct bindings b = {0};
    bind(&b, "state", state->schema);
    bind(&b, "function", sql_qualified(arena, state->schema, guard->name));
    bind(&b, "claims", sql_qualified(arena, state->schema, guard->name));
    bind(&b, "trigger", guard->trigger ? guard->trigger : "");
    bind(&b, "table", guard->table ? guard->table : "");
    return b;
}

enum { PATIENT_MS = 10000 }; /* nobody queues behind what is only ours */

void guard_disarm(const struct state *state, struct arena *arena, const struct guard *guard, struct error *error) {
    if (guard->disarmed || failed(error)) return;
    const char *about = arena_printf(arena, "disarming the guard %s", guard->constraint);
    const char *values[] = {number(arena, guard->run), number(arena, guard->step)};
    struct bindings b = names(state, arena, guard);
    begin(state, arena, about, PATIENT_MS, error);
    say(state, arena, about, &sql_disarm, &b, NULL, 0, error);
    say(state, arena, about, &sql_note_disarmed, &b, values, 2, error);
    frame_end(state->slot, arena, error);
}

void guard_drop(const struct state *state, struct arena *arena, const struct guard *guard, int64_t lock_timeout,
                struct error *error) {
    const char *about = arena_printf(arena, "dropping the guard %s", guard->constraint);
    const char *values[] = {number(arena, guard->run), number(arena, guard->step)};
    struct bindings b = names(state, arena, guard);
    if (guard->trigger && !failed(error)) {
        begin(state, arena, about, lock_timeout, error);
        say(state, arena, about, &sql_drop_guard_trigger, &b, NULL, 0, error);
        frame_end(state->slot, arena, error);
    }
    if (failed(error)) return;
    begin(state, arena, about, lock_timeout, error);
    say(state, arena, about, &sql_drop_guard_function, &b, NULL, 0, error);
    say(state, arena, about, &sql_drop_guard_claims, &b, NULL, 0, error);
    say(state, arena, about, &sql_forget_guard, &b, values, 2, error);
    frame_end(state->slot, arena, error);
}

/* --- for a run --- */

static bool again(struct run *run, const struct error *error, int tries) {
    struct error stopped = error_new(run->arena);
    if (retry_verdict(error, false) != VERDICT_LATER || tries > run_settings(run, run->step)->locks.retries)
        return false;
    if (run->tidying) return false; /* whoever cancelled it waits for the end of it */
    run_check_stop(run, &stopped);
    if (failed(&stopped)) return false;
    wire_sleep(run->wire, retry_pause(tries));
    return true;
}

static void tell_left(struct run *run, const struct guard *guard, const struct error *why) {
    run_tell(run, EVENT_NOTICE,
             arena_printf(run->arena, "the guard of %s is disarmed, but could not be dropped yet: %s",
                          guard->table ? guard->table : guard->constraint, why->message),
             "its trigger does nothing any more; the run's end tries again, and so does `pgwinnow clean`");
}

static void drop(struct run *run, struct arena *arena, const struct guard *guard, struct error *error) {
    struct error tried = error_new(arena);
    run->progress.doing = "dropping the guard";
    for (int tries = 1;; tries++) {
        error_clear(&tried);
        guard_drop(&run->state, arena, guard, run_settings(run, run->step)->locks.ddl_timeout, &tried);
        if (!failed(&tried) || !again(run, &tried, tries)) break;
    }
    run->progress.doing = NULL;
    if (tried.fault == FAULT_CONNECTION)
        error_promote(error, &tried);
    else if (failed(&tried))
        tell_left(run, guard, &tried);
}

void guards_end(struct run *run, int until, struct error *error) {
    if (failed(error)) return;
    struct arena *arena = arena_new(run->arena);
    size_t count;
    struct guard *guards = guards_of(&run->state, arena, run->holder.run, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++) {
        if (until >= 0 && guards[i].until != until) continue;
        guard_disarm(&run->state, arena, &guards[i], error);
        if (!failed(error)) drop(run, arena, &guards[i], error);
    }
    arena_free(arena);
}

void guards_drop_left(struct run *run, const struct table *table, struct error *error) {
    if (failed(error)) return;
    struct arena *arena = arena_new(run->arena);
    const char *values[] = {NULL, arena_printf(arena, "%u", table->oid)};
    size_t count;
    struct guard *guards = read_guards(&run->state, arena, values, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++) {
        guard_disarm(&run->state, arena, &guards[i], error);
        guard_drop(&run->state, arena, &guards[i], run_settings(run, run->step)->locks.ddl_timeout, error);
    }
    arena_free(arena);
}
