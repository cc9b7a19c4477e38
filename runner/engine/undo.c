/* An undo from its beginning to its end: whether it can be, what is in the way, the batches, what is left. */
#include "engine/undo.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/stop.h"
#include "base/text.h"
#include "database/bindings.h"
#include "database/frame.h"
#include "database/lists.h"
#include "engine/engine.h"
#include "engine/heartbeat.h"
#include "engine/lanes.h"
#include "engine/undo_job.h"
#include "sql/engine/undo.sql.h"
#include "state/private.h"
#include "state/published.h"
#include "work/announce.h"
#include "work/guard.h"
#include "work/reconnect.h"
#include "work/retry.h"
#include "work/session.h"
#include "work/throttle.h"

enum { PROGRESS_MS = 100, MOST_SHOWN = 1000, MOST_LINES = 20 };

static const struct step undo_step = {.name = "undo", .about = "brings back what the run removed or changed"};

/* --- the run, as something that batches can run in --- */

/* The settings of plans when they say nothing: what the plan's file says now is not known here. */
static struct plan *plan_of(struct arena *arena, const struct overview *o, size_t steps) {
    struct plan *plan = plan_defaults(arena);
    plan->name = o->plan;
    plan->environment = o->environment;
    plan->table.name = o->table;
    plan->steps = arena_alloc(arena, (steps + 1) * sizeof *plan->steps);
    for (size_t i = 0; i < steps; i++)
        plan->steps[i] = (struct plan_step){.step = &undo_step, .name = o->steps[i].name, .settings = plan->settings};
    plan->steps[steps] = (struct plan_step){.step = &undo_step, .name = undo_step.name, .settings = plan->settings};
    plan->step_count = steps + 1;
    return plan;
}

static size_t steps_of(const struct overview *o) {
    size_t count = o->step_count;
    return count && text_equal(o->steps[count - 1].kind, undo_step.name) ? count - 1 : count;
}

static struct undo_job *job_new(struct arena *arena, const struct overview *o, const struct undo_request *request,
                                struct undo_outcome *outcome, struct error *error) {
    struct undo_job *job = arena_alloc(arena, sizeof *job);
    struct request as_run = {.database = request->database,
                             .database_direct = request->database_direct,
                             .schema = request->schema,
                             .listeners = request->listeners};
    job->arena = arena;
    job->overview = o;
    job->request = request;
    job->outcome = outcome;
    job->step = steps_of(o);
    job->run = engine_open(arena, plan_of(arena, o, job->step), &as_run, error);
    if (failed(error)) return NULL;
    job->run->holder.run = o->run;
    job->run->step = job->step;
    job->run->began = clock_ms();
    job->run->max_time = request->max_time;
    for (size_t i = 0; i < job->step; i++) {
        struct event_step *shown = &job->run->shown[i];
        shown->state = text_equal(o->steps[i].state, "done") ? STEP_DONE : STEP_SKIPPED;
        shown->rows = o->steps[i].rows;
        shown->ms = o->steps[i].ms;
    }
    job->plan_name = arena_printf(arena, "undo_%lld", (long long)o->run);
    job->left_name = arena_printf(arena, "undo_left_%lld", (long long)o->run);
    job->plan_table = sql_qualified(arena, job->run->state.schema, job->plan_name);
    job->left_table = sql_qualified(arena, job->run->state.schema, job->left_name);
    return job;
}

/* --- whether it can be --- */

static const char *number(const struct undo_job *job, int64_t n) {
    return arena_printf(job->arena, "%lld", (long long)n);
}

static bool began(const struct overview *o, size_t step) {
    return step < o->step_count && !text_equal(o->steps[step].state, "waiting") &&
           !text_equal(o->steps[step].state, "skipped");
}

static void refuse_unkept(const struct undo_job *job, const struct overview *o, struct error *error) {
    json_t *definition = json_loads(job->definition, 0, NULL);
    const json_t *archive = json_object_get(definition, "archive"), *on = json_object_get(archive, "on");
    if (json_is_false(on)) {
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: its plan says `archive: false`, so nothing was kept",
             (long long)o->run);
        fail_hint(error, "restore from a backup");
    }
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(definition, "steps"), i, step) {
        const char *why = json_string_value(json_object_get(json_object_get(step, "archive"), "off"));
        if (!why || !began(o, i)) continue;
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: its step %s kept nothing", (long long)o->run,
             o->steps[i].name);
        fail_detail(error, "the plan says why: %s", why);
        fail_hint(error, "restore from a backup");
    }
    json_decref(definition);
}

/* Read again under the lease: what the command saw may be over. */
static void read_run(struct undo_job *job, struct error *error) {
    const struct overview *o = job->overview;
    const char *values[] = {number(job, o->run)};
    struct rows *rows = state_ask(&job->run->state, job->arena, "reading the run", &sql_undo_run, values, 1, error);
    if (!rows || !rows_count(rows)) return;
    job->definition = rows_text(rows, 0, 4);
    job->run->search_path = rows_text(rows, 0, 5);
    frame_set(job->run->desk, job->arena, job->run->search_path);
    if (text_equal(rows_text(rows, 0, 3), "undone")) {
        job->outcome->already = true;
        return;
    }
    if (rows_text(rows, 0, 8)) {
        fail(error, FAULT_REFUSED, "run %s of the same plan is not over", rows_text(rows, 0, 8));
        fail_hint(error, "let it end, or cancel it; it builds on what this run left");
    }
    refuse_unkept(job, o, error);
    undo_tables_read(job, error);
    if (failed(error) || job->table_count) return;
    if (rows_flag(rows, 0, 7)) {
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: there is no archive of it", (long long)o->run);
        fail_hint(error, "it was made by a version of pgwinnow that kept none; restore from a backup");
    } else {
        job->outcome->nothing = true;
    }
}

static void try_triggers_off(struct undo_job *job, struct error *error) {
    if (!job->request->triggers_off || failed(error)) return;
    struct session session = session_for(job->run, job->step, job->arena);
    session_begin(job->run->desk, job->arena, &session, error);
    ask(job->run->desk, job->arena,
        &(struct statement){.about = "switching triggers off", .text = sql_may_replicate.text}, error);
    bool denied = text_equal(error->sqlstate, "42501");
    session_end(job->run->desk, job->arena, error);
    if (!denied) return;
    const char *user = sql_identifier(job->arena, slot_user(job->run->desk));
    error->fault = FAULT_REFUSED;
    error->message = arena_printf(error->arena, "role %s may not switch triggers off", user);
    error->hint =
        arena_printf(error->arena,
                     "GRANT SET ON PARAMETER session_replication_role TO %s; (a superuser, from PostgreSQL 15 "
                     "on), or undo with --triggers fire",
                     user);
}

/* --- the plan of the undo --- */

static void do_one(struct undo_job *job, const char *about, const struct sql *sql, const struct bindings *b,
                   struct error *error) {
    if (failed(error)) return;
    const char *text = sql_expand(job->arena, sql, b->items, error);
    ask(job->run->desk, job->arena, &(struct statement){.about = about, .text = text}, error);
}

static void make_index(struct undo_job *job, const struct sql *sql, struct bindings b, const char *name,
                       struct error *error) {
    bind(&b, "name", name);
    do_one(job, "making an index for the undo", sql, &b, error);
}

static void index_archives(struct undo_job *job, struct error *error) {
    for (size_t i = 0; i < job->table_count && !failed(error); i++) {
        const struct undo_table *t = &job->tables[i];
        struct bindings b = undo_bindings(job, t), analyze = {0};
        make_index(job, &sql_index_archive, b, arena_printf(job->arena, "%s_batch", t->archive_name), error);
        if (t->key_count) {
            bind(&b, "key", list_columns(job->arena, NULL, t->keys, t->key_count));
            make_index(job, &sql_index_archive_key, b, arena_printf(job->arena, "%s_key", t->archive_name), error);
        }
        bind(&analyze, "table", t->archive);
        do_one(job, "analysing an archive", &sql_analyze, &analyze, error);
    }
}

static void fill_plan(struct undo_job *job, struct error *error) {
    struct text all = text_new(job->arena);
    for (size_t i = 0; i < job->table_count; i++) {
        struct bindings b = undo_bindings(job, &job->tables[i]);
        b.items[2].value = number(job, job->tables[i].oid);
        const char *one = sql_expand(job->arena, &sql_undo_plan_of, b.items, error);
        if (one) text_addf(&all, "%s%s", i ? " UNION ALL " : "", one);
    }
    struct bindings b = {0};
    bind(&b, "plan", job->plan_table);
    bind(&b, "left", job->left_table);
    bind(&b, "archives", all.data);
    do_one(job, "making the undo's plan", &sql_create_undo_plan, &b, error);
    do_one(job, "making the undo's plan", &sql_create_undo_left, &b, error);
    private_keep(&job->run->state, job->arena, error);
    do_one(job, "making the undo's plan", &sql_fill_undo_plan, &b, error);
    make_index(job, &sql_index_undo_plan, b, arena_printf(job->arena, "%s_seq", job->plan_name), error);
    make_index(job, &sql_index_undo_batches, b, arena_printf(job->arena, "%s_batch", job->plan_name), error);
    struct bindings analyze = {0};
    bind(&analyze, "table", job->plan_table);
    do_one(job, "analysing the undo's plan", &sql_analyze, &analyze, error);
}

/* Where an earlier session came to. */
static void read_progress(struct undo_job *job, struct error *error) {
    struct bindings b = {0};
    bind(&b, "plan", job->plan_table);
    const char *text = sql_expand(job->arena, &sql_undo_size, b.items, error);
    struct rows *rows =
        ask(job->run->desk, job->arena, &(struct statement){.about = "reading the undo's plan", .text = text}, error);
    if (!rows) return;
    job->turns = rows_int(rows, 0, 0);
    job->rows = rows_int(rows, 0, 1);
    size_t count;
    struct gap *gaps =
        runs_gaps(&job->run->state, job->arena, job->run->holder.run, job->step, 1, 0, job->turns, &count, error);
    job->done = count ? gaps[0].first - 1 : job->turns;
}

static void prepare(struct undo_job *job, struct error *error) {
    struct run *run = job->run;
    runs_add_object(&run->state, job->arena, run->holder.run, "tracking", run->state.schema, job->plan_name, error);
    runs_add_object(&run->state, job->arena, run->holder.run, "tracking", run->state.schema, job->left_name, error);
    struct session session = session_for(run, job->step, job->arena);
    session.statement_timeout = 0; /* of our own tables only: nobody waits for them */
    session_begin(run->desk, job->arena, &session, error);
    index_archives(job, error);
    if (!failed(error)) fill_plan(job, error);
    session_end(run->desk, job->arena, error);
    session.read_only = true;
    session_begin(run->desk, job->arena, &session, error);
    undo_tables_changes(job, error);
    session_end(run->desk, job->arena, error);
    read_progress(job, error);
}

/* --- what is in the way, before anything is changed --- */

static void keep_left(struct undo_job *job, const char *table, const char *key, const char *reason) {
    struct undo_outcome *out = job->outcome;
    if (out->left_shown >= MOST_SHOWN) return;
    out->left = arena_grow(job->arena, out->left, &out->left_shown, sizeof *out->left);
    out->left[out->left_shown - 1] =
        (struct undo_left){table, arena_strdup(job->arena, key), arena_strdup(job->arena, reason)};
}

static void foresee_table(struct undo_job *job, struct arena *scratch, const char *text, const struct undo_table *t,
                          const char *batch, struct error *error) {
    const char *values[] = {batch, arena_printf(scratch, "%lld", (long long)job->done)};
    const char *about = arena_printf(scratch, "looking whether rows of %s can come back", t->table->shown);
    struct rows *rows = ask(job->run->desk, scratch, &(struct statement){about, text, values, 2}, error);
    if (!rows || !rows_count(rows)) return;
    job->outcome->left_count += rows_int(rows, 0, 2);
    for (int i = 0; i < rows_count(rows); i++)
        keep_left(job, t->table->shown, rows_text(rows, i, 0), rows_text(rows, i, 1));
}

static void foresee_batch(struct undo_job *job, const char *const *texts, int64_t turn, struct error *error) {
    struct arena *scratch = arena_new(job->arena);
    struct session session = session_for(job->run, job->step, scratch);
    session.read_only = session.pinned = true;
    session.hash_joins = job->keyless;
    session_begin(job->run->desk, scratch, &session, error);
    struct bindings b = {0};
    bind(&b, "plan", job->plan_table);
    const char *text = sql_expand(scratch, &sql_undo_batch_of, b.items, error);
    const char *values[] = {arena_printf(scratch, "%lld", (long long)turn)};
    struct rows *rows =
        ask(job->run->desk, scratch, &(struct statement){"reading the undo's plan", text, values, 1}, error);
    for (size_t i = 0; rows && rows_count(rows) && i < job->table_count && !failed(error); i++)
        if (texts[i]) foresee_table(job, scratch, texts[i], &job->tables[i], rows_text(rows, 0, 0), error);
    session_end(job->run->desk, scratch, error);
    arena_free(scratch);
}

static void refuse_conflicts(struct undo_job *job, struct error *error) {
    struct undo_outcome *out = job->outcome;
    if (!out->left_count || failed(error)) return;
    struct text lines = text_new(job->arena);
    for (size_t i = 0; i < out->left_shown && i < MOST_LINES; i++)
        text_addf(&lines, "%s%s %s: %s", i ? "\n" : "", out->left[i].table, out->left[i].key, out->left[i].reason);
    if (out->left_count > MOST_LINES)
        text_addf(&lines, "\n... and %s more", text_count(job->arena, out->left_count - MOST_LINES));
    out->conflicts = true;
    fail(error, FAULT_REFUSED, "%s row%s cannot be brought back as %s; nothing was changed",
         text_count(job->arena, out->left_count), out->left_count == 1 ? "" : "s",
         out->left_count == 1 ? "it was" : "they were");
    fail_detail(error, "%s", lines.data);
    fail_hint(error,
              "--on-conflict skip leaves these rows as they are, --on-conflict force writes over what was changed "
              "since where that can be; --json lists them");
}

static void foresee(struct undo_job *job, struct error *error) {
    if (job->request->on_conflict != UNDO_STOP) return;
    job->outcome->left_count = 0;
    job->outcome->left_shown = 0;
    run_tell(job->run, EVENT_NOTICE, "looking for what is in the way, before anything is changed", NULL);
    const char **texts = arena_alloc(job->arena, (job->table_count + 1) * sizeof *texts);
    for (size_t i = 0; i < job->table_count; i++) texts[i] = undo_foresee_text(job, job->arena, &job->tables[i], error);
    for (int64_t turn = job->done + 1; turn <= job->turns && !failed(error); turn++) {
        run_check_stop(job->run, error);
        if (!failed(error)) foresee_batch(job, texts, turn, error);
    }
    refuse_conflicts(job, error);
}

/* --- the work --- */

static void record(struct undo_job *job, const char *state, struct error *error) {
    const struct event_step *s = &job->run->shown[job->step];
    struct step_row row = {.state = state,
                           .round = 1,
                           .rows = s->rows,
                           .total = s->total,
                           .spared = s->spared,
                           .batches = s->batches,
                           .ms = s->ms};
    runs_set_step(&job->run->state, job->arena, &job->run->holder, job->step, &row, error);
}

static void tick(struct undo_job *job) {
    struct run_step *step = &job->run->steps[job->step];
    int64_t now = clock_ms();
    step->shown->ms += now - step->began;
    step->began = now;
}

static void show_progress(void *context) {
    struct undo_job *job = context;
    tick(job);
    run_tell(job->run, EVENT_PROGRESS, NULL, NULL);
}

static void add_up(struct undo_job *job, struct error *error) {
    struct run *run = job->run;
    struct batch_sums sums = runs_sums(&run->state, job->arena, run->holder.run, job->step, 1, error);
    struct event_step *shown = &run->shown[job->step];
    shown->rows = sums.rows;
    shown->spared = sums.spared;
    shown->batches = sums.batches;
    shown->total = job->rows;
    job->outcome->restored = sums.rows;
}

static void begin(struct undo_job *job, struct error *error) {
    struct run *run = job->run;
    runs_add_step(&run->state, job->arena, run->holder.run, job->step, undo_step.name, undo_step.name, error);
    add_up(job, error);
    announce_begin(run, error);
    const char *values[] = {number(job, run->holder.run)};
    state_ask(&run->state, job->arena, "writing down who takes the run back", &sql_record_undo, values, 1, error);
    runs_set_state(&run->state, job->arena, &run->holder, "undoing", NULL, error);
    record(job, "running", error);
    announce_step(run, EVENT_STEP_STARTED, STEP_RUNNING, NULL, error);
    announce_end(run, error);
    run->steps[job->step].began = clock_ms();
    run->shown[job->step].state = STEP_RUNNING;
    job->begun = !failed(error);
    if (!failed(error)) run_tell(run, EVENT_STEP_STARTED, NULL, NULL);
}

static void read_left(struct undo_job *job, struct error *error) {
    struct bindings b = {0};
    bind(&b, "left", job->left_table);
    const char *values[] = {number(job, MOST_SHOWN)};
    const char *text = sql_expand(job->arena, &sql_read_left, b.items, error);
    struct rows *rows =
        ask(job->run->desk, job->arena, &(struct statement){"reading what was left", text, values, 1}, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        job->outcome->left_count = rows_int(rows, i, 3);
        const struct undo_table *t = undo_table_of(job, (unsigned)rows_int(rows, i, 0));
        if (t) keep_left(job, t->table->shown, rows_text(rows, i, 1), rows_text(rows, i, 2));
    }
}

/* Why it stopped is kept with the run, over a new connection if need be. */
static void write_stop(struct undo_job *job, const struct error *how) {
    struct run *run = job->run;
    struct error error = error_new(job->arena);
    if (how->fault == FAULT_HELD) return;
    if (slot_lost(run->desk)) slot_reopen(run->desk, &error);
    tick(job);
    record(job, "running", &error);
    runs_set_state(&run->state, job->arena, &run->holder, "undoing", json_of_error(job->arena, how), &error);
}

/* What comes back is what it keeps out. */
static void end_guards(struct undo_job *job, struct error *error) { guards_end(job->run, -1, error); }

static void work(struct undo_job *job, struct error *error) {
    struct run *run = job->run;
    struct timer *timer = wire_every(run->wire, PROGRESS_MS, show_progress, job);
    struct throttle *throttle = throttle_start(run, error);
    undo_batches(job, error);
    throttle_stop(throttle);
    wire_forget(run->wire, timer);
    tick(job);
    add_up(job, error);
    announce_begin(run, error);
    record(job, "done", error);
    runs_set_state(&run->state, job->arena, &run->holder, "undone", NULL, error);
    announce_step(run, EVENT_STEP_FINISHED, STEP_DONE, NULL, error);
    announce_end(run, error);
    if (failed(error)) return;
    run->shown[job->step].state = STEP_DONE;
    run_tell(run, EVENT_STEP_FINISHED, NULL, NULL);
    read_left(job, error);
}

/* --- what an undo does not bring back --- */

static void add_line(struct undo_job *job, const char *line) {
    struct undo_outcome *out = job->outcome;
    out->not_undone = arena_grow(job->arena, out->not_undone, &out->not_undone_count, sizeof *out->not_undone);
    out->not_undone[out->not_undone_count - 1] = line;
}

static bool dropped(const struct undo_job *job, const char *index) {
    for (size_t i = 0; i < job->outcome->index_count; i++)
        if (text_starts(job->outcome->indexes[i], arena_printf(job->arena, "%s on ", index))) return true;
    return false;
}

static void tell_step(struct undo_job *job, const char *name, const char *kind, const json_t *options) {
    const char *index = json_string_value(json_object_get(options, "name"));
    const char *constraint = json_string_value(json_object_get(options, "constraint"));
    const char *replaced = json_string_value(json_object_get(options, "replaces"));
    if (text_equal(kind, "index") && index && !dropped(job, constraint ? constraint : index))
        add_line(job, arena_printf(job->arena, "step %s: the index %s stays", name, constraint ? constraint : index));
    if (text_equal(kind, "index") && replaced)
        add_line(job, arena_printf(job->arena, "step %s: the index %s, which was dropped, is not built again", name,
                                   replaced));
    if (text_equal(kind, "backfill"))
        add_line(job,
                 arena_printf(job->arena, "step %s: what it inserted or set stays; there is no record of it", name));
    if (text_equal(kind, "sql")) add_line(job, arena_printf(job->arena, "step %s: what its statement did stays", name));
}

static void tell_not_undone(struct undo_job *job, struct error *error) {
    const struct overview *o = job->overview;
    (void)error;
    json_t *definition = json_loads(job->definition, 0, NULL), *step;
    size_t i;
    json_array_foreach(json_object_get(definition, "steps"), i, step) {
        const char *kind = json_string_value(json_object_get(step, "step"));
        if (began(o, i)) tell_step(job, o->steps[i].name, kind, json_object_get(step, "options"));
    }
    add_line(job, "sequences keep their values");
    json_decref(definition);
}

/* --- phases --- */

/* A lost connection or a lock is not the end: what stands before the batches only reads, or may be done again. */
static bool try_again(struct undo_job *job, const struct error *error, int tries) {
    struct run *run = job->run;
    enum verdict verdict = retry_verdict(error, false);
    if (!failed(error) || error->final || tries > run_settings(run, run->step)->locks.retries) return false;
    if (verdict != VERDICT_LATER && verdict != VERDICT_CONNECT) return false;
    wire_sleep(run->wire, retry_pause(tries));
    return stop_level() == 0 && !run->lease_lost;
}

static void phase(struct undo_job *job, void (*does)(struct undo_job *, struct error *), struct error *error) {
    for (int tries = 1; !failed(error) && !job->outcome->already && !job->outcome->nothing; tries++) {
        struct error tried = error_new(job->arena);
        if (reconnect(job->run, job->run->desk, &tried)) does(job, &tried);
        if (try_again(job, &tried, tries)) continue;
        error_promote(error, &tried);
        return;
    }
}

void engine_undo(struct arena *arena, const struct overview *o, const struct undo_request *request,
                 struct undo_outcome *outcome, struct error *error) {
    struct undo_job *job = job_new(arena, o, request, outcome, error);
    if (!job) return;
    frame_set(job->run->desk, arena, NULL);
    if (!request->published) published_refuse(&job->run->state, arena, "--published accept", error);
    if (!failed(error)) schema_init(&job->run->state, arena, error);
    struct heartbeat *heartbeat = failed(error) ? NULL : heartbeat_start(job->run, error);
    if (!heartbeat) return;
    announce_open(job->run, error);
    static void (*const phases[])(struct undo_job *, struct error *) = {
        read_run,   try_triggers_off,  prepare, undo_indexes_find, foresee, begin,
        end_guards, undo_indexes_drop, work,    tell_not_undone};
    lane_enter(job->run, &(struct lane_wait){.ms = request->wait, .undoing = true}, error);
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) phase(job, phases[i], error);
    if (failed(error) && job->begun) write_stop(job, error);
    struct error ignored = error_new(arena);
    heartbeat_stop(heartbeat, failed(error) ? &ignored : error);
}
