/* pgwinnow resume: take a pause back. */
#include "base/text.h"
#include "commands/control.h"
#include "commands/shown.h"
#include "state/control.h"

static bool goes_on(const struct overview *o) { return !text_equal(o->state, "paused") || !o->alive; }

static void refuse(const struct control *c, struct error *error) {
    if (!text_equal(c->run->wanted, "cancelled")) return;
    fail(error, FAULT_REFUSED, "run %lld of plan %s is asked to be cancelled: it does not go on",
         (long long)c->run->run, c->run->plan);
    fail_hint(error, "`pgwinnow run` with its plan starts anew");
}

static const char *text_of(const struct control *c, bool was_held) {
    const struct overview *o = c->run;
    if (o->alive && control_is(c, "paused")) return "is resumed; its runner has not answered yet.";
    if (o->alive) return arena_printf(c->arena, "is %s.", o->state);
    return arena_printf(c->arena, "is %s%s and nobody works on it.", o->state, was_held ? ", no longer on hold," : "");
}

static void resume_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct control c = control_open(line, arena, error);
    if (!failed(error)) refuse(&c, error);
    if (failed(error)) return;
    bool was_held = c.run->hold;
    control_resume(&c.state, arena, c.run->run, error);
    control_await(&c, goes_on, error);
    if (failed(error)) return;
    const char *next = c.run->alive || overview_over(c.run) ? NULL : shown_go_on(arena, c.run, &c.named, "");
    control_tell(&c, &(struct told){.act = "resume",
                                    .effective = !(c.run->alive && control_is(&c, "paused")),
                                    .text = text_of(&c, was_held),
                                    .next = next});
}

const struct command resume_command = {
    .name = "resume",
    .synopsis = "RUN",
    .about = "let a run that was paused go on",
    .more =
        "A runner that waits (`run --wait`) goes on within two seconds. Where none does, what to type is told: the\n"
        "pause, and the hold of `pause --hold`, are taken back.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .run = resume_run,
};
