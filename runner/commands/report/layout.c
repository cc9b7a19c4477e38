/* Where the boxes of a tree stand: each branch gets a strip as high as it needs, so that nothing can overlap. */
#include "commands/report/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { MARGIN = 4, NOWHERE = -1 /* the column of what nothing from the root leads to */ };

static size_t box_named(struct layout *l, struct arena *arena, const char *name) {
    for (size_t i = 0; i < l->box_count; i++)
        if (text_equal(l->boxes[i].name, name)) return i;
    l->boxes = arena_grow(arena, l->boxes, &l->box_count, sizeof *l->boxes);
    l->boxes[l->box_count - 1] = (struct layout_box){.name = name, .column = NOWHERE};
    return l->box_count - 1;
}

static void read_edges(struct layout *l, const struct report *r) {
    const json_t *tree = json_object_get(r->run, "tree");
    size_t i;
    const json_t *fact;
    const char *root = fact_text(tree, "root");
    box_named(l, r->arena, root ? root : r->table);
    l->boxes[0].column = 0;
    json_array_foreach(fact_list(tree, "edges"), i, fact) {
        const char *parent = fact_text(fact, "parent"), *child = fact_text(fact, "child");
        if (!parent || !child) continue;
        size_t from = box_named(l, r->arena, parent), to = box_named(l, r->arena, child);
        l->edges = arena_grow(r->arena, l->edges, &l->edge_count, sizeof *l->edges);
        l->edges[l->edge_count - 1] = (struct layout_edge){fact, from, to, fact_count(fact, "rows"), false};
    }
}

/* Level by level from the root, so that each box hangs from the nearest that leads to it. */
static void set_columns(struct layout *l) {
    bool more = true;
    for (int column = 0; more; column++) {
        more = false;
        for (size_t i = 0; i < l->edge_count; i++) {
            struct layout_box *child = &l->boxes[l->edges[i].child];
            if (l->boxes[l->edges[i].parent].column != column || child->column != NOWHERE) continue;
            child->column = column + 1;
            child->parent = l->edges[i].parent;
            more = true;
        }
    }
}

/* --- what is shown --- */

static int more_rows_first(const void *a, const void *b) {
    const struct layout_edge *x = *(struct layout_edge *const *)a, *y = *(struct layout_edge *const *)b;
    if (x->rows != y->rows) return x->rows < y->rows ? 1 : -1;
    return (x > y) - (x < y);
}

static void show_edge(struct layout *l, struct layout_edge *edge) {
    if (edge->shown) return;
    edge->shown = true;
    l->shown++;
    l->boxes[edge->child].lines++;
}

/* A box is shown with the way to it. */
static void show_way(struct layout *l, size_t box) {
    for (; box && !l->boxes[box].shown; box = l->boxes[box].parent) {
        l->boxes[box].shown = true;
        for (size_t i = 0; i < l->edge_count; i++) {
            if (l->edges[i].child != box || l->edges[i].parent != l->boxes[box].parent) continue;
            show_edge(l, &l->edges[i]);
            break;
        }
    }
}

static void choose(struct layout *l, struct arena *arena, size_t most) {
    struct layout_edge **sorted = arena_alloc(arena, (l->edge_count + 1) * sizeof *sorted);
    for (size_t i = 0; i < l->edge_count; i++) sorted[i] = &l->edges[i];
    if (l->edge_count > most) qsort(sorted, l->edge_count, sizeof *sorted, more_rows_first);
    l->boxes[0].shown = true;
    for (size_t i = 0; i < l->edge_count && l->shown < most; i++) {
        if (l->boxes[sorted[i]->parent].column == NOWHERE) continue;
        show_way(l, sorted[i]->parent);
        show_way(l, sorted[i]->child);
        show_edge(l, sorted[i]);
    }
    for (size_t i = 0; i < l->edge_count; i++)
        if (!l->edges[i].shown) l->boxes[l->edges[i].parent].folded++;
}

/* --- where it stands --- */

static double own_height(const struct layout *l, size_t place) {
    const struct layout_box *box = &l->boxes[place];
    return BOX_HEAD + (place ? 0 : OWN_LINE) + (double)box->lines * BOX_LINE + (box->folded ? FOLD_LINE : 0) + BOX_FOOT;
}

static bool hangs_from(const struct layout *l, size_t box, size_t parent) {
    return box && box != parent && l->boxes[box].shown && l->boxes[box].parent == parent;
}

/* The height of a branch; when `top` is given, it is put there. */
static double place(struct layout *l, size_t box, double *top) {
    double below = 0, own = own_height(l, box);
    for (size_t i = 1; i < l->box_count; i++)
        if (hangs_from(l, i, box)) below += place(l, i, NULL) + ROW_GAP;
    below -= below > 0 ? ROW_GAP : 0;
    double height = own > below ? own : below;
    if (!top) return height;
    struct layout_box *b = &l->boxes[box];
    b->height = own;
    b->x = MARGIN + b->column * (BOX_WIDTH + COLUMN_GAP);
    b->y = *top + (height - own) / 2;
    if (b->x + BOX_WIDTH + MARGIN > l->width) l->width = b->x + BOX_WIDTH + MARGIN;
    double next = *top + (height - below) / 2;
    for (size_t i = 1; i < l->box_count; i++) {
        if (!hangs_from(l, i, box)) continue;
        next += place(l, i, &next) + ROW_GAP;
    }
    return height;
}

struct layout layout_new(const struct report *r, size_t most) {
    struct layout l = {0};
    double top = MARGIN;
    read_edges(&l, r);
    set_columns(&l);
    choose(&l, r->arena, most);
    l.height = place(&l, 0, &top) + 2 * MARGIN;
    return l;
}
