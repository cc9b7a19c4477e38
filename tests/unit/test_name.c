/* Names: folding, quotes, schemas, columns of edges, and back to text. */
#include "complain.h"
#include "plan/name.h"

#include <string.h>

static void gives(struct arena *arena, const char *text, const char *schema, const char *name) {
    struct name read = {0};
    const char *why = NULL;
    if (!name_parse(arena, text, &read, &why)) COMPLAIN("%s: %s", text, why);
    if (schema)
        assert_string_equal(read.schema, schema);
    else
        assert_null(read.schema);
    assert_string_equal(read.name, name);
}

static void refuses(struct arena *arena, const char *text, const char *reason) {
    struct name read;
    const char *why = NULL;
    if (name_parse(arena, text, &read, &why)) COMPLAIN("'%s' was taken for a name", text);
    if (!strstr(why, reason)) COMPLAIN("'%s': '%s' does not say '%s'", text, why, reason);
}

UNIT(unquoted_names_fold_and_quoted_ones_stay) {
    gives(arena, "Listings", NULL, "listings");
    gives(arena, "\"Listings\"", NULL, "Listings");
    gives(arena, "Public.\"My \"\"best\"\" Table\"", "public", "My \"best\" Table");
    gives(arena, " a . b ", "a", "b");
    gives(arena, "\"a.b\".c", "a.b", "c");
    gives(arena, "_x$1", NULL, "_x$1");
}

UNIT(only_ascii_letters_fold) { gives(arena, "\xC3\x89T\xC3\x89", NULL, "\xC3\x89t\xC3\x89"); }

UNIT(what_is_no_name_is_refused_with_the_reason) {
    refuses(arena, "", "empty");
    refuses(arena, "   ", "empty");
    refuses(arena, "\"\"", "empty");
    refuses(arena, "\"open", "never closed");
    refuses(arena, "a.b.c", "more parts");
    refuses(arena, "a.", "missing");
    refuses(arena, ".a", "double quotes");
    refuses(arena, "1a", "double quotes");
    refuses(arena, "my-table", "more behind");
    refuses(arena, "a b", "more behind");
    refuses(arena, "a; DROP TABLE b", "more behind");
}

UNIT(a_name_that_the_server_would_cut_is_refused) {
    char name[65];
    memset(name, 'a', 64);
    name[63] = '\0';
    gives(arena, name, NULL, name);
    name[63] = 'a';
    name[64] = '\0';
    refuses(arena, name, "63 bytes");
}

static struct edge_name edge(struct arena *arena, const char *text) {
    struct edge_name read;
    const char *why = NULL;
    if (!edge_name_parse(arena, text, &read, &why)) COMPLAIN("%s: %s", text, why);
    return read;
}

static void edge_refuses(struct arena *arena, const char *text, const char *reason) {
    struct edge_name read;
    const char *why = NULL;
    if (edge_name_parse(arena, text, &read, &why)) COMPLAIN("'%s' was taken for an edge", text);
    if (!strstr(why, reason)) COMPLAIN("'%s': '%s' does not say '%s'", text, why, reason);
}

UNIT(edges_are_table_and_column) {
    struct edge_name e = edge(arena, "Posts.Listing_ID");
    assert_null(e.table.schema);
    assert_string_equal(e.table.name, "posts");
    assert_int_equal(e.count, 1);
    assert_string_equal(e.columns[0], "listing_id");
    e = edge(arena, "blog.\"Posts\".\"a.b\"");
    assert_string_equal(e.table.schema, "blog");
    assert_string_equal(e.table.name, "Posts");
    assert_string_equal(e.columns[0], "a.b");
    assert_false(e.star);
}

UNIT(edges_of_composite_keys_list_their_columns) {
    struct edge_name e = edge(arena, "blog.posts ( A, \"B,)\" )");
    assert_string_equal(e.table.schema, "blog");
    assert_string_equal(e.table.name, "posts");
    assert_int_equal(e.count, 2);
    assert_string_equal(e.columns[0], "a");
    assert_string_equal(e.columns[1], "B,)");
    e = edge(arena, "posts(id)");
    assert_null(e.table.schema);
    assert_string_equal(e.table.name, "posts");
    assert_string_equal(e.columns[0], "id");
}

UNIT(a_star_is_the_rest) {
    assert_true(edge(arena, "*").star);
    assert_true(edge(arena, " * ").star);
    edge_refuses(arena, "*.a", "more behind");
}

UNIT(what_is_no_edge_is_refused_with_the_reason) {
    edge_refuses(arena, "posts", "column");
    edge_refuses(arena, "a.b.c.d", "more parts");
    edge_refuses(arena, "a.b.c(d)", "schema.table");
    edge_refuses(arena, "a(b", "')'");
    edge_refuses(arena, "a(b c)", "','");
    edge_refuses(arena, "a()", "double quotes");
    edge_refuses(arena, "a(b) c", "more behind");
    edge_refuses(arena, "", "empty");
}

UNIT(names_are_quoted_only_where_they_must_be) {
    assert_string_equal(identifier_text(arena, "listings_2"), "listings_2");
    assert_string_equal(identifier_text(arena, "Listings"), "\"Listings\"");
    assert_string_equal(identifier_text(arena, "a\"b"), "\"a\"\"b\"");
    assert_string_equal(identifier_text(arena, "user"), "\"user\"");
    assert_string_equal(identifier_text(arena, "order"), "\"order\"");
    assert_string_equal(identifier_text(arena, "all"), "\"all\"");
    assert_string_equal(identifier_text(arena, "xmltable"), "\"xmltable\"");
    assert_string_equal(identifier_text(arena, "name"), "name");
    assert_string_equal(identifier_text(arena, "orde"), "orde");
    assert_string_equal(identifier_text(arena, "2nd"), "\"2nd\"");
    assert_string_equal(identifier_text(arena, ""), "\"\"");
    assert_string_equal(name_text(arena, &(struct name){.schema = "public", .name = "Order"}), "public.\"Order\"");
    assert_string_equal(name_text(arena, &(struct name){.name = "t"}), "t");
}

UNIT(edges_as_text_can_be_read_again) {
    const char *one[] = {"listing_id"}, *two[] = {"a", "B, c"};
    assert_string_equal(edge_name_text(arena, "public", "posts", one, 1), "public.posts.listing_id");
    const char *text = edge_name_text(arena, NULL, "Posts", two, 2);
    assert_string_equal(text, "\"Posts\"(a, \"B, c\")");
    struct edge_name e = edge(arena, text);
    assert_string_equal(e.table.name, "Posts");
    assert_string_equal(e.columns[1], "B, c");
}

RUN(UNIT_TEST(unquoted_names_fold_and_quoted_ones_stay), UNIT_TEST(only_ascii_letters_fold),
    UNIT_TEST(what_is_no_name_is_refused_with_the_reason), UNIT_TEST(a_name_that_the_server_would_cut_is_refused),
    UNIT_TEST(edges_are_table_and_column), UNIT_TEST(edges_of_composite_keys_list_their_columns),
    UNIT_TEST(a_star_is_the_rest), UNIT_TEST(what_is_no_edge_is_refused_with_the_reason),
    UNIT_TEST(names_are_quoted_only_where_they_must_be), UNIT_TEST(edges_as_text_can_be_read_again))
