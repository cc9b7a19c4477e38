/* pgwinnow cancel: end a run for good, and say what remains of it. */
#include "engine/cancel.h"

#include "base/stop.h"
#include "base/text.h"
#include "commands/control.h"
#include "state/control.h"

static void refuse_undoing(const struct control *c, struct error *error) {
    if (!control_is(c, "undoing")) return;
    fail(error, FAULT_REFUSED, "run %lld of plan %s is being undone: that cannot be cancelled", (long long)c->run->run,
         c->run->plan);
    fail_hint(error, "`pgwinnow pause %lld` stops it, `pgwinnow undo %lld` goes on with it", (long long)c->run->run,
              (long long)c->run->run);
}

static bool over(const struct overview *o) { return overview_over(o); }

/* What it made can only be dropped by who owns it. Until somebody does that, the run is over in all but name. */
static void explain_rights(const struct control *c, struct error *error) {
    if (!text_equal(error->sqlstate, "42501")) return;
    error->fault = FAULT_REFUSED;
    error->detail = arena_printf(error->arena, "%s", error->message);
    error->message =
        arena_printf(error->arena, "run %lld of plan %s will not go on, but role %s may not tidy up after it",
                     (long long)c->run->run, c->run->plan, slot_user(c->state.slot));
    error->hint = arena_printf(error->arena,
                               "it ends with the next `pgwinnow run` of its plan, or with `pgwinnow cancel %lld` by "
                               "role %s, who began it",
                               (long long)c->run->run, c->run->role);
}

static void end_it(struct control *c, struct error *error) {
    struct cancel_request request = {.database = c->line->database ? c->line->database
                                                 : c->named.url    ? c->named.url
                                                                   : "",
                                     .database_direct = desk_direct(c->line, &c->named),
                                     .schema = c->line->schema};
    stop_install();
    engine_cancel(c->arena, c->run, &request, error);
    explain_rights(c, error);
}

static const char *text_of(const struct control *c) {
    if (control_is(c, "cancelled")) return "is cancelled.";
    if (overview_over(c->run)) return arena_printf(c->arena, "is %s by now.", c->run->state);
    return arena_printf(c->arena, "will be cancelled: its runner, %s, has not answered yet.",
                        c->run->holder ? c->run->holder : "whoever it is,");
}

static void cancel_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct control c = control_open(line, arena, error);
    if (!failed(error)) refuse_undoing(&c, error);
    if (failed(error)) return;
    control_cancel(&c.state, arena, c.run->run, error);
    bool done = control_await(&c, over, error);
    if (!done && !failed(error) && !c.run->alive) {
        end_it(&c, error);
        if (error->fault == FAULT_HELD) error_clear(error); /* somebody took it in this moment, and hears of it */
        done = control_await(&c, over, error);
    }
    if (failed(error)) return;
    const char *status = arena_printf(arena, "pgwinnow status %lld", (long long)c.run->run);
    control_tell(&c, &(struct told){.act = "cancel",
                                    .effective = done,
                                    .text = text_of(&c),
                                    .next = done ? NULL : status,
                                    .remains = control_is(&c, "cancelled") ? c.run->error.detail : NULL});
}

const struct command cancel_command = {
    .name = "cancel",
    .synopsis = "RUN",
    .about = "end a run for good, and say what remains",
    .more =
        "A live run stops within two seconds, its statements are cancelled on the server. Helper tables, the guard\n"
        "and indexes for the time of the run go; what was removed stays removed (`pgwinnow undo` brings it back).\n"
        "Where nobody works on the run it is tidied up from here, which takes the rights of who ran it.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .run = cancel_run,
};
