/* pgwinnow status: show what runs, what is left, and why it waits; once, or again and again. Reads only. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "commands/shown.h"
#include "commands/watch.h"
#include "events/screen.h"

#define AT(field) offsetof(struct command_line, field)

static const struct command_option status_options[] = {
    {"watch", ARGUMENT_FLAG, AT(watch), NULL, "go on looking, until the run is over or Ctrl-C", NULL},
    {"every", ARGUMENT_DURATION, AT(every), "TIME", "with --watch: how often it looks (default: 2s)", NULL},
    {0},
};

enum { EVERY_MS = 2000, LEAST_EVERY_MS = 100 };

struct look {
    const struct command_line *line;
    const struct state *state;
    const struct named *named;
};

/* What was found: one run when one was named, else all that are not over. */
struct found {
    const struct overview *list;
    size_t count;
    bool all;
};

static struct found find(const struct look *l, struct arena *arena, struct error *error) {
    struct found found = {.all = !l->line->argument_count};
    struct overview_filter filter = {.environment = l->line->environment, .which = OVERVIEW_UNFINISHED};
    if (found.all)
        found.list = overview_read(l->state, arena, &filter, &found.count, error);
    else
        found.list = desk_find(l->state, arena, l->named, error);
    if (!found.all) found.count = found.list != NULL;
    return found;
}

static void page_of_locks(const struct look *l, struct arena *arena, FILE *out, struct error *error) {
    size_t count;
    const struct lock_holder *held = overview_locks(l->state, arena, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++)
        fprintf(out, "lock %s is held by %s for %s, running: %s\n", held[i].name, held[i].holder,
                clock_text(arena, held[i].held_ms), held[i].command);
}

static void page_of(const struct look *l, struct arena *arena, const struct found *found, size_t width, FILE *out,
                    struct error *error) {
    if (!found->all)
        shown_page(out, arena, found->list, l->named, l->line->colour, width);
    else if (found->count)
        shown_unfinished(out, arena, found->list, found->count, l->line->colour);
    else if (!l->line->quiet)
        fprintf(out, "Nothing is under way in database %s. pgwinnow history lists the runs that are over.\n",
                slot_database(l->state->slot));
    if (found->all) page_of_locks(l, arena, out, error);
}

/* --- once --- */

static size_t width(void) {
    struct screen screen = {.fd = STDOUT_FILENO};
    if (!isatty(STDOUT_FILENO)) return 0;
    screen_measure(&screen);
    return screen.width;
}

static void show(struct command_line *line, struct arena *arena, const struct look *l, struct error *error) {
    struct found found = find(l, arena, error);
    if (failed(error)) return;
    if (line->json)
        shown_answer(line, arena, found.list, found.count, found.all);
    else
        page_of(l, arena, &found, width(), stdout, error);
}

/* --- again and again --- */

/* Times and speeds go on by themselves, and the words for what it waits for have times in them. */
static void leave_out_times(json_t *run) {
    static const char *const keys[] = {"seconds", "rate", "eta_seconds"};
    json_t *waiting = json_object_get(run, "waiting"), *step;
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys; i++) json_object_del(run, keys[i]);
    json_object_set(run, "waiting", json_is_null(waiting) ? json_false() : json_true());
    json_array_foreach(json_object_get(run, "steps"), i, step) json_object_del(step, "seconds");
}

static const char *essence_of(struct arena *arena, json_t *answer) {
    size_t i;
    json_t *run;
    if (json_is_array(answer)) {
        json_array_foreach(answer, i, run) leave_out_times(run);
    } else
        leave_out_times(answer);
    return shown_line(arena, answer);
}

static struct view look(void *context, struct arena *arena, size_t width, struct error *error) {
    const struct look *l = context;
    char *text = NULL;
    size_t length;
    struct found found = find(l, arena, error);
    if (failed(error)) return (struct view){0};
    FILE *out = open_memstream(&text, &length);
    page_of(l, arena, &found, width, out, error);
    fclose(out);
    json_t *answer = shown_json(arena, found.list, found.count, found.all);
    struct view view = {.page = arena_strdup(arena, text),
                        .answer = shown_line(arena, answer),
                        .over = !found.all && overview_over(found.list)};
    view.essence = essence_of(arena, answer);
    json_decref(answer);
    free(text);
    return view;
}

static void check_every(const struct command_line *line, struct error *error) {
    if (line->every == -1) return;
    if (!line->watch) fail(error, FAULT_USAGE, "--every says how often --watch looks, and goes with it");
    if (line->every < LEAST_EVERY_MS) fail(error, FAULT_USAGE, "--every takes at least 100ms");
}

static void status_run(struct command_line *line, struct arena *arena, struct error *error) {
    check_every(line, error);
    if (failed(error)) return;
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open_reading(line, arena, named.url, error);
    struct look l = {line, &state, &named};
    if (failed(error)) return;
    if (!line->watch) {
        show(line, arena, &l, error);
        return;
    }
    struct watched watched = {.look = look,
                              .context = &l,
                              .slot = state.slot,
                              .every = line->every > 0 ? line->every : EVERY_MS,
                              .json = line->json,
                              .colour = line->colour};
    watch(&watched, arena, error);
}

const struct command status_command = {
    .name = "status",
    .synopsis = "[PLAN|RUN]",
    .about = "show what runs, what is left, and why it waits",
    .more =
        "PLAN is a plan's name or its file, and means its latest run; RUN is a run's number. Without either: all runs\n"
        "that are not over. A run whose runner is gone is shown as interrupted, with the command to go on.\n"
        "--watch draws it anew in place; where that is no terminal it prints it anew when something changed, with\n"
        "--json a line each time. A lost connection is made again.",
    .most = 1,
    .traits = COMMAND_READS,
    .options = status_options,
    .run = status_run,
};
