/*
 * By which edge of the tree rows were settled, for the report. Every row is counted once, where it was settled, so the
 * counts of a batch add up to its children. What goes or moves is settled table by table: it counts for the edge by
 * which it was found first. In circles, where a row that was to be moved may go by another edge after all, that may be
 * the other one.
 */
#include "work/family_job.h"

void family_found(struct batch *batch, const struct edge *edge, int64_t rows) {
    family_try(batch)->found[edge->index] += rows;
}

void family_settled(struct batch *batch, const struct edge *edge, int64_t rows) {
    const struct family *f = family_of(batch);
    struct counts *counts = &batch->counts;
    int place = f->places[edge->index];
    counts->children += rows;
    if (!rows || place < 0) return;
    if (!counts->edges) counts->edges = arena_alloc(batch->arena, f->shown * sizeof *counts->edges);
    counts->edge_count = f->shown;
    counts->edges[place] += rows;
}

/* Tables that refer to each other in a circle go in one statement, and are counted together. */
static bool leads_to(const struct family *f, const struct edge *edge, const struct node *node) {
    const struct node *child = edge->child;
    return child == node || (!f->moves && child->removed && node->removed && child->sweep == node->sweep);
}

void family_settled_node(struct batch *batch, const struct node *node, int64_t rows) {
    const struct family *f = family_of(batch);
    int64_t *found = family_try(batch)->found;
    const struct edge *otherwise = NULL;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (!leads_to(f, e, node)) continue;
        if (!otherwise && f->settled[i]) otherwise = e;
        int64_t take = found[i] < rows ? found[i] : rows;
        family_settled(batch, e, take);
        found[i] -= take;
        rows -= take;
    }
    if (otherwise)
        family_settled(batch, otherwise, rows);
    else
        batch->counts.children += rows;
}

/* Where a list was begun by an earlier session, and several edges lead to its table, nobody knows any more. */
const struct edge *family_listed_by(const struct batch *batch, const struct node *node) {
    const struct family *f = family_of(batch);
    if (batch->range.by) return f->tree->edges[batch->range.by - 1];
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->child == node && f->settled[i] && goes_by_key(e)) return e;
    }
    return NULL;
}
