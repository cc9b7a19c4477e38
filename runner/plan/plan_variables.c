/* The declarations under `variables` and who gives their values. What ${NAME} looks like is variables.c's. */
#include <stdlib.h>

#include "base/text.h"
#include "plan/reading.h"
#include "plan/utf8.h"

/* --set wins (the last of one name, as in a shell), then the process environment where it may, then the default. */
static const char *given_value(const struct reading *r, const char *name, const struct variable_keys *keys,
                               const char **origin) {
    const char *value = NULL;
    for (size_t i = 0; i < r->request->set_count; i++)
        if (text_equal(r->request->set[i].name, name)) value = r->request->set[i].value;
    *origin = "--set";
    if (value) return value;
    *origin = "the environment";
    if (keys->env) value = getenv(name);
    return value ? value : keys->fallback;
}

static void declare(struct reading *r, const char *name, struct place place, const struct variable_keys *keys) {
    const char *origin, *value = given_value(r, name, keys, &origin);
    if (value && !utf8_valid(value)) {
        problem_add(r->problems, place, NULL, "the value that %s gives '%s' is not UTF-8", origin, name);
        value = "";
    }
    struct variables *all = &r->variables;
    all->items = arena_grow(r->arena, all->items, &all->count, sizeof *all->items);
    all->items[all->count - 1] =
        (struct variable){.name = name, .value = value ? arena_strdup(r->arena, value) : NULL, .about = keys->about};
}

static void read_one(struct reading *r, const struct node *key, const struct node *value) {
    if (key->broken) return;
    if (!variable_name_fits(key->text)) {
        problem_add(r->problems, key->place, "letters, digits and '_', not beginning with a digit",
                    "%s cannot be a variable's name", value_shown(r->arena, key->text));
        return;
    }
    struct variable_keys keys = {0};
    if (value->kind != NODE_MAP && !node_empty(value) && !value->broken)
        problem_add(r->problems, value->place, arena_printf(r->arena, "write %s: { default: ... }", key->text),
                    "a variable takes a map of keys");
    options_fill(&r->decoder, variable_options, &keys);
    options_decode(&r->decoder, value, key->place, (struct target[]){{variable_options, &keys, NULL}, {0}});
    declare(r, key->text, key->place, &keys);
}

static void check_set(struct reading *r, const char *name) {
    if (variable_find(&r->variables, name)) return;
    const char *near = variable_nearest(r->arena, &r->variables, name);
    const char *hint = near                 ? arena_printf(r->arena, "did you mean '%s'?", near)
                       : r->variables.count ? NULL
                                            : "the plan declares no variables";
    problem_add(r->problems, (struct place){.file = r->plan->file}, hint,
                "--set %s: the plan declares no such variable", name);
}

void variables_read(struct reading *r, const struct node *variables) {
    r->variables.forbidden = true;
    for (size_t i = 0; variables && variables->kind == NODE_MAP && i < variables->count; i++)
        read_one(r, variables->keys[i], variables->items[i]);
    r->variables.forbidden = false;
    for (size_t i = 0; i < r->request->set_count && !r->tree.cut; i++) check_set(r, r->request->set[i].name);
}
