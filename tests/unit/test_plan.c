/* Plans as a whole: variables, environments, layers of settings, steps and their order, and what counts as a change. */
#include "plan/plan.h"
#include "reading_plans.h"

#include <unistd.h>

#define HEAD "plan: p\ntable: t\n"
#define STEPS "steps: [discover]\n"

static struct plan_request with_set(const struct plan_setting *set, size_t count) {
    return (struct plan_request){.set = set, .set_count = count};
}

static const char *where_of(const struct outcome *o) {
    expect_none(o);
    return ((struct fake_track *)o->plan->steps[1].options)->where.text;
}

UNIT(a_whole_plan_is_read) {
    struct outcome o = read_plan(arena, "plan: dedupe-2\nabout: Why.\ntable: Public.Listings\n"
                                        "search_path: [public, Other]\nbatch: { size: 10, min: 1 }\n"
                                        "steps:\n- discover\n- track: { where: a }\n- delete\n"
                                        "- index: { name: i, as: first, when: { query: SELECT 1, is: 1 } }\n");
    expect_none(&o);
    assert_string_equal(o.plan->file, "dir/p.yaml");
    assert_string_equal(o.plan->folder, "dir");
    assert_string_equal(o.plan->name, "dedupe-2");
    assert_string_equal(o.plan->about, "Why.");
    assert_string_equal(o.plan->table.schema, "public");
    assert_string_equal(o.plan->table.name, "listings");
    assert_int_equal(o.plan->search_path.count, 2);
    assert_null(o.plan->environment);
    assert_int_equal(o.plan->step_count, 4);
    const struct plan_step *last = &o.plan->steps[3];
    assert_ptr_equal(last->step, &fake_index);
    assert_string_equal(last->name, "first");
    assert_int_equal(last->place.line, 10);
    assert_int_equal(last->place.column, 3);
    assert_string_equal(last->when.query.text, "SELECT 1");
    assert_string_equal(last->when.is, "1");
    assert_null(o.plan->steps[2].when.query.text);
    assert_string_equal(o.plan->steps[2].name, "delete");
}

UNIT(settings_have_the_products_defaults) {
    struct outcome o = read_plan(arena, HEAD STEPS);
    expect_none(&o);
    const struct settings *s = &o.plan->steps[0].settings;
    assert_int_equal(s->batch.size, 1000);
    assert_int_equal(s->batch.min, 50);
    assert_int_equal(s->batch.max, 50000);
    assert_int_equal(s->batch.target, 500);
    assert_int_equal(s->batch.pause, 50);
    assert_int_equal(s->batch.workers, 1);
    assert_int_equal(s->locks.lock_timeout, 100);
    assert_int_equal(s->locks.ddl_timeout, 1000);
    assert_int_equal(s->locks.statement_timeout, 600000);
    assert_int_equal(s->locks.retries, 10);
}

UNIT(settings_layer_plan_environment_step) {
    struct plan_request request = {.environment = "b"};
    struct outcome o =
        read_request(arena,
                     HEAD "batch: { size: 2000, target: 1s, workers: 2 }\n"
                          "environments:\n  a: { batch: { size: 7000 } }\n"
                          "  b: { batch: { target: 250ms, workers: 3 }, locks: { retries: 1 }, confirm: true }\n"
                          "steps:\n- discover\n- track: { batch: { workers: 4 } }\n",
                     request);
    expect_none(&o);
    const struct settings *first = &o.plan->steps[0].settings, *second = &o.plan->steps[1].settings;
    assert_int_equal(first->batch.size, 2000);
    assert_int_equal(first->batch.target, 250);
    assert_int_equal(first->batch.workers, 3);
    assert_int_equal(first->batch.max, 50000);
    assert_int_equal(first->locks.retries, 1);
    assert_int_equal(second->batch.workers, 4);
    assert_int_equal(second->batch.target, 250);
    assert_int_equal(o.plan->settings.batch.workers, 3);
    assert_true(o.plan->confirm);
    assert_string_equal(o.plan->environment, "b");
    assert_int_equal(o.plan->environment_count, 2);
    assert_string_equal(o.plan->environments[0], "a");
}

UNIT(settings_out_of_bounds_are_told_where_they_are_given) {
    struct outcome o =
        read_plan(arena, HEAD "batch: { workers: 65, size: 0, pause: 0ms }\nlocks: { lock_timeout: 0ms }\n" STEPS);
    expect(&o, 0, 3, 19, "'workers' takes a whole number from 1 to 64", NULL);
    expect(&o, 1, 3, 29, "'size'", NULL);
    expect(&o, 2, 4, 24, "'lock_timeout'", NULL);
    assert_int_equal(o.problems.count, 3);
    o = read_plan(arena, HEAD "batch: { max: 500 }\n" STEPS);
    expect_only(&o, 3, 8, "size 1000 is above max 500", "min <= size <= max");
    o = read_plan(arena, HEAD "environments:\n  a:\n    batch: { min: 1001 }\n" STEPS);
    expect_only(&o, 5, 12, "min 1001 is above size 1000", NULL);
    o = read_plan(arena, HEAD "steps:\n- discover:\n    locks: { statement_timeout: 50ms, ddl_timeout: 1ms }\n");
    expect_only(&o, 5, 12, "lock_timeout is above statement_timeout", NULL);
}

UNIT(what_a_plan_needs_is_told_when_missing) {
    struct outcome o = read_plan(arena, "about: x\n");
    expect(&o, 0, 1, 1, "'plan' is missing", NULL);
    expect(&o, 1, 1, 1, "'table' is missing", NULL);
    expect(&o, 2, 1, 1, "'steps' is missing", NULL);
    assert_int_equal(o.problems.count, 3);
    o = read_plan(arena, HEAD "steps: []\n");
    expect_only(&o, 3, 8, "at least one step", NULL);
    o = read_plan(arena, HEAD "steps: discover\n");
    expect_only(&o, 3, 8, "'steps' takes a list of steps", NULL);
    o = read_plan(arena, "- plan\n");
    expect_only(&o, 1, 1, "a plan is a map of keys", NULL);
    o = read_plan(arena, "");
    expect_only(&o, 1, 1, "empty", NULL);
}

UNIT(plan_names_are_small_letters_digits_and_dashes) {
    static const char *const wrong[] = {"Dedupe", "2x", "-x", "a_b", "\"a b\"", "a.b", "caf\xC3\xA9"};
    for (size_t i = 0; i < 7; i++) {
        struct outcome o = read_plan(arena, arena_printf(arena, "plan: %s\ntable: t\n" STEPS, wrong[i]));
        expect_only(&o, 1, 7, "cannot be a plan's name", NULL);
    }
    struct outcome o = read_plan(arena, "plan: a-2-\ntable: t\n" STEPS);
    expect_none(&o);
}

static void archives(struct arena *arena, const char *key, bool on, int64_t days) {
    struct outcome o = read_plan(arena, arena_printf(arena, HEAD "%s\n" STEPS, key));
    expect_none(&o);
    assert_int_equal(o.plan->archive.on, on);
    assert_int_equal(o.plan->archive.keep, days * 86400000);
}

UNIT(what_is_removed_is_kept_for_thirty_days_unless_the_plan_says_otherwise) {
    archives(arena, "about: x", true, 30);
    archives(arena, "archive: true", true, 30);
    archives(arena, "archive: { keep: 7d }", true, 7);
    archives(arena, "archive: false", false, 30);
    struct outcome o = read_plan(arena, HEAD "archive: 30d\n" STEPS);
    expect_only(&o, 3, 10, "takes true or false", NULL);
    o = read_plan(arena, HEAD "archive: { kept: 30d }\n" STEPS);
    expect_only(&o, 3, 12, "unknown key 'kept'", "'keep'");
}

UNIT(a_step_that_removes_rows_may_leave_nothing_behind_with_a_reason) {
    struct outcome o = read_plan(arena, HEAD "steps:\n- discover\n- track\n- delete: { archive: { off: no use } }\n");
    expect_none(&o);
    assert_null(o.plan->steps[1].archive_off);
    assert_string_equal(o.plan->steps[2].archive_off, "no use");
    o = read_plan(arena, HEAD "steps:\n- discover: { archive: { off: no use } }\n");
    expect_only(&o, 4, 24, "removes nothing", NULL);
    o = read_plan(arena, HEAD "steps:\n- discover\n- track\n- delete: { archive: { off: '' } }\n");
    expect_only(&o, 6, 29, "takes the reason", NULL);
    o = read_plan(arena, HEAD "steps:\n- discover\n- track\n- delete: { archive: {} }\n");
    expect_only(&o, 6, 22, "'off' is missing", NULL);
}

UNIT(keys_of_later_features_are_unknown_yet) {
    struct outcome o = read_plan(arena, HEAD "environments: { a: { after: b } }\n" STEPS);
    expect_only(&o, 3, 22, "unknown key 'after'", NULL);
}

UNIT(a_lane_has_a_plain_name_and_does_not_count) {
    struct outcome o = read_plan(arena, HEAD STEPS), other = read_plan(arena, HEAD "lane: night_shift\n" STEPS);
    expect_none(&o);
    expect_none(&other);
    assert_string_equal(o.plan->lane, "default");
    assert_string_equal(other.plan->lane, "night_shift");
    assert_true(json_equal(o.plan->definition, other.plan->definition));
    o = read_plan(arena, HEAD "lane: Night\n" STEPS);
    expect_only(&o, 3, 7, "lane's name", "small letters");
}

UNIT(publications_are_refused_unless_the_plan_accepts_them_which_does_not_count) {
    struct outcome plain = read_plan(arena, HEAD STEPS),
                   o = read_plan(arena, HEAD "state: { published: accept }\n" STEPS);
    assert_int_equal(plain.plan->state.published, 0);
    assert_int_equal(o.plan->state.published, 1);
    assert_true(json_equal(plain.plan->definition, o.plan->definition));
    o = read_plan(arena, HEAD "state: { published: yes }\n" STEPS);
    assert_int_equal(o.problems.count, 1);
}

UNIT(problems_do_not_hide_each_other) {
    struct outcome o = read_plan(
        arena, "plan: P\ntabel: t\ntable: a.b.c\nbatch: { size: x }\nsteps:\n- trak\n- discover: { children: 1 }\n");
    expect(&o, 0, 1, 7, "plan's name", NULL);
    expect(&o, 1, 2, 1, "unknown key 'tabel'", "'table'");
    expect(&o, 2, 3, 8, "'table' takes", NULL);
    expect(&o, 3, 4, 16, "'size'", NULL);
    expect(&o, 4, 6, 3, "unknown step 'trak'", "'track'");
    expect(&o, 5, 7, 25, "'children' takes a map", NULL);
    assert_int_equal(o.problems.count, 6);
}

UNIT(a_byte_order_mark_moves_no_caret) {
    struct outcome o = read_plan(arena, "\xEF\xBB\xBFplan: P\ntable: t\n" STEPS);
    const char *text = problem_text(arena, &o.problems, &o.problems.items[0], false);
    const char *expected = "dir/p.yaml:1:7: 'P' cannot be a plan's name\n  plan: P\n        ^\n";
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
}

UNIT(broken_yaml_does_not_make_up_missing_keys) {
    struct outcome o = read_plan(arena, "plan: p\nbatch: { size: 500 ]\nsteps:\n- discover\n");
    assert_int_equal(o.problems.count, 1);
    assert_non_null(strstr(o.problems.items[0].message, "not valid YAML"));
}

#define TRACK "steps:\n- discover\n- track:\n    where: \"age > ${days} AND '${days}' <> ''\"\n"

UNIT(set_wins_over_the_process_environment_and_that_over_the_default) {
    const char *text = HEAD "variables: { days: { default: 30, env: true, about: Days } }\n" TRACK;
    unsetenv("days");
    struct outcome o = read_plan(arena, text);
    assert_string_equal(where_of(&o), "age > 30 AND '30' <> ''");
    assert_string_equal(o.plan->variables[0].about, "Days");
    assert_true(o.plan->variables[0].used);
    setenv("days", "40", 1);
    o = read_plan(arena, text);
    assert_string_equal(where_of(&o), "age > 40 AND '40' <> ''");
    const struct plan_setting set[] = {{"days", "50"}, {"days", "60"}};
    o = read_request(arena, text, with_set(set, 2));
    assert_string_equal(where_of(&o), "age > 60 AND '60' <> ''");
    o = read_plan(arena, HEAD "variables: { days: { default: 30 } }\n" TRACK);
    assert_string_equal(where_of(&o), "age > 30 AND '30' <> ''");
    unsetenv("days");
}

UNIT(undefined_and_undeclared_variables_are_told_at_their_place) {
    struct outcome o = read_plan(arena, HEAD "variables: { days: { about: x } }\n" TRACK);
    expect(&o, 0, 7, 12, "'days' has no value", "--set days=");
    o = read_plan(arena, HEAD "variables: { dais: { default: 1 } }\n" TRACK);
    expect(&o, 0, 7, 12, "'days' is not declared", "${dais}");
    setenv("days", "40", 1);
    o = read_plan(arena, HEAD TRACK);
    expect(&o, 0, 6, 12, "'days' is not declared", "under variables");
    unsetenv("days");
    const struct plan_setting set[] = {{"dais", "50"}};
    o = read_request(arena, HEAD "variables: { days: { default: 1 } }\n" TRACK, with_set(set, 1));
    expect_only(&o, 0, 0, "--set dais", "did you mean 'days'?");
}

UNIT(only_a_whole_reference_is_a_variable) {
    static const struct {
        const char *text, *gives;
    } right[] = {{"a ~ '^${1}'", "a ~ '^${1}'"}, {"$${\\\"x\\\": 1}$$", "$${\"x\": 1}$$"},
                 {"a = '$v'", "a = '$v'"},       {"a = '${v}${v}'", "a = '55'"},
                 {"a = '$${v}'", "a = '$5'"},    {"a = '${", NULL}};
    for (size_t i = 0; i < 6; i++) {
        const char *text =
            arena_printf(arena, HEAD "variables: { v: { default: 5 } }\nsteps: [discover, track: { where: \"%s\" }]\n",
                         right[i].text);
        struct outcome o = read_plan(arena, text);
        if (right[i].gives)
            assert_string_equal(where_of(&o), right[i].gives);
        else
            expect(&o, 0, 4, 40, "never closed", NULL);
    }
    static const char *const wrong[] = {"${v", "${ v }", "${v-w}", "${v", "${v,w}"};
    for (size_t i = 0; i < 5; i++) {
        const char *text = arena_printf(
            arena, HEAD "variables: { v: { default: 5 } }\nsteps: [discover, track: { where: \"%s\" }]\n", wrong[i]);
        struct outcome o = read_plan(arena, text);
        expect_only(&o, 4, 35, "not whole", NULL);
    }
}

UNIT(declarations_of_variables_are_checked) {
    struct outcome o = read_plan(arena, HEAD "variables:\n  a-b: { default: 1 }\n  c: 5\n  d: { default: \"${a}\" }\n"
                                             "  e: { defualt: 1 }\n  f:\n" STEPS);
    expect(&o, 0, 4, 3, "'a-b' cannot be a variable's name", NULL);
    expect(&o, 1, 5, 6, "takes a map", "c: { default: ... }");
    expect(&o, 2, 6, 17, "cannot be used in the declaration", NULL);
    expect(&o, 3, 7, 8, "unknown key 'defualt'", "'default'");
    assert_int_equal(o.problems.count, 4);
    const struct plan_setting set[] = {{"a", "\xFF"}};
    o = read_request(arena, HEAD "variables: { a: {} }\n" STEPS, with_set(set, 1));
    expect_only(&o, 3, 14, "not UTF-8", NULL);
}

#define SECRETS                                                                                                        \
    HEAD "environments:\n  here: { database: \"${PGW_TEST_URL}\", database_direct: \"x${PGW_TEST_URL}y\" }\n"          \
         "  there: { database: \"${PGW_TEST_OTHER}\" }\n" STEPS

UNIT(secrets_come_from_the_process_environment_and_stay_out_of_the_definition) {
    setenv("PGW_TEST_URL", "postgres://u:hunter2@h/d", 1);
    unsetenv("PGW_TEST_OTHER");
    struct outcome o = read_request(arena, SECRETS, (struct plan_request){.environment = "here"});
    expect_none(&o);
    assert_string_equal(o.plan->database, "postgres://u:hunter2@h/d");
    assert_string_equal(o.plan->database_direct, "xpostgres://u:hunter2@h/dy");
    assert_null(strstr(definition(arena, o.plan), "hunter2"));
    assert_int_equal(o.plan->variable_count, 0);
    unsetenv("PGW_TEST_URL");
}

UNIT(secrets_may_be_missing_only_where_they_are_not_needed) {
    unsetenv("PGW_TEST_URL");
    unsetenv("PGW_TEST_OTHER");
    struct outcome o = read_plan(arena, SECRETS);
    expect_none(&o);
    assert_null(o.plan->database);
    o = read_request(arena, SECRETS, (struct plan_request){.environment = "there"});
    expect_only(&o, 5, 22, "'PGW_TEST_OTHER' is not set", "export");
    setenv("PGW_TEST_OTHER", "", 1);
    o = read_request(arena, SECRETS, (struct plan_request){.environment = "there"});
    expect_only(&o, 5, 22, "'database' is empty", NULL);
    unsetenv("PGW_TEST_OTHER");
}

UNIT(no_message_shows_a_secret) {
    setenv("PGW_TEST_URL", "hunter2", 1);
    struct outcome o = read_request(
        arena,
        HEAD "variables: { v: { default: 1 } }\nenvironments:\n  here:\n    database: \"${PGW_TEST_URL} ${v\"\n"
             "    database_direct: [\"${PGW_TEST_URL}\"]\n    databse: \"${PGW_TEST_URL}\"\n"
             "  \"${PGW_TEST_URL}\": {}\nsteps: [\"${PGW_TEST_URL}\"]\n",
        (struct plan_request){.environment = "here"});
    assert_true(o.problems.count >= 4);
    for (size_t i = 0; i < o.problems.count; i++)
        assert_null(strstr(problem_text(arena, &o.problems, &o.problems.items[i], false), "hunter2"));
    unsetenv("PGW_TEST_URL");
}

UNIT(an_unknown_environment_lists_the_known) {
    struct plan_request request = {.environment = "prod"};
    struct outcome o = read_request(arena, HEAD "environments: { production: {}, staging: }\n" STEPS, request);
    expect_only(&o, 3, 15, "no environment 'prod'", "production, staging");
    o = read_request(arena, HEAD STEPS, request);
    expect_only(&o, 0, 0, "no environment 'prod'", "declares no environments");
}

UNIT(environments_override_nothing_that_counts) {
    struct outcome o = read_plan(arena, HEAD "environments: { a: { table: x, steps: [], search_path: y } }\n" STEPS);
    assert_int_equal(o.problems.count, 3);
    expect(&o, 0, 3, 22, "unknown key 'table'", NULL);
}

UNIT(steps_are_names_or_names_with_keys) {
    struct outcome o =
        read_plan(arena, HEAD "steps:\n- track:\n  where: a\n- \n- [a]\n- { discover: 5 }\n- 'index': { name: i }\n");
    expect(&o, 0, 4, 3, "a step is a name", "indent the keys of 'track'");
    expect(&o, 1, 6, 2, "a step is a name", NULL);
    expect(&o, 2, 7, 3, "a step is a name", NULL);
    expect(&o, 3, 8, 15, "'discover' takes a map", NULL);
    assert_int_equal(o.problems.count, 4);
}

UNIT(repeated_steps_need_to_be_repeatable_and_named) {
    struct outcome o = read_plan(arena, HEAD "steps:\n- discover\n- discover: { as: again }\n");
    expect_only(&o, 5, 3, "can appear only once: it is on line 4", NULL);
    o = read_plan(arena, HEAD "steps:\n- index: { name: i }\n- index: { name: j }\n");
    expect_only(&o, 5, 3, "two steps are called 'index'", "as:");
    o = read_plan(arena, HEAD "steps:\n- index: { name: i }\n- index: { name: j, as: second }\n");
    expect_none(&o);
    o = read_plan(arena, HEAD "steps:\n- discover\n- index: { name: j, as: discover }\n");
    expect_only(&o, 5, 3, "two steps are called 'discover'", NULL);
    o = read_plan(arena, HEAD "steps:\n- index: { name: j, as: \"A b\" }\n");
    expect_only(&o, 4, 25, "cannot be a step's name", NULL);
}

UNIT(steps_come_after_what_they_need) {
    struct outcome o = read_plan(arena, HEAD "steps:\n- delete\n- track: { where: a }\n- discover\n");
    expect(&o, 0, 4, 3, "'delete' needs a 'discover' step before it", NULL);
    expect(&o, 1, 4, 3, "'delete' needs a 'track' step before it", NULL);
    expect(&o, 2, 5, 3, "'track' needs a 'discover' step before it", NULL);
    assert_int_equal(o.problems.count, 3);
}

UNIT(a_misspelt_step_does_not_make_others_wrong) {
    struct outcome o = read_plan(arena, HEAD "steps:\n- discovre\n- track: { where: a }\n- delete\n");
    expect_only(&o, 4, 3, "unknown step 'discovre'", "did you mean 'discover'?");
}

UNIT(a_steps_own_check_is_called_when_it_was_read_well) {
    struct outcome o = read_plan(arena, "plan: unindexed\ntable: t\nsteps:\n- index: { name: i }\n");
    expect_only(&o, 4, 3, "the fake index step was checked", NULL);
    o = read_plan(arena, "plan: unindexed\ntable: t\nsteps:\n- index: { nam: i }\n");
    assert_int_equal(o.problems.count, 2); /* unknown key, missing key */
}

UNIT(the_first_step_of_a_kind_is_found) {
    struct outcome o = read_plan(arena, HEAD "steps:\n- index: { name: i }\n- discover\n- index: { name: j, as: b }\n");
    expect_none(&o);
    assert_null(plan_step_before(o.plan, 0, "index"));
    assert_ptr_equal(plan_step_before(o.plan, 3, "index"), &o.plan->steps[0]);
    assert_null(plan_step_before(o.plan, 1, "discover"));
    assert_ptr_equal(plan_step_before(o.plan, 99, "discover"), &o.plan->steps[1]);
}

#define COUNTED                                                                                                        \
    "plan: p\ntable: A.T\nsearch_path: s\nvariables: { v: { default: 1s }, w: { default: 2 } }\nsteps:\n"              \
    "- index: { name: I, wait: \"${v}\", when: { query: SELECT 1, is: 1 }, batch: { pause: \"${w}ms\" } }\n"

UNIT(the_definition_holds_what_counts_in_normal_form) {
    struct outcome o = read_plan(arena, COUNTED);
    expect_none(&o);
    assert_string_equal(
        definition(arena, o.plan),
        "{\"search_path\":[\"s\"],\"steps\":[{\"options\":{\"name\":\"i\",\"wait\":1000},\"step\":\"index\","
        "\"when\":{\"is\":\"1\",\"query\":\"SELECT 1\"}}],\"table\":\"a.t\",\"variables\":{\"v\":\"1s\"}}");
}

/* ---- steps inside a step ---- */

#define BEFORE HEAD "steps:\n- discover\n- track: { where: a }\n"

UNIT(a_list_alone_stands_for_the_steps_inside) {
    struct outcome o = read_plan(arena, BEFORE "- together: [ { merge: { columns: { a: b } } }, delete ]\n");
    expect_none(&o);
    const struct plan_step *together = &o.plan->steps[2];
    assert_int_equal(o.plan->step_count, 3);
    assert_int_equal(together->inner_count, 2);
    const struct plan_step *merge = plan_step_inside(together, "merge");
    assert_ptr_equal(merge, &together->inner[0]);
    assert_int_equal(merge->place.line, 6);
    assert_int_equal(merge->place.column, 17);
    assert_string_equal(((struct fake_merge *)merge->options)->columns.items[0].key, "a");
    assert_ptr_equal(together->inner[1].step, &fake_delete);
    assert_null(plan_step_inside(together, "track"));
}

UNIT(a_step_with_steps_inside_takes_what_every_step_takes) {
    struct outcome o = read_plan(arena, BEFORE "- together:\n    steps:\n      - merge:\n          columns: { a: b }\n"
                                               "      - delete\n    as: both\n    batch: { size: 7, min: 1 }\n");
    expect_none(&o);
    assert_string_equal(o.plan->steps[2].name, "both");
    assert_int_equal(o.plan->steps[2].settings.batch.size, 7);
    assert_int_equal(o.plan->steps[2].inner_count, 2);
}

UNIT(what_cannot_stand_inside_is_told_at_its_place) {
    struct outcome o = read_plan(arena, BEFORE "- together: [delete, index]\n");
    expect_only(&o, 6, 22, "'index' cannot stand inside 'together'", NULL);
    o = read_plan(arena, BEFORE "- together: [delet]\n");
    expect_only(&o, 6, 14, "unknown step 'delet'", "did you mean 'delete'?");
    o = read_plan(arena, BEFORE "- together: [delete, delete]\n");
    expect_only(&o, 6, 22, "can stand only once inside 'together': it is on line 6", NULL);
    o = read_plan(arena, BEFORE "- together: [ { delete: { as: x } } ]\n");
    expect_only(&o, 6, 27, "unknown key 'as'", NULL);
    o = read_plan(arena, BEFORE "- together: [ { merge: { columns: { wrong: b } } }, delete ]\n");
    expect_only(&o, 6, 17, "the fake merge was checked", NULL);
    o = read_plan(arena, BEFORE "- together\n");
    expect_only(&o, 6, 3, "'steps' is missing", NULL);
}

UNIT(a_step_for_the_inside_cannot_stand_alone) {
    struct outcome o = read_plan(arena, BEFORE "- merge: { columns: { a: b } }\n- delete\n");
    expect_only(&o, 6, 3, "'merge' stands inside 'together' only", "- together: [merge, delete]");
}

static void same_definition(struct arena *arena, const char *one, const char *other, bool same) {
    struct outcome a = read_plan(arena, one), b = read_plan(arena, other);
    expect_none(&a);
    expect_none(&b);
    if ((bool)json_equal(a.plan->definition, b.plan->definition) == same) return;
    COMPLAIN("%s: %s\n%s", same ? "differ" : "equal", definition(arena, a.plan), definition(arena, b.plan));
}

UNIT(what_does_not_matter_does_not_count) {
    const char *plan = HEAD "steps:\n- discover\n- track: { duplicates: a, expect: { wal: 1024kB, rows: 5 } }\n";
    same_definition(arena, plan,
                    HEAD "# a comment\nabout: x\nbatch: { size: 500 }\nlocks: { retries: 1 }\nenvironments: { a: {} }\n"
                         "steps:\n  - discover: {}\n  - track:\n      expect: { rows: 5, wal: 1MB }\n"
                         "      duplicates: ['a']\n      batch: { workers: 3 }\n",
                    true);
    same_definition(arena, plan, HEAD "steps:\n- discover\n- track: { duplicates: b, expect: { wal: 1MB, rows: 5 } }\n",
                    false);
    same_definition(arena, plan,
                    HEAD "steps:\n- discover\n- track: { duplicates: a, expect: { wal: 1MB, rows: 5 }, as: x }\n",
                    false);
    same_definition(arena, plan, HEAD "steps:\n- discover\n- track: { duplicates: a, expect: { wal: 1MB } }\n", false);
    same_definition(arena, HEAD STEPS, "plan: p\ntable: '\"T\"'\n" STEPS, false);
    const char *inside = BEFORE "- together: [ { merge: { columns: { a: b } } }, delete ]\n";
    same_definition(arena, inside, BEFORE "- together: { steps: [ merge: { columns: { a: b } }, delete: {} ] }\n",
                    true);
    same_definition(arena, inside, BEFORE "- together: [ { merge: { columns: { a: c } } }, delete ]\n", false);
    same_definition(arena, inside, BEFORE "- together: [ delete ]\n", false);
    same_definition(arena, HEAD STEPS, HEAD "search_path: [a]\n" STEPS, false);
}

UNIT(files_are_read_and_missing_ones_told) {
    char path[] = "/tmp/pgwinnow-plan-XXXXXX";
    int fd = mkstemp(path);
    const char *text = HEAD STEPS;
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    struct plan_request request = {.file = path, .steps = fake_steps};
    struct problems problems = problems_new(arena);
    struct plan *plan = plan_read(arena, &request, &problems);
    unlink(path);
    assert_int_equal(problems.count, 0);
    assert_string_equal(plan->folder, "/tmp");
    assert_null(plan_read(arena, &request, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(
        strstr(problem_text(arena, &problems, &problems.items[0], false), "cannot be opened: No such file"));
    request.file = "/tmp";
    assert_null(plan_read(arena, &request, &problems));
    assert_int_equal(problems.count, 2);
}

UNIT(every_option_of_the_plans_own_tables_says_what_it_is) {
    const struct option *tables[] = {plan_options, variable_options, environment_options, batch_options,
                                     lock_options, archive_options,  state_options,       step_common_options};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct option *o = tables[i]; o->name; o++) assert_true(o->about && strlen(o->about) > 5);
}

RUN(UNIT_TEST(a_whole_plan_is_read), UNIT_TEST(settings_have_the_products_defaults),
    UNIT_TEST(settings_layer_plan_environment_step), UNIT_TEST(settings_out_of_bounds_are_told_where_they_are_given),
    UNIT_TEST(what_a_plan_needs_is_told_when_missing), UNIT_TEST(plan_names_are_small_letters_digits_and_dashes),
    UNIT_TEST(what_is_removed_is_kept_for_thirty_days_unless_the_plan_says_otherwise),
    UNIT_TEST(a_step_that_removes_rows_may_leave_nothing_behind_with_a_reason),
    UNIT_TEST(publications_are_refused_unless_the_plan_accepts_them_which_does_not_count),
    UNIT_TEST(keys_of_later_features_are_unknown_yet), UNIT_TEST(problems_do_not_hide_each_other),
    UNIT_TEST(a_lane_has_a_plain_name_and_does_not_count), UNIT_TEST(broken_yaml_does_not_make_up_missing_keys),
    UNIT_TEST(a_byte_order_mark_moves_no_caret),
    UNIT_TEST(set_wins_over_the_process_environment_and_that_over_the_default),
    UNIT_TEST(undefined_and_undeclared_variables_are_told_at_their_place),
    UNIT_TEST(only_a_whole_reference_is_a_variable), UNIT_TEST(declarations_of_variables_are_checked),
    UNIT_TEST(secrets_come_from_the_process_environment_and_stay_out_of_the_definition),
    UNIT_TEST(secrets_may_be_missing_only_where_they_are_not_needed), UNIT_TEST(no_message_shows_a_secret),
    UNIT_TEST(an_unknown_environment_lists_the_known), UNIT_TEST(environments_override_nothing_that_counts),
    UNIT_TEST(steps_are_names_or_names_with_keys), UNIT_TEST(repeated_steps_need_to_be_repeatable_and_named),
    UNIT_TEST(steps_come_after_what_they_need), UNIT_TEST(a_misspelt_step_does_not_make_others_wrong),
    UNIT_TEST(a_steps_own_check_is_called_when_it_was_read_well), UNIT_TEST(the_first_step_of_a_kind_is_found),
    UNIT_TEST(a_list_alone_stands_for_the_steps_inside),
    UNIT_TEST(a_step_with_steps_inside_takes_what_every_step_takes),
    UNIT_TEST(what_cannot_stand_inside_is_told_at_its_place), UNIT_TEST(a_step_for_the_inside_cannot_stand_alone),
    UNIT_TEST(the_definition_holds_what_counts_in_normal_form), UNIT_TEST(what_does_not_matter_does_not_count),
    UNIT_TEST(files_are_read_and_missing_ones_told), UNIT_TEST(every_option_of_the_plans_own_tables_says_what_it_is))
