/* Expanding statements: psql's placeholders, what is left alone, quoting of hostile names. */
#include "database/sql.h"
#include "unit.h"

#include <string.h>

static const struct binding bindings[] = {
    {"table", "my \"table\""}, {"text", "it's"}, {"slash", "a\\b'c"}, {"where", "a > 1 -- b"},
    {"nothing", NULL},         {"größe", "1"},   {"_n2", "n"},        {NULL, NULL},
};

static const char *expand(struct arena *arena, const char *text) {
    struct sql sql = {"a_name", "runner/steps/a.sql", 3, text};
    struct error error = error_new(arena);
    const char *expanded = sql_expand(arena, &sql, bindings, &error);
    assert_false(failed(&error));
    return expanded;
}

static void same(struct arena *arena, const char *text) { assert_string_equal(expand(arena, text), text); }

UNIT(each_kind_of_placeholder_is_put_in) {
    assert_string_equal(expand(arena, "SELECT :'text' FROM :\"table\" WHERE (:where\n) AND $1"),
                        "SELECT 'it''s' FROM \"my \"\"table\"\"\" WHERE (a > 1 -- b\n) AND $1");
    assert_string_equal(expand(arena, ":_n2:_n2"), "nn");
    assert_string_equal(expand(arena, "(:größe)"), "(1)");
    assert_string_equal(expand(arena, ":'slash'"), " E'a\\\\b''c'");
    assert_string_equal(expand(arena, ":'nothing'"), "NULL");
}

UNIT(a_value_is_not_read_again) {
    const struct binding own[] = {{"a", ":b"}, {"b", "x"}, {NULL, NULL}};
    struct sql sql = {"s", "f", 1, ":a :'a' :\"a\""};
    struct error error = error_new(arena);
    assert_string_equal(sql_expand(arena, &sql, own, &error), ":b ':b' \":b\"");
}

UNIT(casts_assignments_and_slices_are_no_placeholders) {
    same(arena, "a::text, b :: int, c := 1, d[1:2], d[:2], e[1:], '1'::\"char\", $1::int");
    assert_string_equal(expand(arena, ":where::text"), "a > 1 -- b::text");
    same(arena, ":");
    same(arena, ": where");
}

UNIT(quotes_are_left_alone) {
    same(arena, "':table' \":table\" 'it''s :table' \"a\"\":table\"");
    same(arena, "E'\\' :table' e'\\\\' 1");
    same(arena, "E'it''s \\' :table'");
    same(arena, "$$ :table ' $$ $a$ $$ :table $b$ $a$ $1");
    same(arena, "$größe$ :table $größe$");
}

UNIT(what_only_looks_like_a_quote_ends_where_it_should) {
    assert_string_equal(expand(arena, "'\\' :_n2 ''"), "'\\' n ''");         /* no E: a backslash is a backslash */
    assert_string_equal(expand(arena, "type'\\' :_n2 ''"), "type'\\' n ''"); /* a word that ends in e */
    assert_string_equal(expand(arena, "a$b$ :_n2 a$b$"), "a$b$ n a$b$");     /* dollars within a word */
    assert_string_equal(expand(arena, "$1$ :_n2 $1$"), "$1$ n $1$");         /* a tag begins with no digit */
    assert_string_equal(expand(arena, "a - :_n2 / :_n2"), "a - n / n");
}

UNIT(comments_are_left_alone) {
    same(arena, "-- :table\n");
    same(arena, "/* :table /* ' */ :table */");
    assert_string_equal(expand(arena, "-- it's\n:_n2 /*'*/ :_n2"), "-- it's\nn /*'*/ n");
}

UNIT(an_open_quote_goes_on_to_the_end) {
    same(arena, "'abc :table");
    same(arena, "\"abc :table");
    same(arena, "E'abc\\");
    same(arena, "$x$ :table $x");
    same(arena, "/* :table /* */");
    same(arena, "-- :table");
    same(arena, ":'text");
    same(arena, ":\"text'");
}

UNIT(a_placeholder_without_a_value_is_an_error_that_names_it) {
    const char *wrong[] = {"SELECT :\"tables\"", "SELECT :tabl", "SELECT :nothing", "SELECT :\"nothing\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sql sql = {"a_name", "runner/steps/a.sql", 3, wrong[i]};
        struct error error = error_new(arena);
        assert_non_null(sql_expand(arena, &sql, bindings, &error));
        assert_int_equal(error.fault, FAULT_FAILED);
        assert_non_null(strstr(error.message, wrong[i] + strlen("SELECT ")));
        assert_non_null(strstr(error.message, "a_name"));
        assert_non_null(strstr(error.message, "runner/steps/a.sql"));
    }
}

UNIT(identifiers_are_always_quoted) {
    assert_string_equal(sql_identifier(arena, "listings"), "\"listings\"");
    assert_string_equal(sql_identifier(arena, "a\"; DROP TABLE x --"), "\"a\"\"; DROP TABLE x --\"");
    assert_string_equal(sql_identifier(arena, "Größe\\"), "\"Größe\\\"");
    assert_string_equal(sql_qualified(arena, "s.t", "u\"v"), "\"s.t\".\"u\"\"v\"");
}

UNIT(literals_are_safe_whatever_the_server_thinks_of_backslashes) {
    assert_string_equal(sql_literal(arena, ""), "''");
    assert_string_equal(sql_literal(arena, "O'Hara"), "'O''Hara'");
    assert_string_equal(sql_literal(arena, "\\'"), " E'\\\\'''");
    assert_string_equal(sql_literal(arena, NULL), "NULL");
}

RUN(UNIT_TEST(each_kind_of_placeholder_is_put_in), UNIT_TEST(a_value_is_not_read_again),
    UNIT_TEST(casts_assignments_and_slices_are_no_placeholders), UNIT_TEST(quotes_are_left_alone),
    UNIT_TEST(what_only_looks_like_a_quote_ends_where_it_should), UNIT_TEST(comments_are_left_alone),
    UNIT_TEST(an_open_quote_goes_on_to_the_end), UNIT_TEST(a_placeholder_without_a_value_is_an_error_that_names_it),
    UNIT_TEST(identifiers_are_always_quoted), UNIT_TEST(literals_are_safe_whatever_the_server_thinks_of_backslashes))
