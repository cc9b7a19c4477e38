/* pgwinnow history: list the runs that are over. */
#include "commands/command.h"

static void history_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command history_command = {
    .name = "history",
    .synopsis = "[PLAN]",
    .about = "list the runs that are over",
    .most = 1,
    .traits = COMMAND_READS,
    .run = history_run,
};
