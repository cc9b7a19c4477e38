/* pgwinnow run: runs a plan, or goes on with its unfinished run. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/read.h"
#include "engine/engine.h"
#include "events/sinks.h"

#define AT(field) offsetof(struct command_line, field)

static const struct command_option run_options[] = {
    {"until", ARGUMENT_TEXT, AT(until), "STEP", "stop after this step, to be resumed", NULL},
    {"max-rows", ARGUMENT_COUNT, AT(max_rows), "N", "a canary: stop after about so many rows, look, go on", NULL},
    {"max-time", ARGUMENT_DURATION, AT(max_time), "TIME", "stop cleanly after so long, to be resumed", NULL},
    {"wait", ARGUMENT_DURATION, AT(wait), "TIME",
     "wait so long for whoever is in the lane or changes the same tables, for an approval, or for the end of a pause",
     NULL},
    {"fresh", ARGUMENT_FLAG, AT(fresh), NULL, "cancel the unfinished run of this plan and start anew", NULL},
    {"tree", ARGUMENT_TEXT, AT(tree), "FINGERPRINT", "accept the foreign-key tree that explain printed", NULL},
    {"output", ARGUMENT_CHOICE, AT(output), NULL, "how to show progress; auto: a bar on a terminal, else plain lines",
     sink_choices},
    {"metrics-file", ARGUMENT_TEXT, AT(metrics), "PATH", "keep numbers for Prometheus in this file (docs/metrics.md)",
     NULL},
    {0},
};

/* An environment with confirm: true wants the plan's name typed, so that production is never hit by the arrow-up key.
 * */
static void confirm(const struct command_line *line, const struct plan *plan, struct error *error) {
    char typed[128] = "";
    if (!plan->confirm || line->yes) return;
    if (!isatty(STDIN_FILENO)) {
        fail(error, FAULT_REFUSED, "environment %s wants a confirmation and nobody is there to give it",
             plan->environment);
        fail_hint(error, "add --yes in a script");
        return;
    }
    fprintf(stderr, "This runs %s on %s (environment %s). Type the plan's name to go on: ", plan->name,
            plan->table.name, plan->environment);
    if (!fgets(typed, sizeof typed, stdin)) typed[0] = '\0';
    typed[strcspn(typed, "\n")] = '\0';
    if (!text_equal(typed, plan->name)) fail(error, FAULT_REFUSED, "not confirmed: nothing was changed");
}

static void run_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct problems problems = problems_new(arena);
    const struct plan *plan = read_plan(line, arena, READ_PLACE | READ_ENDPOINTS, &problems, error);
    if (!failed(error)) confirm(line, plan, error);
    if (failed(error)) return;
    stop_install();
    fflush(stdout);
    struct sink_request wanted = {.fd = STDOUT_FILENO,
                                  .colour = line->colour,
                                  .unicode = sink_unicode(),
                                  .quiet = line->quiet,
                                  .metrics = line->metrics};
    const struct sink *display = sink_choose(line->output, isatty(STDOUT_FILENO), line->quiet);
    struct request request = {.database = line->database,
                              .database_direct = line->database_direct,
                              .schema = line->schema,
                              .yes = line->yes,
                              .fresh = line->fresh,
                              .tree = line->tree,
                              .until = line->until,
                              .max_rows = line->max_rows > 0 ? line->max_rows : 0,
                              .max_time = line->max_time > 0 ? line->max_time : 0,
                              .wait = line->wait > 0 ? line->wait : 0,
                              .listeners = sinks_open(arena, display, &wanted)};
    struct run *run = engine_open(arena, plan, &request, error);
    if (!failed(error)) engine_run(run, &request, &problems, error);
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
