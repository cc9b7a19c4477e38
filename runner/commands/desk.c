/* Where the state is, and which run is meant. */
#include "commands/desk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "commands/read.h"
#include "database/frame.h"

enum { MOST_TOLD = 5, MOST_DIGITS = 18 };

const char *desk_schema(const struct command_line *line) { return line->schema ? line->schema : "pgwinnow"; }

static const char *where(const struct command_line *line, const char *url) {
    return line->database ? line->database : url ? url : "";
}

struct state desk_open(const struct command_line *line, struct arena *arena, const char *url, struct error *error) {
    struct slot *slot = failed(error) ? NULL : slot_open(wire_new(arena), arena, where(line, url), "pgwinnow", error);
    if (!failed(error)) frame_set(slot, arena, NULL);
    return (struct state){slot, desk_schema(line)};
}

struct state desk_open_reading(const struct command_line *line, struct arena *arena, const char *url,
                               struct error *error) {
    struct slot *slot =
        failed(error) ? NULL : slot_open_reading(wire_new(arena), arena, where(line, url), "pgwinnow", error);
    return (struct state){slot, desk_schema(line)};
}

static bool is_number(const char *text) {
    size_t length = strlen(text);
    return length && length <= MOST_DIGITS && strspn(text, "0123456789") == length;
}

/* A plan's name has neither dots nor slashes; a file without either must be there to be taken for one. */
static bool is_file(const char *text) {
    struct stat found;
    return strpbrk(text, "./") || text_equal(text, "-") || (stat(text, &found) == 0 && S_ISREG(found.st_mode));
}

struct named desk_named(const struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = {.environment = line->environment};
    if (!line->argument_count) return named;
    const char *argument = line->arguments[0];
    if (is_number(argument)) {
        named.run = strtoll(argument, NULL, 10);
    } else if (!is_file(argument)) {
        named.plan = argument;
    } else {
        struct problems problems = problems_new(arena);
        const struct plan *plan = read_plan(line, arena, 0, &problems, error);
        if (!plan) return named;
        named.plan = plan->name;
        named.file = argument;
        named.url = plan->database;
        named.direct_url = plan->database_direct;
    }
    return named;
}

const char *desk_direct(const struct command_line *line, const struct named *named) {
    if (line->database_direct) return line->database_direct;
    return line->database ? NULL : named->direct_url; /* --database: another one, perhaps */
}

/* "run 7 of dedupe-listings (production, finished), run 5 of ..." */
static const char *what_there_is(const struct state *state, struct arena *arena, struct error *error) {
    size_t count;
    struct overview *list = overview_read(state, arena, &(struct overview_filter){.most = MOST_TOLD}, &count, error);
    struct text text = text_new(arena);
    for (size_t i = 0; i < count && !failed(error); i++)
        text_addf(&text, "%srun %lld of plan %s (%s%s%s)", i ? ", " : "", (long long)list[i].run, list[i].plan,
                  list[i].environment ? list[i].environment : "", list[i].environment ? ", " : "", list[i].state);
    return count ? text.data : NULL;
}

static void not_there(const struct state *state, struct arena *arena, const struct named *named, struct error *error) {
    const char *there = what_there_is(state, arena, error);
    const char *database = slot_database(state->slot), *in = named->environment ? " in environment " : "";
    const char *environment = named->environment ? named->environment : "";
    if (named->run)
        fail(error, FAULT_USAGE, "there is no run %lld%s%s in %s of database %s", (long long)named->run, in,
             environment, state->schema, database);
    else
        fail(error, FAULT_USAGE, "there is no run of plan %s%s%s in %s of database %s", named->plan, in, environment,
             state->schema, database);
    if (there)
        fail_hint(error, "the latest there are: %s", there);
    else
        fail_hint(error, "nothing has run in this database yet; `pgwinnow run PLAN` starts a run");
}

struct overview *desk_find(const struct state *state, struct arena *arena, const struct named *named,
                           struct error *error) {
    struct overview_filter filter = {
        .run = named->run, .plan = named->plan, .environment = named->environment, .most = 1};
    size_t count;
    struct overview *found = failed(error) ? NULL : overview_read(state, arena, &filter, &count, error);
    if (failed(error)) return NULL;
    if (!count) not_there(state, arena, named, error);
    return count ? found : NULL;
}
