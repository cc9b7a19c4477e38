/* A line with colours of its own: they take no columns, are left out where there are none, and are never cut in two. */
#include "unit.h"

#include <string.h>

#include "events/line.h"

#define RED "\033[31m"
#define OFF "\033[0m"

static const char *cut(struct arena *arena, size_t width, bool colour, const char *text) {
    struct line line = line_new(arena, width, colour, false);
    line_add_coloured(&line, text);
    assert_true(line.used <= width);
    return line.text.data;
}

UNIT(what_fits_is_as_it_was) {
    assert_string_equal(cut(arena, 7, true, "a " RED "red" OFF " b"), "a " RED "red" OFF " b");
}

UNIT(without_colour_the_words_are_left) {
    assert_string_equal(cut(arena, 20, false, "a " RED "red" OFF " b"), "a red b");
}

UNIT(what_does_not_fit_is_cut_and_its_colour_ends) {
    assert_string_equal(cut(arena, 6, true, "a " RED "red" OFF " b"), "a " RED "red" OFF "~");
    assert_string_equal(cut(arena, 4, true, "a " RED "red" OFF " b"), "a " RED "r" OFF "~");
    assert_string_equal(cut(arena, 1, false, RED "red" OFF), "~");
}

UNIT(a_line_that_is_full_takes_nothing) {
    struct line line = line_new(arena, 3, false, false);
    line_add(&line, STYLE_PLAIN, "abc");
    line_add_coloured(&line, "d");
    assert_string_equal(line.text.data, "abc");
}

RUN(UNIT_TEST(what_fits_is_as_it_was), UNIT_TEST(without_colour_the_words_are_left),
    UNIT_TEST(what_does_not_fit_is_cut_and_its_colour_ends), UNIT_TEST(a_line_that_is_full_takes_nothing))
