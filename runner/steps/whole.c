/* Transactions of steps that are no batches. Owns their retries; what they do is the steps'. */
#include "steps/whole.h"

#include "base/clock.h"
#include "base/text.h"
#include "work/announce.h"
#include "work/pause.h"
#include "work/reconnect.h"
#include "work/retry.h"

struct whole whole_new(struct run *run, size_t step) {
    struct session session = session_for(run, step, run->arena);
    session.lock_timeout = run_settings(run, step)->locks.ddl_timeout;
    return (struct whole){.run = run, .step = step, .session = session};
}

void whole_record(struct run *run, size_t step, const char *state, struct arena *arena, struct error *error) {
    const struct plan_step *planned = &run->plan->steps[step];
    const struct run_step *own = &run->steps[step];
    struct step_row row = {.name = planned->name,
                           .kind = planned->step->name,
                           .state = state,
                           .note = own->note,
                           .round = own->round,
                           .rows = own->shown->rows,
                           .total = own->shown->total,
                           .spared = own->shown->spared,
                           .batches = own->shown->batches,
                           .ms = own->shown->ms};
    runs_set_step(&run->state, arena, &run->holder, step, &row, error);
    if (text_equal(state, "done")) announce_step(run, EVENT_STEP_FINISHED, STEP_DONE, own->note, error);
}

bool whole_recorded_done(struct whole *whole, struct arena *arena, struct error *error) {
    size_t count = 0;
    struct step_row *rows = runs_steps(&whole->run->state, arena, whole->run->holder.run, &count, error);
    return !failed(error) && whole->step < count && text_equal(rows[whole->step].state, "done");
}

static void attempt(struct whole *whole, struct arena *arena, struct error *error) {
    session_begin(whole->run->desk, arena, &whole->session, error);
    whole_record(whole->run, whole->step, "running", arena, error);
    if (!failed(error)) whole->act(whole, arena, error);
    session_end(whole->run->desk, arena, error);
}

/* Ctrl-C twice cancelled it: a stop, and no failure. */
static void stopped(struct whole *whole, struct error *error) {
    if (!failed(error) || !text_equal(error->sqlstate, "57014") || !slot_cancelled(whole->run->desk)) return;
    error_clear(error);
    run_check_stop(whole->run, error);
}

static bool mends(const struct error *error) {
    enum verdict verdict = failed(error) ? retry_verdict(error, false) : VERDICT_FAIL;
    return verdict == VERDICT_LATER || verdict == VERDICT_CONNECT;
}

static void pause(struct whole *whole, int tries, struct arena *arena, struct error *error) {
    struct progress *progress = &whole->run->progress;
    progress->waiting = arena_strdup(arena, error->message);
    progress->waiting_since = clock_ms();
    error_clear(error);
    wire_sleep(whole->run->wire, retry_pause(tries));
    progress->waiting = NULL;
    run_check_stop(whole->run, error);
    if (!failed(error)) reconnect(whole->run, whole->run->desk, error);
}

void whole_run(struct whole *whole, struct error *error) {
    int64_t retries = run_settings(whole->run, whole->step)->locks.retries;
    struct arena *arena = arena_new(whole->run->arena);
    pause_point(whole->run, error);
    if (!failed(error)) attempt(whole, arena, error);
    for (int tries = 1; mends(error) && tries <= retries; tries++) {
        bool lost = slot_lost(whole->run->desk);
        pause(whole, tries, arena, error);
        if (failed(error)) continue;
        if (lost && whole->is_done(whole, arena, error)) break;
        if (!failed(error)) attempt(whole, arena, error);
    }
    error->final = mends(error);
    stopped(whole, error);
    if (text_equal(error->sqlstate, "57014") && !error->hint)
        error->hint = "`locks: { statement_timeout: ... }` of the step says how long it may take";
    arena_free(arena);
}
