/*
 * delete-children: what points at tracked rows is settled, deepest first. Directly before delete it joins it: one
 * transaction settles a row's children and takes the row. Alone, or for some edges only, the tracked rows stay.
 */
#include "base/text.h"
#include "steps/table.h"
#include "work/family.h"
#include "work/move.h"
#include "work/precheck.h"

struct delete_children_options {
    struct sql_texts only;
};

#define AT(field) offsetof(struct delete_children_options, field)
static const struct option options[] = {
    {.name = "only",
     .kind = OPTION_SQLS,
     .offset = AT(only),
     .about = "settle only these edges (as `children` names them) and what lies below them"},
    {0},
};

static void check_inside(const struct plan_step *step, struct problems *problems) {
    const struct delete_children_options *o = step->options;
    if (o->only.count)
        problem_add(problems, o->only.items[0].place, NULL,
                    "inside another step all edges are settled: leave out only");
}

/* Which edges are settled, by index; NULL: all. */
struct chosen {
    bool *edges;
};

static bool joins_delete(const struct run *run, size_t index) {
    const struct delete_children_options *o = run->plan->steps[index].options;
    return o->only.count == 0 && index + 1 < run->plan->step_count && run->plan->steps[index + 1].step == &step_delete;
}

/* What is removed below a chosen edge must find its own children settled too. */
static void spread_down(const struct tree *tree, bool *edges) {
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < tree->edge_count; i++)
            for (size_t j = 0; edges[i] && tree->edges[i]->policy != POLICY_SET_NULL && j < tree->edge_count; j++)
                if (tree->edges[j]->parent == tree->edges[i]->child && !edges[j]) edges[j] = changed = true;
    }
}

static void compile_one(struct run *run, const struct sql_text *text, bool *edges, struct problems *problems) {
    struct edge_name name;
    const char *why;
    bool found = false;
    if (!edge_name_parse(run->arena, text->text, &name, &why)) {
        problem_add(problems, text->place, "table.column, or table(column, column)", "'%s' names no foreign key: %s",
                    text->text, why);
        return;
    }
    for (size_t i = 0; i < run->tree->edge_count; i++)
        if (tree_names_edge(run->tree, &name, run->tree->edges[i])) edges[i] = found = true;
    if (!found)
        problem_add(problems, text->place, "explain shows the tree", "no foreign key below %s is named '%s'",
                    run->table->shown, text->text);
}

static void compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    (void)error;
    const struct delete_children_options *o = run->plan->steps[index].options;
    struct chosen *chosen = run->steps[index].own = arena_alloc(run->arena, sizeof *chosen);
    move_check(run, problems);
    if (!o->only.count) return;
    chosen->edges = arena_alloc(run->arena, run->tree->edge_count + 1);
    for (size_t i = 0; i < o->only.count; i++) compile_one(run, &o->only.items[i], chosen->edges, problems);
    spread_down(run->tree, chosen->edges);
}

static void run_delete_children(struct run *run, size_t index, struct error *error) {
    const struct chosen *chosen = run->steps[index].own;
    run->steps[index].joined = joins_delete(run, index);
    if (run->steps[index].joined) return;
    if (!chosen->edges) precheck_stops(run, index, error);
    families_remove(run, index, &(struct families){.edges = chosen->edges}, error);
}

static void explain_delete_children(struct run *run, size_t index, struct explanation *explanation,
                                    struct error *error) {
    const struct chosen *chosen = run->steps[index].own;
    if (joins_delete(run, index))
        text_add(&explanation->said, "in the same batches as delete\n");
    else
        families_explain(run, index, &(struct families){.edges = chosen->edges}, explanation, error);
}

const struct step step_delete_children = {
    .name = "delete-children",
    .about = "settle what points at tracked rows, deepest first; directly before delete, in its batches",
    .size = sizeof(struct delete_children_options),
    .options = options,
    .needs = NEEDS_TREE | NEEDS_TRACKED_ROWS | CHANGES_ROWS | USES_FAMILIES,
    .check_inside = check_inside,
    .compile = compile,
    .explain = explain_delete_children,
    .run = run_delete_children,
};
