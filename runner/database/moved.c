/* Spreads moves over the tree until nothing changes: each turn can only add. */
#include "database/moved.h"

#include "base/text.h"
#include "database/rules.h"

static bool among(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (text_equal(names[i], name)) return true;
    return false;
}

static bool overlap(const struct node *node, const char *const *names, size_t count) {
    for (size_t i = 0; node->moved_count && i < count; i++)
        if (among(node->moved, node->moved_count, names[i])) return true;
    return false;
}

static bool add_moved(struct node *node, struct arena *arena, const char *const *names, size_t count) {
    bool added = false;
    for (size_t i = 0; i < count; i++) {
        if (among(node->moved, node->moved_count, names[i])) continue;
        node->moved = arena_grow(arena, node->moved, &node->moved_count, sizeof *node->moved);
        node->moved[node->moved_count - 1] = names[i];
        added = true;
    }
    return added;
}

/* The edge that brought moves to a node: those that only follow do as it does. */
static const struct edge *above(const struct tree *tree, const struct node *node) {
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        if (e->child == node && ((e->reached && e->policy == POLICY_MOVE) || e->carried)) return e;
    }
    return NULL;
}

/* Rows go by a delete edge, and nothing stays in their place. */
static const struct edge *removed_by(const struct tree *tree, const struct node *node) {
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        if (e->child == node && e->reached && e->policy == POLICY_DELETE) return e;
    }
    return NULL;
}

static bool reach_below(const struct tree *tree, struct edge *e) {
    if (e->reached || !(e->parent->removed || e->parent->dropped)) return false;
    e->reached = true;
    if (e->policy == POLICY_NONE) {
        const struct edge *up = above(tree, e->parent);
        e->policy = POLICY_MOVE;
        e->follows = true;
        e->on_conflict = up ? up->on_conflict : CONFLICT_DELETE;
        if (up) e->place = up->place;
    }
    return true;
}

static bool carry(const struct tree *tree, struct edge *e) {
    if (e->carried || !overlap(e->parent, e->parent_columns, e->count)) return false;
    const struct edge *up = above(tree, e->parent);
    e->carried = true;
    if (e->policy != POLICY_MOVE && up) {
        e->on_conflict = up->on_conflict;
        if (!e->place.file) e->place = up->place;
    }
    return true;
}

static bool spread_edge(struct tree *tree, struct arena *arena, struct edge *e) {
    bool changed = reach_below(tree, e) || carry(tree, e);
    bool moves = e->carried || (e->reached && e->policy == POLICY_MOVE);
    if (e->reached && e->policy == POLICY_DELETE && !e->child->removed) changed = e->child->removed = true;
    if (moves && add_moved(e->child, arena, e->columns, e->count)) changed = true;
    if (e->reached && e->policy == POLICY_SET_NULL && e->child->moved_count &&
        add_moved(e->child, arena, e->null_columns, e->null_count))
        changed = true;
    return changed;
}

static bool may_drop(const struct tree *tree, const struct node *node) {
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        bool moves = e->carried || (e->reached && e->policy == POLICY_MOVE);
        if (e->child == node && moves && e->on_conflict != CONFLICT_STOP) return true;
    }
    return false;
}

static bool spread_node(const struct tree *tree, struct node *node) {
    bool changed = false, involved = false;
    for (size_t i = 0; i < node->unique_count; i++) {
        struct rule *rule = &node->uniques[i];
        if (!rule->involved && overlap(node, rule->columns, rule->column_count)) changed = rule->involved = true;
        involved = involved || rule->involved;
    }
    if (involved && !node->dropped && may_drop(tree, node)) changed = node->dropped = true;
    return changed;
}

static void clear(struct tree *tree) {
    for (size_t i = 0; i < tree->edge_count; i++) tree->edges[i]->follows = tree->edges[i]->carried = false;
    for (size_t i = 0; i < tree->node_count; i++) {
        struct node *node = tree->nodes[i];
        node->moved = NULL;
        node->moved_count = 0;
        node->dropped = false;
        for (size_t r = 0; r < node->unique_count; r++) node->uniques[r].involved = false;
    }
}

/* --- what cannot work --- */

static void refuse_column(const struct edge *e, const char *name, struct problems *problems) {
    const struct column *column = table_column(e->child->table, name);
    const char *why = !column                   ? NULL
                      : column->generated       ? "generated"
                      : column->identity_always ? "GENERATED ALWAYS"
                                                : NULL;
    if (why)
        problem_add(problems, e->place, "choose delete or stop",
                    "%s cannot be moved: its column %s is %s (foreign key %s)", e->key, name, why, e->constraint);
}

static void refuse_edge(const struct tree *tree, const struct edge *e, struct problems *problems) {
    bool moves = e->reached && e->policy == POLICY_MOVE;
    const struct edge *by = moves ? removed_by(tree, e->parent) : NULL;
    if (by)
        problem_add(problems, e->place, "choose delete, set-null or stop",
                    "%s cannot be moved: rows of %s are removed by %s, and no row stays in their place", e->key,
                    e->parent->table->shown, by->key);
    for (size_t c = 0; (moves || e->carried) && c < e->count; c++) refuse_column(e, e->columns[c], problems);
}

void tree_moves(struct tree *tree, struct arena *arena, struct problems *problems) {
    clear(tree);
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < tree->edge_count; i++) changed |= spread_edge(tree, arena, tree->edges[i]);
        for (size_t i = 0; i < tree->node_count; i++) changed |= spread_node(tree, tree->nodes[i]);
    }
    for (size_t i = 0; i < tree->edge_count; i++) refuse_edge(tree, tree->edges[i], problems);
}
