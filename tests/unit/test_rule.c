/* Rules as plans name them: the file is read with the plan, its limits have bounds, and its content counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "complain.h"
#include "plan/plan.h"
#include "script/box.h"

struct fake_options {
    struct rule lua;
};

static const struct option fake_options[] = {
    {"lua", OPTION_GROUP, offsetof(struct fake_options, lua), .about = "a rule", .group = rule_options,
     .shorthand = "file"},
    {0},
};

static void check(const struct plan *plan, size_t index, struct problems *problems) {
    box_check(&((const struct fake_options *)plan->steps[index].options)->lua, "keep", problems);
}

static const struct step fake_step = {
    .name = "fake", .about = "a fake", .size = sizeof(struct fake_options), .options = fake_options, .check = check};
static const struct step *const fakes[] = {&fake_step, NULL};

static void write_file(const char *path, const char *text) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void remove_folder(void *folder) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)folder);
    if (system(command) != 0) print_error("%s is still there\n", (char *)folder);
}

static const char *new_folder(struct arena *arena) {
    char *folder = arena_strdup(arena, "/tmp/pgwinnow-test.XXXXXX");
    assert_non_null(mkdtemp(folder));
    arena_defer(arena, remove_folder, folder);
    return folder;
}

struct outcome {
    struct problems problems;
    struct plan *plan;
    const struct rule *rule;
};

/* A plan in `folder` whose rule is written so. */
static struct outcome read_rule(struct arena *arena, const char *folder, const char *value) {
    struct outcome o = {.problems = problems_new(arena)};
    const char *text = arena_printf(arena, "plan: p\ntable: t\nsteps:\n  - fake: { lua: %s }\n", value);
    struct plan_request request = {.file = arena_printf(arena, "%s/p.yaml", folder), .steps = fakes};
    write_file(request.file, text);
    o.plan = plan_read(arena, &request, &o.problems);
    if (o.plan && o.plan->step_count) o.rule = &((struct fake_options *)o.plan->steps[0].options)->lua;
    return o;
}

static void expect_one(const struct outcome *o, const char *says) {
    if (o->problems.count != 1 || !strstr(o->problems.items[0].message, says))
        COMPLAIN("%zu problems, the first '%s', not '%s'", o->problems.count,
                 o->problems.count ? o->problems.items[0].message : "", says);
    assert_int_equal(o->problems.items[0].place.line, 4);
}

UNIT(a_file_beside_the_plan_is_read) {
    const char *folder = new_folder(arena), *text = "return { keep = function() end }\n";
    write_file(arena_printf(arena, "%s/r.lua", folder), text);
    struct outcome o = read_rule(arena, folder, "r.lua");
    assert_int_equal(o.problems.count, 0);
    assert_string_equal(o.rule->file.name, "r.lua");
    assert_string_equal(o.rule->file.path, arena_printf(arena, "%s/r.lua", folder));
    assert_string_equal(o.rule->file.text, text);
    assert_int_equal(o.rule->file.length, strlen(text));
    assert_int_equal(o.rule->memory, 64 * 1024 * 1024); /* product: 64MB, 2s, 10000 */
    assert_int_equal(o.rule->time, 2000);
    assert_int_equal(o.rule->rows, 10000);
}

UNIT(limits_are_given_in_a_map) {
    const char *folder = new_folder(arena);
    write_file(arena_printf(arena, "%s/r.lua", folder), "return { keep = function() end }");
    struct outcome o = read_rule(arena, folder, "{ file: r.lua, memory: 8MB, time: 500ms, rows: 50 }");
    assert_int_equal(o.problems.count, 0);
    assert_int_equal(o.rule->memory, 8 * 1024 * 1024);
    assert_int_equal(o.rule->time, 500);
    assert_int_equal(o.rule->rows, 50);
    o = read_rule(arena, folder, "{ file: r.lua, time: 1h }");
    expect_one(&o, "'time' takes a duration, like 500ms or 2h from 1ms to 30s, not '1h'");
    o = read_rule(arena, folder, "{ file: r.lua, memory: 1kB }");
    expect_one(&o, "'memory' takes a size, like 64MB or 2GB from 1MB to 4GB, not '1kB'");
    o = read_rule(arena, folder, "{ file: r.lua, rows: 1 }");
    expect_one(&o, "'rows' takes a whole number from 2 to 1000000, not '1'");
    o = read_rule(arena, folder, "{ memory: 8MB }");
    expect_one(&o, "the key 'file' is missing");
}

UNIT(a_missing_file_is_a_problem_of_the_plan) {
    const char *folder = new_folder(arena);
    struct outcome o = read_rule(arena, folder, "nosuch.lua");
    expect_one(&o, "/nosuch.lua' cannot be opened: No such file or directory");
    assert_int_equal(o.problems.items[0].place.column, 18);
    assert_int_equal(problems_fault(&o.problems, FAULT_USAGE), FAULT_USAGE);
    o = read_rule(arena, folder, ".");
    expect_one(&o, "/.' cannot be read: Is a directory");
}

UNIT(what_the_file_holds_is_part_of_the_plan) {
    const char *folder = new_folder(arena), *file = arena_printf(arena, "%s/r.lua", folder);
    write_file(file, "return { keep = function() end }");
    struct outcome first = read_rule(arena, folder, "r.lua"), again = read_rule(arena, folder, "{ file: r.lua }");
    assert_true(json_equal(first.plan->definition, again.plan->definition));
    write_file(file, "return { keep = function() return 1 end }");
    again = read_rule(arena, folder, "r.lua");
    assert_int_equal(again.problems.count, 0);
    assert_false(json_equal(first.plan->definition, again.plan->definition));
}

UNIT(a_file_that_is_no_rule_is_a_problem_too_and_a_hooks_fault) {
    const char *folder = new_folder(arena), *file = arena_printf(arena, "%s/r.lua", folder);
    write_file(file, "return {\n  keep = functoin() end }\n");
    struct outcome o = read_rule(arena, folder, "r.lua");
    expect_one(&o, "r.lua:2: ");
    assert_int_equal(problems_fault(&o.problems, FAULT_USAGE), FAULT_HOOK);
    write_file(file, "return { merge = function() end }");
    o = read_rule(arena, folder, "r.lua");
    expect_one(&o, "has no function keep");
    assert_int_equal(problems_fault(&o.problems, FAULT_USAGE), FAULT_USAGE); /* the plan wants what is not there */
    write_file(file, "return 1");
    o = read_rule(arena, folder, "r.lua");
    assert_int_equal(problems_fault(&o.problems, FAULT_USAGE), FAULT_HOOK);
    problem_add(&o.problems, (struct place){0}, NULL, "something else");
    assert_int_equal(problems_fault(&o.problems, FAULT_USAGE), FAULT_USAGE);
}

RUN(UNIT_TEST(a_file_beside_the_plan_is_read), UNIT_TEST(limits_are_given_in_a_map),
    UNIT_TEST(a_missing_file_is_a_problem_of_the_plan), UNIT_TEST(what_the_file_holds_is_part_of_the_plan),
    UNIT_TEST(a_file_that_is_no_rule_is_a_problem_too_and_a_hooks_fault))
