/*
 * together: whole groups at a time, in one transaction each batch: what points at the rows that go is settled, they go,
 * and what the survivors take over from them is written. No reader sees a group half done.
 */
#include "base/text.h"
#include "steps/merge.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "work/precheck.h"
#include "work/tracking.h"

struct together_options {
    struct {
        char unused;
    } steps; /* plan/ reads them into plan_step.inner */
};

static const struct option options[] = {
    {.name = "steps",
     .kind = OPTION_STEPS,
     .offset = offsetof(struct together_options, steps),
     .flags = OPTION_REQUIRED,
     .about = "merge, delete-children, delete; a list alone stands for it"},
    {0},
};

static const struct step *const inner[] = {&step_merge, &step_delete_children, &step_delete, NULL};

static void check(const struct plan *plan, size_t index, struct problems *problems) {
    const struct plan_step *step = &plan->steps[index];
    const struct plan_step *last = step->inner_count ? &step->inner[step->inner_count - 1] : NULL;
    if (!plan_step_inside(step, "delete"))
        problem_add(problems, step->place, "- together: [merge, delete-children, delete]",
                    "together needs delete: without it a group would stay as it is");
    else if (last->step != &step_delete)
        problem_add(problems, last->place, "- together: [merge, delete-children, delete]",
                    "inside together delete comes last: '%s' needs the rows that go", last->step->name);
}

static void compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct plan_step *step = &run->plan->steps[index], *merge = plan_step_inside(step, "merge");
    if (run->tracking && !run->tracking->survivors)
        problem_add(problems, step->place, "track duplicates, or a query that gives survivors",
                    "together needs groups: the track step gives no survivors");
    else if (merge && !failed(error))
        run->steps[index].own = merge_compile(run, index, merge, problems, error);
    if (run->tracking) run->tracking->merges = merge != NULL;
}

static struct families families_of(const struct run *run, size_t index) {
    return (struct families){.roots_go = true, .together = true, .merge = run->steps[index].own};
}

static void run_together(struct run *run, size_t index, struct error *error) {
    trial_again(run, index, error);
    precheck_stops(run, index, error);
    struct families what = families_of(run, index);
    families_remove(run, index, &what, error);
}

static void explain_together(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    struct families what = families_of(run, index);
    text_add(&explanation->said, "whole groups at a time; no reader sees one half done\n");
    families_explain(run, index, &what, explanation, error);
}

const struct step step_together = {
    .name = "together",
    .about = "merge, delete-children and delete of whole groups, each batch in one transaction",
    .size = sizeof(struct together_options),
    .options = options,
    .needs = NEEDS_TREE | NEEDS_TRACKED_ROWS | CHANGES_ROWS | USES_FAMILIES,
    .inner = inner,
    .check = check,
    .compile = compile,
    .explain = explain_together,
    .run = run_together,
};
