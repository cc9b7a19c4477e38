/* pgwinnow undo: bring back what a run removed or changed, from its archive. */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/stop.h"
#include "base/text.h"
#include "commands/shown.h"
#include "engine/undo.h"
#include "events/sinks.h"

#define AT(field) offsetof(struct command_line, field)

static const char *const conflict_choices[] = {"stop", "skip", "force", NULL};
static const char *const trigger_choices[] = {"fire", "off", NULL};

static const struct command_option undo_options[] = {
    {"on-conflict", ARGUMENT_CHOICE, AT(on_conflict), NULL,
     "rows that the application changed since; stop: before anything is changed (default)", conflict_choices},
    {"triggers", ARGUMENT_CHOICE, AT(triggers), NULL, "whether the tables' triggers fire as rows come back",
     trigger_choices},
    {"max-time", ARGUMENT_DURATION, AT(max_time), "TIME", "stop cleanly after so long, to be resumed", NULL},
    {"wait", ARGUMENT_DURATION, AT(wait), "TIME",
     "wait so long for whoever is in the lane or changes the same tables; else exit code 4", NULL},
    {"metrics-file", ARGUMENT_TEXT, AT(metrics), "PATH", "keep numbers for Prometheus in this file (docs/metrics.md)",
     NULL},
    {"published", ARGUMENT_CHOICE, AT(published), NULL,
     "where a publication of all tables would carry those of the undo: refuse (default), or accept", published_choices},
    {0},
};

enum { MOST_TOLD = 20 };

/* --- asking --- */

static bool may_drop(void *context, const char *what) {
    const struct command_line *line = context;
    char answer[16] = "";
    if (line->yes) return true;
    if (!isatty(STDIN_FILENO)) return false;
    fprintf(stderr, "What the run removed collides under the unique index that it made: %s. Drop it first? [y/N] ",
            what);
    if (!fgets(answer, sizeof answer, stdin)) fputc('\n', stderr);
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* --- telling --- */

static void tell_left(const struct undo_outcome *out) {
    if (!out->left_count) return;
    printf("%lld row%s not as before the run:\n", (long long)out->left_count, out->left_count == 1 ? " is" : "s are");
    for (size_t i = 0; i < out->left_shown && i < MOST_TOLD; i++)
        printf("  %s %s: %s\n", out->left[i].table, out->left[i].key, out->left[i].reason);
    if (out->left_count > MOST_TOLD) printf("  ... and %lld more\n", (long long)(out->left_count - MOST_TOLD));
}

static void tell(struct arena *arena, const struct overview *o, const struct undo_outcome *out) {
    long long run = (long long)o->run;
    if (out->already) {
        printf("Run %lld of plan %s is undone already: nothing to do.\n", run, o->plan);
        return;
    }
    if (out->nothing) {
        printf("Run %lld of plan %s removed and changed nothing: nothing to undo.\n", run, o->plan);
        return;
    }
    printf("Run %lld of plan %s is undone: %s row%s brought back.\n", run, o->plan, text_count(arena, out->restored),
           out->restored == 1 ? "" : "s");
    for (size_t i = 0; i < out->index_count; i++) printf("Dropped the unique index %s.\n", out->indexes[i]);
    tell_left(out);
    if (out->not_undone_count) puts("Not undone:");
    for (size_t i = 0; i < out->not_undone_count; i++) printf("  %s\n", out->not_undone[i]);
}

static json_t *texts(const char *const *items, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(items[i]));
    return list;
}

static void answer(struct command_line *line, struct arena *arena, const struct overview *o,
                   const struct undo_outcome *out, const struct error *error) {
    json_t *left = json_array();
    for (size_t i = 0; i < out->left_shown; i++)
        json_array_append_new(left, json_pack("{s:o, s:o, s:o}", "table", json_text_or_null(arena, out->left[i].table),
                                              "key", json_text_or_null(arena, out->left[i].key), "reason",
                                              json_text_or_null(arena, out->left[i].reason)));
    const char *state = failed(error) ? o->state : out->nothing ? o->state : "undone";
    json_t *json = json_pack("{s:I, s:s, s:s, s:b, s:b, s:I, s:I, s:o, s:o, s:o}", "run", (json_int_t)o->run, "plan",
                             o->plan, "state", state, "already", (int)out->already, "changed", (int)(out->restored > 0),
                             "restored", (json_int_t)out->restored, "conflicts", (json_int_t)out->left_count, "rows",
                             left, "dropped_indexes", texts(out->indexes, failed(error) ? 0 : out->index_count),
                             "not_undone", texts(out->not_undone, out->not_undone_count));
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    line->answered = true;
}

/* --- which run --- */

static void refuse_state(const struct overview *o, struct error *error) {
    bool working = text_equal(o->state, "running") || text_equal(o->state, "waiting");
    bool undoing = text_equal(o->state, "undoing");
    if (!o->alive || !(working || undoing)) return;
    fail(error, FAULT_HELD, "run %lld of plan %s is %s, by %s", (long long)o->run, o->plan,
         undoing ? "being undone" : "under way", o->holder ? o->holder : "another runner");
    fail_hint(error, "wait until it ends, or stop it: `pgwinnow status %lld` shows how far it is", (long long)o->run);
}

static struct undo_request request_of(struct command_line *line, struct arena *arena, const struct named *named) {
    stop_install();
    fflush(stdout);
    struct sink_request wanted = {.fd = STDOUT_FILENO,
                                  .colour = line->colour,
                                  .unicode = sink_unicode(),
                                  .quiet = line->quiet,
                                  .metrics = line->metrics,
                                  .undoing = true};
    const struct sink *display = line->json ? NULL : sink_choose(0, isatty(STDOUT_FILENO), line->quiet);
    return (struct undo_request){.database = line->database ? line->database
                                             : named->url   ? named->url
                                                            : "",
                                 .database_direct = desk_direct(line, named),
                                 .schema = line->schema,
                                 .on_conflict = (enum undo_conflicts)line->on_conflict,
                                 .triggers_off = line->triggers == 1,
                                 .max_time = line->max_time > 0 ? line->max_time : 0,
                                 .wait = line->wait > 0 ? line->wait : 0,
                                 .published = line->published == 1,
                                 .agrees = may_drop,
                                 .context = line,
                                 .listeners = sinks_open(arena, display, &wanted)};
}

static void undo_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open(line, arena, named.url, error);
    const struct overview *o = failed(error) ? NULL : desk_find(&state, arena, &named, error);
    if (o) refuse_state(o, error);
    if (!o || failed(error)) return;
    slot_close(state.slot);
    struct undo_request request = request_of(line, arena, &named);
    struct undo_outcome outcome = {0};
    engine_undo(arena, o, &request, &outcome, error);
    if (line->json && (!failed(error) || outcome.conflicts))
        answer(line, arena, o, &outcome, error);
    else if (!failed(error) && !line->quiet)
        tell(arena, o, &outcome);
    else if (!failed(error))
        tell_left(&outcome);
}

const struct command undo_command = {
    .name = "undo",
    .synopsis = "RUN",
    .about = "bring back what a run removed or changed",
    .more =
        "RUN is a run's number, or a plan's name or file: its latest run. Batch by batch, the last one first; Ctrl-C\n"
        "stops it, the same command goes on. A run that is undone already is left alone, with exit code 0.\n"
        "Indexes, backfills, sql steps and sequences are not undone; the answer lists them.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .options = undo_options,
    .run = undo_run,
};
