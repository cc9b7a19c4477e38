/* pgwinnow approve: let a run go on that waits for it. */
#include "base/text.h"
#include "commands/control.h"
#include "commands/shown.h"
#include "state/control.h"

static bool goes_on(const struct overview *o) { return !text_equal(o->state, "waiting"); }

static const struct overview_step *approve_step(const struct overview *o, const char *state) {
    for (size_t i = 0; i < o->step_count; i++)
        if (text_equal(o->steps[i].kind, "approve") && text_equal(o->steps[i].state, state)) return &o->steps[i];
    return NULL;
}

static void refuse(const struct control *c, struct error *error) {
    const struct overview *o = c->run;
    const struct overview_step *given = approve_step(o, "running"), *ahead = approve_step(o, "waiting");
    fail(error, FAULT_REFUSED, "run %lld of plan %s does not wait for an approval", (long long)o->run, o->plan);
    if (given) {
        fail_detail(error, "its step %s is approved already", given->name);
        if (!o->alive) fail_hint(error, "%s", shown_go_on(c->arena, o, &c->named, ""));
    } else if (ahead) {
        fail_detail(error, "it has not come to its step %s yet", ahead->name);
        fail_hint(error, "what is to be approved can be looked at when it waits for it: `pgwinnow status %lld`",
                  (long long)o->run);
    } else {
        fail_detail(error, "there is no step of it left that would");
    }
}

static void approve_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct control c = control_open(line, arena, error);
    const char *step = failed(error) ? NULL : control_approve(&c.state, arena, c.run->run, error);
    if (!step && !failed(error)) refuse(&c, error);
    if (failed(error)) return;
    bool done = control_await(&c, goes_on, error);
    if (failed(error)) return;
    const char *text = c.run->alive ? done ? arena_printf(arena, "is approved at its step %s; it goes on.", step)
                                           : arena_printf(arena,
                                                          "is approved at its step %s; its runner has not "
                                                          "answered yet.",
                                                          step)
                                    : arena_printf(arena, "is approved at its step %s.", step);
    control_tell(&c, &(struct told){.act = "approve",
                                    .effective = true,
                                    .text = text,
                                    .next = c.run->alive ? NULL : shown_go_on(arena, c.run, &c.named, ""),
                                    .step = step});
}

const struct command approve_command = {
    .name = "approve",
    .synopsis = "RUN",
    .about = "let a run go on that waits for an approval",
    .more = "Its `approve` step waits for that; what it asks is shown by `pgwinnow status`. A runner that waits (`run\n"
            "--wait`) goes on within two seconds, else the run's command goes on from there. Who approved is kept.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .run = approve_run,
};
