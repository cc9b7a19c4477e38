/* pgwinnow pause: stop a run where it is, to go on later. */
#include "base/text.h"
#include "commands/control.h"
#include "commands/shown.h"
#include "state/control.h"

static const struct command_option pause_options[] = {
    {"hold", ARGUMENT_FLAG, offsetof(struct command_line, hold), NULL,
     "`run` does not go on with it either, until `pgwinnow resume`", NULL},
    {0},
};

static bool rests(const struct overview *o) {
    bool paused = text_equal(o->state, "paused") && (o->stays || !o->alive); /* its lease goes a moment later */
    return paused || overview_over(o) || (text_equal(o->state, "undoing") && !o->alive);
}

static const struct overview_step *at_hand(const struct overview *o) {
    for (size_t i = 0; i < o->step_count; i++)
        if (text_equal(o->steps[i].state, "running")) return &o->steps[i];
    return NULL;
}

/* Steps that are one statement are not interrupted by a pause: what they did so far would be lost. */
static const char *not_yet(const struct control *c) {
    static const char *const batched[] = {"delete", "delete-children", "together", "backfill", "undo"};
    const struct overview_step *step = at_hand(c->run);
    if (control_is(c, "waiting")) return "waits still, and pauses before it does anything else.";
    if (!step) return "will pause within moments; its runner has not answered yet.";
    for (size_t i = 0; i < sizeof batched / sizeof *batched; i++)
        if (text_equal(step->kind, batched[i]))
            return arena_printf(c->arena, "will pause when the batches at hand are done (step %s).", step->name);
    return arena_printf(c->arena,
                        "will pause when what its step %s does now is done: a pause does not interrupt one statement, "
                        "`pgwinnow cancel %lld` does.",
                        step->name, (long long)c->run->run);
}

static const char *resume_text(const struct control *c) {
    return arena_printf(c->arena, "pgwinnow resume %lld", (long long)c->run->run);
}

static const char *go_on(const struct control *c) {
    if (c->run->hold || c->run->alive) return resume_text(c);
    return shown_go_on(c->arena, c->run, &c->named, "");
}

static const char *text_of(const struct control *c, bool paused) {
    if (overview_over(c->run)) return arena_printf(c->arena, "is %s by now.", c->run->state);
    if (paused && c->run->alive) return "is paused; its runner waits for it to be resumed.";
    const char *hold = c->run->hold ? ", and on hold: `pgwinnow run` does not go on with it" : "";
    if (paused || !c->run->alive)
        return arena_printf(c->arena, "is %s%s.", control_is(c, "undoing") ? "stopped" : c->run->state, hold);
    return not_yet(c);
}

static void refuse(const struct control *c, struct error *error) {
    const struct overview *o = c->run;
    if (text_equal(o->wanted, "cancelled")) {
        fail(error, FAULT_REFUSED, "run %lld of plan %s is asked to be cancelled", (long long)o->run, o->plan);
        fail_hint(error, "`pgwinnow status %lld` shows how far that is", (long long)o->run);
    } else if (c->line->hold && control_is(c, "undoing")) {
        fail(error, FAULT_REFUSED, "run %lld of plan %s is being undone: that can be paused, not held",
             (long long)o->run, o->plan);
        fail_hint(error, "without --hold it stops; `pgwinnow undo %lld` goes on", (long long)o->run);
    }
}

static void pause_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct control c = control_open(line, arena, error);
    if (!failed(error)) refuse(&c, error);
    if (failed(error)) return;
    if (!c.run->alive && !line->hold) {
        const char *text =
            arena_printf(arena, "is %s and nobody works on it: there is nothing to pause.", c.run->state);
        control_tell(&c, &(struct told){.act = "pause", .effective = true, .text = text, .next = go_on(&c)});
        return;
    }
    control_pause(&c.state, arena, c.run->run, line->hold, error);
    bool paused = control_await(&c, rests, error);
    if (failed(error)) return;
    const struct overview_step *step = at_hand(c.run);
    control_tell(&c, &(struct told){.act = "pause",
                                    .effective = paused || !c.run->alive,
                                    .text = text_of(&c, paused),
                                    .next = overview_over(c.run) ? NULL : go_on(&c),
                                    .step = step ? step->name : NULL});
}

const struct command pause_command = {
    .name = "pause",
    .synopsis = "RUN",
    .about = "stop a run where it is, to go on later",
    .more =
        "RUN is a run's number, or a plan's name or file: its latest run. What is at hand is finished and saved, then\n"
        "its runner ends with exit code 75, within two seconds unless a single long statement is under way. One\n"
        "that was started with `run --wait` stays and waits for `pgwinnow resume`. It works from any machine.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .options = pause_options,
    .run = pause_run,
};
