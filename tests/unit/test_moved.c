/* What moves bring with them, over trees made by hand: columns that change, tables that can lose rows to conflicts,
 * edges that follow, rows that are carried. */
#include <string.h>

#include "base/text.h"
#include "database/rules.h"
#include "database/tree.h"
#include "unit.h"

static struct problems problems;

/* Tables p (the plan's), c and g with columns id and up; each of c and g refers to the one before it by `up`. */
struct family_tree {
    struct tree tree;
    struct node nodes[3];
    struct edge edges[2];
    struct table tables[3];
    struct column columns[3][2];
    struct rule rules[3];
};

static const char *up[] = {"up"}, *id[] = {"id"};
static struct node *node_list[3];
static struct edge *edge_list[2];

static struct family_tree *family_tree(struct arena *arena) {
    static const char *const names[] = {"p", "c", "g"}, *const keys[] = {"c.up", "g.up"};
    struct family_tree *f = arena_alloc(arena, sizeof *f);
    for (size_t i = 0; i < 3; i++) {
        f->columns[i][0] = (struct column){.name = "id", .not_null = true};
        f->columns[i][1] = (struct column){.name = "up"};
        f->tables[i] = (struct table){
            .schema = "public", .name = names[i], .shown = names[i], .columns = f->columns[i], .column_count = 2};
        f->nodes[i] = (struct node){.index = i, .table = &f->tables[i]};
        node_list[i] = &f->nodes[i];
    }
    for (size_t i = 0; i < 2; i++) {
        f->edges[i] = (struct edge){.index = i,
                                    .constraint = keys[i],
                                    .parent = &f->nodes[i],
                                    .child = &f->nodes[i + 1],
                                    .columns = up,
                                    .parent_columns = id,
                                    .count = 1,
                                    .null_columns = up,
                                    .null_count = 1,
                                    .on_delete = 'a',
                                    .key = keys[i]};
        edge_list[i] = &f->edges[i];
    }
    f->tree = (struct tree){.nodes = node_list, .node_count = 3, .edges = edge_list, .edge_count = 2};
    return f;
}

/* A unique rule of a node that reads one column. */
static void keeps_apart(struct family_tree *f, size_t node, const char **column) {
    f->rules[node] = (struct rule){.name = "rule", .columns = column, .column_count = 1};
    f->nodes[node].uniques = &f->rules[node];
    f->nodes[node].unique_count = 1;
}

static size_t put(struct arena *arena, struct family_tree *f, enum policy c, enum conflict conflict, enum policy g) {
    static struct policy_options options[2];
    static struct entry items[] = {{.key = "c.up", .key_place = {"plan.yaml", 5, 9}, .options = &options[0]},
                                   {.key = "g.up", .key_place = {"plan.yaml", 6, 9}, .options = &options[1]}};
    options[0] = (struct policy_options){(int)c - 1, (int)conflict};
    options[1] = (struct policy_options){(int)g - 1, CONFLICT_DELETE};
    problems = problems_new(arena);
    return tree_policies(&f->tree, arena, &(struct entries){items, g == POLICY_NONE ? 1 : 2}, &problems);
}

UNIT(moved_rows_stay_and_nothing_below_is_reached) {
    struct family_tree *f = family_tree(arena);
    keeps_apart(f, 1, id); /* not the column that moves */
    assert_int_equal(put(arena, f, POLICY_MOVE, CONFLICT_DELETE, POLICY_NONE), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(f->nodes[1].moved_count, 1);
    assert_string_equal(f->nodes[1].moved[0], "up");
    assert_false(f->nodes[1].removed);
    assert_false(f->nodes[1].dropped);
    assert_false(f->edges[1].reached);
    assert_int_equal(f->nodes[2].moved_count, 0);
}

UNIT(below_rows_that_conflicts_drop_an_edge_follows_as_the_one_above) {
    struct family_tree *f = family_tree(arena);
    keeps_apart(f, 1, up);
    assert_int_equal(put(arena, f, POLICY_MOVE, CONFLICT_KEEP_FIRST, POLICY_NONE), 0);
    assert_true(f->nodes[1].dropped);
    assert_true(f->edges[1].reached);
    assert_true(f->edges[1].follows);
    assert_int_equal(f->edges[1].policy, POLICY_MOVE);
    assert_int_equal(f->edges[1].on_conflict, CONFLICT_KEEP_FIRST);
    assert_string_equal(edge_policy_text(&f->edges[1]), "move, on conflict keep-first (follows the rows above)");
    assert_true(f->nodes[1].turn < f->nodes[2].turn);
}

UNIT(a_policy_of_its_own_holds_below_dropped_rows) {
    struct family_tree *f = family_tree(arena);
    keeps_apart(f, 1, up);
    assert_int_equal(put(arena, f, POLICY_MOVE, CONFLICT_DELETE, POLICY_DELETE), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(f->edges[1].policy, POLICY_DELETE);
    assert_false(f->edges[1].follows);
    assert_true(f->nodes[2].removed);
}

UNIT(who_stops_at_a_conflict_drops_nothing) {
    struct family_tree *f = family_tree(arena);
    keeps_apart(f, 1, up);
    assert_int_equal(put(arena, f, POLICY_MOVE, CONFLICT_STOP, POLICY_NONE), 0);
    assert_false(f->nodes[1].dropped);
    assert_false(f->edges[1].reached);
}

UNIT(what_refers_to_a_column_that_moves_is_carried) {
    struct family_tree *f = family_tree(arena);
    f->edges[1].parent_columns = up; /* g refers to what moves of c */
    assert_int_equal(put(arena, f, POLICY_MOVE, CONFLICT_DELETE, POLICY_NONE), 0);
    assert_true(f->edges[1].carried);
    assert_false(f->edges[1].reached);
    assert_int_equal(f->nodes[2].moved_count, 1);
    assert_int_equal(problems.count, 0);
}

UNIT(below_a_delete_nothing_stays_to_move_to) {
    struct family_tree *f = family_tree(arena);
    put(arena, f, POLICY_DELETE, CONFLICT_DELETE, POLICY_MOVE);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].message,
                        "g.up cannot be moved: rows of c are removed by c.up, and no row stays in their place");
    assert_int_equal(problems.items[0].place.line, 6);
}

UNIT(a_generated_column_cannot_move) {
    struct family_tree *f = family_tree(arena);
    f->columns[1][1].generated = true;
    put(arena, f, POLICY_MOVE, CONFLICT_DELETE, POLICY_NONE);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].place.line, 5);
}

UNIT(policies_can_be_put_anew) {
    struct family_tree *f = family_tree(arena);
    keeps_apart(f, 1, up);
    put(arena, f, POLICY_MOVE, CONFLICT_DELETE, POLICY_NONE);
    assert_int_equal(put(arena, f, POLICY_SET_NULL, CONFLICT_DELETE, POLICY_NONE), 0);
    assert_false(f->nodes[1].dropped);
    assert_int_equal(f->nodes[1].moved_count, 0);
    assert_false(f->edges[1].reached);
}

RUN(UNIT_TEST(moved_rows_stay_and_nothing_below_is_reached),
    UNIT_TEST(below_rows_that_conflicts_drop_an_edge_follows_as_the_one_above),
    UNIT_TEST(a_policy_of_its_own_holds_below_dropped_rows), UNIT_TEST(who_stops_at_a_conflict_drops_nothing),
    UNIT_TEST(what_refers_to_a_column_that_moves_is_carried), UNIT_TEST(below_a_delete_nothing_stays_to_move_to),
    UNIT_TEST(a_generated_column_cannot_move), UNIT_TEST(policies_can_be_put_anew))
