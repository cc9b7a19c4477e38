/* Reading runs and their steps, and working out what follows from them: how fast it goes, how long it takes. */
#include "state/overview.h"

#include "base/clock.h"
#include "base/text.h"
#include "sql/state/overview.sql.h"
#include "state/lease.h"

/* Of the state schema: older ones have no such tables, and looking does not upgrade them. */
enum { ACTS_VERSION = 3, GUARDS_VERSION = 3, WEBHOOKS_VERSION = 4 };

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static const char *number_or_null(struct arena *arena, int64_t n) { return n ? number(arena, n) : NULL; }

static const char *keep(struct arena *arena, const struct rows *rows, int row, int column) {
    const char *text = rows_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static int64_t int_or(const struct rows *rows, int row, int column, int64_t otherwise) {
    return rows_text(rows, row, column) ? rows_int(rows, row, column) : otherwise;
}

const char *overview_kept_nothing(const struct overview *o) {
    for (size_t i = 0; i < o->step_count; i++)
        if (o->steps[i].kept_nothing) return o->steps[i].name;
    return NULL;
}

bool overview_over(const struct overview *o) {
    return text_equal(o->state, "finished") || text_equal(o->state, "cancelled") || text_equal(o->state, "undone");
}

static bool works(const struct overview *o) {
    return text_equal(o->state, "running") || text_equal(o->state, "waiting") ||
           (text_equal(o->state, "undoing") && o->alive);
}

/* --- steps --- */

static struct overview_step step_of(struct arena *arena, const struct rows *rows, int i) {
    return (struct overview_step){.name = keep(arena, rows, i, 1),
                                  .kind = keep(arena, rows, i, 2),
                                  .state = keep(arena, rows, i, 3),
                                  .note = keep(arena, rows, i, 4),
                                  .round = (int)rows_int(rows, i, 5),
                                  .rows = rows_int(rows, i, 6),
                                  .total = rows_int(rows, i, 7),
                                  .spared = rows_int(rows, i, 8),
                                  .batches = rows_int(rows, i, 9),
                                  .ms = rows_int(rows, i, 10),
                                  .archived = rows_flag(rows, i, 16) ? rows_int(rows, i, 6) : 0,
                                  .kept_nothing = rows_flag(rows, i, 17)};
}

/* Rows a second by the batches of the last minute. */
static void reckon_rate(struct overview *o, const struct overview_step *step, int64_t recent, double seconds) {
    if (!works(o) || !text_equal(step->state, "running") || recent <= 0 || seconds <= 0) return;
    o->rate = (double)recent / seconds;
    int64_t left = step->total - step->rows - step->spared;
    if (step->total >= 0) o->eta_ms = left > 0 ? (int64_t)((double)left / o->rate * 1000) : 0;
}

static void add_up(struct overview *o, const struct overview_step *step, const struct rows *rows, int i) {
    bool removes = text_equal(step->kind, "delete") || text_equal(step->kind, "together");
    if (removes) o->removed += rows_int(rows, i, 13);
    if (removes || text_equal(step->kind, "delete-children")) o->children += rows_int(rows, i, 14);
    if (removes) o->spared += rows_int(rows, i, 15);
}

static void read_steps(const struct state *state, struct arena *arena, struct overview *o, struct error *error) {
    const char *values[] = {number(arena, o->run), works(o) ? "true" : "false", o->archives ? "true" : "false"};
    struct rows *rows = state_ask(state, arena, "reading the steps", &sql_overview_steps, values, 3, error);
    o->step_count = rows ? (size_t)rows_count(rows) : 0;
    o->steps = arena_alloc(arena, (o->step_count + 1) * sizeof *o->steps);
    for (int i = 0; i < (int)o->step_count; i++) {
        o->steps[i] = step_of(arena, rows, i);
        reckon_rate(o, &o->steps[i], rows_int(rows, i, 11), rows_number(rows, i, 12));
        add_up(o, &o->steps[i], rows, i);
    }
}

/* --- waiting --- */

static void read_throttle(const struct state *state, struct arena *arena, struct overview *o, struct error *error) {
    const char *values[] = {number(arena, o->run)};
    struct rows *rows = state_ask(state, arena, "looking for why it waits", &sql_overview_throttle, values, 1, error);
    if (!rows || rows_count(rows) == 0) return;
    o->waiting.reason = keep(arena, rows, 0, 0);
    o->waiting.until = keep(arena, rows, 0, 1);
    o->waiting.since = keep(arena, rows, 0, 2);
    o->waiting.ms = int_or(rows, 0, 3, -1);
    o->waiting.throttled = true;
    if (text_equal(o->state, "running")) o->state = "waiting";
}

static void read_lock(const struct state *state, struct arena *arena, struct overview *o, struct error *error) {
    const char *values[] = {number(arena, o->run)};
    struct rows *rows =
        state_ask(state, arena, "looking for what it waits for", &sql_overview_waiting, values, 1, error);
    if (!rows || rows_count(rows) == 0) return;
    const char *what = rows_text(rows, 0, 0), *program = rows_text(rows, 0, 2), *user = rows_text(rows, 0, 3);
    struct text text = text_new(arena);
    if (what) text_addf(&text, "a lock on %s held by pid %s", what, rows_text(rows, 0, 1));
    if (!what) text_addf(&text, "the transaction of pid %s", rows_text(rows, 0, 1));
    if (program && *program) text_addf(&text, " (%s%s%s)", program, user ? ", user " : "", user ? user : "");
    if (rows_text(rows, 0, 6)) text_addf(&text, ", open for %s", clock_text(arena, rows_int(rows, 0, 6)));
    o->waiting.reason = text.data;
    o->waiting.since = keep(arena, rows, 0, 4);
    o->waiting.ms = int_or(rows, 0, 5, -1);
}

/* Version 2 of the state did not say why a run waits, and looking does not upgrade it. */
static void read_waiting(const struct state *state, struct arena *arena, struct overview *o, int version,
                         struct error *error) {
    if (!works(o)) return;
    if (o->alive && version > 2) read_throttle(state, arena, o, error);
    if (!o->waiting.throttled) read_lock(state, arena, o, error);
}

/* --- guards --- */

static void read_guards(const struct state *state, struct arena *arena, struct overview *o, int version,
                        struct error *error) {
    if (version < GUARDS_VERSION || !o->objects) return;
    const char *values[] = {number(arena, o->run)};
    struct rows *rows = state_ask(state, arena, "reading the guards", &sql_overview_guard_list, values, 1, error);
    o->guard_count = rows ? (size_t)rows_count(rows) : 0;
    o->guards = arena_alloc(arena, (o->guard_count + 1) * sizeof *o->guards);
    for (int i = 0; i < (int)o->guard_count; i++)
        o->guards[i] =
            (struct overview_guard){keep(arena, rows, i, 0), keep(arena, rows, i, 1), keep(arena, rows, i, 2),
                                    keep(arena, rows, i, 3), keep(arena, rows, i, 4), keep(arena, rows, i, 5)};
}

/* --- what was asked of it --- */

/* A run that ended at its approve step says so until the next run goes on; what it asked for may be there by then. */
static void let_approval_answer(struct arena *arena, struct overview *o, const char *role) {
    if (!text_equal(o->state, "paused") || o->alive) return;
    o->error.message = arena_printf(arena, "approved by %s; the next run goes on from there", role);
    o->error.detail = o->error.hint = o->error.sqlstate = NULL;
}

static void read_acts(const struct state *state, struct arena *arena, struct overview *o, int version,
                      struct error *error) {
    if (version < ACTS_VERSION) return;
    const char *values[] = {number(arena, o->run)};
    struct rows *rows = state_ask(state, arena, "reading what was asked of it", &sql_overview_acts, values, 1, error);
    o->act_count = rows ? (size_t)rows_count(rows) : 0;
    o->acts = arena_alloc(arena, (o->act_count + 1) * sizeof *o->acts);
    for (int i = 0; i < (int)o->act_count; i++)
        o->acts[i] = (struct overview_act){keep(arena, rows, i, 0), keep(arena, rows, i, 1), keep(arena, rows, i, 2),
                                           keep(arena, rows, i, 3), keep(arena, rows, i, 4)};
    for (int i = 0; i < (int)o->act_count; i++)
        if (rows_flag(rows, i, 5)) let_approval_answer(arena, o, o->acts[i].role);
}

/* --- webhooks --- */

static void read_webhooks(const struct state *state, struct arena *arena, struct overview *o, int version,
                          struct error *error) {
    if (version < WEBHOOKS_VERSION) return;
    const char *values[] = {number(arena, o->run)};
    struct rows *rows = state_ask(state, arena, "reading about webhooks", &sql_overview_webhooks, values, 1, error);
    o->webhook_count = rows ? (size_t)rows_count(rows) : 0;
    o->webhooks = arena_alloc(arena, (o->webhook_count + 1) * sizeof *o->webhooks);
    for (int i = 0; i < (int)o->webhook_count; i++)
        o->webhooks[i] =
            (struct overview_webhook){keep(arena, rows, i, 0), keep(arena, rows, i, 1), rows_int(rows, i, 2),
                                      rows_int(rows, i, 3),    rows_int(rows, i, 4),    keep(arena, rows, i, 5)};
}

/* --- runs --- */

static struct overview overview_of(struct arena *arena, const struct rows *rows, int i) {
    struct overview o = {
        .run = rows_int(rows, i, 0),
        .plan = keep(arena, rows, i, 1),
        .environment = keep(arena, rows, i, 2),
        .table = keep(arena, rows, i, 3),
        .state = keep(arena, rows, i, 4),
        .wanted = keep(arena, rows, i, 5),
        .role = keep(arena, rows, i, 6),
        .program = keep(arena, rows, i, 7),
        .started = keep(arena, rows, i, 8),
        .finished = keep(arena, rows, i, 9),
        .started_text = keep(arena, rows, i, 10),
        .finished_text = keep(arena, rows, i, 11),
        .ms = rows_int(rows, i, 12),
        .quiet_ms = rows_int(rows, i, 13),
        .holder = keep(arena, rows, i, 14),
        .alive = rows_flag(rows, i, 15),
        .error = {keep(arena, rows, i, 16), keep(arena, rows, i, 17), keep(arena, rows, i, 18),
                  keep(arena, rows, i, 19)},
        .objects = rows_int(rows, i, 20),
        .archives = rows_int(rows, i, 21),
        .expired = rows_int(rows, i, 22),
        .archive_until = keep(arena, rows, i, 23),
        .lane = keep(arena, rows, i, 24),
        .settings = keep(arena, rows, i, 25),
        .hold = rows_flag(rows, i, 26),
        .waiting = {.ms = -1},
        .rate = -1,
        .eta_ms = -1,
    };
    o.stays = o.alive && text_equal(o.state, "paused") && o.error.message && !o.error.hint;
    if (o.stays) /* one that has just stopped has said what to type */
        o.error.hint = arena_printf(arena, "`pgwinnow resume %lld` lets it go on", (long long)o.run);
    return o;
}

static struct rows *ask_runs(const struct state *state, struct arena *arena, const struct overview_filter *f,
                             int version, struct error *error) {
    static const char *const over[] = {
        [OVERVIEW_ALL] = NULL, [OVERVIEW_UNFINISHED] = "false", [OVERVIEW_OVER] = "true"};
    const char *values[] = {number_or_null(arena, f->run),
                            f->plan,
                            f->environment,
                            over[f->which],
                            number_or_null(arena, f->older),
                            f->left ? "true" : "false",
                            number_or_null(arena, f->most),
                            number(arena, LEASE_STALE_SECONDS),
                            f->archives ? "true" : "false"};
    struct binding own[] = {{"state", state->schema}, {NULL, NULL}};
    struct binding bindings[] = {{"state", state->schema}, {"kept", NULL}, {"guards", NULL}, {NULL, NULL}};
    const struct sql *guards = version >= GUARDS_VERSION ? &sql_overview_guards : &sql_overview_no_guards;
    bindings[1].value = sql_expand(arena, version > 1 ? &sql_overview_archives : &sql_overview_no_archives, own, error);
    bindings[2].value = sql_expand(arena, guards, own, error);
    const char *text = sql_expand(arena, &sql_overviews, bindings, error);
    return ask(state->slot, arena, &(struct statement){"reading the runs", text, values, 9}, error);
}

static void hint_rights(const struct state *state, struct arena *arena, struct error *error) {
    if (!text_equal(error->sqlstate, "42501") || error->hint) return;
    const char *schema = sql_identifier(arena, state->schema), *user = sql_identifier(arena, slot_user(state->slot));
    error->hint =
        arena_printf(error->arena, "GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s;",
                     schema, user, schema, user);
}

void overview_begin(const struct state *state, struct arena *arena, struct error *error) {
    const struct statement begin[] = {{.about = "beginning to read", .text = sql_begin_reading.text},
                                      {.about = "beginning to read", .text = sql_no_reading_timeout.text},
                                      {.about = "beginning to read", .text = sql_reading_settings.text}};
    ask_all(state->slot, arena, begin, sizeof begin / sizeof *begin, error);
}

void overview_end(const struct state *state, struct arena *arena, struct error *error) {
    hint_rights(state, arena, error);
    struct error ignored = error_new(arena);
    if (!slot_lost(state->slot)) state_ask(state, arena, "ending the reading", &sql_end_reading, NULL, 0, &ignored);
}

struct lock_holder *overview_locks(const struct state *state, struct arena *arena, size_t *count, struct error *error) {
    overview_begin(state, arena, error);
    struct lock_holder *held = locks_held(state, arena, NULL, count, error);
    overview_end(state, arena, error);
    return held;
}

struct overview *overview_read_inside(const struct state *state, struct arena *arena,
                                      const struct overview_filter *filter, size_t *count, struct error *error) {
    *count = 0;
    int version = failed(error) ? 0 : schema_version(state, arena, error);
    if (!version) return NULL;
    struct rows *rows = ask_runs(state, arena, filter, version, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct overview *list = arena_alloc(arena, (*count + 1) * sizeof *list);
    for (size_t i = 0; i < *count && !failed(error); i++) {
        list[i] = overview_of(arena, rows, (int)i);
        read_steps(state, arena, &list[i], error);
        read_waiting(state, arena, &list[i], version, error);
        read_guards(state, arena, &list[i], version, error);
        read_acts(state, arena, &list[i], version, error);
        read_webhooks(state, arena, &list[i], version, error);
    }
    return list;
}

struct overview *overview_read(const struct state *state, struct arena *arena, const struct overview_filter *filter,
                               size_t *count, struct error *error) {
    overview_begin(state, arena, error);
    struct overview *list = overview_read_inside(state, arena, filter, count, error);
    overview_end(state, arena, error);
    return list;
}
