/*
 * approve: goes on only when somebody has said so (`pgwinnow approve`). Until then the run ends here, with exit code
 * 75 and its lane free for others; with --wait it stays, and its lane with it. Who approved and when is kept with the
 * step.
 */
#include "base/clock.h"
#include "base/text.h"
#include "state/control.h"
#include "steps/table.h"
#include "work/announce.h"
#include "work/explanation.h"
#include "work/run.h"

enum { LOOK_MS = 1000 };

struct approve_options {
    const char *message;
};

#define AT(member) offsetof(struct approve_options, member)
static const struct option approve_option_table[] = {
    {"message", OPTION_TEXT, AT(message), .about = "what is asked of whoever approves", .flags = OPTION_UNCOUNTED},
    {0},
};
#undef AT

static const char *message_of(const struct run *run, size_t index) {
    const struct approve_options *o = run->plan->steps[index].options;
    return o->message ? o->message : "an approval is needed to go on";
}

static const char *command(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "pgwinnow approve %lld", (long long)run->holder.run);
}

static bool approved(struct run *run, size_t index, struct arena *arena, struct error *error) {
    const struct approval *a =
        control_approval(&run->state, arena, run->holder.run, index, run->steps[index].round, error);
    if (!a) return false;
    run->steps[index].note = arena_printf(run->arena, "approved by %s at %s", a->role, a->at);
    return true;
}

/* What is asked is not written down by anything else: the run's state tells it only when it ends here. */
static void say_needed(struct run *run, size_t index, struct arena *arena, struct error *error) {
    struct event event = run_event(run, EVENT_APPROVAL_NEEDED);
    event.message = message_of(run, index);
    event.hint = command(run, arena);
    announce_begin(run, error);
    announce(run, &event, error);
    announce_end(run, error);
    if (!failed(error)) event_tell(run->listeners, &event);
}

static void stop(const struct run *run, size_t index, struct error *error) {
    if (failed(error)) return;
    const char *waited =
        run->wait ? arena_printf(error->arena, ", in vain for %s", clock_text(error->arena, run->wait)) : "";
    fail(error, FAULT_STOPPED, "waiting for an approval%s: %s", waited, message_of(run, index));
    fail_hint(error, "`%s` gives it; then the same command goes on from here", command(run, error->arena));
    error->final = true;
}

/* The answer is looked for where it is written; nothing else tells of it. A lost connection is the engine's to mend. */
static void stay(struct run *run, size_t index, struct error *error) {
    int64_t began = clock_ms();
    struct arena *scratch = arena_new(run->arena);
    control_wait(&run->state, scratch, &run->holder, arena_printf(scratch, "an approval: %s", message_of(run, index)),
                 command(run, scratch), error);
    run->progress = (struct progress){.waiting = arena_printf(run->arena, "an approval: %s", message_of(run, index)),
                                      .until = command(run, run->arena),
                                      .waiting_since = began};
    bool yes = false;
    while (!failed(error) && !yes && clock_ms() - began < run->wait) {
        arena_reset(scratch);
        wire_sleep(run->wire, LOOK_MS);
        run_check_stop(run, error);
        yes = approved(run, index, scratch, error);
    }
    run->progress = (struct progress){0};
    if (yes) runs_set_state(&run->state, scratch, &run->holder, "running", NULL, error);
    if (!yes) stop(run, index, error);
    arena_free(scratch);
}

static void approve_run(struct run *run, size_t index, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    if (!approved(run, index, scratch, error) && !failed(error)) {
        say_needed(run, index, scratch, error);
        if (run->wait)
            stay(run, index, error);
        else
            stop(run, index, error);
    }
    arena_free(scratch);
}

static void approve_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    (void)error;
    text_addf(&explanation->said,
              "waits for `pgwinnow approve RUN`: %s\nuntil then the run ends here with exit code 75, or stays, with "
              "--wait; its lane is free meanwhile only when it ends\n",
              message_of(run, index));
}

const struct step step_approve = {
    .name = "approve",
    .about = "goes on only when somebody has approved",
    .size = sizeof(struct approve_options),
    .options = approve_option_table,
    .needs = REPEATABLE,
    .explain = approve_explain,
    .run = approve_run,
};
