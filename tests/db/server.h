/*
 * What tests of the catalog on a server share: a database of its own for each test, SQL by psql, a tree as text.
 *
 * SERVED(name) { ... world->slot ... } defines a test, SERVED_TEST(name) lists it, RUN(...) is the program. They run
 * inside tests/with-postgres, through a .t beside them.
 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "base/text.h"
#include "database/tree.h"

/* cmocka's own is in the way of ours of the same name. */
#define give_up(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

struct world {
    struct arena *arena;
    struct wire *wire;
    struct slot *slot;
    struct error error;
    const char *database;
};

#define SERVED(name)                                                                                                   \
    static void name##_body(struct world *world);                                                                      \
    static void name(void **state) { name##_body(*state); }                                                            \
    static void name##_body(struct world *world)

/* Runs a script with psql in a database; any error ends the test. */
static inline void psql(const char *database, const char *script) {
    char command[200];
    snprintf(command, sizeof command,
             "PGOPTIONS='-c client_min_messages=warning' psql -Xq -v ON_ERROR_STOP=1 -d %s >/dev/null", database);
    FILE *pipe = popen(command, "w");
    assert_non_null(pipe);
    fputs(script, pipe);
    assert_int_equal(pclose(pipe), 0);
}

static inline void sql(struct world *world, const char *script) { psql(world->database, script); }

static inline void create_database(const char *name) {
    char script[200];
    snprintf(script, sizeof script, "DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s;", name, name);
    psql("postgres", script);
}

static inline struct slot *open_slot(struct world *world, const char *more) {
    const char *conninfo = arena_printf(world->arena, "dbname=%s %s", world->database, more);
    struct slot *slot = slot_open(world->wire, world->arena, conninfo, "pgwinnow test", &world->error);
    if (!slot) give_up("%s: %s", world->error.message, world->error.detail);
    return slot;
}

static inline int world_set_up(void **state) {
    struct arena *arena = arena_new(NULL);
    struct world *world = arena_alloc(arena, sizeof *world);
    *world = (struct world){.arena = arena, .wire = wire_new(arena), .error = error_new(arena)};
    world->database = arena_printf(arena, "tree_%d", (int)getpid());
    create_database(world->database);
    world->slot = open_slot(world, "");
    *state = world;
    return 0;
}

static inline int world_tear_down(void **state) {
    struct world *world = *state;
    const char *script = arena_printf(world->arena, "DROP DATABASE %s WITH (FORCE);", world->database);
    slot_close(world->slot);
    psql("postgres", script);
    arena_free(world->arena);
    return 0;
}

#define SERVED_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

static inline void assert_ok(struct world *world) {
    if (failed(&world->error)) give_up("%s: %s", world->error.message, world->error.detail ? world->error.detail : "");
}

/* Fails with this fault and these words in the message or the hint; the error is cleared. */
static inline void assert_fault(struct world *world, enum fault fault, const char *words) {
    assert_int_equal(world->error.fault, fault);
    const char *detail = world->error.detail ? world->error.detail : "";
    const char *hint = world->error.hint ? world->error.hint : "";
    const char *all = arena_printf(world->arena, "%s | %s | %s", world->error.message, detail, hint);
    if (!strstr(all, words)) give_up("'%s' is not in: %s", words, all);
    error_clear(&world->error);
}

static inline struct table *table_named(struct world *world, const char *text) {
    struct name name = {0};
    const char *why;
    if (!name_parse(world->arena, text, &name, &why)) give_up("%s: %s", text, why);
    struct table *table = catalog_table(world->slot, world->arena, &name, &world->error);
    assert_ok(world);
    return table;
}

static inline struct tree *tree_below(struct world *world, const char *root) {
    struct tree *tree = tree_read(world->slot, world->arena, table_named(world, root), &world->error);
    assert_ok(world);
    return tree;
}

static inline const struct edge *edge_named(const struct tree *tree, const char *constraint) {
    for (size_t i = 0; i < tree->edge_count; i++)
        if (strcmp(tree->edges[i]->constraint, constraint) == 0) return tree->edges[i];
    give_up("no edge %s", constraint);
    return NULL;
}

static inline const struct node *node_named(const struct tree *tree, const char *shown) {
    for (size_t i = 0; i < tree->node_count; i++)
        if (strcmp(tree->nodes[i]->table->shown, shown) == 0) return tree->nodes[i];
    give_up("no node %s", shown);
    return NULL;
}

/* "1 posts_fk public.posts(listing_id)>public.listings(id) c +index null:listing_id" */
static inline const char *edge_line(struct arena *arena, const struct edge *edge) {
    struct text text = text_new(arena);
    text_addf(&text, "%d %s %s(", edge->depth, edge->constraint, edge->child->table->shown);
    for (size_t i = 0; i < edge->count; i++) text_addf(&text, "%s%s", i ? "," : "", edge->columns[i]);
    text_addf(&text, ")>%s(", edge->parent->table->shown);
    for (size_t i = 0; i < edge->count; i++) text_addf(&text, "%s%s", i ? "," : "", edge->parent_columns[i]);
    text_addf(&text, ") %c%s%s%s%s", edge->on_delete, edge->indexed ? " +index" : "",
              edge->deferrable ? " deferrable" : "", edge->deferred ? " deferred" : "",
              edge->validated ? "" : " invalid");
    if (edge->parent_leaves) text_addf(&text, " leaves:%zu", edge->parent_leaf_count);
    for (size_t i = 0; i < edge->null_count; i++) text_addf(&text, "%s%s", i ? "," : " null:", edge->null_columns[i]);
    return text.data;
}

static inline const char *tree_text(struct world *world, const char *root) {
    struct tree *tree = tree_below(world, root);
    struct text text = text_new(world->arena);
    for (size_t i = 0; i < tree->edge_count; i++) text_addf(&text, "%s\n", edge_line(world->arena, tree->edges[i]));
    return text.data;
}

#define assert_tree(root, expected) assert_string_equal(tree_text(world, root), expected)

static inline size_t put_policies(struct world *world, struct tree *tree, const char *key, enum policy policy) {
    struct policy_options options = {.policy = (int)policy - 1};
    struct entry entry = {.key = key, .options = &options};
    struct entries entries = {&entry, 1};
    struct problems problems = problems_new(world->arena);
    size_t missing = tree_policies(tree, world->arena, &entries, &problems);
    if (problems.count) give_up("%s", problems.items[0].message);
    return missing;
}
