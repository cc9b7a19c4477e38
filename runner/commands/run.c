/* pgwinnow run: runs a plan, or goes on with its unfinished run. */
#include "commands/command.h"
#include "events/sinks.h"

#define AT(field) offsetof(struct command_line, field)

static const struct command_option run_options[] = {
    {"until", ARGUMENT_TEXT, AT(until), "STEP", "stop after this step, to be resumed", NULL},
    {"max-rows", ARGUMENT_COUNT, AT(max_rows), "N", "a canary: stop after about so many rows, look, go on", NULL},
    {"fresh", ARGUMENT_FLAG, AT(fresh), NULL, "cancel the unfinished run of this plan and start anew", NULL},
    {"tree", ARGUMENT_TEXT, AT(tree), "FINGERPRINT", "accept the foreign-key tree that explain printed", NULL},
    {"output", ARGUMENT_CHOICE, AT(output), NULL, "how to show progress; auto: a bar on a terminal, else plain lines",
     sink_choices},
    {0},
};

static void run_run(struct command_line *line, struct arena *arena, struct error *error) {
    (void)line, (void)arena;
    fail(error, FAULT_FAILED, "not built yet");
}

const struct command run_command = {
    .name = "run",
    .synopsis = "PLAN",
    .about = "run a plan, or go on with its unfinished run",
    .more = "Ctrl-C once finishes the batch at hand, saves and ends with exit code 75; twice cancels the statements.\n"
            "The same command goes on where the run stopped, also after a crash.",
    .least = 1,
    .most = 1,
    .options = run_options,
    .run = run_run,
};
