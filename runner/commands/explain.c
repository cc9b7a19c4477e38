/* pgwinnow explain: show what a plan would do here: tree, counts, SQL; changes nothing. */
#include <stdio.h>

#include "base/stop.h"
#include "commands/command.h"
#include "commands/read.h"
#include "engine/engine.h"

static void explain_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct problems problems = problems_new(arena);
    const struct plan *plan = read_plan(line, arena, READ_PLACE, &problems, error);
    if (failed(error)) return;
    stop_install();
    struct request request = {.database = line->database, .schema = line->schema, .yes = true, .reads = true};
    struct run *run = engine_open(arena, plan, &request, error);
    struct text out = text_new(arena);
    if (!failed(error)) engine_explain(run, &problems, line->json, &out, error);
    if (!out.length) return;
    fputs(out.data, stdout);
    line->answered = line->json;
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
