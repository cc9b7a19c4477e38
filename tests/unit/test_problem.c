/* Problems: their order, the excerpt with its caret, JSON, one error for all. */
#include "plan/problem.h"
#include "unit.h"

#include <string.h>

#include "base/text.h"

static struct place at(int line, int column) { return (struct place){"p.yaml", line, column}; }

static const char *first_text(struct arena *arena, const struct problems *p) {
    return problem_text(arena, p, &p->items[0], false);
}

static struct problems with_source(struct arena *arena, const char *text) {
    struct problems p = problems_new(arena);
    problems_source(&p, "p.yaml", text, strlen(text));
    return p;
}

UNIT(a_problem_shows_its_line_a_caret_and_a_hint) {
    struct problems p = with_source(arena, "plan: x\ntabel: y\n");
    problem_add(&p, at(2, 3), "did you mean 'table'?", "unknown key '%s'", "tabel");
    assert_string_equal(first_text(arena, &p), "p.yaml:2:3: unknown key 'tabel'\n"
                                               "  tabel: y\n"
                                               "    ^\n"
                                               "hint: did you mean 'table'?");
}

UNIT(tabs_stay_tabs_before_the_caret) {
    struct problems p = with_source(arena, "a\t\tbc");
    problem_add(&p, at(1, 4), NULL, "b");
    assert_string_equal(first_text(arena, &p), "p.yaml:1:4: b\n  a\t\tbc\n   \t\t^");
}

UNIT(columns_count_characters_and_wide_ones_take_two_cells) {
    struct problems p = with_source(arena, "\xC3\xA9\xE6\x97\xA5x");
    problem_add(&p, at(1, 3), NULL, "x");
    assert_string_equal(first_text(arena, &p), "p.yaml:1:3: x\n  \xC3\xA9\xE6\x97\xA5x\n     ^");
}

UNIT(a_long_line_is_cut_around_the_column) {
    char line[400];
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    line[249] = 'X';
    struct problems p = with_source(arena, line);
    problem_add(&p, at(1, 250), NULL, "x");
    const char *text = first_text(arena, &p), *excerpt = strchr(text, '\n') + 1, *caret = strchr(excerpt, '\n') + 1;
    assert_true(caret - excerpt < 120);
    assert_int_equal(strncmp(excerpt, "  ...a", 6), 0);
    assert_int_equal(strncmp(caret - 5, "a...", 4), 0);
    assert_int_equal(excerpt[strchr(caret, '^') - caret], 'X');
}

UNIT(what_would_steer_a_terminal_is_not_shown_raw) {
    struct problems p = with_source(arena, "a\033[2Jb\xFF"
                                           "c");
    problem_add(&p, at(1, 1), NULL, "bad");
    assert_null(strchr(first_text(arena, &p), '\033'));
    assert_non_null(strstr(first_text(arena, &p), "a?[2Jb?c"));
}

UNIT(a_place_beyond_the_file_or_without_one_has_no_excerpt) {
    struct problems p = with_source(arena, "one\n");
    problem_add(&p, at(7, 1), NULL, "gone");
    problem_add(&p, (struct place){.file = "p.yaml"}, NULL, "cannot be read");
    problem_add(&p, (struct place){0}, NULL, "nowhere");
    assert_string_equal(problem_text(arena, &p, &p.items[0], false), "p.yaml:7:1: gone");
    assert_string_equal(problem_text(arena, &p, &p.items[1], false), "p.yaml: cannot be read");
    assert_string_equal(problem_text(arena, &p, &p.items[2], false), "nowhere");
}

UNIT(crlf_lines_show_without_the_carriage_return) {
    struct problems p = with_source(arena, "a\r\nb\r\n");
    problem_add(&p, at(2, 1), NULL, "b");
    assert_string_equal(first_text(arena, &p), "p.yaml:2:1: b\n  b\n  ^");
}

UNIT(sorting_follows_the_file_and_keeps_the_order_of_equals) {
    struct problems p = with_source(arena, "");
    problem_add(&p, at(3, 1), NULL, "d");
    problem_add(&p, at(1, 9), NULL, "b");
    problem_add(&p, at(1, 9), NULL, "c");
    problem_add(&p, at(1, 2), NULL, "a");
    problem_add(&p, (struct place){0}, NULL, "first");
    problems_sort(&p);
    const char *expected[] = {"first", "a", "b", "c", "d"};
    for (size_t i = 0; i < 5; i++) assert_string_equal(p.items[i].message, expected[i]);
}

UNIT(json_has_the_five_keys_and_survives_a_strange_file_name) {
    struct problems p = problems_new(arena);
    problem_add(&p, (struct place){"\xFFx.yaml", 3, 7}, "h", "m");
    problem_add(&p, (struct place){0}, NULL, "n");
    json_t *json = problems_json(&p), *one = json_array_get(json, 0), *two = json_array_get(json, 1);
    assert_int_equal(json_array_size(json), 2);
    assert_string_equal(json_string_value(json_object_get(one, "file")), "?x.yaml");
    assert_int_equal(json_integer_value(json_object_get(one, "line")), 3);
    assert_int_equal(json_integer_value(json_object_get(one, "column")), 7);
    assert_string_equal(json_string_value(json_object_get(one, "message")), "m");
    assert_string_equal(json_string_value(json_object_get(one, "hint")), "h");
    assert_true(json_is_null(json_object_get(two, "file")));
    assert_true(json_is_null(json_object_get(two, "line")));
    assert_true(json_is_null(json_object_get(two, "hint")));
    json_decref(json);
}

UNIT(all_problems_become_one_error) {
    struct problems p = problems_new(arena);
    struct error error = error_new(arena);
    problems_fail(&p, &error, FAULT_USAGE);
    assert_false(failed(&error));
    problem_add(&p, at(2, 1), NULL, "second");
    problem_add(&p, at(1, 1), NULL, "first");
    problems_fail(&p, &error, FAULT_USAGE);
    assert_int_equal(error.fault, FAULT_USAGE);
    assert_non_null(strstr(error.message, "2 problems"));
    assert_string_equal(error.detail, "p.yaml:1:1: first\np.yaml:2:1: second");
}

UNIT(a_flood_of_problems_ends_with_a_word_about_it) {
    struct problems p = problems_new(arena);
    for (int i = 0; i < 100000; i++) problem_add(&p, at(i, 1), NULL, "no");
    assert_true(p.count <= 1000);
    assert_non_null(strstr(p.items[p.count - 1].message, "too many"));
}

RUN(UNIT_TEST(a_problem_shows_its_line_a_caret_and_a_hint), UNIT_TEST(tabs_stay_tabs_before_the_caret),
    UNIT_TEST(columns_count_characters_and_wide_ones_take_two_cells), UNIT_TEST(a_long_line_is_cut_around_the_column),
    UNIT_TEST(what_would_steer_a_terminal_is_not_shown_raw),
    UNIT_TEST(a_place_beyond_the_file_or_without_one_has_no_excerpt),
    UNIT_TEST(crlf_lines_show_without_the_carriage_return),
    UNIT_TEST(sorting_follows_the_file_and_keeps_the_order_of_equals),
    UNIT_TEST(json_has_the_five_keys_and_survives_a_strange_file_name), UNIT_TEST(all_problems_become_one_error),
    UNIT_TEST(a_flood_of_problems_ends_with_a_word_about_it))
