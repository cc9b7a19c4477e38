/* Lists for statements: quoting of every name, qualified operators, collations, numbers. */
#include "database/lists.h"
#include "unit.h"

static const struct column id = {.name = "id", .type = "bigint", .equal = "OPERATOR(pg_catalog.=)"};
static const struct column mail = {
    .name = "E-Mail \"x\"", .type = "ext.citext", .collation = "pg_catalog.\"C\"", .equal = "OPERATOR(ext.=)"};

static const struct column *both(struct arena *arena) {
    struct column *columns = arena_alloc(arena, 2 * sizeof *columns);
    columns[0] = id;
    columns[1] = mail;
    return columns;
}

UNIT(columns_of_an_alias_and_bare_ones) {
    assert_string_equal(list_columns(arena, "c", both(arena), 2), "c.\"id\", c.\"E-Mail \"\"x\"\"\"");
    assert_string_equal(list_columns(arena, NULL, both(arena), 1), "\"id\"");
    assert_string_equal(list_columns(arena, "c", NULL, 0), "");
}

UNIT(definitions_have_a_prefix_a_type_and_a_collation) {
    assert_string_equal(list_definitions(arena, "", both(arena), 1), "\"id\" bigint");
    assert_string_equal(list_definitions(arena, "survivor_", both(arena), 2),
                        "\"survivor_id\" bigint, \"survivor_E-Mail \"\"x\"\"\" ext.citext COLLATE pg_catalog.\"C\"");
}

UNIT(numbered_names_count_from_one) {
    assert_string_equal(list_numbered(arena, "t", "k", 3), "t.\"k1\", t.\"k2\", t.\"k3\"");
    assert_string_equal(list_numbered(arena, NULL, "s", 1), "\"s1\"");
    assert_string_equal(list_as_numbered(arena, "l", both(arena), 2, "k"),
                        "l.\"id\" AS \"k1\", l.\"E-Mail \"\"x\"\"\" AS \"k2\"");
}

UNIT(equality_is_of_the_type) {
    assert_string_equal(list_equal_numbered(arena, "l", both(arena), 2, "t", "k"),
                        "l.\"id\" OPERATOR(pg_catalog.=) t.\"k1\" AND l.\"E-Mail \"\"x\"\"\" OPERATOR(ext.=) t.\"k2\"");
    assert_string_equal(list_equal(arena, "a", "b", both(arena), 1), "a.\"id\" OPERATOR(pg_catalog.=) b.\"id\"");
}

UNIT(a_type_without_a_default_class_compares_by_the_servers_own) {
    struct column point = {.name = "p", .type = "point"};
    assert_string_equal(list_equal(arena, "a", "b", &point, 1), "a.\"p\" OPERATOR(pg_catalog.=) b.\"p\"");
}

UNIT(names_and_oids) {
    const char *names[] = {"select", "Größe", "a\"b"};
    assert_string_equal(list_names(arena, "x", names, 3), "x.\"select\", x.\"Größe\", x.\"a\"\"b\"");
    unsigned oids[] = {16384, 4294967295u};
    assert_string_equal(list_oids(arena, oids, 2), "{16384,4294967295}");
    assert_string_equal(list_oids(arena, oids, 0), "{}");
}

UNIT(names_bound_as_an_array) {
    const char *names[] = {"id", "q\"t", "back\\slash", "a b"};
    assert_string_equal(list_texts(arena, names, 4), "{\"id\",\"q\\\"t\",\"back\\\\slash\",\"a b\"}");
    assert_string_equal(list_texts(arena, names, 0), "{}");
}

RUN(UNIT_TEST(names_bound_as_an_array), UNIT_TEST(columns_of_an_alias_and_bare_ones),
    UNIT_TEST(definitions_have_a_prefix_a_type_and_a_collation), UNIT_TEST(numbered_names_count_from_one),
    UNIT_TEST(equality_is_of_the_type), UNIT_TEST(a_type_without_a_default_class_compares_by_the_servers_own),
    UNIT_TEST(names_and_oids))
