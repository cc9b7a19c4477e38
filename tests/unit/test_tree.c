/* The tree: places, what YAML allows and plans do not, and places inside scalars. */
#include "complain.h"
#include "plan/tree.h"

#include <string.h>

#include "base/text.h"

struct read {
    struct problems problems;
    struct tree tree;
};

static struct read read_bytes(struct arena *arena, const char *text, size_t length) {
    struct read r = {.problems = problems_new(arena)};
    struct source_text source = {arena_strndup(arena, text, length), length};
    source_skip_mark(&source);
    if (source_check(&source, "t.yaml", &r.problems)) r.tree = tree_parse(arena, "t.yaml", source, &r.problems);
    return r;
}

static struct read read_text(struct arena *arena, const char *text) { return read_bytes(arena, text, strlen(text)); }

static void expect(const struct read *r, int line, int column, const char *says) {
    for (size_t i = 0; i < r->problems.count; i++) {
        const struct problem *p = &r->problems.items[i];
        if (p->place.line == line && p->place.column == column && strstr(p->message, says)) return;
        print_error("%d:%d: %s\n", p->place.line, p->place.column, p->message);
    }
    COMPLAIN("nothing at %d:%d says '%s'", line, column, says);
}

static void expect_place(struct place place, int line, int column) {
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

UNIT(nodes_know_their_places) {
    struct read r = read_text(arena, "a: 1\nb:\n  - x\n  - { \xC3\xA9: 'y', c: z }\n");
    assert_int_equal(r.problems.count, 0);
    assert_int_equal(r.tree.root->kind, NODE_MAP);
    const struct node *list = node_get(r.tree.root, "b"), *map = list->items[1];
    assert_string_equal(node_get(r.tree.root, "a")->text, "1");
    expect_place(node_get(r.tree.root, "a")->place, 1, 4);
    expect_place(list->place, 3, 3);
    assert_string_equal(list->items[0]->text, "x");
    expect_place(map->keys[0]->place, 4, 7);
    expect_place(map->keys[1]->place, 4, 15);
    expect_place(map->items[1]->place, 4, 18);
    assert_null(node_get(r.tree.root, "c"));
}

UNIT(a_byte_order_mark_and_crlf_move_no_place) {
    struct read r = read_text(arena, "\xEF\xBB\xBF"
                                     "a: 1\r\nb: 22\r\n");
    assert_int_equal(r.problems.count, 0);
    expect_place(r.tree.root->keys[0]->place, 1, 1);
    expect_place(node_get(r.tree.root, "b")->place, 2, 4);
    assert_string_equal(node_get(r.tree.root, "b")->text, "22");
}

UNIT(duplicate_keys_are_refused_at_the_later_one) {
    struct read r = read_text(arena, "where: a\nx: 1\nwhere: b\n");
    assert_int_equal(r.problems.count, 1);
    expect(&r, 3, 1, "'where' is there already, on line 1");
    r = read_text(arena, "{ a: 1, \"a\": 2, b: { a: 1 } }");
    assert_int_equal(r.problems.count, 1);
    expect(&r, 1, 9, "'a'");
}

UNIT(anchors_aliases_and_tags_are_refused) {
    struct read r = read_text(arena, "a: &x 1\nb: *x\nc: !!str 2\nd: !t [1]\ne: &y { f: 1 }\n");
    assert_int_equal(r.problems.count, 5);
    expect(&r, 1, 4, "anchors");
    expect(&r, 2, 4, "aliases");
    expect(&r, 3, 4, "tags");
    expect(&r, 4, 4, "tags");
    expect(&r, 5, 4, "anchors");
}

UNIT(a_second_document_is_refused) {
    struct read r = read_text(arena, "---\na: 1\n---\nb: 2\n");
    assert_int_equal(r.problems.count, 1);
    expect(&r, 3, 1, "second YAML document");
    r = read_text(arena, "---\na: 1\n...\n");
    assert_int_equal(r.problems.count, 0);
}

UNIT(an_empty_file_is_told) {
    struct read r = read_text(arena, "# only a comment\n");
    expect(&r, 1, 1, "empty");
    assert_null(r.tree.root);
}

UNIT(bad_bytes_are_refused_at_their_place) {
    struct read r = read_text(arena, "a: 1\nb: \xC3(\n");
    expect(&r, 2, 4, "no UTF-8");
    r = read_text(arena, "a: \xED\xA0\x80");
    expect(&r, 1, 4, "no UTF-8");
    r = read_text(arena, "a: \xC0\xAF");
    expect(&r, 1, 4, "no UTF-8");
    r = read_bytes(arena, "a: \xC3\xA9\0b", 7);
    expect(&r, 1, 5, "NUL");
    r = read_text(arena, "a: \033[2J");
    expect(&r, 1, 4, "control");
    r = read_text(arena, "a: x\rb: y");
    expect(&r, 1, 5, "carriage return");
    r = read_text(arena, "a: x\xE2\x80\xA8y");
    expect(&r, 1, 5, "line separator");
    r = read_text(arena, "a: \"x\\0y\"");
    expect(&r, 1, 4, "NUL");
}

UNIT(a_huge_file_is_refused) {
    size_t length = SOURCE_MOST_BYTES + 1;
    char *text = arena_alloc(arena, length + 1);
    memset(text, 'a', length);
    struct read r = read_bytes(arena, text, length);
    assert_int_equal(r.problems.count, 1);
    assert_non_null(strstr(r.problems.items[0].message, "larger than 4 MB"));
}

UNIT(absurd_nesting_is_refused) {
    char deep[100001];
    memset(deep, '[', 100000);
    deep[100000] = '\0';
    struct read r = read_text(arena, deep);
    assert_int_equal(r.problems.count, 1);
    assert_non_null(strstr(r.problems.items[0].message, "too deeply"));
    assert_true(r.tree.cut);
}

UNIT(what_is_no_yaml_is_told_where_it_is) {
    struct read r = read_text(arena, "a: 1\nb: c: d\n");
    expect(&r, 2, 5, "not valid YAML");
    assert_true(r.tree.cut);
    r = read_text(arena, "a: 1\nb: 'open\nc: 2\n");
    expect(&r, 2, 4, "not valid YAML");
    r = read_text(arena, "a:\n\tb: 1\n");
    expect(&r, 2, 1, "not valid YAML");
}

UNIT(a_key_must_be_a_scalar) {
    struct read r = read_text(arena, "[a]: 1\n? { b: c }\n: 2\n");
    assert_int_equal(r.problems.count, 2);
    expect(&r, 1, 1, "cannot be a key");
}

/* Where the n-th byte of a value's text stands in the file. */
static void inside(struct arena *arena, const char *yaml, const char *needle, int line, int column) {
    struct read r = read_text(arena, yaml);
    assert_int_equal(r.problems.count, 0);
    const struct node *node = node_get(r.tree.root, "k");
    struct place place = tree_place(&r.tree, node, (size_t)(strstr(node->text, needle) - node->text));
    if (place.line != line || place.column != column)
        COMPLAIN("'%s' in '%s' is at %d:%d, not %d:%d", needle, yaml, place.line, place.column, line, column);
}

UNIT(places_inside_scalars_are_found) {
    inside(arena, "k: a = X", "X", 1, 8);
    inside(arena, "k: \xC3\xA9 = X", "X", 1, 8);
    inside(arena, "k: 'a = X'", "X", 1, 9);
    inside(arena, "k: \"a = X\"", "X", 1, 9);
    inside(arena, "k: a\n    b X", "X", 2, 7);
    inside(arena, "k: a\n\n    b\n   X", "X", 4, 4);
    inside(arena, "k: |\n  a\n    b\n  c X\n", "X", 4, 5);
    inside(arena, "k: |\n  a\n    b\n  c X\n", "b", 3, 5);
    inside(arena, "k: >-\n  a\n  b X\n", "X", 3, 5);
    inside(arena, "k: |  # why\n  X\n", "X", 2, 3);
}

UNIT(where_escapes_hide_the_place_it_is_the_scalars) {
    inside(arena, "k: 'it''s X'", "X", 1, 4);
    inside(arena, "k: \"\\x41 X\"", "X", 1, 4);
}

static bool comment_behind(struct arena *arena, const char *yaml, struct place *place) {
    struct read r = read_text(arena, yaml);
    assert_int_equal(r.problems.count, 0);
    const struct node *node = node_get(r.tree.root, "k");
    return tree_comment_behind(&r.tree, node ? node : node_get(r.tree.root->items[0], "k"), place);
}

UNIT(a_comment_right_behind_a_plain_value_is_found) {
    struct place place;
    assert_true(comment_behind(arena, "k: flags #> '{x}'\n", &place));
    expect_place(place, 1, 10);
    assert_true(comment_behind(arena, "j:\n  k: flags AND\n    #> '{x}'\n", &place));
    expect_place(place, 3, 5);
    assert_true(comment_behind(arena, "j: { k: a\n# b\n}", &place));
    assert_true(comment_behind(arena, "j: { k: a # b\n}", &place));
}

UNIT(other_comments_are_nobodys_business) {
    struct place place;
    assert_false(comment_behind(arena, "k: a#b\n", &place));
    assert_false(comment_behind(arena, "k: 'a'  # b\n", &place));
    assert_false(comment_behind(arena, "k: |\n  a # b\n", &place));
    assert_false(comment_behind(arena, "k: a\n# about the next\nl: b\n", &place));
    assert_false(comment_behind(arena, "j:\n  k: a\n  # about the next\n  l: b\n", &place));
    assert_false(comment_behind(arena, "j: { k: a, # b\n l: c }", &place));
    assert_false(comment_behind(arena, "k: a\n", &place));
}

static bool joined(struct arena *arena, const char *yaml) {
    struct read r = read_text(arena, yaml);
    return tree_lines_joined(&r.tree, node_get(r.tree.root, "k"));
}

UNIT(joined_lines_are_known) {
    assert_true(joined(arena, "k: a\n  b\n"));
    assert_true(joined(arena, "k: 'a\n  b'\n"));
    assert_true(joined(arena, "k: >\n  a\n  b\n"));
    assert_false(joined(arena, "k: |\n  a\n  b\n"));
    assert_false(joined(arena, "k: >\n  a\n"));
    assert_false(joined(arena, "k: a\nl: b\n"));
    assert_false(joined(arena, "k: \"a\\nb\"\n"));
}

UNIT(nothing_behind_a_key_is_known_from_an_empty_text) {
    struct read r = read_text(arena, "a:\nb: ''\n");
    assert_true(node_empty(node_get(r.tree.root, "a")));
    assert_false(node_empty(node_get(r.tree.root, "b")));
}

RUN(UNIT_TEST(nodes_know_their_places), UNIT_TEST(a_byte_order_mark_and_crlf_move_no_place),
    UNIT_TEST(duplicate_keys_are_refused_at_the_later_one), UNIT_TEST(anchors_aliases_and_tags_are_refused),
    UNIT_TEST(a_second_document_is_refused), UNIT_TEST(an_empty_file_is_told),
    UNIT_TEST(bad_bytes_are_refused_at_their_place), UNIT_TEST(a_huge_file_is_refused),
    UNIT_TEST(absurd_nesting_is_refused), UNIT_TEST(what_is_no_yaml_is_told_where_it_is),
    UNIT_TEST(a_key_must_be_a_scalar), UNIT_TEST(places_inside_scalars_are_found),
    UNIT_TEST(where_escapes_hide_the_place_it_is_the_scalars), UNIT_TEST(a_comment_right_behind_a_plain_value_is_found),
    UNIT_TEST(other_comments_are_nobodys_business), UNIT_TEST(joined_lines_are_known),
    UNIT_TEST(nothing_behind_a_key_is_known_from_an_empty_text))
