/* Plans for the commands that connect. */
#include "commands/read.h"

#include "base/text.h"
#include "steps/table.h"

static void need_environment(const struct command_line *line, const struct plan *plan, struct error *error) {
    if (!plan->environment_count || plan->environment || line->database) return;
    struct text names = text_new(error->arena);
    for (size_t i = 0; i < plan->environment_count; i++)
        text_addf(&names, "%s%s", i ? ", " : "", plan->environments[i]);
    fail(error, FAULT_USAGE, "plan %s has environments and none was named", plan->name);
    fail_hint(error, "add --env with one of: %s", names.data);
}

const struct plan *read_plan(const struct command_line *line, struct arena *arena, unsigned needs,
                             struct problems *problems, struct error *error) {
    struct plan_request request = {.file = line->arguments[0],
                                   .environment = line->environment,
                                   .set = line->set.items,
                                   .set_count = line->set.count,
                                   .steps = step_table,
                                   .notifies = needs & READ_ENDPOINTS};
    const struct plan *plan = plan_read(arena, &request, problems);
    problems_fail(problems, error, FAULT_USAGE);
    if (!failed(error) && needs & READ_PLACE) need_environment(line, plan, error);
    return failed(error) ? NULL : plan;
}
