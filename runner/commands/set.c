/* pgwinnow set: change settings of a run that is under way, or stopped. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "commands/desk.h"
#include "plan/retune.h"
#include "state/runs.h"

struct tuning {
    struct arena *arena;
    json_t *all;   /* as it will be */
    json_t *given; /* what is new: text, or null for what is taken back */
};

static void free_json(void *json) { json_decref(json); }

static void take(struct tuning *t, const char *word, struct error *error) {
    const char *equals = strchr(word, '=');
    if (!equals || equals == word) {
        fail(error, FAULT_USAGE, "'%s' is no KEY=VALUE", word);
        fail_hint(error, "keys are written as in a plan, with dots: batch.size=500");
        return;
    }
    const char *key = arena_strndup(t->arena, word, (size_t)(equals - word)), *value = equals + 1;
    if (failed(error)) return;
    if (json_object_get(t->given, key)) fail(error, FAULT_USAGE, "%s is given twice", key);
    if (!*value || text_equal(value, "default")) {
        if (!json_object_get(t->all, key)) fail(error, FAULT_USAGE, "%s was not set, so it cannot be taken back", key);
        json_object_del(t->all, key);
        json_object_set_new(t->given, key, json_null());
        return;
    }
    struct settings tried = plan_defaults(t->arena)->settings;
    retune_one(t->arena, &tried, key, value, error);
    json_object_set_new(t->all, key, json_string(value));
    json_object_set_new(t->given, key, json_string(value));
}

static struct tuning read_words(const struct command_line *line, struct arena *arena, const struct overview *o,
                                struct error *error) {
    json_t *now = o->settings ? json_loads(o->settings, 0, NULL) : NULL;
    struct tuning t = {arena, json_is_object(now) ? now : json_object(), json_object()};
    arena_defer(arena, free_json, t.all);
    arena_defer(arena, free_json, t.given);
    for (size_t i = 1; i < line->argument_count && !failed(error); i++) take(&t, line->arguments[i], error);
    if (!failed(error)) retune_check(arena, t.all, error);
    return t;
}

static void tell(const struct overview *o, const struct tuning *t) {
    const char *key;
    json_t *value;
    printf("Run %lld of plan %s %s", (long long)o->run, o->plan,
           json_object_size(t->all) ? "goes by" : "goes by its plan");
    const char *between = " ";
    json_object_foreach(t->all, key, value) {
        printf("%s%s=%s", between, key, json_string_value(value));
        between = ", ";
    }
    puts(o->alive ? " within two seconds." : " when it goes on.");
}

static void answer(struct command_line *line, struct arena *arena, const struct overview *o, const struct tuning *t) {
    json_t *json = json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:O, s:O}", "run", (json_int_t)o->run, "plan",
                             json_text_or_null(arena, o->plan), "environment", json_text_or_null(arena, o->environment),
                             "act", "set", "state", json_text_or_null(arena, o->state), "runner",
                             o->alive ? json_text_or_null(arena, o->holder) : json_null(), "changed", t->given,
                             "settings", t->all);
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    line->answered = true;
}

static void set_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open(line, arena, named.url, error);
    const struct overview *o = failed(error) ? NULL : desk_find(&state, arena, &named, error);
    if (o && overview_over(o)) {
        fail(error, FAULT_REFUSED, "run %lld of plan %s is %s: there is nothing to set any more", (long long)o->run,
             o->plan, o->state);
        fail_hint(error, "the plan's own settings are for its next run");
    }
    if (!o || failed(error)) return;
    if (schema_version(&state, arena, error) < STATE_VERSION && !failed(error)) {
        fail(error, FAULT_REFUSED, "the state schema %s is of an older version, which keeps no settings", state.schema);
        fail_hint(error, "`pgwinnow init` upgrades it, and so does the next run");
    }
    struct tuning tuning = read_words(line, arena, o, error);
    if (failed(error)) return;
    runs_retune(&state, arena, o->run, json_written(arena, tuning.given, JSON_COMPACT | JSON_SORT_KEYS), error);
    if (failed(error)) return;
    if (line->json)
        answer(line, arena, o, &tuning);
    else if (!line->quiet)
        tell(o, &tuning);
}

const struct command set_command = {
    .name = "set",
    .synopsis = "RUN KEY=VALUE...",
    .about = "change settings of a run that is under way, or stopped",
    .more = "RUN is a run's number, or a plan's name or file: its latest run. Keys are those of `batch`, `locks` and\n"
            "`throttle` in a plan, written with dots: batch.size=500 batch.pause=2s. They hold for all steps, over\n"
            "what the plan says, until the run is over; KEY= takes one back. A live run goes by them within two\n"
            "seconds.",
    .least = 2,
    .most = ANY_NUMBER,
    .traits = COMMAND_READS,
    .run = set_run,
};
