/*
 * pgwinnow check: are these valid plans? Reads every plan given, tells all problems of all of them, and needs no
 * database. Owns nothing; the plan reader does the work.
 */
#include <string.h>

#include "base/text.h"
#include "commands/command.h"
#include "steps/table.h"

static struct plan *read_plan(const struct command_line *line, struct arena *arena, const char *file,
                              struct problems *problems) {
    struct plan_request request = {
        .file = file,
        .environment = line->environment,
        .set = line->set.items,
        .set_count = line->set.count,
        .steps = step_table,
    };
    struct plan *plan = plan_read(arena, &request, problems);
    problems_sort(problems);
    return plan;
}

static void tell_valid(struct arena *arena, const char *file, const struct plan *plan,
                       const struct command_line *line) {
    const char *green = line->colour ? "\033[32m" : "", *off = line->colour ? "\033[0m" : "";
    printf("%s%s: valid%s: plan %s for %s, %zu step%s", green, file, off, plan->name, name_text(arena, &plan->table),
           plan->step_count, plan->step_count == 1 ? "" : "s");
    if (plan->environment_count)
        printf(", %zu environment%s", plan->environment_count, plan->environment_count == 1 ? "" : "s");
    putchar('\n');
}

static void tell_problems(struct arena *arena, const struct problems *problems, bool colour, bool first) {
    for (size_t i = 0; i < problems->count; i++) {
        const char *text = problem_text(arena, problems, &problems->items[i], colour);
        size_t length = strlen(text);
        fprintf(stderr, "%s%s%s", first && !i ? "" : "\n", text, length && text[length - 1] == '\n' ? "" : "\n");
    }
}

static void check_run(struct command_line *line, struct arena *arena, struct error *error) {
    json_t *all = line->json ? json_array() : NULL;
    size_t count = 0, wrong = 0;
    enum fault fault = FAULT_NONE;
    for (size_t i = 0; i < line->argument_count; i++) {
        struct problems problems = problems_new(arena);
        struct plan *plan = read_plan(line, arena, line->arguments[i], &problems);
        if (line->json) {
            json_t *list = problems_json(&problems);
            json_array_extend(all, list);
            json_decref(list);
        } else if (problems.count)
            tell_problems(arena, &problems, line->colour_errors, count == 0);
        else if (!line->quiet && plan)
            tell_valid(arena, line->arguments[i], plan, line);
        count += problems.count;
        wrong += problems.count > 0;
        if (problems.count && fault != FAULT_USAGE) fault = problems_fault(&problems, FAULT_USAGE);
    }
    if (line->json) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
        line->answered = true;
    }
    if (!count) return;
    if (!line->json) fputc('\n', stderr);
    fail(error, fault, "%zu problem%s in %s", count, count == 1 ? "" : "s",
         line->argument_count == 1 ? line->arguments[0]
                                   : arena_printf(arena, "%zu of the %zu plans", wrong, line->argument_count));
}

const struct command check_command = {
    .name = "check",
    .synopsis = "PLAN...",
    .about = "tell whether plans are valid; needs no database",
    .more = "Tells all problems of all plans, each with file:line:column, the line and a caret. \"-\" reads standard\n"
            "input. With --json: a list of { file, line, column, message, hint }, empty when all is well.",
    .least = 1,
    .most = ANY_NUMBER,
    .traits = COMMAND_READS,
    .run = check_run,
};
