/*
 * Reads the foreign-key tree: walks from the plan's table over what references it, on the raw foreign keys of the whole
 * database, and makes nodes and edges of what it met. Policies are policies.c's.
 */
#include "database/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/reading.h"
#include "database/rules.h"

const char *const policy_choices[] = {"delete", "set-null", "stop", "move", NULL};

const char *policy_text(enum policy policy) { return policy == POLICY_NONE ? "none" : policy_choices[policy - 1]; }

const char *on_delete_text(char action) {
    switch (action) {
    case 'r': return "RESTRICT";
    case 'c': return "CASCADE";
    case 'n': return "SET NULL";
    case 'd': return "SET DEFAULT";
    default: return "NO ACTION";
    }
}

/* --- walking --- */

static size_t node_of(struct reading *r, unsigned oid, int depth) {
    for (size_t i = 0; i < r->oid_count; i++)
        if (r->oids[i] == oid) return i;
    r->oids = arena_grow(r->scratch, r->oids, &r->oid_count, sizeof *r->oids);
    r->depths = arena_grow(r->scratch, r->depths, &r->depth_count, sizeof *r->depths);
    r->oids[r->oid_count - 1] = oid;
    r->depths[r->oid_count - 1] = depth;
    return r->oid_count - 1;
}

/*
 * The table whose rows an edge is about: the whole partitioned table, whichever partition declares it. Not where
 * partitions claim the same columns for different parents, and not above the plan's table when that is a partition.
 */
static unsigned child_of(const struct reading *r, const struct foreign_key *declared) {
    if (declared->alone) return declared->child;
    if (partitions_below(r->partitions, declared->child, r->root->oid)) return r->root->oid;
    return partitions_top(r->partitions, declared->child);
}

/* Clones lead to what was declared, as long as that references the node or partitions of it, and nothing above. */
static struct foreign_key *climb(const struct reading *r, struct foreign_key *key, unsigned node) {
    while (key->cloned_from) {
        struct foreign_key *up = foreign_find(r->keys, key->cloned_from);
        if (!up || !partitions_below(r->partitions, up->parent, node)) break;
        key = up;
    }
    return key;
}

static struct foreign_key **keys_to(struct reading *r, size_t node, size_t *count) {
    size_t members, references;
    struct foreign_key **keys = NULL;
    unsigned *oids = partitions_members(r->partitions, r->scratch, r->oids[node], &members);
    *count = 0;
    for (size_t m = 0; m < members; m++) {
        struct foreign_key **to = foreign_to(r->keys, oids[m], &references);
        for (size_t i = 0; i < references; i++) {
            struct foreign_key *key = climb(r, to[i], r->oids[node]);
            if (!key->declared || key->mark == node + 1) continue;
            key->mark = node + 1;
            keys = arena_grow(r->scratch, keys, count, sizeof *keys);
            keys[*count - 1] = key;
        }
    }
    return keys;
}

static void add_edge(struct reading *r, const struct foreign_key *key, size_t parent, unsigned child_oid) {
    const struct foreign_key *declared = key->declared;
    size_t child = node_of(r, child_oid, r->depths[parent] + 1);
    r->found = arena_grow(r->scratch, r->found, &r->found_count, sizeof *r->found);
    r->found[r->found_count - 1] = (struct found_edge){
        .key = declared,
        .child = child,
        .parent = parent,
        .referenced = key->parent,
        .whole = declared->child == child_oid,
        .on_delete = declared->on_delete,
        .deferrable = declared->deferrable,
        .deferred = declared->deferred,
        .validated = declared->validated,
    };
}

/* By how much the server does of its own: what must be kept from it comes last. */
static size_t strength(char action) {
    static const char order[] = "ardnc";
    size_t i = 0;
    while (order[i] && order[i] != action) i++;
    return i;
}

/* A foreign key that partitions declare, each for itself, is one edge; so is one that the whole table declares too. */
static bool merge_edge(struct reading *r, const struct foreign_key *key, size_t parent, size_t first,
                       unsigned child_oid) {
    const struct foreign_key *declared = key->declared;
    for (size_t i = first; i < r->found_count; i++) {
        struct found_edge *found = &r->found[i];
        if (found->parent != parent || r->oids[found->child] != child_oid || found->referenced != key->parent) continue;
        if (!text_equal(found->key->pairs_key, declared->pairs_key)) continue;
        if (strength(declared->on_delete) > strength(found->on_delete)) found->on_delete = declared->on_delete;
        found->deferrable |= declared->deferrable;
        found->deferred |= declared->deferred;
        found->validated &= declared->validated;
        if (!found->whole && strcmp(declared->name, found->key->name) < 0) found->key = declared;
        return true;
    }
    return false;
}

static void add_edges_to(struct reading *r, size_t node) {
    size_t count, first = r->found_count;
    struct foreign_key **keys = keys_to(r, node, &count);
    for (size_t i = 0; i < count; i++)
        if (child_of(r, keys[i]->declared) == keys[i]->declared->child)
            add_edge(r, keys[i], node, keys[i]->declared->child);
    for (size_t i = 0; i < count; i++) {
        unsigned child = child_of(r, keys[i]->declared);
        if (child == keys[i]->declared->child || merge_edge(r, keys[i], node, first, child)) continue;
        add_edge(r, keys[i], node, child);
    }
}

/* --- nodes --- */

static int by_depth_and_name(const void *a, const void *b) {
    const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
    return x->depth != y->depth ? (x->depth < y->depth ? -1 : 1) : strcmp(x->table->shown, y->table->shown);
}

/* Returns the nodes in the order found; the tree has them in an order that is the same wherever the schema is. */
static struct node **make_nodes(struct reading *r) {
    struct tree *tree = r->tree;
    struct table **tables = catalog_tables(r->slot, r->arena, r->oids + 1, r->oid_count - 1, r->error);
    if (!tables) return NULL;
    struct node **nodes = arena_alloc(r->scratch, r->oid_count * sizeof *nodes);
    for (size_t i = 0; i < r->oid_count; i++) {
        nodes[i] = arena_alloc(r->arena, sizeof *nodes[i]);
        *nodes[i] = (struct node){.table = i ? tables[i - 1] : r->root, .depth = r->depths[i], .component = i};
    }
    tree->node_count = r->oid_count;
    tree->nodes = arena_copy(r->arena, nodes, r->oid_count * sizeof *nodes);
    qsort(tree->nodes, tree->node_count, sizeof *tree->nodes, by_depth_and_name);
    for (size_t i = 0; i < tree->node_count; i++) tree->nodes[i]->index = i;
    return nodes;
}

static void take_identity(struct arena *arena, struct node *node, const struct edge *edge) {
    struct column *columns = arena_alloc(arena, edge->count * sizeof *columns);
    bool nullable = false;
    for (size_t i = 0; i < edge->count; i++) {
        const struct column *column = table_column(node->table, edge->parent_columns[i]);
        if (!column) return;
        columns[i] = *column;
        nullable = nullable || !column->not_null;
    }
    node->identity = columns;
    node->identity_count = edge->count;
    node->nullable_identity = nullable;
}

/* Without a key, what foreign keys reference is unique among rows that have children. A key of one partition is not. */
static void set_identities(struct reading *r) {
    for (size_t i = 0; i < r->tree->node_count; i++) {
        struct node *node = r->tree->nodes[i];
        node->identity = node->table->key.columns;
        node->identity_count = node->table->key.count;
    }
    for (size_t i = 0; i < r->tree->edge_count; i++) {
        struct edge *edge = r->tree->edges[i];
        struct node *node = edge->parent;
        if (node->table->key.count || edge->parent_leaves) continue;
        if (!node->identity_count || edge->count < node->identity_count) take_identity(r->arena, node, edge);
    }
}

/* --- edges --- */

static const char **names_of(struct arena *arena, const struct foreign_key *key, bool parent) {
    const char **names = arena_alloc(arena, key->count * sizeof *names);
    for (size_t i = 0; i < key->count; i++)
        names[i] = arena_strdup(arena, parent ? key->pairs[i].parent : key->pairs[i].child);
    return names;
}

static void set_pairs(struct arena *arena, struct edge *edge, const struct foreign_key *key) {
    edge->count = key->count;
    edge->columns = names_of(arena, key, false);
    edge->parent_columns = names_of(arena, key, true);
    edge->equal = arena_alloc(arena, key->count * sizeof *edge->equal);
    edge->collate = arena_alloc(arena, key->count * sizeof *edge->collate);
    for (size_t i = 0; i < key->count; i++) {
        edge->equal[i] = arena_strdup(arena, key->pairs[i].equal);
        edge->collate[i] = arena_strdup(arena, key->pairs[i].collate);
    }
    edge->index_columns = list_names(arena, NULL, edge->columns, edge->count);
}

static const char *why_not(struct arena *arena, const struct edge *edge, const char *name) {
    const struct column *column = table_column(edge->child->table, name);
    const char *shown = identifier_text(arena, name);
    if (!column) return arena_printf(arena, "%s has no column %s", edge->child->table->shown, shown);
    if (column->generated) return arena_printf(arena, "column %s is generated", shown);
    if (column->not_null) return arena_printf(arena, "column %s is NOT NULL", shown);
    return NULL;
}

/* One NULL among the columns is enough for the reference to be gone; MATCH FULL wants all of them or none. */
static void set_null_columns(struct arena *arena, struct edge *edge, const struct foreign_key *key) {
    bool full = key->match == 'f';
    edge->null_columns = arena_alloc(arena, key->count * sizeof *edge->null_columns);
    for (size_t i = 0; i < key->count; i++) {
        const char *why = key->pairs[i].set || full ? why_not(arena, edge, edge->columns[i]) : NULL;
        if (why && !edge->why_not_null)
            edge->why_not_null = full ? arena_printf(arena, "it is MATCH FULL and %s", why) : why;
        if (!why && (key->pairs[i].set || full)) edge->null_columns[edge->null_count++] = edge->columns[i];
    }
    if (full && edge->why_not_null) edge->null_count = 0;
    if (edge->null_count) edge->why_not_null = NULL;
}

static void set_parent_leaves(struct reading *r, struct edge *edge, const struct found_edge *found) {
    if (found->referenced == edge->parent->table->oid) return;
    size_t under, count;
    partitions_members(r->partitions, r->scratch, found->referenced, &under);
    edge->parent_leaves = partitions_leaves(r->partitions, r->arena, found->referenced, under > 1, &count);
    edge->parent_leaf_count = count;
}

static const char *key_text(struct arena *arena, const struct edge *edge, const char *plan_schema) {
    const struct table *table = edge->child->table;
    const char *schema = text_equal(table->schema, plan_schema) ? NULL : table->schema;
    return edge_name_text(arena, schema, table->name, edge->columns, edge->count);
}

static struct edge *make_edge(struct reading *r, struct node **nodes, struct found_edge *found) {
    struct edge *edge = arena_alloc(r->arena, sizeof *edge);
    *edge = (struct edge){
        .constraint = arena_strdup(r->arena, found->key->name),
        .child = nodes[found->child],
        .parent = nodes[found->parent],
        .on_delete = found->on_delete,
        .deferrable = found->deferrable,
        .deferred = found->deferred,
        .validated = found->validated,
        .depth = nodes[found->parent]->depth + 1,
    };
    set_pairs(r->arena, edge, found->key);
    set_null_columns(r->arena, edge, found->key);
    set_parent_leaves(r, edge, found);
    edge->key = key_text(r->arena, edge, r->root->schema);
    if (found->key->temporal) {
        fail(r->error, FAULT_REFUSED, "the foreign key %s of %s references periods of %s (PERIOD)",
             identifier_text(r->arena, edge->constraint), edge->child->table->shown, edge->parent->table->shown);
        fail_hint(r->error, "temporal foreign keys are not supported: equal keys do not tell which rows point where");
    }
    return edge;
}

static int by_place(const void *a, const void *b) {
    const struct edge *x = *(struct edge *const *)a, *y = *(struct edge *const *)b;
    if (x->depth != y->depth) return x->depth < y->depth ? -1 : 1;
    int order = strcmp(x->child->table->shown, y->child->table->shown);
    if (!order) order = strcmp(x->constraint, y->constraint);
    return order ? order : strcmp(x->parent->table->shown, y->parent->table->shown);
}

static void make_edges(struct reading *r, struct node **nodes) {
    struct tree *tree = r->tree;
    tree->edge_count = r->found_count;
    tree->edges = arena_alloc(r->arena, (r->found_count + 1) * sizeof *tree->edges);
    for (size_t i = 0; i < r->found_count; i++) tree->edges[i] = r->found[i].edge = make_edge(r, nodes, &r->found[i]);
    qsort(tree->edges, tree->edge_count, sizeof *tree->edges, by_place);
    for (size_t i = 0; i < tree->edge_count; i++) tree->edges[i]->index = i;
}

static void read_into(struct reading *r) {
    r->partitions = partitions_read(r->slot, r->scratch, r->error);
    if (r->partitions) r->keys = foreign_read(r->slot, r->scratch, r->partitions, r->error);
    if (!r->keys) return;
    node_of(r, r->root->oid, 0);
    for (size_t i = 0; i < r->oid_count; i++) add_edges_to(r, i);
    struct node **nodes = make_nodes(r);
    if (!nodes) return;
    make_edges(r, nodes);
    set_identities(r);
    reading_events(r);
    reading_indexes(r);
    reading_rules(r);
    r->tree->fingerprint = reading_fingerprint(r);
}

struct tree *tree_read(struct slot *slot, struct arena *arena, struct table *root, struct error *error) {
    if (failed(error)) return NULL;
    struct reading r = {.slot = slot, .arena = arena, .scratch = arena_new(arena), .error = error, .root = root};
    r.tree = arena_alloc(arena, sizeof *r.tree);
    read_into(&r);
    arena_free(r.scratch);
    return failed(error) ? NULL : r.tree;
}
