/*
 * Any bytes as a plan: never a crash, and what is read and told keeps its promises. The steps are fakes with an option
 * of each kind. The first byte chooses what else is asked: an environment, a --set.
 */
#include <stdint.h>

#include "../unit/fake_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) abort();
}

static void look_at_problems(struct arena *arena, struct problems *problems) {
    problems_sort(problems);
    for (size_t i = 0; i < problems->count; i++) {
        must(problems->items[i].message && *problems->items[i].message);
        problem_text(arena, problems, &problems->items[i], i % 2);
    }
    json_t *json = problems_json(problems);
    must(json_array_size(json) == problems->count);
    for (size_t i = 0; i < problems->count; i++)
        must(json_is_string(json_object_get(json_array_get(json, i), "message"))); /* UTF-8 */
    json_decref(json);
}

/* A plan without problems is whole, its names can be read again, and its definition can be written. */
static void look_at_plan(struct arena *arena, const struct plan *plan) {
    struct name again;
    const char *why;
    must(plan && plan->name && plan->table.name && plan->step_count > 0);
    must(name_parse(arena, name_text(arena, &plan->table), &again, &why));
    must(strcmp(again.name, plan->table.name) == 0);
    must(plan->settings.batch.min <= plan->settings.batch.size &&
         plan->settings.batch.size <= plan->settings.batch.max);
    char *dump = json_dumps(plan->definition, JSON_SORT_KEYS);
    must(dump && json_array_size(json_object_get(plan->definition, "steps")) == plan->step_count);
    free(dump);
}

static void try_edge(struct arena *arena, const char *text) {
    struct edge_name edge, again;
    const char *why = NULL;
    if (!edge_name_parse(arena, text, &edge, &why))
        must(why != NULL);
    else if (!edge.star) {
        const char *written = edge_name_text(arena, edge.table.schema, edge.table.name, edge.columns, edge.count);
        must(edge_name_parse(arena, written, &again, &why) && again.count == edge.count);
        must(strcmp(again.columns[0], edge.columns[0]) == 0 && strcmp(again.table.name, edge.table.name) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(NULL);
    struct problems problems = problems_new(arena);
    const struct plan_setting set = {"v", "5 -- ${w} '"};
    struct plan_request request = {.file = "p.yaml", .steps = fake_steps, .set = &set};
    uint8_t choice = size ? data[0] : 0;
    if (choice & 1) request.environment = "production";
    if (choice & 2) request.set_count = 1;
    struct plan *plan = plan_read_text(arena, &request, (const char *)data, size, &problems);
    if (!problems.count) look_at_plan(arena, plan);
    look_at_problems(arena, &problems);
    try_edge(arena, arena_strndup(arena, (const char *)data, size));
    arena_free(arena);
    return 0;
}
