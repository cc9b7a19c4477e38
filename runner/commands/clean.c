/* pgwinnow clean: drop what runs that are over left behind. */
#include "commands/command.h"

static const struct command_option clean_options[] = {
    {"older", ARGUMENT_DURATION, offsetof(struct command_line, older), "30d", "of all runs that ended so long ago",
     NULL},
    {0},
};

static void clean_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command clean_command = {
    .name = "clean",
    .synopsis = "[RUN]",
    .about = "drop what runs that are over left behind",
    .most = 1,
    .options = clean_options,
    .run = clean_run,
};
