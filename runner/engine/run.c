/*
 * The walk over the steps: begin or go on with a run, do what is not done, go back to track when an index step found
 * new duplicates, and write down how it ended. A step begins only when the one before is recorded as done.
 */
#include "base/clock.h"
#include "base/json.h"
#include "base/stop.h"
#include "base/text.h"
#include "database/bindings.h"
#include "database/frame.h"
#include "engine/begin.h"
#include "engine/cancel.h"
#include "engine/heartbeat.h"
#include "engine/lanes.h"
#include "sql/engine/run.sql.h"
#include "state/lanes.h"
#include "work/announce.h"
#include "work/courier.h"
#include "work/guard.h"
#include "work/indexes.h"
#include "work/pause.h"
#include "work/reconnect.h"
#include "work/record.h"
#include "work/retry.h"
#include "work/session.h"
#include "work/shape.h"
#include "work/throttle.h"

enum { PROGRESS_MS = 100 };

/* --- one step --- */

static void record(struct run *run, size_t i, const char *state, struct error *error) {
    const struct event_step *s = run->steps[i].shown;
    struct arena *scratch = arena_new(run->arena);
    struct step_row row = {.state = state,
                           .round = run->steps[i].round,
                           .rows = s->rows < 0 ? 0 : s->rows,
                           .total = s->total,
                           .spared = s->spared,
                           .batches = s->batches,
                           .ms = s->ms,
                           .note = run->steps[i].note};
    runs_set_step(&run->state, scratch, &run->holder, i, &row, error);
    arena_free(scratch);
}

static bool wanted_by_when(struct run *run, size_t i, struct error *error) {
    const struct when *when = &run->plan->steps[i].when;
    if (!when->query.text) return true;
    struct arena *arena = arena_new(run->arena);
    struct session session = session_for(run, i, arena);
    session.read_only = true;
    struct bindings b = {0};
    bind(&b, "query", when->query.text);
    session_begin(run->desk, arena, &session, error);
    const char *text = sql_expand(arena, &sql_when, b.items, error);
    struct rows *rows =
        ask(run->desk, arena,
            &(struct statement){.about = arena_printf(arena, "asking when step %s runs", run->plan->steps[i].name),
                                .text = text},
            error);
    const char *answer = rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL, *is = when->is ? when->is : "t";
    bool yes = answer && (text_equal(answer, is) || (text_equal(is, "true") && text_equal(answer, "t")) ||
                          (text_equal(is, "false") && text_equal(answer, "f")));
    session_end(run->desk, arena, error);
    arena_free(arena);
    return yes;
}

/* The tree is looked at again before each step that relies on it: DDL may have come meanwhile. */
static void check_tree(struct run *run, size_t i, struct error *error) {
    if (!(run->plan->steps[i].step->needs & USES_FAMILIES)) return;
    struct arena *arena = arena_new(run->arena);
    struct session session = session_for(run, i, arena);
    session.read_only = true;
    session_begin(run->desk, arena, &session, error);
    struct tree *now = tree_read(run->desk, arena, run->table, error);
    session_end(run->desk, arena, error);
    if (!failed(error) && !text_equal(now->fingerprint, run->tree->fingerprint)) {
        fail(error, FAULT_REFUSED, "the foreign keys below %s changed while the run was under way", run->table->shown);
        fail_detail(error, "%s", tree_difference(error->arena, run->tree, now));
        fail_hint(error, "look at it with explain; then start anew with --fresh");
    }
    arena_free(arena);
}

/* Adds the time since it was last looked at. */
static void tick(struct run_step *step) {
    int64_t now = clock_ms();
    step->shown->ms += now - step->began;
    step->began = now;
}

/* What has become of a step is recorded with the event that tells it. */
static void reach(struct run *run, size_t i, enum step_state state, enum event_type type, struct error *error) {
    const char *name = state == STEP_RUNNING ? "running" : state == STEP_DONE ? "done" : "skipped";
    const char *note = type == EVENT_STEP_FINISHED ? run->steps[i].note : NULL;
    announce_begin(run, error);
    record(run, i, name, error);
    announce_step(run, type, state, note, error);
    record_end(run, error);
    if (failed(error)) return;
    run->steps[i].shown->state = state;
    run_tell(run, type, note, NULL);
}

static void finish_step(struct run *run, size_t i, enum step_state state, struct error *error) {
    struct run_step *step = &run->steps[i];
    tick(step);
    reach(run, i, state, EVENT_STEP_FINISHED, error);
}

/* delete-children that joined the delete behind it ends with that. */
static void finish_joined(struct run *run, size_t i, struct error *error) {
    if (i == 0 || !run->steps[i - 1].joined || run->steps[i - 1].shown->state == STEP_DONE) return;
    struct arena *scratch = arena_new(run->arena);
    struct batch_sums sums = runs_sums(&run->state, scratch, run->holder.run, i, run->steps[i].round, error);
    arena_free(scratch);
    run->steps[i - 1].shown->rows = sums.children;
    run->step = i - 1;
    finish_step(run, i - 1, STEP_DONE, error);
    run->step = i;
}

/* What batches recorded is the truth, also over several sessions. */
static void add_up(struct run *run, size_t i, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    struct batch_sums sums = runs_sums(&run->state, scratch, run->holder.run, i, run->steps[i].round, error);
    struct event_step *s = run->steps[i].shown;
    if (sums.batches) {
        s->rows = sums.rows;
        s->spared = sums.spared;
        s->batches = sums.batches;
        if (i && run->steps[i - 1].joined) run->steps[i - 1].shown->rows = sums.children;
    }
    arena_free(scratch);
}

/* Every run() may be called again, and what stands around it. A lock that could not be had, or a server that went away,
 * is not the end of a step. */
static bool try_again(struct run *run, const struct error *error, int tries) {
    enum verdict verdict = retry_verdict(error, false);
    if (error->final || tries > run_settings(run, run->step)->locks.retries) return false;
    if (verdict != VERDICT_LATER && verdict != VERDICT_CONNECT) return false;
    run->progress = (struct progress){.waiting = arena_strdup(run->arena, error->message), .waiting_since = clock_ms()};
    wire_sleep(run->wire, retry_pause(tries));
    return true;
}

static void insist(struct run *run, size_t i, void (*does)(struct run *, size_t, struct error *), struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    for (int tries = 1; !failed(error); tries++) {
        struct error tried = error_new(scratch);
        if (tries > 1 && (stop_level() > 0 || run->wanted)) run_check_stop(run, &tried);
        if (!failed(&tried) && reconnect(run, run->desk, &tried)) does(run, i, &tried);
        run->progress = (struct progress){0};
        if (!failed(&tried) || !try_again(run, &tried, tries)) {
            error_promote(error, &tried);
            break;
        }
    }
    arena_free(scratch);
}

static void begin_step(struct run *run, size_t i, struct error *error) {
    if (!wanted_by_when(run, i, error)) {
        finish_step(run, i, STEP_SKIPPED, error);
        return;
    }
    reach(run, i, STEP_RUNNING, EVENT_STEP_STARTED, error);
}

/* A step may record itself as done in its own transaction, whose COMMIT may have gone through unheard. */
static bool recorded_done(struct run *run, size_t i, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    size_t count = 0;
    struct step_row *rows = runs_steps(&run->state, scratch, run->holder.run, &count, error);
    bool done = !failed(error) && i < count && text_equal(rows[i].state, "done");
    if (done) run->steps[i].shown->total = rows[i].total;
    if (done && begin_counts_rows(&run->plan->steps[i])) run->steps[i].shown->rows = rows[i].rows;
    arena_free(scratch);
    return done;
}

static void do_step(struct run *run, size_t i, struct error *error) {
    if (recorded_done(run, i, error)) return; /* by a try before this one */
    add_up(run, i, error);
    throttle_wait(run, error);
    check_tree(run, i, error); /* as it is now: the wait may have been long */
    if (!failed(error)) run->plan->steps[i].step->run(run, i, error);
}

static void end_step(struct run *run, size_t i, struct error *error) {
    add_up(run, i, error);
    finish_joined(run, i, error);
    finish_step(run, i, STEP_DONE, error);
}

/* What a step failed for may be that somebody altered a table under it; then that is told, and what to do about it. */
static void say_changed(struct run *run, size_t i, struct error *error) {
    if (error->fault != FAULT_FAILED || slot_lost(run->desk)) return;
    struct error changed = error_new(error->arena);
    check_tree(run, i, &changed);
    shape_refuse_changed(run, &changed);
    if (changed.fault != FAULT_REFUSED) return;
    changed.detail = arena_printf(error->arena, "%s\n%s", changed.detail, error->message);
    error_clear(error);
    error_promote(error, &changed);
}

static void run_step(struct run *run, size_t i, struct error *error) {
    struct run_step *step = &run->steps[i];
    run->step = i;
    run->progress = (struct progress){0};
    step->began = clock_ms();
    insist(run, i, begin_step, error);
    if (failed(error) || step->shown->state == STEP_SKIPPED) return;
    insist(run, i, do_step, error);
    say_changed(run, i, error);
    if (failed(error) && retry_hint(error)) error->hint = retry_hint(error);
    if (failed(error) || run->restart_reason || step->joined) return;
    insist(run, i, end_step, error);
}

/* --- back to track --- */

static size_t track_step(const struct run *run, size_t before) {
    for (size_t i = before; i-- > 0;)
        if (run->plan->steps[i].step->needs & TRACKS_ROWS) return i;
    return before;
}

/* New duplicates: what tracks, removes and indexes runs again for them, with a tracking table of its own. */
static size_t go_back(struct run *run, size_t index, struct error *error) {
    size_t from = track_step(run, index);
    run_tell(run, EVENT_NOTICE, run->restart_reason, "tracking again, and the steps between run for those");
    run->restart_reason = NULL;
    struct arena *scratch = arena_new(run->arena);
    struct session session = session_for(run, index, scratch);
    session_begin(run->desk, scratch, &session, error); /* all of them or none: their rounds go together */
    for (size_t i = from; i <= index; i++) {
        run->steps[i].round++;
        run->steps[i].joined = false;
        *run->steps[i].shown = (struct event_step){.name = run->steps[i].shown->name,
                                                   .total = -1,
                                                   .ms = run->steps[i].shown->ms,
                                                   .rows = begin_counts_rows(&run->plan->steps[i]) ? 0 : -1};
        record(run, i, "waiting", error);
    }
    session_end(run->desk, scratch, error);
    arena_free(scratch);
    return from;
}

static void walk(struct run *run, const char *until, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count && !failed(error); i++) {
        enum step_state state = run->steps[i].shown->state;
        if (state != STEP_DONE && state != STEP_SKIPPED) {
            pause_point(run, error);
            if (!failed(error)) run_step(run, i, error);
        }
        if (!failed(error) && run->restart_reason)
            i = go_back(run, i, error) - 1;
        else if (!failed(error) && text_equal(until, run->plan->steps[i].name) && i + 1 < run->plan->step_count &&
                 !run->steps[i].joined) {
            fail(error, FAULT_STOPPED, "stopped after step %s, as --until asked", until);
            fail_hint(error, "the same command without --until goes on from here");
        }
    }
}

/* --- the end --- */

static const char *end_state(const struct run *run, const struct error *error) {
    switch (error->fault) {
    case FAULT_NONE: return "finished";
    case FAULT_STOPPED: return text_equal(run->wanted, "cancelled") ? "cancelled" : "paused";
    case FAULT_REFUSED:
    case FAULT_USAGE: return "refused";
    default: return "failed";
    }
}

static void tidy(struct run *run, size_t i, struct error *error) {
    (void)i;
    indexes_drop_temporary(run, error);
    guards_end(run, -1, error);
}

/* Rows that any step tracked, removed, moved or filled in. */
static bool did_nothing(const struct run *run) {
    for (size_t i = 0; i < run->plan->step_count; i++)
        if (run->plan->steps[i].step->needs & (CHANGES_ROWS | TRACKS_ROWS) && run->shown[i].rows > 0) return false;
    return true;
}

static bool ends_cancelled(const struct run *run, const struct error *how) {
    return text_equal(end_state(run, how), "cancelled");
}

static struct event end_event(const struct run *run, const struct error *error) {
    enum event_type type = ends_cancelled(run, error)      ? EVENT_RUN_CANCELLED
                           : error->fault == FAULT_STOPPED ? EVENT_RUN_PAUSED
                           : failed(error)                 ? EVENT_RUN_FAILED
                                                           : EVENT_RUN_FINISHED;
    struct event event = {.type = type,
                          .run = run->holder.run,
                          .plan = run->plan->name,
                          .environment = run->plan->environment,
                          .table = run->table->shown,
                          .steps = run->shown,
                          .step_count = run->plan->step_count,
                          .step = run->step,
                          .eta_ms = -1,
                          .batch_size = -1,
                          .lag_ms = run->lag_ms,
                          .message = error->message,
                          .detail = error->detail,
                          .hint = error->hint,
                          .exit_code = error->fault,
                          .ms = clock_ms() - run->began};
    if (!failed(error)) event.step = run->plan->step_count;
    if (!failed(error) && did_nothing(run)) event.message = "nothing to do: no row needed to go or to be filled in";
    return event;
}

static void write_state(struct run *run, const struct error *how, struct arena *scratch, struct error *error) {
    struct event event = end_event(run, how);
    announce_begin(run, error);
    runs_set_state(&run->state, scratch, &run->holder, end_state(run, how),
                   failed(how) ? json_of_error(scratch, how) : NULL, error);
    announce(run, &event, error);
    record_end(run, error);
}

static void try_write_end(struct run *run, const struct error *how, struct arena *scratch, struct error *error) {
    if (how->fault == FAULT_NONE)
        reconnect(run, run->desk, error);
    else if (slot_lost(run->desk))
        slot_reopen(run->desk, error);
    if (slot_in_transaction(run->desk))
        ask(run->desk, scratch, &(struct statement){.about = "rolling back", .text = "ROLLBACK"}, error);
    bool running = run->shown[run->step].state == STEP_RUNNING;
    if (!failed(error) && running && !recorded_done(run, run->step, error)) {
        tick(&run->steps[run->step]);
        record(run, run->step, "running", error);
    }
    write_state(run, how, scratch, error);
}

/* How it ended is written down even when the connection is lost: over a new one, if there is one. A run that is through
 * waits for it; what could not be written down did not end well: the same command does the rest. */
static void write_end(struct run *run, struct error *how) {
    if (how->fault == FAULT_HELD) return;
    struct arena *scratch = arena_new(run->arena);
    for (int tries = 1;; tries++) {
        struct error error = error_new(scratch);
        try_write_end(run, how, scratch, &error);
        bool matters = how->fault != FAULT_CONNECTION; /* nobody was there to talk to as it is */
        if (failed(&error) && matters && stop_level() == 0 && try_again(run, &error, tries)) continue;
        if (!failed(how)) error_promote(how, &error);
        break;
    }
    arena_free(scratch);
}

static void show_progress(void *context) {
    struct run *run = context;
    if (stop_level() == 1 && !run->stop_told) {
        run->stop_told = true;
        run_tell(run, EVENT_NOTICE, "stopping when what runs now is done and saved", "Ctrl-C again cancels it");
    }
    if (run->step >= run->plan->step_count || run->shown[run->step].state != STEP_RUNNING) return;
    tick(&run->steps[run->step]);
    if (run->step && run->steps[run->step - 1].joined) tick(&run->steps[run->step - 1]);
    run_tell(run, EVENT_PROGRESS, NULL, NULL);
}

/* A statement that we cancelled because of a signal, or because somebody cancelled the run, did not fail. */
static void say_stopped(struct run *run, struct error *error) {
    if ((stop_level() == 0 && !run_cancelled(run)) || !text_equal(error->sqlstate, "57014")) return;
    error_clear(error);
    run_check_stop(run, error);
}

/* A run that could not even begin leaves nothing behind, unless somebody asked something of it; one that is gone on
 * with stays as it was, or says why it waited. */
static bool enter_lane(struct run *run, const struct request *request, bool made, struct arena *arena,
                       struct error *error) {
    struct lane_wait wait = {.ms = request->wait};
    lane_enter(run, &wait, error);
    if (!failed(error)) return true;
    struct error ignored = error_new(arena);
    if (slot_lost(run->desk)) slot_reopen(run->desk, &ignored);
    if (ends_cancelled(run, error)) cancel_tidy(run, error);
    if (run->wanted && error->fault == FAULT_STOPPED)
        write_state(run, error, arena, &ignored);
    else if (made && !run->wanted)
        runs_forget(&run->state, arena, &run->holder, &ignored);
    else if (run->wanted || wait.waited)
        runs_set_state(&run->state, arena, &run->holder, "paused", json_of_error(arena, error), &ignored);
    lanes_leave_queue(&run->state, arena, run->holder.run, &ignored);
    return false;
}

static void begin(struct run *run, enum event_type type, struct arena *arena, struct error *error) {
    struct event event = run_event(run, type);
    announce_begin(run, error);
    runs_set_state(&run->state, arena, &run->holder, "running", NULL, error);
    announce(run, &event, error);
    announce_end(run, error);
    if (!failed(error)) event_tell(run->listeners, &event);
}

static void work(struct run *run, const struct request *request, struct error *error) {
    record_open(run);
    struct timer *timer = wire_every(run->wire, PROGRESS_MS, show_progress, run);
    struct throttle *throttle = throttle_start(run, error);
    walk(run, request->until, error);
    throttle_stop(throttle);
    say_stopped(run, error);
    insist(run, run->step, tidy, error);
    if (ends_cancelled(run, error)) cancel_tidy(run, error);
    wire_forget(run->wire, timer);
    write_end(run, error);
}

/* Whoever had the lease before us may have ended the run since we looked, or begun to take it back. */
static void refuse_ended(struct run *run, struct arena *arena, struct error *error) {
    const char *state = runs_ended(&run->state, arena, run->holder.run, error);
    if (!state) return;
    fail(error, FAULT_HELD, "run %lld of plan %s is %s by now: somebody else was quicker", (long long)run->holder.run,
         run->plan->name, text_equal(state, "undoing") ? "being undone" : state);
    fail_hint(error, "this one did nothing; the same command looks anew");
}

void engine_run(struct run *run, const struct request *request, struct problems *problems, struct error *error) {
    struct arena *arena = arena_new(run->arena);
    run->began = clock_ms();
    struct run_row *row = begin_prepare(run, request, problems, arena, error);
    if (failed(error)) return;
    run->holder.run = row ? row->run : begin_create(run, arena, error);
    struct heartbeat *heartbeat = failed(error) ? NULL : heartbeat_start(run, error);
    if (!heartbeat) return;
    struct error ignored = error_new(arena); /* a lease that cannot be given back ends by itself */
    if (row) refuse_ended(run, arena, error);
    if (failed(error)) {
        heartbeat_stop(heartbeat, &ignored);
        return;
    }
    announce_open(run, error);
    begin_add_steps(run, arena, error);
    begin_load_steps(run, arena, error);
    bool entered = enter_lane(run, request, row == NULL, arena, error);
    struct courier *courier = NULL;
    if (entered) {
        begin(run, row ? EVENT_RUN_RESUMED : EVENT_RUN_STARTED, arena, error);
        courier = courier_start(run);
        work(run, request, error);
    }
    heartbeat_stop(heartbeat, &ignored);
    if (!entered) return;
    struct event event = end_event(run, error); /* it took as long as it did: what is told of it comes on top */
    courier_stop(courier);
    event_tell(run->listeners, &event);
}
