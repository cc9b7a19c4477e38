/* Statements about what is wanted of runs. */
#include "state/control.h"

#include "sql/state/control.sql.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static const char *keep(struct arena *arena, const struct rows *rows, int row, int column) {
    const char *text = rows_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static bool changed(const struct rows *rows) { return rows && rows_affected(rows) > 0; }

bool control_pause(const struct state *state, struct arena *arena, int64_t run, bool hold, struct error *error) {
    const char *values[] = {number(arena, run), hold ? "true" : "false"};
    return changed(state_ask(state, arena, "asking for a pause", &sql_ask_pause, values, 2, error));
}

bool control_resume(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    return changed(state_ask(state, arena, "taking the pause back", &sql_ask_resume, values, 1, error));
}

bool control_cancel(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    return changed(state_ask(state, arena, "asking for the run to be cancelled", &sql_ask_cancel, values, 1, error));
}

static const char *first(const struct state *state, struct arena *arena, int64_t run, const char *about,
                         const struct sql *sql, struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, about, sql, values, 1, error);
    return rows && rows_count(rows) ? keep(arena, rows, 0, 0) : NULL;
}

const char *control_approve(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    return first(state, arena, run, "giving the approval", &sql_give_approval, error);
}

const char *control_unapproved(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    return first(state, arena, run, "looking for what waits for an approval", &sql_unapproved, error);
}

struct approval *control_approval(const struct state *state, struct arena *arena, int64_t run, size_t step, int round,
                                  struct error *error) {
    const char *values[] = {number(arena, run), number(arena, (int64_t)step), number(arena, round)};
    struct rows *rows = state_ask(state, arena, "looking for the approval", &sql_approval, values, 3, error);
    if (!rows || !rows_count(rows)) return NULL;
    struct approval *found = arena_alloc(arena, sizeof *found);
    *found = (struct approval){keep(arena, rows, 0, 0), keep(arena, rows, 0, 1)};
    return found;
}

void control_wait(const struct state *state, struct arena *arena, const struct holder *holder, const char *reason,
                  const char *until, struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence), reason, until};
    runs_must_hold(state_ask(state, arena, "saying why it waits", &sql_wait, values, 4, error), error);
}
