/* Trials of what the plan says, and rights. Each distinct text is tried once: most steps have the plan's own. */
#include "work/throttle_check.h"

#include "base/clock.h"
#include "base/text.h"
#include "database/sql.h"
#include "sql/work/throttle_check.sql.h"
#include "work/throttle/limit.h"

static void try_out(struct run *run, struct place place, const char *key, const struct statement *statement,
                    struct problems *problems, struct error *error) {
    struct error own = error_new(run->arena);
    ask(run->desk, run->arena, &(struct statement){.about = "beginning a trial", .text = sql_save.text}, error);
    if (failed(error)) return;
    if (statement->count)
        ask(run->desk, run->arena, statement, &own);
    else
        slot_describe(run->desk, run->arena, statement, &own);
    ask(run->desk, run->arena, &(struct statement){.about = "ending a trial", .text = sql_back.text}, error);
    if (own.fault == FAULT_CONNECTION || own.fault == FAULT_STOPPED)
        error_promote(error, &own);
    else if (failed(&own))
        problem_add(problems, place, own.hint, "in '%s': %s", key, own.message);
}

static void try_query(struct run *run, const struct throttle_settings *s, struct problems *problems,
                      struct error *error) {
    struct look look = {.arena = run->arena, .settings = s};
    const char *text = query_limit.question(&look, error);
    /* Its $1 is described, not given. */
    try_out(run, s->query.sql.place, "query", &(struct statement){.about = "the server says", .text = text}, problems,
            error);
}

static void try_zone(struct run *run, const struct throttle_settings *s, struct problems *problems,
                     struct error *error) {
    const char **values = arena_alloc(run->arena, sizeof *values);
    *values = s->window.zone;
    try_out(run, s->window.place, "window", &(struct statement){"the server says", sql_zone.text, values, 1}, problems,
            error);
}

static void try_texts(struct run *run, struct problems *problems, struct error *error) {
    const char *query = NULL, *zone = NULL;
    for (size_t i = 0; i <= run->plan->step_count && !failed(error); i++) {
        const struct throttle_settings *s = &run_settings(run, i)->throttle;
        if (s->query.sql.text && s->query.sql.text != query) try_query(run, s, problems, error);
        if (s->window.zone && s->window.zone != zone) try_zone(run, s, problems, error);
        query = s->query.sql.text;
        zone = s->window.zone;
    }
}

static bool on_anywhere(const struct run *run, const struct limit *limit) {
    for (size_t i = 0; i <= run->plan->step_count; i++)
        if (limit->on(&run_settings(run, i)->throttle)) return true;
    return false;
}

static void refuse_blind(struct run *run, const struct limit *limit, const char *user, struct error *error) {
    struct error guard = error_new(run->arena);
    fail(&guard, FAULT_REFUSED, "role %s may not see what `throttle` looks at for %s", user, limit->name);
    fail_hint(&guard, "GRANT pg_monitor TO %s; or in the plan: throttle: { %s: off }", sql_identifier(run->arena, user),
              limit->name);
    run_refuse(run, &guard, error);
}

/* Where there is no standby, replica_lag has nothing to see. */
static void check_rights(struct run *run, struct error *error) {
    struct rows *rows =
        ask(run->desk, run->arena,
            &(struct statement){.about = "looking for the rights of the throttle", .text = sql_sight.text}, error);
    if (!rows || rows_flag(rows, 0, 0)) return;
    const char *user = rows_text(rows, 0, 2);
    for (const struct limit *const *s = limit_table; *s; s++)
        if ((*s)->needs_stats && on_anywhere(run, *s) && (*s != &replica_lag_limit || rows_flag(rows, 0, 1)))
            refuse_blind(run, *s, user, error);
}

void throttle_check(struct run *run, struct problems *problems, struct error *error) {
    if (failed(error)) return;
    try_texts(run, problems, error);
    check_rights(run, error);
}

const char **throttle_told(struct arena *arena, const struct throttle_settings *settings, size_t *count) {
    const char **lines = NULL;
    *count = 0;
    for (const struct limit *const *s = limit_table; *s; s++) {
        if (!(*s)->on(settings)) continue;
        lines = arena_grow(arena, lines, count, sizeof *lines);
        lines[*count - 1] = arena_printf(arena, "%s: %s", (*s)->name, (*s)->about(arena, settings));
    }
    if (settings->give_up > 0) {
        lines = arena_grow(arena, lines, count, sizeof *lines);
        lines[*count - 1] = arena_printf(arena, "give_up: after %s in one go", clock_text(arena, settings->give_up));
    }
    return lines;
}
