/* pgwinnow status: show what runs, what is left, and why it waits. */
#include "commands/command.h"

static void status_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command status_command = {
    .name = "status",
    .synopsis = "[PLAN|RUN]",
    .about = "show what runs, what is left, and why it waits",
    .most = 1,
    .traits = COMMAND_READS,
    .run = status_run,
};
