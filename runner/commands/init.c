/* pgwinnow init: create the schema that holds the state, and its roles. */
#include "commands/command.h"

static const struct command_option init_options[] = {
    {"print", ARGUMENT_FLAG, offsetof(struct command_line, print), NULL, "print the SQL for a DBA to run, do nothing",
     NULL},
    {0},
};

static void init_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command init_command = {
    .name = "init",
    .synopsis = "",
    .about = "create the schema that holds the state, and its roles",
    .options = init_options,
    .run = init_run,
};
