/* pgwinnow status: show what runs, what is left, and why it waits. Reads only. */
#include <stdio.h>

#include "base/clock.h"
#include "commands/shown.h"

static void show_one(struct command_line *line, struct arena *arena, const struct state *state,
                     const struct named *named, struct error *error) {
    const struct overview *found = desk_find(state, arena, named, error);
    if (!found) return;
    if (line->json)
        shown_answer(line, arena, found, 1, false);
    else
        shown_page(stdout, arena, found, named, line->colour);
}

static void show_locks(struct arena *arena, const struct state *state, struct error *error) {
    size_t count;
    const struct lock_holder *held = overview_locks(state, arena, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++)
        printf("lock %s is held by %s for %s, running: %s\n", held[i].name, held[i].holder,
               clock_text(arena, held[i].held_ms), held[i].command);
}

static void show_all(struct command_line *line, struct arena *arena, const struct state *state, struct error *error) {
    struct overview_filter filter = {.environment = line->environment, .which = OVERVIEW_UNFINISHED};
    size_t count;
    const struct overview *list = overview_read(state, arena, &filter, &count, error);
    if (failed(error)) return;
    if (line->json)
        shown_answer(line, arena, list, count, true);
    else if (count)
        shown_unfinished(stdout, arena, list, count, line->colour);
    else if (!line->quiet)
        printf("Nothing is under way in database %s. pgwinnow history lists the runs that are over.\n",
               slot_database(state->slot));
    if (!line->json) show_locks(arena, state, error);
}

static void status_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open_reading(line, arena, named.url, error);
    if (failed(error)) return;
    if (line->argument_count)
        show_one(line, arena, &state, &named, error);
    else
        show_all(line, arena, &state, error);
}

const struct command status_command = {
    .name = "status",
    .synopsis = "[PLAN|RUN]",
    .about = "show what runs, what is left, and why it waits",
    .more =
        "PLAN is a plan's name or its file, and means its latest run; RUN is a run's number. Without either: all runs\n"
        "that are not over. A run whose runner is gone is shown as interrupted, with the command to go on.",
    .most = 1,
    .traits = COMMAND_READS,
    .run = status_run,
};
