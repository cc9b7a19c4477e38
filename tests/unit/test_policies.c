/*
 * Policies over trees made by hand: matching of keys, reach, cycles, lines to paste. Edges are written
 * "child.column>parent action", node 0 is the first parent; a trailing "!" is a column that cannot be NULL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/tree.h"
#include "unit.h"

/* --- trees --- */

static struct node *node(struct arena *arena, struct tree *tree, const char *name) {
    for (size_t i = 0; i < tree->node_count; i++)
        if (strcmp(tree->nodes[i]->table->shown, name) == 0) return tree->nodes[i];
    struct node *made = arena_alloc(arena, sizeof *made);
    const char *dot = strchr(name, '.');
    tree->nodes = arena_grow(arena, tree->nodes, &tree->node_count, sizeof *tree->nodes);
    tree->nodes[tree->node_count - 1] = made;
    made->index = tree->node_count - 1;
    made->table = arena_alloc(arena, sizeof *made->table);
    made->table->shown = arena_strdup(arena, name);
    made->table->schema = dot ? arena_strndup(arena, name, (size_t)(dot - name)) : "public";
    made->table->name = arena_strdup(arena, dot ? dot + 1 : name);
    return made;
}

static void edge(struct arena *arena, struct tree *tree, const char *written) {
    char child[64], column[64], parent[64], action, last = ' ';
    assert_true(sscanf(written, "%63[^/]/%63[^>]>%63s %c%c", child, column, parent, &action, &last) >= 4);
    struct edge *made = arena_alloc(arena, sizeof *made);
    *made = (struct edge){.index = tree->edge_count, .on_delete = action, .count = 1};
    made->parent = node(arena, tree, parent);
    made->child = node(arena, tree, child);
    made->columns = arena_alloc(arena, 2 * sizeof *made->columns);
    char *comma = strchr(column, ',');
    if (comma) {
        *comma = '\0';
        made->columns[made->count++] = arena_strdup(arena, comma + 1);
    }
    made->columns[0] = arena_strdup(arena, column);
    made->null_columns = made->columns;
    made->null_count = last == '!' ? 0 : made->count;
    made->why_not_null = last == '!' ? "column is NOT NULL" : NULL;
    const struct table *table = made->child->table;
    const char *schema = strcmp(table->schema, "public") == 0 ? NULL : table->schema;
    made->key = edge_name_text(arena, schema, table->name, made->columns, made->count);
    made->constraint = arena_printf(arena, "fk%zu", tree->edge_count);
    tree->edges = arena_grow(arena, tree->edges, &tree->edge_count, sizeof *tree->edges);
    tree->edges[tree->edge_count - 1] = made;
}

#define TREE(...) tree_of(arena, (const char *[]){__VA_ARGS__, NULL})
static struct tree *tree_of(struct arena *arena, const char **edges) {
    struct tree *tree = arena_alloc(arena, sizeof *tree);
    for (; *edges; edges++) edge(arena, tree, *edges);
    return tree;
}

/* "posts.listing_id: delete" */
#define CHILDREN(...) children_of(arena, (const char *[]){__VA_ARGS__, NULL})
static struct entries *children_of(struct arena *arena, const char **lines) {
    struct entries *entries = arena_alloc(arena, sizeof *entries);
    for (int line = 1; *lines; lines++, line++) {
        const char *colon = strrchr(*lines, ':');
        entries->items = arena_grow(arena, entries->items, &entries->count, sizeof *entries->items);
        struct entry *entry = &entries->items[entries->count - 1];
        *entry = (struct entry){.key = arena_strndup(arena, *lines, (size_t)(colon - *lines)),
                                .key_place = {"plan.yaml", line, 1}};
        struct policy_options *options = entry->options = arena_alloc(arena, sizeof *options);
        options->policy = -1;
        for (int i = 0; policy_choices[i]; i++)
            if (strcmp(policy_choices[i], colon + 2) == 0) options->policy = i;
        assert_true(options->policy >= 0);
    }
    return entries;
}

static struct entries none;
static struct problems problems;

static size_t apply(struct arena *arena, struct tree *tree, const struct entries *children) {
    problems = problems_new(arena);
    return tree_policies(tree, arena, children, &problems);
}

static size_t component(struct arena *arena, struct tree *tree, const char *name) {
    return node(arena, tree, name)->component;
}

static void assert_parents_first(const struct tree *tree) {
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        if (e->reached && e->policy == POLICY_DELETE) assert_true(e->parent->component <= e->child->component);
    }
}

/* --- matching --- */

UNIT(a_key_matches_its_edge_only) {
    struct tree *tree = TREE("posts/listing_id>listings a", "posts/user_id>listings a");
    assert_int_equal(apply(arena, tree, CHILDREN("posts.listing_id: delete")), 1);
    assert_int_equal(problems.count, 0);
    assert_int_equal(tree->edges[0]->policy, POLICY_DELETE);
    assert_int_equal(tree->edges[1]->policy, POLICY_NONE);
    assert_true(tree->edges[1]->reached);
}

UNIT(columns_match_in_any_order) {
    struct tree *tree = TREE("posts/a,b>listings a");
    assert_int_equal(apply(arena, tree, CHILDREN("public.posts(b, a): stop")), 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(tree->edges[0]->policy, POLICY_STOP);
    assert_int_equal(apply(arena, tree, CHILDREN("posts.a: stop")), 1);
    assert_int_equal(problems.count, 1);
}

UNIT(two_foreign_keys_of_the_same_columns_share_the_policy) {
    struct tree *tree = TREE("posts/ref>listings a", "posts/ref>users a", "users/listing>listings a");
    assert_int_equal(apply(arena, tree, CHILDREN("posts.ref: delete", "users.listing: delete")), 0);
    assert_int_equal(tree->edges[1]->policy, POLICY_DELETE);
}

UNIT(exact_keys_win_over_the_star_wherever_it_stands) {
    struct tree *tree = TREE("a/x>root a", "b/x>root a", "c/x>root a");
    assert_int_equal(apply(arena, tree, CHILDREN("*: stop", "b.x: delete")), 0);
    assert_int_equal(tree->edges[0]->policy, POLICY_STOP);
    assert_int_equal(tree->edges[1]->policy, POLICY_DELETE);
    assert_int_equal(tree->edges[2]->policy, POLICY_STOP);
}

UNIT(an_unqualified_table_is_in_the_schema_of_the_plans) {
    struct tree *tree = TREE("other.posts/x>root a");
    assert_int_equal(apply(arena, tree, CHILDREN("posts.x: delete")), 1);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].hint, "did you mean 'other.posts.x'?");
    assert_int_equal(apply(arena, tree, CHILDREN("other.posts.x: delete")), 0);
    assert_int_equal(problems.count, 0);
}

UNIT(a_policy_for_an_edge_that_is_not_there_is_a_problem_at_its_place) {
    struct tree *tree = TREE("posts/listing_id>listings a");
    apply(arena, tree, CHILDREN("posts.listing_id: delete", "posts.lsting_id: delete"));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].place.line, 2);
    assert_string_equal(problems.items[0].hint, "did you mean 'posts.listing_id'?");
}

UNIT(what_is_no_name_is_a_problem) {
    struct tree *tree = TREE("posts/listing_id>listings a");
    apply(arena, tree, CHILDREN("posts: delete"));
    assert_int_equal(problems.count, 1);
}

UNIT(one_edge_named_twice_is_a_problem) {
    struct tree *tree = TREE("posts/listing_id>listings a");
    apply(arena, tree, CHILDREN("posts.listing_id: delete", "public.posts.listing_id: stop"));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].place.line, 2);
}

UNIT(set_null_needs_a_column_that_can_be_null) {
    struct tree *tree = TREE("a/x>root n!", "b/x>root n");
    apply(arena, tree, CHILDREN("a.x: set-null", "b.x: set-null"));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].place.line, 1);
    assert_non_null(strstr(problems.items[0].message, "NOT NULL"));
}

UNIT(a_star_of_set_null_minds_only_what_is_reached) {
    struct tree *tree = TREE("a/x>root n", "b/x>a n!");
    apply(arena, tree, CHILDREN("*: set-null"));
    assert_int_equal(problems.count, 0);
    apply(arena, tree, CHILDREN("*: set-null", "a.x: delete"));
    assert_int_equal(problems.count, 1);
}

/* --- reach --- */

UNIT(only_deleted_rows_are_followed) {
    struct tree *tree = TREE("a/x>root a", "b/x>a a", "c/x>root n", "d/x>c a");
    assert_int_equal(apply(arena, tree, CHILDREN("a.x: delete", "c.x: set-null")), 1);
    assert_true(node(arena, tree, "root")->removed);
    assert_true(node(arena, tree, "a")->removed);
    assert_false(node(arena, tree, "b")->removed);
    assert_false(node(arena, tree, "c")->removed);
    assert_true(tree->edges[1]->reached);
    assert_false(tree->edges[3]->reached);
}

UNIT(policies_can_be_put_anew) {
    struct tree *tree = TREE("a/x>root a", "b/x>a a", "root/x>b a");
    assert_int_equal(apply(arena, tree, CHILDREN("*: delete")), 0);
    assert_true(node(arena, tree, "b")->cyclic);
    assert_int_equal(apply(arena, tree, &none), 1);
    assert_false(node(arena, tree, "a")->removed);
    assert_false(node(arena, tree, "b")->cyclic);
    assert_false(tree->edges[0]->cycle);
    assert_false(tree->edges[1]->reached);
}

/* --- cycles --- */

UNIT(a_chain_is_numbered_from_the_root) {
    struct tree *tree = TREE("b/x>a a", "c/x>b a", "d/x>c a");
    apply(arena, tree, CHILDREN("*: delete"));
    assert_int_equal(component(arena, tree, "a"), 0);
    assert_int_equal(component(arena, tree, "b"), 1);
    assert_int_equal(component(arena, tree, "c"), 2);
    assert_int_equal(component(arena, tree, "d"), 3);
}

UNIT(a_self_reference_is_cyclic_when_it_deletes) {
    struct tree *tree = TREE("root/up>root a", "c/x>root a");
    apply(arena, tree, CHILDREN("*: delete"));
    assert_true(node(arena, tree, "root")->cyclic);
    assert_false(node(arena, tree, "c")->cyclic);
    assert_true(tree->edges[0]->cycle);
    assert_false(tree->edges[1]->cycle);
    apply(arena, tree, CHILDREN("*: delete", "root.up: set-null"));
    assert_false(node(arena, tree, "root")->cyclic);
    assert_false(tree->edges[0]->cycle);
}

UNIT(a_cycle_is_cut_by_set_null) {
    struct tree *tree = TREE("a/x>root a", "b/x>a a", "a/y>b a");
    apply(arena, tree, CHILDREN("*: delete"));
    assert_int_equal(component(arena, tree, "a"), component(arena, tree, "b"));
    assert_true(tree->edges[1]->cycle && tree->edges[2]->cycle);
    assert_false(tree->edges[0]->cycle);
    apply(arena, tree, CHILDREN("*: delete", "a.y: set-null"));
    assert_true(component(arena, tree, "a") < component(arena, tree, "b"));
    assert_false(node(arena, tree, "a")->cyclic);
}

UNIT(a_diamond_has_no_cycle_and_parents_come_first) {
    struct tree *tree = TREE("a/x>root a", "b/x>root a", "c/x>a a", "c/y>b a", "b/y>a a");
    apply(arena, tree, CHILDREN("*: delete"));
    assert_parents_first(tree);
    for (size_t i = 0; i < tree->node_count; i++) assert_false(tree->nodes[i]->cyclic);
    assert_true(component(arena, tree, "a") < component(arena, tree, "b"));
    assert_true(component(arena, tree, "b") < component(arena, tree, "c"));
}

/* Two rings of 10 joined by one edge, the root before, a leaf behind. */
UNIT(rings_are_told_apart_and_ordered) {
    struct tree *tree = arena_alloc(arena, sizeof *tree);
    edge(arena, tree, "p0/x>root a");
    for (int i = 0; i < 10; i++) {
        edge(arena, tree, arena_printf(arena, "p%d/r>p%d a", (i + 1) % 10, i));
        edge(arena, tree, arena_printf(arena, "q%d/r>q%d a", (i + 1) % 10, i));
    }
    edge(arena, tree, "q3/x>p7 a");
    edge(arena, tree, "leaf/x>q9 a");
    apply(arena, tree, CHILDREN("*: delete"));
    assert_parents_first(tree);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(component(arena, tree, arena_printf(arena, "p%d", i)), component(arena, tree, "p0"));
        assert_int_equal(component(arena, tree, arena_printf(arena, "q%d", i)), component(arena, tree, "q0"));
    }
    assert_int_equal(component(arena, tree, "root"), 0);
    assert_int_equal(component(arena, tree, "p0"), 1);
    assert_int_equal(component(arena, tree, "q0"), 2);
    assert_int_equal(component(arena, tree, "leaf"), 3);
}

/* Deep recursion would not survive this. */
UNIT(a_chain_of_a_hundred_thousand_tables) {
    enum { MANY = 100000 };
    struct tree *tree = arena_alloc(arena, sizeof *tree);
    struct node *nodes = arena_alloc(arena, (MANY + 1) * sizeof *nodes);
    struct edge *edges = arena_alloc(arena, MANY * sizeof *edges);
    struct table *tables = arena_alloc(arena, (MANY + 1) * sizeof *tables);
    *tree = (struct tree){.nodes = arena_alloc(arena, (MANY + 1) * sizeof *tree->nodes),
                          .node_count = MANY + 1,
                          .edges = arena_alloc(arena, MANY * sizeof *tree->edges),
                          .edge_count = MANY};
    for (size_t i = 0; i <= MANY; i++) {
        tables[i] = (struct table){.schema = "public", .name = "t", .shown = "public.t"};
        nodes[i] = (struct node){.index = i, .table = &tables[i]};
        tree->nodes[i] = &nodes[i];
        if (i == MANY) break;
        edges[i] =
            (struct edge){.index = i, .parent = &nodes[i], .child = &nodes[i + 1], .key = "t.x", .constraint = "k"};
        tree->edges[i] = &edges[i];
    }
    assert_int_equal(apply(arena, tree, CHILDREN("*: delete")), 0);
    for (size_t i = 0; i <= MANY; i++) assert_int_equal(nodes[i].component, i);
}

/* Components against a definition that needs no cleverness: each reaches the other. */
UNIT(random_graphs_agree_with_reachability) {
    enum { NODES = 9 };
    unsigned seed = 1;
    for (int round = 0; round < 300; round++) {
        bool path[NODES][NODES] = {{false}};
        struct tree *tree = arena_alloc(arena, sizeof *tree);
        for (int i = 0; i < NODES; i++) node(arena, tree, arena_printf(arena, "t%d", i));
        for (int i = 1; i < NODES; i++) { /* from the root to all, so that all are reached */
            edge(arena, tree, arena_printf(arena, "t%d/root>t0 a", i));
            path[0][i] = true;
        }
        for (int e = 0; e < 2 + round % 14; e++) {
            int parent = rand_r(&seed) % NODES, child = rand_r(&seed) % NODES;
            edge(arena, tree, arena_printf(arena, "t%d/e%d>t%d a", child, e, parent));
            path[parent][child] = true;
        }
        apply(arena, tree, CHILDREN("*: delete"));
        for (int k = 0; k < NODES; k++)
            for (int i = 0; i < NODES; i++)
                for (int j = 0; j < NODES; j++) path[i][j] = path[i][j] || (path[i][k] && path[k][j]);
        assert_parents_first(tree);
        for (int i = 0; i < NODES; i++) {
            assert_int_equal(tree->nodes[i]->cyclic, path[i][i]);
            for (int j = 0; j < NODES; j++) {
                bool same = i == j || (path[i][j] && path[j][i]);
                assert_int_equal(tree->nodes[i]->component == tree->nodes[j]->component, same);
            }
        }
    }
}

/* --- lines --- */

/* The lines as `children` has them, less the comments. */
static const char *bare(struct arena *arena, const char *lines) {
    struct text text = text_new(arena);
    for (const char *at = lines; *at; at = strchr(at, '\n') + 1) {
        const char *comment = strstr(at, "  #");
        text_add_n(&text, at, (size_t)(comment - at));
        text_add(&text, "\n");
    }
    return text.data;
}

UNIT(lines_follow_what_the_schema_says) {
    struct tree *tree = TREE("a/x>root c", "b/x>root r", "c/x>root n", "d/x>root n!", "e/x>root d", "f/x>root a");
    apply(arena, tree, &none);
    assert_string_equal(
        bare(arena, tree_lines(arena, tree, "public", "  ")),
        "  a.x: delete\n  b.x: delete\n  c.x: set-null\n  d.x: delete\n  e.x: set-null\n  f.x: delete\n");
}

UNIT(lines_name_what_would_be_reached_then_and_nothing_that_is_settled) {
    struct tree *tree = TREE("a/x>root c", "b/x>a a", "c/x>root a", "d/x>c a", "e/x>b n", "f/x>e a");
    apply(arena, tree, CHILDREN("c.x: stop"));
    assert_string_equal(bare(arena, tree_lines(arena, tree, "public", "")),
                        "a.x: delete\nb.x: delete\ne.x: set-null\n");
}

UNIT(pasted_lines_are_enough) {
    struct tree *tree =
        TREE("a/x>root c", "b/x>a a", "b/y>root n!", "root/up>root a", "other.c/p,q>b a", "a/loop>other.c a");
    size_t missing = apply(arena, tree, &none);
    assert_int_equal(missing, 3);
    const char *lines = bare(arena, tree_lines(arena, tree, "public", ""));
    assert_string_equal(lines, "a.x: delete\nb.x: delete\nb.y: delete\nroot.up: delete\n'other.c(p, q)': delete\n"
                               "a.loop: delete\n");
    assert_int_equal(apply(arena, tree,
                           CHILDREN("a.x: delete", "b.x: delete", "b.y: delete", "root.up: delete",
                                    "other.c(p, q): delete", "a.loop: delete")),
                     0);
    assert_int_equal(problems.count, 0);
}

UNIT(a_shared_key_has_one_line) {
    struct tree *tree = TREE("a/x>root n", "a/x>root c");
    apply(arena, tree, &none);
    const char *lines = tree_lines(arena, tree, "public", "");
    assert_string_equal(bare(arena, lines), "a.x: delete\n");
    assert_non_null(strstr(lines, "fk0, ON DELETE SET NULL;"));
    assert_non_null(strstr(lines, "fk1, ON DELETE CASCADE;"));
}

UNIT(keys_are_quoted_for_yaml_where_they_must_be) {
    struct tree *tree = TREE("Big/Größe>root a", "it's/x>root a", "a/select>root a", "a#b/x>root a", "t\tab/x>root a");
    apply(arena, tree, &none);
    assert_string_equal(
        bare(arena, tree_lines(arena, tree, "public", "")),
        "'\"Big\".\"Größe\"': delete\n'\"it''s\".x': delete\n'a.\"select\"': delete\n'\"a#b\".x': delete\n"
        "\"\\\"t\\x09ab\\\".x\": delete\n");
}

UNIT(comments_tell_the_constraint_and_the_rows) {
    struct tree *tree = TREE("a/x>root c", "b/x>root a");
    node(arena, tree, "a")->table->rows = 1234567;
    tree->edges[1]->constraint = "new\nline";
    apply(arena, tree, &none);
    assert_string_equal(tree_lines(arena, tree, "public", ""),
                        "a.x: delete  # fk0, ON DELETE CASCADE; about 1,234,567 rows\n"
                        "b.x: delete  # \"new?line\", ON DELETE NO ACTION; rows unknown, never analysed\n");
}

RUN(UNIT_TEST(a_key_matches_its_edge_only), UNIT_TEST(columns_match_in_any_order),
    UNIT_TEST(two_foreign_keys_of_the_same_columns_share_the_policy),
    UNIT_TEST(exact_keys_win_over_the_star_wherever_it_stands),
    UNIT_TEST(an_unqualified_table_is_in_the_schema_of_the_plans),
    UNIT_TEST(a_policy_for_an_edge_that_is_not_there_is_a_problem_at_its_place),
    UNIT_TEST(what_is_no_name_is_a_problem), UNIT_TEST(one_edge_named_twice_is_a_problem),
    UNIT_TEST(set_null_needs_a_column_that_can_be_null), UNIT_TEST(a_star_of_set_null_minds_only_what_is_reached),
    UNIT_TEST(only_deleted_rows_are_followed), UNIT_TEST(policies_can_be_put_anew),
    UNIT_TEST(a_chain_is_numbered_from_the_root), UNIT_TEST(a_self_reference_is_cyclic_when_it_deletes),
    UNIT_TEST(a_cycle_is_cut_by_set_null), UNIT_TEST(a_diamond_has_no_cycle_and_parents_come_first),
    UNIT_TEST(rings_are_told_apart_and_ordered), UNIT_TEST(a_chain_of_a_hundred_thousand_tables),
    UNIT_TEST(random_graphs_agree_with_reachability), UNIT_TEST(lines_follow_what_the_schema_says),
    UNIT_TEST(lines_name_what_would_be_reached_then_and_nothing_that_is_settled), UNIT_TEST(pasted_lines_are_enough),
    UNIT_TEST(a_shared_key_has_one_line), UNIT_TEST(keys_are_quoted_for_yaml_where_they_must_be),
    UNIT_TEST(comments_tell_the_constraint_and_the_rows))
