/* The box as a contract: what goes in, what comes out, what errors say. Attacks are in test_box_attacks.c. */
#include "boxes.h"

#include <math.h>

UNIT(the_row_that_the_rule_names_stays) {
    keeps(arena, "return 2", 2);
    keeps(arena, "return #rows", 3);
    keeps(arena, "return nil", 0);
    keeps(arena, "", 0);
    keeps(arena, "return 3.0", 3);
}

UNIT(an_answer_that_is_no_row_is_an_error_at_the_rule) {
    struct error e =
        raises(arena, "return 4", "r.lua:1: 'keep' returned 4: it returns the index of a row, 1 to 3, or nil");
    assert_non_null(strstr(e.message, "in the group k = 7"));
    raises(arena, "return 0", "returned 0");
    raises(arena, "return -1", "returned -1");
    raises(arena, "return 1.5", "returned 1.5");
    raises(arena, "return '1'", "returned a string");
    raises(arena, "return rows[1]", "returned a table");
    raises(arena, "return true", "returned a boolean");
}

UNIT(values_have_the_types_of_their_columns) {
    static const struct box_column columns[] = {{"i", BOX_INTEGER}, {"f", BOX_FLOAT},      {"b", BOX_BOOLEAN},
                                                {"t", BOX_TEXT},    {"p.x", BOX_CHILDREN}, {"nothing", BOX_TEXT}};
    struct error error = error_new(arena);
    struct box *box = box_new(arena,
                              rule_of(arena, "return { keep = function(rows) local r, s = rows[1], rows[2]\n"
                                             "assert(r.i == math.mininteger and math.type(r.i) == 'integer')\n"
                                             "assert(r.f == 3 and math.type(r.f) == 'float')\n"
                                             "assert(r.b == true and r.t == '12.50' and r.children['p.x'] == 5)\n"
                                             "assert(r.nothing == nil)\n"
                                             "assert(s.f == -math.huge and s.b == false and s.i == math.maxinteger)\n"
                                             "assert(rows[3].f ~= rows[3].f and next == nil)\n"
                                             "return 1 end }"),
                              &error);
    box_columns(box, columns, 6, &error);
    box_group(box, "k");
    box_row(box, (const char *[]){"-9223372036854775808", "3", "t", "12.50", "5", NULL}, &error);
    box_row(box, (const char *[]){"9223372036854775807", "-Infinity", "f", "", "0", NULL}, &error);
    box_row(box, (const char *[]){NULL, "NaN", NULL, NULL, "0", NULL}, &error);
    size_t answer = box_keep(box, &error);
    if (failed(&error)) COMPLAIN("%s", error.message);
    assert_int_equal(answer, 1);
}

UNIT(kinds_follow_the_types_of_the_server) {
    const unsigned integers[] = {20, 21, 23}, floats[] = {700, 701}, texts[] = {25, 1700, 1114, 26, 1043, 2950};
    for (size_t i = 0; i < 3; i++) assert_int_equal(box_kind_of(integers[i]), BOX_INTEGER);
    for (size_t i = 0; i < 2; i++) assert_int_equal(box_kind_of(floats[i]), BOX_FLOAT);
    for (size_t i = 0; i < 6; i++) assert_int_equal(box_kind_of(texts[i]), BOX_TEXT);
    assert_int_equal(box_kind_of(16), BOX_BOOLEAN);
}

static struct box_values merged(struct arena *arena, const char *body, struct error *error) {
    const char *text = arena_printf(arena, "return { merge = function(survivor, losers)\n%s\nend }", body);
    struct box *box = box_from(arena, text);
    *error = error_new(arena);
    fill(box, 3, error);
    return box_merge(box, arena, error);
}

static void merges_to(struct arena *arena, const char *value, const char *expected) {
    struct error error;
    struct box_values v = merged(arena, arena_printf(arena, "return { name = %s }", value), &error);
    if (failed(&error)) COMPLAIN("%s: %s", value, error.message);
    assert_int_equal(v.count, 1);
    assert_string_equal(v.items[0].column, "name");
    if (!expected)
        assert_null(v.items[0].text);
    else
        assert_string_equal(v.items[0].text, expected);
}

UNIT(merged_values_read_back_as_what_they_were) {
    merges_to(arena, "'x'", "x");
    merges_to(arena, "''", "");
    merges_to(arena, "survivor.name .. losers[1].name .. losers[2].name .. #losers", "n1n2n32");
    merges_to(arena, "pgwinnow.null", NULL);
    merges_to(arena, "true", "true");
    merges_to(arena, "false", "false");
    merges_to(arena, "math.mininteger", "-9223372036854775808");
    merges_to(arena, "9007199254740993", "9007199254740993");
    merges_to(arena, "3.0", "3");
    merges_to(arena, "0.1", "0.1");
    merges_to(arena, "1/0", "Infinity");
    merges_to(arena, "-1/0", "-Infinity");
    merges_to(arena, "0/0", "NaN");
    merges_to(arena, "1e300", "1e+300");
    const double numbers[] = {0.1 + 0.2, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct error error;
        struct box_values v = merged(arena, arena_printf(arena, "return { name = %a }", numbers[i]), &error);
        assert_int_equal(v.count, 1);
        assert_true(strtod(v.items[0].text, NULL) == numbers[i]);
    }
}

UNIT(columns_that_merge_does_not_name_stay) {
    struct error error;
    assert_int_equal(merged(arena, "return {}", &error).count, 0);
    assert_false(failed(&error));
    assert_int_equal(merged(arena, "return nil", &error).count, 0);
    assert_false(failed(&error));
    struct box_values both = merged(arena, "return { name = 'x', id = 4 }", &error);
    assert_int_equal(both.count, 2);
    assert_string_equal(both.items[0].column, "id");
    assert_string_equal(both.items[1].column, "name");
}

UNIT(what_merge_cannot_write_is_an_error) {
    const char *const wrong[][2] = {
        {"return { nmae = 'x' }", "returned 'nmae', and the table has no such column"},
        {"return { 'x' }", "returned a key that is a number"},
        {"return { name = {} }", "gave the column 'name' a table"},
        {"return { name = print }", "gave the column 'name' a function"},
        {"return { name = 'a\\0b' }", "a NUL byte"},
        {"return { name = '\\xff' }", "not UTF-8"},
        {"return 'x'", "returned a string"},
        {"return 7", "returned a number"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error;
        merged(arena, wrong[i][0], &error);
        if (!failed(&error)) COMPLAIN("%s was taken", wrong[i][0]);
        if (!strstr(error.message, wrong[i][1])) COMPLAIN("%s: %s", wrong[i][0], error.message);
        assert_non_null(strstr(error.message, "r.lua:1: 'merge'"));
    }
}

UNIT(an_error_has_the_line_and_the_group) {
    struct error e = raises(arena, "\n\nlocal t = {} return t.nam .. 'x'",
                            "r.lua:4: attempt to concatenate a nil value (field 'nam')");
    assert_non_null(strstr(e.message, "in the group k = 7"));
    raises(arena, "error('no good')", "r.lua:2: no good, in the group k = 7");
    raises(arena, "error({})", "an error that is a table, not a text");
    raises(arena, "error()", "an error that is a nil");
    raises(arena, "error('a\\27[31mb\\xffc', 0)", "a?[31mb?c");
    e = raises(arena, "error('one\\ntwo\\nthree', 0)", "one, in the group k = 7");
    assert_string_equal(e.detail, "two\nthree");
}

UNIT(a_misspelt_column_is_an_error_and_not_null) {
    raises(arena, "return rows[1].nmae and 1", "r.lua:2: the table has no column 'nmae': did you mean 'name'?");
    raises(arena, "return rows[1].children and 1", "r.lua:2: counts of children come with children = ");
    raises(arena, "return (require 'prefer'.newest(rows, 'nmae'))", "r.lua:2: the table has no column 'nmae'");
    raises(arena, "return require 'prefer'.newest(rows, 'nmae')", "r.lua:1: the table has no column 'nmae'");
    keeps(arena, "rows[1].scratch = 2; return rows[1].scratch", 2);
}

static void refuses_to_load(struct arena *arena, const char *text, const char *says) {
    struct error error = error_new(arena);
    struct rule *rule = rule_of(arena, text);
    if (strstr(text, "while true do end")) rule->time = BOX_SHORT_TIME;
    box_new(arena, rule, &error);
    if (error.fault != FAULT_HOOK) COMPLAIN("%s was loaded", text);
    if (!strstr(error.message, says)) COMPLAIN("%s: '%s', not '%s'", text, error.message, says);
}

UNIT(a_file_that_is_no_rule_says_why) {
    refuses_to_load(arena, "return { keep = function(", "r.lua:1: ");
    refuses_to_load(arena, "\nx = = 1", "r.lua:2: ");
    refuses_to_load(arena, "", "r.lua: a rule file returns a table with 'keep' or 'merge', and this one returns a nil");
    refuses_to_load(arena, "return {}", "neither 'keep' nor 'merge'");
    refuses_to_load(arena, "return { keep = 1 }", "'keep' is a function, and here it is a number");
    refuses_to_load(arena, "return { keep = print, children = 'a.b' }", "'children' is a list of edges");
    refuses_to_load(arena, "return { keep = print, children = { 1 } }", "'children' has a number in it");
    refuses_to_load(arena, "local x = nil + 1", "r.lua:1: attempt to perform arithmetic on a nil value");
    refuses_to_load(arena, "while true do end", "r.lua:1: out of time");
    refuses_to_load(arena, "local t = {} while true do t[#t + 1] = {} end", "more than its 8 MB of memory");
    refuses_to_load(arena, "require 'socket'", "there is no library 'socket': require takes ");
    refuses_to_load(arena, "require 'check'", "there is no library 'check'");
    refuses_to_load(arena, "require '../r'", "there is no library");
}

UNIT(a_rule_file_tells_what_it_has) {
    struct box *box =
        box_from(arena, "return { keep = function() end, children = { 'posts.listing_id', 's.t(a, b)' } }");
    assert_true(box_has(box, "keep"));
    assert_false(box_has(box, "merge"));
    assert_string_equal(box_children(box)[0], "posts.listing_id");
    assert_string_equal(box_children(box)[1], "s.t(a, b)");
    assert_null(box_children(box)[2]);
    box = box_from(arena, "return { merge = function() end }");
    assert_null(box_children(box)[0]);
    assert_false(box_has(box, "keep"));
    assert_true(box_has(box, "merge"));
}

UNIT(counts_of_children_want_the_name_for_themselves) {
    static const struct box_column columns[] = {{"children", BOX_INTEGER}, {"p.x", BOX_CHILDREN}};
    struct error error = error_new(arena);
    struct box *box = box_new(arena, rule_of(arena, "return { keep = function() end, children = { 'p.x' } }"), &error);
    assert_false(failed(&error));
    box_columns(box, columns, 2, &error);
    assert_int_equal(error.fault, FAULT_HOOK);
    assert_non_null(strstr(error.message, "has a column 'children'"));
}

UNIT(the_limits_say_how_to_raise_them) {
    struct rule *endless = keep_rule(arena, "while true do end");
    struct error e;
    endless->time = 50;
    assert_int_equal(kept_by(arena, endless, &e), -1);
    assert_string_equal(e.message, "r.lua:2: out of time: the rule took longer than its 50 ms, in the group k = 7");
    assert_non_null(strstr(e.hint, "lua: { file: r.lua, time: 100ms }"));
    e = raises(arena, "local t = {} while true do t[#t + 1] = #t end",
               "r.lua: the rule used more than its 8 MB of memory");
    assert_non_null(strstr(e.hint, "lua: { file: r.lua, memory: 16MB }"));
    assert_non_null(strstr(e.message, "in the group k = 7"));
    struct box *box = box_from(arena, "return { keep = function() return 1 end }");
    struct error error = error_new(arena);
    fill(box, BOX_ROWS, &error);
    assert_false(failed(&error));
    assert_int_equal(box_keep(box, &error), 1);
    fill(box, BOX_ROWS + 1, &error);
    assert_int_equal(error.fault, FAULT_HOOK);
    assert_string_equal(error.message, "r.lua: the group k = 7 has more than 100 rows");
    assert_non_null(strstr(error.hint, "lua: { file: r.lua, rows: 200 }"));
}

UNIT(a_group_that_does_not_fit_is_an_error_and_the_next_one_works) {
    struct box *box = box_from(arena, "return { keep = function(rows) return #rows end }");
    struct error error = error_new(arena);
    size_t size = 3 * 1024 * 1024;
    char *text = arena_alloc(arena, size + 1);
    memset(text, 'x', size);
    box_group(box, "k = 8");
    for (int i = 0; i < 4; i++, text[i] = 'y') box_row(box, (const char *[]){"1", text}, &error);
    assert_int_equal(error.fault, FAULT_HOOK);
    assert_non_null(strstr(error.message, "more than its 8 MB of memory, in the group k = 8"));
    error_clear(&error);
    fill(box, 3, &error);
    assert_int_equal(box_keep(box, &error), 3);
    assert_false(failed(&error));
}

RUN(UNIT_TEST(the_row_that_the_rule_names_stays), UNIT_TEST(an_answer_that_is_no_row_is_an_error_at_the_rule),
    UNIT_TEST(values_have_the_types_of_their_columns), UNIT_TEST(kinds_follow_the_types_of_the_server),
    UNIT_TEST(merged_values_read_back_as_what_they_were), UNIT_TEST(columns_that_merge_does_not_name_stay),
    UNIT_TEST(what_merge_cannot_write_is_an_error), UNIT_TEST(an_error_has_the_line_and_the_group),
    UNIT_TEST(a_misspelt_column_is_an_error_and_not_null), UNIT_TEST(a_file_that_is_no_rule_says_why),
    UNIT_TEST(a_rule_file_tells_what_it_has), UNIT_TEST(counts_of_children_want_the_name_for_themselves),
    UNIT_TEST(the_limits_say_how_to_raise_them),
    UNIT_TEST(a_group_that_does_not_fit_is_an_error_and_the_next_one_works))
