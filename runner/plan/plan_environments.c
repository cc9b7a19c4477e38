/* Environments, and the layers of settings. Owns no connection: what `database` says is for those who connect. */
#include "base/text.h"
#include "plan/reading.h"

static void check_batch(struct reading *r, const struct batch_settings *batch, struct place place) {
    const char *hint = "min <= size <= max must hold, with the defaults for what is not given";
    if (batch->min > batch->size)
        problem_add(r->problems, place, hint, "batch: min %lld is above size %lld", (long long)batch->min,
                    (long long)batch->size);
    if (batch->size > batch->max)
        problem_add(r->problems, place, hint, "batch: size %lld is above max %lld", (long long)batch->size,
                    (long long)batch->max);
}

static void check_locks(struct reading *r, const struct lock_settings *locks, struct place place) {
    const char *hint = "a statement that waits for a lock must run out of patience before it runs out of time";
    if (locks->lock_timeout > locks->statement_timeout)
        problem_add(r->problems, place, hint, "locks: lock_timeout is above statement_timeout");
    if (locks->ddl_timeout > locks->statement_timeout)
        problem_add(r->problems, place, hint, "locks: ddl_timeout is above statement_timeout");
}

void settings_check(struct reading *r, const struct settings *settings, const struct node *map) {
    const struct node *batch = node_get(map, "batch"), *locks = node_get(map, "locks");
    if (batch) check_batch(r, &settings->batch, batch->place);
    if (locks) check_locks(r, &settings->locks, locks->place);
}

/* An empty URL would mean whatever PG* says: the wrong server, possibly. */
static void check_database(struct reading *r, const struct node *map, const char *key, const char *value) {
    const struct node *node = node_get(map, key);
    if (node && value && !*value)
        problem_add(r->problems, node->place, "is the environment variable set to something?", "'%s' is empty", key);
}

static void take(struct reading *r, const struct node *map, const struct environment_keys *keys) {
    check_database(r, map, "database", keys->database);
    check_database(r, map, "database_direct", keys->database_direct);
    r->plan->environment = r->request->environment;
    r->plan->database = keys->database;
    r->plan->database_direct = keys->database_direct;
    r->plan->confirm = keys->confirm;
    r->plan->settings = keys->settings;
    if (!node_get(map, "notify")) return;
    r->plan->endpoints = keys->notify.items;
    r->plan->endpoint_count = keys->notify.count;
}

static void read_one(struct reading *r, const char *name, const struct node *map,
                     const struct settings *plan_settings) {
    bool asked = text_equal(name, r->request->environment);
    if (map->kind != NODE_MAP && !node_empty(map) && !map->broken)
        problem_add(r->problems, map->place, NULL, "the environment '%s' takes a map of keys", name);
    struct environment_keys keys = {0};
    options_fill(&r->decoder, environment_options, &keys);
    keys.settings = *plan_settings;
    r->decoder.elsewhere = !asked;
    size_t problems = r->problems->count;
    options_decode(&r->decoder, map, map->place, (struct target[]){{environment_options, &keys, NULL}, {0}});
    r->decoder.elsewhere = false;
    if (r->problems->count == problems) settings_check(r, &keys.settings, map);
    notify_read(r, map, &keys.notify);
    if (asked) take(r, map, &keys);
}

static void unknown_environment(struct reading *r, const struct node *environments) {
    struct text known = text_new(r->arena);
    for (size_t i = 0; i < r->plan->environment_count; i++)
        text_addf(&known, "%s%s", i ? ", " : "the plan knows ", r->plan->environments[i]);
    const char *near = text_nearest(r->request->environment, r->plan->environments, r->plan->environment_count);
    if (near) text_addf(&known, "; did you mean '%s'?", near);
    problem_add(r->problems, environments ? environments->place : (struct place){.file = r->plan->file},
                known.length ? known.data : "the plan declares no environments", "there is no environment %s",
                value_shown(r->arena, r->request->environment));
}

static void declare(struct reading *r, const struct node *key) {
    struct plan *plan = r->plan;
    if (!plain_name_fits(key->text, "_"))
        problem_add(r->problems, key->place, "small letters, digits, '-' and '_'", "%s cannot be an environment's name",
                    value_shown(r->arena, key->text));
    plan->environments = arena_grow(r->arena, plan->environments, &plan->environment_count, sizeof *plan->environments);
    plan->environments[plan->environment_count - 1] = key->text;
}

void environments_read(struct reading *r, const struct node *environments) {
    const struct settings plan_settings = r->plan->settings;
    for (size_t i = 0; environments && environments->kind == NODE_MAP && i < environments->count; i++) {
        if (environments->keys[i]->broken) continue;
        declare(r, environments->keys[i]);
        read_one(r, environments->keys[i]->text, environments->items[i], &plan_settings);
    }
    if (r->request->environment && !r->plan->environment && !r->tree.cut) unknown_environment(r, environments);
}
