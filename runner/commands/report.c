/* pgwinnow report: what a run was and did, for those who were not there. Reads only. */
#include <stdio.h>

#include "base/text.h"
#include "commands/desk.h"
#include "state/report.h"

enum { DIGITS = 15 };

static void report_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open_reading(line, arena, named.url, error);
    const struct overview *found = failed(error) ? NULL : desk_find(&state, arena, &named, error);
    json_t *report = found ? report_data(&state, arena, found->run, error) : NULL;
    if (!report) return;
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
    putchar('\n');
    line->answered = true;
}

static const char *const formats[] = {"json", NULL};

static const struct command_option options[] = {
    {"format", ARGUMENT_CHOICE, offsetof(struct command_line, format), NULL, "what to write", formats},
    {0},
};

const struct command report_command = {
    .name = "report",
    .synopsis = "PLAN|RUN",
    .about = "write down what a run was and did",
    .more = "PLAN is a plan's name or its file, and means its latest run; RUN is a run's number.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .options = options,
    .run = report_run,
};
