/*
 * Strongly connected components over edges, by Tarjan's algorithm with a stack of its own: a chain of tables may
 * be as long as a schema is large. It finishes children before parents, so counting down numbers parents first.
 */
#include "database/components.h"

struct visit {
    size_t node, next; /* the next of its edges to follow */
};

struct search {
    struct tree *tree;
    bool (*follows)(const struct edge *);
    size_t *number; /* of each node's component */
    bool *circle;   /* it has more than one node, or the node leads to itself */
    size_t *first;  /* of each node, where its edges begin in `by_parent`; one more at the end */
    struct edge **by_parent;
    size_t *order, *low; /* when a node was met, and the earliest met that it leads back to; 0: not yet */
    bool *open;          /* met, its component not closed */
    size_t *pending, pending_count;
    struct visit *path;
    size_t depth, met, left; /* left: components that have no number yet, counted down */
};

static bool deletes(const struct edge *edge) { return edge->reached && edge->policy == POLICY_DELETE; }

/* A row that goes may point at another one that goes by any edge: what foreign keys tie goes in one statement. */
static bool ties(const struct edge *edge) { return deletes(edge) || (edge->reached && edge->child->removed); }

/* Set-null only where it is done with the moves: its rows may move too. */
static bool looks_below(const struct edge *edge) {
    bool settles = edge->policy == POLICY_DELETE || edge->policy == POLICY_MOVE ||
                   (edge->policy == POLICY_SET_NULL && edge->child->moved_count);
    return (edge->reached && settles) || edge->carried;
}

static void sort_edges(struct search *s, struct arena *arena) {
    struct tree *tree = s->tree;
    s->first = arena_alloc(arena, (tree->node_count + 2) * sizeof *s->first);
    s->by_parent = arena_alloc(arena, (tree->edge_count + 1) * sizeof *s->by_parent);
    size_t *begin = s->first + 1; /* while filling, one place ahead */
    for (size_t i = 0; i < tree->edge_count; i++)
        if (s->follows(tree->edges[i])) begin[tree->edges[i]->parent->index + 1]++;
    for (size_t n = 1; n <= tree->node_count; n++) begin[n] += begin[n - 1];
    for (size_t i = 0; i < tree->edge_count; i++)
        if (s->follows(tree->edges[i])) s->by_parent[begin[tree->edges[i]->parent->index]++] = tree->edges[i];
}

static void meet(struct search *s, size_t node) {
    s->order[node] = s->low[node] = ++s->met;
    s->open[node] = true;
    s->pending[s->pending_count++] = node;
    s->path[s->depth++] = (struct visit){node, s->first[node]};
}

static void lower(struct search *s, size_t node, size_t to) {
    if (to < s->low[node]) s->low[node] = to;
}

static void close_component(struct search *s, size_t node) {
    size_t number = --s->left, member, size = 0;
    do {
        member = s->pending[--s->pending_count];
        s->open[member] = false;
        s->number[member] = number;
        size++;
    } while (member != node);
    for (size_t i = 0; i < size; i++) s->circle[s->pending[s->pending_count + i]] = size > 1;
}

/* One turn: follow an edge further, or be done with the node at the end of the path. */
static void turn(struct search *s) {
    struct visit *at = &s->path[s->depth - 1];
    if (at->next < s->first[at->node + 1]) {
        size_t child = s->by_parent[at->next++]->child->index;
        if (!s->order[child])
            meet(s, child);
        else if (s->open[child])
            lower(s, at->node, s->order[child]);
        return;
    }
    size_t node = at->node;
    s->depth--;
    if (s->low[node] == s->order[node])
        close_component(s, node);
    else
        lower(s, s->path[s->depth - 1].node, s->low[node]);
}

/* Numbers were given from node_count down; with fewer components than nodes they begin above 0. */
static void number_from_zero(struct search *s) {
    for (size_t i = 0; i < s->tree->node_count; i++) s->number[i] -= s->left;
    for (size_t i = 0; i < s->tree->edge_count; i++) {
        const struct edge *edge = s->tree->edges[i];
        if (edge->child == edge->parent && s->follows(edge)) s->circle[edge->child->index] = true;
    }
}

static struct search search(struct tree *tree, struct arena *arena, bool (*follows)(const struct edge *)) {
    size_t count = tree->node_count;
    struct search s = {.tree = tree, .left = count, .follows = follows};
    sort_edges(&s, arena);
    s.number = arena_alloc(arena, (count + 1) * sizeof *s.number);
    s.circle = arena_alloc(arena, (count + 1) * sizeof *s.circle);
    s.order = arena_alloc(arena, (count + 1) * sizeof *s.order);
    s.low = arena_alloc(arena, (count + 1) * sizeof *s.low);
    s.open = arena_alloc(arena, (count + 1) * sizeof *s.open);
    s.pending = arena_alloc(arena, (count + 1) * sizeof *s.pending);
    s.path = arena_alloc(arena, (count + 1) * sizeof *s.path);
    for (size_t node = count; node-- > 0;) {
        if (!s.order[node]) meet(&s, node);
        while (s.depth) turn(&s);
    }
    number_from_zero(&s);
    return s;
}

void tree_components(struct tree *tree, struct arena *arena) {
    struct arena *scratch = arena_new(arena);
    struct search by_delete = search(tree, scratch, deletes), by_tie = search(tree, scratch, ties),
                  by_all = search(tree, scratch, looks_below);
    for (size_t i = 0; i < tree->node_count; i++) {
        struct node *node = tree->nodes[i];
        node->component = by_delete.number[i];
        node->cyclic = by_delete.circle[i];
        node->sweep = by_tie.number[i];
        node->turn = by_all.number[i];
        node->turns = by_all.circle[i];
    }
    for (size_t i = 0; i < tree->edge_count; i++) {
        struct edge *edge = tree->edges[i];
        bool itself = edge->child == edge->parent;
        edge->cycle = edge->child->component == edge->parent->component && (!itself || deletes(edge));
    }
    arena_free(scratch);
}
