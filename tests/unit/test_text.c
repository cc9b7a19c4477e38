/* Texts: growing, columns and cuts of UTF-8, the nearest word, thousands. */
#include "base/text.h"
#include "unit.h"

#include <limits.h>
#include <string.h>

UNIT(a_text_grows_from_pieces) {
    struct text text = text_new(arena);
    assert_string_equal(text.data, "");
    for (int i = 0; i < 500; i++) {
        text_add(&text, "ab");
        text_add_n(&text, "cdef", 1);
        text_addf(&text, "%d", i % 10);
    }
    assert_int_equal(text.length, 2000);
    assert_int_equal(strlen(text.data), 2000);
    assert_memory_equal(text.data + 1996, "abc9", 5);
}

UNIT(a_piece_larger_than_the_room_fits) {
    struct text text = text_new(arena);
    text_addf(&text, "%0*d", 5000, 7);
    assert_int_equal(text.length, 5000);
    text_add_n(&text, "", 0);
    assert_int_equal(text.data[4999], '7');
    assert_int_equal(text.data[5000], '\0');
}

UNIT(null_equals_null_only) {
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "A"));
}

UNIT(starts_is_a_prefix) {
    assert_true(text_starts("listings", "list"));
    assert_true(text_starts("list", ""));
    assert_true(text_starts("list", "list"));
    assert_false(text_starts("lis", "list"));
}

UNIT(columns_are_characters) {
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("Größe"), 5);
    assert_int_equal(text_columns("日本"), 2);
}

UNIT(a_cut_splits_no_character) {
    assert_int_equal(text_cut("abc", 10), 3);
    assert_int_equal(text_cut("abc", 2), 2);
    assert_int_equal(text_cut("aöb", 2), 1); /* ö is bytes 1 and 2 */
    assert_int_equal(text_cut("aöb", 3), 3);
    assert_int_equal(text_cut("日本", 5), 3);
    assert_int_equal(text_cut("日本", 2), 0);
}

UNIT(nearest_finds_a_slip_and_nothing_else) {
    const char *words[] = {"table", "track", "vacuum", "batch"};
    assert_string_equal(text_nearest("tabel", words, 4), "table");
    assert_string_equal(text_nearest("vacum", words, 4), "vacuum");
    assert_null(text_nearest("completely-else", words, 4));
    assert_null(text_nearest("table", words, 0));
}

UNIT(a_word_of_any_length_can_be_compared) {
    char word[5000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *words[] = {"table"};
    text_nearest(word, words, 1);
    text_nearest("", words, 1);
}

UNIT(counts_have_thousands) {
    assert_string_equal(text_count(arena, 0), "0");
    assert_string_equal(text_count(arena, 999), "999");
    assert_string_equal(text_count(arena, 1000), "1,000");
    assert_string_equal(text_count(arena, 1234567), "1,234,567");
    assert_string_equal(text_count(arena, -45000), "-45,000");
    assert_string_equal(text_count(arena, LLONG_MAX), "9,223,372,036,854,775,807");
}

RUN(UNIT_TEST(a_text_grows_from_pieces), UNIT_TEST(a_piece_larger_than_the_room_fits), UNIT_TEST(null_equals_null_only),
    UNIT_TEST(starts_is_a_prefix), UNIT_TEST(columns_are_characters), UNIT_TEST(a_cut_splits_no_character),
    UNIT_TEST(nearest_finds_a_slip_and_nothing_else), UNIT_TEST(a_word_of_any_length_can_be_compared),
    UNIT_TEST(counts_have_thousands))
