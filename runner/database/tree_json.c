/* Edges as JSON objects. Owns which of them are shown, and their order. */
#include "database/tree_json.h"

#include "base/json.h"

bool tree_shows(const struct edge *edge) { return edge->reached || edge->carried; }

static json_t *names(struct arena *arena, const char *const *items, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_text_or_null(arena, items[i]));
    return list;
}

/* Names may hold bytes that are no UTF-8, in a database without an encoding. */
json_t *tree_edge_json(const struct edge *e) {
    struct arena *arena = arena_new(NULL);
    const char *policy = e->reached ? policy_text(e->policy) : "goes along";
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:s, s:b, s:b, s:o}", "constraint",
        json_text_or_null(arena, e->constraint), "child", json_text_or_null(arena, e->child->table->shown), "columns",
        names(arena, e->columns, e->count), "parent", json_text_or_null(arena, e->parent->table->shown),
        "parent_columns", names(arena, e->parent_columns, e->count), "depth", e->depth, "on_delete",
        on_delete_text(e->on_delete), "policy", policy, "indexed", e->indexed, "cycle", e->cycle, "key",
        json_text_or_null(arena, e->key));
    arena_free(arena);
    return json;
}

int *tree_places(struct arena *arena, const struct tree *tree, size_t *shown) {
    int *places = arena_alloc(arena, (tree->edge_count + 1) * sizeof *places);
    *shown = 0;
    for (size_t i = 0; i < tree->edge_count; i++) places[i] = tree_shows(tree->edges[i]) ? (int)(*shown)++ : -1;
    return places;
}

const char *tree_json_text(struct arena *arena, const struct tree *tree) {
    json_t *list = json_array();
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree_shows(tree->edges[i])) json_array_append_new(list, tree_edge_json(tree->edges[i]));
    return json_written_off(arena, list, JSON_COMPACT);
}
