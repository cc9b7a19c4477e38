/* pgwinnow history: list the runs that are over. Reads only. */
#include <stdio.h>

#include "base/text.h"
#include "commands/shown.h"

static void history_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open_reading(line, arena, named.url, error);
    struct overview_filter filter = {
        .run = named.run, .plan = named.plan, .environment = named.environment, .which = OVERVIEW_OVER};
    size_t count = 0;
    const struct overview *list = failed(error) ? NULL : overview_read(&state, arena, &filter, &count, error);
    if (failed(error)) return;
    if (line->json)
        shown_answer(line, arena, list, count, true);
    else if (count)
        shown_over(stdout, arena, list, count, line->colour);
    else if (!line->quiet)
        printf("No run%s%s is over in database %s.\n", named.plan ? " of plan " : "", named.plan ? named.plan : "",
               slot_database(state.slot));
}

const struct command history_command = {
    .name = "history",
    .synopsis = "[PLAN]",
    .about = "list the runs that are over",
    .more =
        "The newest first: how each ended and when, how long it took, the rows it removed from the plan's table, the\n"
        "rows it settled below them, and those that it spared since they no longer qualified when their turn came;\n"
        "who began it, and who cancelled it or took it back.",
    .most = 1,
    .traits = COMMAND_READS,
    .run = history_run,
};
