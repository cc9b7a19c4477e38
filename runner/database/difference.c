/* What differs between two readings of a foreign-key tree, for people. */
#include "base/text.h"
#include "database/tree.h"

static bool same(const struct edge *a, const struct edge *b) {
    return text_equal(a->child->table->shown, b->child->table->shown) &&
           text_equal(a->parent->table->shown, b->parent->table->shown) && text_equal(a->constraint, b->constraint) &&
           text_equal(a->key, b->key) && a->on_delete == b->on_delete;
}

static void add_missing(struct text *lines, const char *what, const struct tree *from, const struct tree *in) {
    for (size_t i = 0; i < from->edge_count; i++) {
        const struct edge *e = from->edges[i];
        bool found = false;
        for (size_t j = 0; j < in->edge_count && !found; j++) found = same(e, in->edges[j]);
        if (!found)
            text_addf(lines, "%s %s (%s, on delete %s)\n", what, e->key, e->constraint, on_delete_text(e->on_delete));
    }
}

const char *tree_difference(struct arena *arena, const struct tree *before, const struct tree *after) {
    struct text lines = text_new(arena);
    add_missing(&lines, "gone:", before, after);
    add_missing(&lines, "new: ", after, before);
    if (!lines.length) text_add(&lines, "a foreign key has other columns or settings than before\n");
    return lines.data;
}
