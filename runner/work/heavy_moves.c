/*
 * Heavy groups: more points at the rows of a group than a batch may change. What moves is listed once, by edge, in the
 * order of preference, and moves in pieces of that order, one piece at a time: an earlier piece's rows have their place
 * by right when the next one comes. The tracked rows are locked with each piece and stay; they go when all is moved.
 */
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/heavy_moves.sql.h"
#include "work/family_job.h"
#include "work/family_text.h"

const struct sql *const heavy_list_moves = &sql_list_moves;

/* Rows point by it at tracked ones, and are changed with the moves of their table. */
bool heavy_moves_by(const struct family *f, const struct edge *e) {
    return f->moves && f->settled[e->index] && e->parent->index == 0 && goes_with_moves(e);
}

bool heavy_moves_listed(const struct family *f, const struct edge *e) {
    return heavy_moves_by(f, e) && e->child->identity_count > 0;
}

bool heavy_moves_drained(const struct family *f, const struct edge *e) {
    return heavy_moves_by(f, e) && (!e->child->identity_count || e->child->nullable_identity);
}

bool heavy_moves_any(const struct family *f, bool (*which)(const struct family *, const struct edge *)) {
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (which(f, f->tree->edges[i])) return true;
    return false;
}

static const char *list_name(const struct family *f, struct arena *arena, const struct edge *e) {
    return arena_printf(arena, "moves_%lld_%zu", (long long)f->run->holder.run, e->index);
}

const char *heavy_moves_table(const struct family *f, struct arena *arena, const struct edge *e) {
    return sql_qualified(arena, f->run->state.schema, list_name(f, arena, e));
}

/* --- tables --- */

static void make_one(struct family *f, const struct edge *e, struct error *error) {
    const struct run *run = f->run;
    struct bindings b = {0};
    runs_add_object(&run->state, f->arena, run->holder.run, "tracking", run->state.schema, list_name(f, f->arena, e),
                    error);
    bind(&b, "moves", heavy_moves_table(f, f->arena, e));
    bind(&b, "definitions", node_definitions(f->arena, e->child));
    bind(&b, "columns", node_numbered(f->arena, NULL, e->child));
    const char *text = sql_expand(f->arena, &sql_create_moves, b.items, error);
    ask(run->desk, f->arena, &(struct statement){.about = "making a list of moves", .text = text}, error);
    f->movers[e->index].there = true;
}

bool heavy_moves_make(struct family *f, struct error *error) {
    bool any = false;
    for (size_t i = 0; i < f->tree->edge_count && !f->what->together; i++) {
        if (!heavy_moves_listed(f, f->tree->edges[i])) continue;
        make_one(f, f->tree->edges[i], error);
        any = true;
    }
    return any;
}

/* --- listing, with the descendants of a heavy row --- */

static void queue_list(struct batch *batch, const struct edge *e) {
    struct family *f = family_of(batch);
    const struct node *child = e->child;
    const char *values[] = {batch_number(batch, batch->range.first)};
    const char *keys = list_numbered(batch->arena, NULL, "pgwinnow_f", child->identity_count);
    struct bindings b = {0};
    bind(&b, "moves", heavy_moves_table(f, batch->arena, e));
    bind(&b, "order_name", family_order(f->run, batch->arena));
    bind(&b, "numbered", node_numbered(batch->arena, NULL, child));
    bind(&b, "found", list_numbered(batch->arena, "x", "pgwinnow_f", child->identity_count));
    bind(&b, "child_keys",
         arena_printf(batch->arena, "p.pgwinnow_rank, %s",
                      list_as_numbered(batch->arena, "c", child->identity, child->identity_count, "pgwinnow_f")));
    bind(&b, "parents", heavy_group_roots(batch, e));
    bind(&b, "child", child->table->from);
    bind(&b, "points", edge_points(batch->arena, e, "p", "c"));
    bind(&b, "named", node_named(batch->arena, "c", child));
    bind(&b, "leaves", "true");
    bind(&b, "order",
         e->on_conflict == CONFLICT_KEEP_FIRST ? arena_printf(batch->arena, "pgwinnow_rank, %s", keys) : keys);
    batch_queue(batch, arena_printf(batch->arena, "listing rows of %s that move", child->table->shown), &sql_list_moves,
                &b, values, 1);
}

void heavy_moves_list(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    t->movers = arena_alloc(batch->arena, (f->tree->edge_count + 1) * sizeof *t->movers);
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        if (!f->movers[i].there) continue;
        queue_list(batch, f->tree->edges[i]);
        t->movers[t->mover_count++] = i;
    }
}

/* --- pieces --- */

static bool is_of_moves(const struct range *range) { return range->part >= PART_MOVES; }

/* First listed, first moved; never two at once. */
bool heavy_moves_cut(struct batch *batch) {
    struct family *f = family_of(batch);
    if (loop_others_busy(batch->loop, batch, is_of_moves)) return false;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        struct list *list = &f->movers[i];
        while (list->next < list->count && list->regions[list->next].first > list->regions[list->next].last)
            list->next++;
        if (list->next == list->count) continue;
        struct region *gap = &list->regions[list->next];
        int64_t last = gap->first + family_bound(batch) - 1;
        batch->range = (struct range){.first = gap->first,
                                      .last = last < gap->last ? last : gap->last,
                                      .part = PART_MOVES + (int)i,
                                      .pass = FIRST_PASS,
                                      .mode = MODE_THOROUGH};
        gap->first = batch->range.last + 1;
        return true;
    }
    return false;
}

/* A piece that was halved goes on with its first half: the order is what makes the outcome. */
bool heavy_moves_next(const struct loop *loop, const struct range *range) {
    for (size_t i = 0; i < loop->batch_count; i++) {
        const struct batch *b = &loop->batches[i];
        bool busy = b->phase != PHASE_IDLE && b->phase != PHASE_CUT && b->phase != PHASE_REST;
        if (busy && is_of_moves(&b->range)) return false;
    }
    for (size_t i = 0; i < loop->retry_count; i++)
        if (is_of_moves(&loop->retries[i]) && loop->retries[i].first < range->first) return false;
    return true;
}

const struct edge *heavy_moves_edge(const struct batch *batch) {
    if (!is_of_moves(&batch->range)) return NULL;
    return family_of(batch)->tree->edges[batch->range.part - PART_MOVES];
}

/* SQL over the tracking table: the rows that a piece, or a drain, is about. */
const char *heavy_moves_roots(struct batch *batch) {
    const struct edge *e = heavy_moves_edge(batch);
    if (!e) return family_range(batch);
    return arena_printf(batch->arena,
                        "seq IN (SELECT l.root FROM %s AS l WHERE l.seq BETWEEN $1::bigint AND $2::bigint)",
                        heavy_moves_table(family_of(batch), batch->arena, e));
}
