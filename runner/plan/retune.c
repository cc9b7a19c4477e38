/* Decoding single settings. A key and its value become a plan in miniature, which the decoders of plans read. */
#include "plan/retune.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plan/decode.h"

/* JSON is YAML: whatever is in the text stays text. */
static const char *quoted(struct arena *arena, const char *text, size_t length) {
    json_t *json = json_stringn(text, length);
    return json ? json_written_off(arena, json, 0) : "\"\"";
}

/* Goes into the text as it is, so nothing in it may end it: an operator could write a `query` behind it, which would
 * run with the rights of the runner. */
static bool is_list(const char *value) {
    size_t length = strlen(value);
    if (length < 2 || value[0] != '[' || value[length - 1] != ']') return false;
    return strcspn(value + 1, "[]{}\"'#\\\n\r") == length - 2;
}

/* batch.size, 500 -> {"batch": {"size": "500"}}. Lists are written as in a plan. */
static struct source_text as_plan(struct arena *arena, const char *key, const char *value) {
    struct text text = text_new(arena);
    size_t depth = 0;
    for (const char *part = key;; depth++) {
        size_t length = strcspn(part, ".");
        text_addf(&text, "{%s: ", quoted(arena, part, length));
        if (!part[length]) break;
        part += length + 1;
    }
    text_add(&text, is_list(value) ? value : quoted(arena, value, strlen(value)));
    for (size_t i = 0; i <= depth; i++) text_add(&text, "}");
    return (struct source_text){text.data, text.length};
}

static const struct option *named(const struct option *options, const char *key) {
    size_t length = strcspn(key, ".");
    for (; options && options->name; options++)
        if (strlen(options->name) == length && memcmp(options->name, key, length) == 0)
            return key[length] ? named(options->group, key + length + 1) : options;
    return NULL;
}

void retune_one(struct arena *arena, struct settings *settings, const char *key, const char *value,
                struct error *error) {
    if (failed(error)) return;
    const struct option *option = named(settings_options, key);
    if (option && option->kind == OPTION_SQL) {
        fail(error, FAULT_USAGE, "%s cannot be set: SQL runs with the rights of the plan's author", key);
        fail_hint(error, "write it into the plan");
        return;
    }
    struct problems problems = problems_new(arena);
    struct variables none = {0};
    struct source_text source = as_plan(arena, key, value);
    struct tree tree = source_check(&source, "set", &problems) ? tree_parse(arena, "set", source, &problems)
                                                               : (struct tree){.cut = true};
    tree.cut = true; /* what is not given is in the plan */
    struct decoder decoder = {.with = {arena, &problems, &none}, .tree = &tree, .folder = "."};
    if (tree.root && !problems.count)
        options_decode(&decoder, tree.root, tree.root->place,
                       (struct target[]){{settings_options, settings, NULL}, {0}});
    if (!problems.count) return;
    fail(error, FAULT_USAGE, "%s=%s: %s", key, value, problems.items[0].message);
    if (problems.items[0].hint) fail_hint(error, "%s", problems.items[0].hint);
}

/* What was set wins over what the plan says. */
static void fit_batch(struct batch_settings *b, const struct batch_settings *plan) {
    if (b->min > b->max && b->max == plan->max) b->max = b->min;
    if (b->min > b->max) b->min = b->max;
    if (b->size > b->max && b->max == plan->max && b->size != plan->size) b->max = b->size;
    if (b->size > b->max) b->size = b->max;
    if (b->size < b->min && b->min == plan->min && b->size != plan->size) b->min = b->size;
    if (b->size < b->min) b->size = b->min;
}

static void fit_timeout(int64_t *waits, int64_t plan_waits, int64_t *statement, int64_t plan_statement) {
    if (*waits > *statement && *statement == plan_statement && *waits != plan_waits) *statement = *waits;
    if (*waits > *statement) *waits = *statement;
}

static void fit(struct settings *s, const struct settings *plan) {
    struct lock_settings *l = &s->locks;
    fit_batch(&s->batch, &plan->batch);
    fit_timeout(&l->lock_timeout, plan->locks.lock_timeout, &l->statement_timeout, plan->locks.statement_timeout);
    fit_timeout(&l->ddl_timeout, plan->locks.ddl_timeout, &l->statement_timeout, plan->locks.statement_timeout);
}

static void lay(struct arena *arena, struct settings *settings, const json_t *overrides) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)overrides, key, value) {
        struct settings changed = *settings;
        struct error unknown = error_new(arena);
        if (!json_is_string(value)) continue;
        retune_one(arena, &changed, key, json_string_value(value), &unknown);
        if (!failed(&unknown)) *settings = changed;
    }
}

void retune_all(struct arena *arena, struct settings *settings, const json_t *overrides) {
    struct settings plan = *settings;
    lay(arena, settings, overrides);
    fit(settings, &plan);
}

/* Laid over the defaults of plans, what was set must come through unchanged. */
void retune_check(struct arena *arena, const json_t *overrides, struct error *error) {
    struct settings settings = plan_defaults(arena)->settings;
    retune_all(arena, &settings, overrides);
    struct settings again = settings;
    lay(arena, &again, overrides);
    if (memcmp(&settings.batch, &again.batch, sizeof again.batch) == 0 &&
        memcmp(&settings.locks, &again.locks, sizeof again.locks) == 0)
        return;
    fail(error, FAULT_USAGE, "these settings cannot hold together");
    fail_hint(error, "batch.min <= batch.size <= batch.max must hold, and no lock timeout may be above "
                     "locks.statement_timeout; KEY= takes one back");
}
