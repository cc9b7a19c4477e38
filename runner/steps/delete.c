/* delete: the tracked rows go, with what points at them settled by the plan's policies in the same batches. */
#include "steps/table.h"
#include "work/family.h"
#include "work/move.h"
#include "work/precheck.h"

static void compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    (void)error;
    if (index == 0 || run->plan->steps[index - 1].step != &step_delete_children) move_check(run, problems);
}

static void run_delete(struct run *run, size_t index, struct error *error) {
    struct event_step *children = index > 0 && run->steps[index - 1].joined ? run->steps[index - 1].shown : NULL;
    precheck_stops(run, index, error);
    families_remove(run, index, &(struct families){.roots_go = true, .children_shown = children}, error);
}

static void explain_delete(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    families_explain(run, index, &(struct families){.roots_go = true}, explanation, error);
}

const struct step step_delete = {
    .name = "delete",
    .about = "remove the tracked rows in bounded batches, what points at them settled by its policy",
    .needs = NEEDS_TREE | NEEDS_TRACKED_ROWS | CHANGES_ROWS | USES_FAMILIES,
    .compile = compile,
    .explain = explain_delete,
    .run = run_delete,
};
