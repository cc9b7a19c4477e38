/* Entries of an index: what goes as it stands, what is wrapped, and what the parts of an entry are. */
#include "unit.h"
#include "work/index_wish.h"

static struct index_element element(struct arena *arena, const char *text) {
    struct sql_text sql = {.text = text};
    return index_element_read(arena, &sql);
}

static void stands(struct arena *arena, const char *text, const char *expression) {
    struct index_element e = element(arena, text);
    assert_string_equal(e.text, text);
    assert_string_equal(e.expression, expression);
}

static void is_wrapped(struct arena *arena, const char *text) {
    struct index_element e = element(arena, text);
    const char *wrapped = arena_printf(arena, "(%s\n)", text);
    assert_string_equal(e.text, wrapped);
    assert_string_equal(e.expression, wrapped);
    assert_null(e.column);
}

UNIT(columns_and_calls_stand_as_they_are) {
    stands(arena, "email", "email");
    stands(arena, "\"E Mail\"", "\"E Mail\"");
    stands(arena, "lower(email)", "lower(email)");
    stands(arena, "public.f(a, 'x)', \"y)\")", "public.f(a, 'x)', \"y)\")");
    stands(arena, "(a || b)", "(a || b)");
    stands(arena, "Größe DESC", "Größe");
    stands(arena, "lower(email) COLLATE \"C\" text_pattern_ops DESC NULLS LAST", "lower(email)");
    stands(arena, "tags gin_trgm_ops", "tags");
}

UNIT(other_expressions_are_wrapped) {
    is_wrapped(arena, "a + 1");
    is_wrapped(arena, "a || b");
    is_wrapped(arena, "a::text");
    is_wrapped(arena, "lower(a) || lower(b)");
    is_wrapped(arena, "(a) || (b)");
    is_wrapped(arena, "a IS NOT NULL");
    is_wrapped(arena, "a ISNULL");
    is_wrapped(arena, "a IN (1, 2)");
    is_wrapped(arena, "at AT TIME ZONE 'utc'");
    is_wrapped(arena, "CASE WHEN a THEN 1 END");
    is_wrapped(arena, "doc -> 'x'");
    is_wrapped(arena, "listings.email");
    is_wrapped(arena, "-a");
    is_wrapped(arena, "a AND b");
}

UNIT(plain_columns_are_folded) {
    assert_string_equal(element(arena, "Email").column, "email");
    assert_string_equal(element(arena, "\"E\"\"Mail\" DESC").column, "E\"Mail");
    assert_null(element(arena, "lower(email)").column);
    assert_null(element(arena, "(email)").column);
}

UNIT(order_is_read) {
    static const struct {
        const char *text;
        bool descending, nulls_first;
    } cases[] = {{"a", false, false},
                 {"a ASC", false, false},
                 {"a DESC", true, true},
                 {"a desc nulls last", true, false},
                 {"a NULLS FIRST", false, true},
                 {"a asc NULLS LAST", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct index_element e = element(arena, cases[i].text);
        assert_int_equal(e.descending, cases[i].descending);
        assert_int_equal(e.nulls_first, cases[i].nulls_first);
        assert_string_equal(e.column, "a");
    }
}

UNIT(class_and_collation_are_read) {
    struct index_element e = element(arena, "a COLLATE pg_catalog.\"C\" ext.gist_trgm_ops (siglen = 32) DESC");
    assert_string_equal(e.collate, "COLLATE pg_catalog.\"C\"");
    assert_string_equal(e.operator_class.schema, "ext");
    assert_string_equal(e.operator_class.name, "gist_trgm_ops");
    assert_string_equal(e.class_options, "(siglen = 32)");
    assert_true(e.descending);
    assert_null(element(arena, "a DESC").operator_class.name);
    assert_null(element(arena, "a NULLS FIRST").operator_class.name);
}

UNIT(the_definition_has_all_parts) {
    struct sql_text texts[] = {{.text = "a DESC"}, {.text = "b + 1"}};
    struct name included[] = {{.name = "c"}, {.name = "D"}};
    struct names include = {included, 2};
    struct index_wish wish = {
        .method = "btree", .include = &include, .where = "a > 0 -- yes", .nulls_not_distinct = true};
    index_elements_read(arena, &wish, &(struct sql_texts){texts, 2});
    struct error error = error_new(arena);
    index_wish_define(arena, &wish, &error);
    assert_false(failed(&error));
    assert_string_equal(
        wish.definition,
        "\"btree\" (a DESC, (b + 1\n)) INCLUDE (\"c\", \"D\") NULLS NOT DISTINCT WHERE (a > 0 -- yes\n)");
    assert_string_equal(index_wish_expressions(arena, &wish, "k"), "a  AS k1, (b + 1\n)  AS k2");
}

RUN(UNIT_TEST(columns_and_calls_stand_as_they_are), UNIT_TEST(other_expressions_are_wrapped),
    UNIT_TEST(plain_columns_are_folded), UNIT_TEST(order_is_read), UNIT_TEST(class_and_collation_are_read),
    UNIT_TEST(the_definition_has_all_parts))
