/* pgwinnow explain: show what a plan would do here: tree, counts, SQL; changes nothing. */
#include "commands/command.h"

static void explain_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command explain_command = {
    .name = "explain",
    .synopsis = "PLAN",
    .about = "show what a plan would do here: tree, counts, SQL; changes nothing",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .run = explain_run,
};
