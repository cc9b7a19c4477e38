/*
 * Reads a plan file into struct plan: the order of reading, and what counts as its definition. The parts are read by
 * plan_variables.c, plan_environments.c and plan_steps.c; values by decode.c.
 */
#include "plan/reading.h"

#include <string.h>

#include "base/text.h"

const struct plan_step *plan_step_before(const struct plan *plan, size_t before, const char *step_name) {
    for (size_t i = 0; i < before && i < plan->step_count; i++)
        if (text_equal(plan->steps[i].step->name, step_name)) return &plan->steps[i];
    return NULL;
}

const struct plan_step *plan_step_inside(const struct plan_step *outer, const char *step_name) {
    for (size_t i = 0; i < outer->inner_count; i++)
        if (text_equal(outer->inner[i].step->name, step_name)) return &outer->inner[i];
    return NULL;
}

bool plain_name_fits(const char *name, const char *also) {
    enum { MOST = 63 };
    bool fits = *name >= 'a' && *name <= 'z' && strlen(name) <= MOST;
    for (; *name && fits; name++)
        fits = (*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') || *name == '-' || strchr(also, *name);
    return fits;
}

static const char *shown_as(const char *file) { return text_equal(file, "-") ? "<stdin>" : file; }

static const char *folder_of(struct arena *arena, const char *file) {
    const char *slash = strrchr(file, '/');
    if (!slash) return ".";
    return slash == file ? "/" : arena_strndup(arena, file, (size_t)(slash - file));
}

static void release_json(void *json) { json_decref(json); }

/* Filled while the plan is read; its texts are copies, so that the order of release does not matter. */
static void define(struct reading *r) {
    r->definition = json_object();
    json_object_set_new(r->definition, "steps", json_array());
    r->plan->definition = r->definition;
    arena_defer(r->arena, release_json, r->definition);
}

/* Values of variables again, though they are in the options too: so that a refusal can say which one changed. */
static void define_variables(struct reading *r) {
    json_t *used = json_object();
    for (size_t i = 0; i < r->variables.count; i++) {
        const struct variable *v = &r->variables.items[i];
        if (v->used) json_object_set_new(used, v->name, json_string(v->value));
    }
    json_object_set_new(r->definition, "variables", used);
}

static void read_own_keys(struct reading *r, const struct node *root) {
    struct plan *plan = r->plan;
    size_t problems = r->problems->count;
    options_fill(&r->decoder, plan_options, plan);
    options_decode(&r->decoder, root, root->place, (struct target[]){{plan_options, plan, r->definition}, {0}});
    if (r->problems->count == problems) settings_check(r, &plan->settings, root);
    notify_read(r, root, &plan->notify);
    plan->endpoints = plan->notify.items;
    plan->endpoint_count = plan->notify.count;
    if (plan->name && !plain_name_fits(plan->name, ""))
        problem_add(r->problems, node_get(root, "plan")->place,
                    "small letters, digits and '-', beginning with a letter", "%s cannot be a plan's name",
                    value_shown(r->arena, plan->name));
    if (node_get(root, "lane") && plan->lane && !plain_name_fits(plan->lane, "_"))
        problem_add(r->problems, node_get(root, "lane")->place,
                    "small letters, digits, '-' and '_', beginning with a letter", "%s cannot be a lane's name",
                    value_shown(r->arena, plan->lane));
}

static void read_root(struct reading *r) {
    const struct node *root = r->tree.root;
    if (!root || root->broken) return;
    if (root->kind != NODE_MAP) {
        problem_add(r->problems, root->place, "it begins with a line like 'plan: dedupe-listings'",
                    "a plan is a map of keys");
        return;
    }
    variables_read(r, node_get(root, "variables"));
    read_own_keys(r, root);
    environments_read(r, node_get(root, "environments"));
    steps_read(r, node_get(root, "steps"));
    define_variables(r);
    r->plan->variables = r->variables.items;
    r->plan->variable_count = r->variables.count;
}

static struct plan *read_source(struct arena *arena, const struct plan_request *request, struct source_text source,
                                struct problems *problems) {
    const char *file = arena_strdup(arena, shown_as(request->file));
    source_skip_mark(&source);
    problems_source(problems, file, source.text, source.length);
    if (!source_check(&source, file, problems)) return NULL;
    struct reading r = {.arena = arena, .request = request, .problems = problems};
    r.plan = arena_alloc(arena, sizeof *r.plan);
    *r.plan = (struct plan){.arena = arena, .file = file, .folder = folder_of(arena, file)};
    define(&r);
    r.tree = tree_parse(arena, file, source, problems);
    r.decoder = (struct decoder){.with = {arena, problems, &r.variables}, .tree = &r.tree, .folder = r.plan->folder};
    r.decoder.late = request->notifies;
    read_root(&r);
    return r.plan;
}

struct plan *plan_read_text(struct arena *arena, const struct plan_request *request, const char *text, size_t length,
                            struct problems *problems) {
    return read_source(arena, request, (struct source_text){arena_strndup(arena, text, length), length}, problems);
}

struct plan *plan_read(struct arena *arena, const struct plan_request *request, struct problems *problems) {
    struct source_text source = source_read(arena, request->file, shown_as(request->file), problems);
    return source.text ? read_source(arena, request, source, problems) : NULL;
}

struct plan *plan_defaults(struct arena *arena) {
    struct problems problems = problems_new(arena);
    struct variables none = {0};
    struct decoder decoder = {.with = {arena, &problems, &none}};
    struct plan *plan = arena_alloc(arena, sizeof *plan);
    plan->arena = arena;
    options_fill(&decoder, plan_options, plan);
    return plan;
}
