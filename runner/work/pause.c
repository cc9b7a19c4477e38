/* Waiting a pause out. Owns how that is recorded and told. */
#include "work/pause.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "work/announce.h"
#include "work/reconnect.h"

enum { LOOK_MS = 1000 };

bool pause_wanted(const struct run *run) { return run->wait > 0 && !run->tidying && text_equal(run->wanted, "paused"); }

void pause_fail(const struct run *run, struct error *error) {
    long long number = run->holder.run;
    if (run->wanted_by)
        fail(error, FAULT_STOPPED, "%s by %s", run->wanted, run->wanted_by);
    else
        fail(error, FAULT_STOPPED, "%s: somebody set `wanted` in %s.runs", run->wanted, run->state.schema);
    if (text_equal(run->wanted, "paused"))
        fail_hint(error, "the same command goes on from here; if the pause holds, after `pgwinnow resume %lld`",
                  number);
}

/* What cannot be written down now is no reason to end: the lease says whether the run is still ours. Displays hear a
 * notice of it, since this is not the end of what they show. */
static void record(struct run *run, enum event_type type, const struct error *why, struct arena *arena) {
    struct error ignored = error_new(arena);
    struct event event = run_event(run, type);
    event.message = why->message;
    event.hint = why->hint;
    run_tell(run, EVENT_NOTICE, why->message, why->hint);
    if (!reconnect(run, run->desk, &ignored)) return;
    announce_begin(run, &ignored);
    struct error kept = *why;
    kept.hint = NULL; /* it holds while the runner stays: whoever reads that it does knows what to type */
    runs_set_state(&run->state, arena, &run->holder, type == EVENT_RUN_PAUSED ? "paused" : "running",
                   type == EVENT_RUN_PAUSED ? json_of_error(arena, &kept) : NULL, &ignored);
    announce(run, &event, &ignored);
    announce_end(run, &ignored);
}

static void stay(struct run *run, struct arena *arena, struct error *error) {
    int64_t began = clock_ms();
    struct error why = error_new(arena);
    pause_fail(run, &why);
    why.hint = arena_printf(arena, "`pgwinnow resume %lld` lets it go on; it waits for that for %s",
                            (long long)run->holder.run, clock_text(arena, run->wait));
    record(run, EVENT_RUN_PAUSED, &why, arena);
    run->progress = (struct progress){.waiting = why.message, .waiting_since = began};
    while (pause_wanted(run) && clock_ms() - began < run->wait && !failed(error)) {
        wire_sleep(run->wire, LOOK_MS);
        run_check_stop(run, error);
    }
    run->progress = (struct progress){0};
    if (pause_wanted(run) && !failed(error)) {
        fail(error, FAULT_STOPPED, "%s, and not resumed within %s", why.message, clock_text(error->arena, run->wait));
        fail_hint(error, "the same command goes on from here; if the pause holds, after `pgwinnow resume %lld`",
                  (long long)run->holder.run);
    }
    if (failed(error)) return;
    record(run, EVENT_RUN_RESUMED, &(struct error){.message = "resumed"}, arena);
}

void pause_point(struct run *run, struct error *error) {
    while (pause_wanted(run) && !failed(error) && !slot_in_transaction(run->desk)) {
        struct arena *arena = arena_new(run->arena);
        stay(run, arena, error);
        arena_free(arena);
    }
    run_check_stop(run, error);
}
