/*
 * Heavy rows. The descendants of a tracked row whose family exceeds the bounds are listed once, by key, and go in
 * pieces: the highest seq first, which is the deepest. Each piece locks the tracked row again, so nothing of a row that
 * no longer qualifies is taken. What has no key, or is set to NULL, is drained in bounded statements. Then the row
 * itself goes the ordinary way, with what came late.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/heavy.sql.h"
#include "work/archive.h"
#include "work/family_job.h"
#include "work/family_text.h"
#include "work/tracking.h"

/* --- regions of the lists --- */

static void push_region(struct family *f, struct list *list, struct region region) {
    if (region.first > region.last) return;
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 8;
        struct region *larger = arena_alloc(f->arena, list->room * sizeof *larger);
        if (list->count) memcpy(larger, list->regions, list->count * sizeof *larger);
        list->regions = larger;
    }
    list->regions[list->count++] = region;
}

static struct region *highest(const struct list *list) { return list->count ? &list->regions[list->count - 1] : NULL; }

/* Regions that an earlier session left may overlap; of those that end alike the shorter one was listed later. */
static bool deeper(const struct region *one, const struct region *other) {
    return !other || one->last > other->last || (one->last == other->last && one->first > other->first);
}

/* The piece stays above what other lists still hold: their rows were found earlier, so they are less deep. */
bool heavy_cut(struct batch *batch) {
    struct family *f = family_of(batch);
    struct list *deepest = NULL;
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->lists[i].count && (!deepest || deeper(highest(&f->lists[i]), highest(deepest)))) deepest = &f->lists[i];
    if (!deepest) return false;
    struct region *gap = highest(deepest);
    int64_t first = gap->last - family_bound(batch) + 1;
    if (first < gap->first) first = gap->first;
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct region *other = highest(&f->lists[i]);
        if (other && other->last < gap->last && other->last >= first) first = other->last + 1;
    }
    batch->range = (struct range){.first = first,
                                  .last = gap->last,
                                  .part = PART_LIST + (int)(deepest - f->lists),
                                  .pass = FIRST_PASS,
                                  .by = (int)gap->by};
    gap->last = first - 1;
    if (gap->first > gap->last) deepest->count--;
    return true;
}

bool heavy_listing(const struct loop *loop) {
    for (size_t i = 0; i < loop->batch_count; i++) {
        const struct batch *b = &loop->batches[i];
        bool busy = b->phase != PHASE_IDLE && b->phase != PHASE_CUT && b->phase != PHASE_REST;
        if (busy && b->range.mode == MODE_EXPAND) return true;
    }
    return false;
}

/* --- which row, which edges --- */

/* The node whose single row is heavy, or whose list the piece is of. */
static const struct node *node_of(const struct batch *batch) {
    int part = batch->range.part;
    const struct tree *tree = family_of(batch)->tree;
    if (part == PART_HEAVY) return tree->nodes[0];
    return tree->nodes[part >= PART_HEAVY_LIST ? part - PART_HEAVY_LIST : part - PART_LIST];
}

static bool drained(const struct family *f, const struct edge *e) { return f->settled[e->index] && goes_in_drains(e); }

static bool has_edges(const struct family *f, const struct node *node, bool by_key) {
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent == node && f->settled[i] && (by_key ? goes_by_key(e) : goes_in_drains(e))) return true;
    }
    return false;
}

void heavy_begin(struct family *f, struct range *range) {
    const struct node *node = f->tree->nodes[range->part == PART_ROOT ? 0 : range->part - PART_LIST];
    bool expand = range->part == PART_ROOT && (has_edges(f, node, true) || heavy_moves_any(f, heavy_moves_listed));
    range->mode = expand ? MODE_EXPAND : MODE_DRAIN;
    range->part = range->part == PART_ROOT ? PART_HEAVY : PART_HEAVY_LIST + (int)node->index;
    range->pass = f->next_pass++;
    range->tries = range->races = 0;
    range->large++;
}

/* What points at the group is settled; its rows may still be more than a batch takes. */
static void split_group(struct family *f, const struct range *range) {
    struct gap *larger = arena_alloc(f->arena, (f->group_count + 1) * sizeof *larger);
    if (f->group_count) memcpy(larger, f->groups, f->group_count * sizeof *larger);
    larger[f->group_count++] = (struct gap){range->first, range->last};
    f->groups = larger;
}

bool heavy_cut_group(struct batch *batch) {
    struct family *f = family_of(batch);
    struct gap *rows = &f->group_rows;
    if (rows->first > rows->last) return false;
    int64_t last = rows->first + family_bound(batch) - 1;
    batch->range = (struct range){.first = rows->first,
                                  .last = last < rows->last ? last : rows->last,
                                  .part = PART_GROUP,
                                  .pass = f->next_pass++,
                                  .mode = MODE_THOROUGH};
    rows->first = batch->range.last + 1;
    return true;
}

/* Back to the row itself: the ordinary way, thoroughly. */
static void hand_back(struct family *f, struct batch *batch) {
    struct range *range = &batch->range;
    if (range->part == PART_HEAVY && f->run->tracking->grouped) {
        split_group(f, range);
        return;
    }
    range->part = range->part == PART_HEAVY ? PART_ROOT : PART_LIST + (int)node_of(batch)->index;
    range->mode = MODE_THOROUGH;
    range->pass = range->part == PART_ROOT && !range->waits ? FIRST_PASS : f->next_pass++;
    range->pass--; /* `again` counts it up */
    batch->again = true;
}

/* --- the tracked row, locked --- */

static const char *locked_roots(struct batch *batch, const char *range, const struct edge *edge) {
    struct family *f = family_of(batch);
    const char *alias = sql_identifier(batch->arena, f->run->table->name);
    struct bindings b = {0};
    tracking_bind(&b, f->run, batch->arena, f->round);
    bind(&b, "qualified",
         tracking_qualified(f->run, batch->arena, f->round, range, "(outcome IS NULL OR outcome = 'contested')", true,
                            &batch->error));
    const char *rank = f->run->tracking->grouped ? ", pgwinnow_k.pgwinnow_rank" : "";
    bind(&b, "refs", edge ? arena_printf(batch->arena, "%s, %s", rank, edge_refs(batch->arena, edge, alias)) : "");
    bind(&b, "leaves", edge ? edge_leaves(batch->arena, edge, alias) : "");
    return sql_expand(batch->arena, &sql_locked_roots, b.items, &batch->error);
}

static const char *roots_of_piece(struct batch *batch, const struct node *node) {
    const char *list = family_list(family_of(batch)->run, batch->arena, node);
    return locked_roots(
        batch,
        arena_printf(batch->arena, "seq IN (SELECT l.root FROM %s AS l WHERE l.seq BETWEEN $1::bigint AND $2::bigint)",
                     list),
        NULL);
}

/* --- listing --- */

/* Rows listed below the tracked row $1, or below those of the group $1. */
static const char *of_root(struct batch *batch, const char *root) {
    const struct family *f = family_of(batch);
    if (!f->run->tracking->grouped) return arena_printf(batch->arena, "%s = $1::bigint", root);
    return arena_printf(batch->arena, "%s IN (SELECT t.seq FROM %s AS t WHERE t.group_no = $1::bigint)", root,
                        tracking_sql(f->run, batch->arena, f->round));
}

static const char *root_is(struct batch *batch) {
    return arena_printf(batch->arena, "%s = $1::bigint", family_unit(family_of(batch)->run, &batch->range));
}

const char *heavy_group_roots(struct batch *batch, const struct edge *edge) {
    return locked_roots(batch, root_is(batch), edge);
}

static const char *listed_parents(struct batch *batch, const struct edge *edge) {
    struct family *f = family_of(batch);
    struct bindings b = {0};
    bind(&b, "refs", edge_refs(batch->arena, edge, "p"));
    bind(&b, "list", family_list(f->run, batch->arena, edge->parent));
    bind(&b, "parent", edge->parent->table->from);
    bind(&b, "parent_is_listed", node_is(batch->arena, "p", edge->parent, "l"));
    bind(&b, "leaves", edge_leaves(batch->arena, edge, "p"));
    bind(&b, "of_root", of_root(batch, "l.root"));
    return sql_expand(batch->arena, &sql_listed_parents, b.items, &batch->error);
}

static void queue_listing(struct batch *batch, const struct edge *edge, bool from_root) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    const struct node *child = edge->child;
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, t->round)};
    struct bindings b = {0};
    bind(&b, "parents", from_root ? locked_roots(batch, root_is(batch), edge) : listed_parents(batch, edge));
    bind(&b, "child_list", family_list(f->run, batch->arena, child));
    bind(&b, "order_name", family_order(f->run, batch->arena));
    bind(&b, "numbered", node_numbered(batch->arena, NULL, child));
    bind(&b, "child_keys", list_as_numbered(batch->arena, "c", child->identity, child->identity_count, "pgwinnow_f"));
    bind(&b, "found", list_numbered(batch->arena, "x", "pgwinnow_f", child->identity_count));
    bind(&b, "child", child->table->from);
    bind(&b, "points", edge_points(batch->arena, edge, "p", "c"));
    bind(&b, "named", node_named(batch->arena, "c", child));
    bind(&b, "child_is_listed", node_is(batch->arena, "c", child, "l"));
    batch_queue(batch, arena_printf(batch->arena, "listing rows of %s", child->table->shown), &sql_list_children, &b,
                values, 2);
    t->asked[t->asked_count++] = edge->index;
}

static bool listing_round(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    t->asked_count = t->heard = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (!f->settled[i] || !goes_by_key(e)) continue;
        if (t->round == 0 ? e->parent->index == 0 : t->fresh[e->parent->index] > 0)
            queue_listing(batch, e, t->round == 0);
    }
    if (t->round == 0 && !t->movers && family_of(batch)->moves) heavy_moves_list(batch);
    return t->asked_count > 0 || t->mover_heard < t->mover_count;
}

static void queue_end(struct batch *batch, struct list *list, const char *table) {
    struct try *t = family_try(batch);
    const char *values[] = {batch_number(batch, batch->range.first)};
    struct bindings b = {0};
    bind(&b, "list", table);
    bind(&b, "which", of_root(batch, "root"));
    batch_queue(batch, "reading the ends of a list", &sql_list_ends, &b, values, 1);
    t->ends[t->asked_count++] = list;
}

/* Nothing was listed although the family is too large: it had been, by a COMMIT whose answer was lost. */
static bool queue_ends(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    if (t->listed_count || t->ends) return false;
    t->ends = arena_alloc(batch->arena, (f->tree->node_count + f->tree->edge_count) * sizeof *t->ends);
    t->asked_count = t->heard = 0;
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->lists[i].there) queue_end(batch, &f->lists[i], family_list(f->run, batch->arena, f->tree->nodes[i]));
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->movers[i].there) queue_end(batch, &f->movers[i], heavy_moves_table(f, batch->arena, f->tree->edges[i]));
    return t->asked_count > 0;
}

/* --- draining --- */

static const char *drained_row(struct batch *batch, const struct edge *edge) {
    struct family *f = family_of(batch);
    const struct node *node = edge->parent;
    if (batch->range.part == PART_HEAVY) return locked_roots(batch, family_range(batch), edge);
    struct bindings b = {0};
    bind(&b, "refs", edge_refs(batch->arena, edge, "p"));
    bind(&b, "list", family_list(f->run, batch->arena, node));
    bind(&b, "parent", node->table->from);
    bind(&b, "parent_is_listed", node_is(batch->arena, "p", node, "l"));
    bind(&b, "roots", roots_of_piece(batch, node));
    bind(&b, "leaves", edge_leaves(batch->arena, edge, "p"));
    return sql_expand(batch->arena, &sql_listed_row, b.items, &batch->error);
}

static void queue_drain(struct batch *batch, const struct edge *edge, const char *leaf) {
    const char *seq = batch_number(batch, batch->range.first),
               *values[] = {seq, seq, batch_number(batch, family_try(batch)->share)};
    bool null = edge->policy == POLICY_SET_NULL;
    struct bindings b = {0};
    bind(&b, "parents", drained_row(batch, edge));
    bind(&b, "leaf", leaf);
    bind(&b, "points", edge_points(batch->arena, edge, "p", "c"));
    bind(&b, "unnamed", edge_unnamed(batch->arena, edge, "c"));
    if (null) {
        bind(&b, "nulls", edge_nulls(batch->arena, edge));
        bind(&b, "returning", archive_changed(batch, edge->child));
        bind(&b, "beside", archive_beside(batch, arena_printf(batch->arena, "ONLY %s", leaf)));
        bind(&b, "same_row", archive_same_row(batch));
        bind(&b, "kept", archive_keep_changed(batch, edge->child, "pgwinnow_changed", "set-null"));
    } else {
        bind(&b, "returning", archive_removed(batch, edge->child, "c"));
        bind(&b, "kept", archive_keep_removed(batch, edge->child, "pgwinnow_gone"));
    }
    batch_queue(batch, arena_printf(batch->arena, "settling rows of %s in pieces", edge->child->table->shown),
                null ? &sql_drain_set_null : &sql_drain_delete, &b, values, 3);
}

static void list_drains(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent != node_of(batch) || !drained(f, e)) continue;
        for (size_t l = 0; l < f->leaves[i].count; l++) {
            t->drains = arena_grow(batch->arena, t->drains, &t->drain_count, sizeof *t->drains);
            t->drains[t->drain_count - 1] = (struct drain){e, f->leaves[i].items[l].sql, .more = true};
        }
    }
    t->left = family_bound(batch);
}

/* Every leaf of every such edge gets its share of what the batch may still change. Those that had less leave the rest
 * to the others, in another round; when it is used up, the next pass goes on. */
static bool drain_round(struct batch *batch) {
    struct try *t = family_try(batch);
    int64_t count = 0;
    for (size_t i = 0; i < t->drain_count; i++) {
        t->drains[i].asked = t->drains[i].more && count < t->left;
        count += t->drains[i].asked;
        t->full = t->full || t->drains[i].more;
    }
    if (!count || t->left < family_bound(batch) / 8) return false;
    t->full = false;
    t->share = t->left / count;
    t->heard = 0;
    for (size_t i = 0; i < t->drain_count; i++)
        if (t->drains[i].asked) queue_drain(batch, t->drains[i].edge, t->drains[i].leaf);
    return true;
}

static void hear_drained(struct batch *batch, const struct rows *rows) {
    struct try *t = family_try(batch);
    int64_t settled = rows_int(rows, 0, 0);
    while (!t->drains[t->heard].asked) t->heard++;
    struct drain *drain = &t->drains[t->heard++];
    drain->more = settled >= t->share;
    t->left -= settled;
    family_settled(batch, drain->edge, settled);
}

void heavy_fill(struct batch *batch) {
    if (batch->range.mode == MODE_EXPAND) {
        listing_round(batch);
    } else {
        list_drains(batch);
        drain_round(batch);
    }
}

bool heavy_more(struct batch *batch) {
    if (batch->range.mode == MODE_DRAIN) return drain_round(batch);
    return listing_round(batch) || queue_ends(batch);
}

/* --- pieces --- */

/* The row still points at a row of the family: whoever was moved away meanwhile stays. */
static const char *belongs(struct batch *batch, const struct node *node) {
    struct family *f = family_of(batch);
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->child != node || !f->settled[i] || !goes_by_key(e)) continue;
        struct bindings b = {0};
        bind(&b, "parent", e->parent->table->from);
        bind(&b, "points", edge_points(batch->arena, e, "p", "c"));
        bind(&b, "leaves", edge_leaves(batch->arena, e, "p"));
        if (e->parent->index == 0) {
            bind(&b, "track", tracking_sql(f->run, batch->arena, f->round));
            bind(&b, "parent_is_tracked", tracking_key_equal(f->run, batch->arena, "p", "t"));
            text_addf(&text, "%s%s", text.length ? " OR " : "",
                      sql_expand(batch->arena, &sql_belongs_to_root, b.items, &batch->error));
        }
        if (f->lists[e->parent->index].there) {
            bind(&b, "parent_list", family_list(f->run, batch->arena, e->parent));
            bind(&b, "parent_is_listed", node_is(batch->arena, "p", e->parent, "pl"));
            text_addf(&text, "%s%s", text.length ? " OR " : "",
                      sql_expand(batch->arena, &sql_belongs_to_listed, b.items, &batch->error));
        }
    }
    return text.data;
}

void heavy_piece(struct batch *batch, bool thorough) {
    struct family *f = family_of(batch);
    const struct node *node = node_of(batch);
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    struct bindings b = {0};
    bind(&b, "roots", roots_of_piece(batch, node));
    bind(&b, "list", family_list(f->run, batch->arena, node));
    bind(&b, "child", node->table->from);
    bind(&b, "child_is_listed", node_is(batch->arena, "c", node, "l"));
    bind(&b, "belongs", belongs(batch, node));
    if (!thorough) {
        bind(&b, "returning", archive_removed(batch, node, "c"));
        bind(&b, "kept", archive_keep_removed(batch, node, "pgwinnow_gone"));
    } else {
        bind(&b, "family", family_table(f->run, batch->arena, node));
        bind(&b, "numbered", node_numbered(batch->arena, NULL, node));
        bind(&b, "child_keys", node_keys(batch->arena, "c", node));
    }
    batch_queue(batch, arena_printf(batch->arena, "removing rows of %s in pieces", node->table->shown),
                thorough ? &sql_lock_piece : &sql_remove_piece, &b, values, 2);
    if (!thorough) archive_check(batch);
}

/* --- answers and what follows a commit --- */

static void add_listed(struct batch *batch, struct list *list, struct region region) {
    struct try *t = family_try(batch);
    if (!region.last) return;
    t->listed = arena_grow(batch->arena, t->listed, &t->listed_count, sizeof *t->listed);
    t->listed[t->listed_count - 1] = (struct listed){list, region};
}

static void hear_listed(struct batch *batch, const struct rows *rows) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    size_t edge = t->asked[t->heard++], node = f->tree->edges[edge]->child->index;
    t->fresher[node] += rows_int(rows, 0, 0);
    add_listed(batch, &f->lists[node], (struct region){rows_int(rows, 0, 1), rows_int(rows, 0, 2), edge + 1});
    if (t->heard < t->asked_count) return;
    t->round++;
    int64_t *old = t->fresh;
    t->fresh = t->fresher;
    t->fresher = memset(old, 0, f->tree->node_count * sizeof *old);
}

bool heavy_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    if (sql == &sql_list_children) {
        hear_listed(batch, rows);
    } else if (sql == heavy_list_moves) {
        add_listed(batch, &family_of(batch)->movers[t->movers[t->mover_heard++]],
                   (struct region){.first = rows_int(rows, 0, 1), .last = rows_int(rows, 0, 2)});
    } else if (sql == &sql_list_ends) {
        add_listed(batch, t->ends[t->heard++],
                   (struct region){.first = rows_int(rows, 0, 0), .last = rows_int(rows, 0, 1)});
    } else if (sql == &sql_drain_delete || sql == &sql_drain_set_null) {
        hear_drained(batch, rows);
    } else if (sql == &sql_remove_piece) {
        family_settled(batch, family_listed_by(batch, node_of(batch)), rows_int(rows, 0, 0));
    } else if (sql == &sql_lock_piece) {
        t->taken = t->fresh[node_of(batch)->index] = rows_affected(rows);
        family_found(batch, family_listed_by(batch, node_of(batch)), t->taken);
    } else {
        return false;
    }
    return true;
}

/* What is left to do for the row, or group, before it goes itself. */
static bool goes_on(struct family *f, struct batch *batch) {
    bool full = family_try(batch)->full;
    switch (batch->range.mode) {
    case MODE_EXPAND:
        batch->range.mode = MODE_DRAIN;
        if (has_edges(f, node_of(batch), false)) return true;
        return goes_on(f, batch);
    case MODE_DRAIN:
        if (full) return true;
        batch->range.mode = MODE_DRAIN_MOVES;
        return batch->range.part == PART_HEAVY && heavy_moves_any(f, heavy_moves_drained);
    default: return full;
    }
}

void heavy_committed(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    for (size_t i = 0; i < t->listed_count; i++) push_region(f, t->listed[i].list, t->listed[i].region);
    /* What a try listed or left whose answer was lost is not known: once more, which finds the lists as they are. */
    if (batch->found || goes_on(f, batch)) {
        batch->range.pass = f->next_pass++ - 1;
        batch->again = true;
    } else {
        hand_back(f, batch);
    }
}

static void load_one(struct family *f, struct list *list, int part, const char *table, struct error *error) {
    struct bindings b = {0};
    bind(&b, "list", table);
    bind(&b, "which", "true");
    const char *text = sql_expand(f->arena, &sql_list_ends, b.items, error);
    struct rows *rows =
        ask(f->run->desk, f->arena, &(struct statement){.about = "reading the ends of a list", .text = text}, error);
    if (!rows) return;
    int64_t first = rows_int(rows, 0, 0), last = rows_int(rows, 0, 1);
    size_t count;
    struct gap *gaps =
        runs_gaps(&f->run->state, f->arena, f->run->holder.run, f->step, f->round, part, last, &count, error);
    for (size_t g = 0; g < count; g++)
        push_region(f, list,
                    (struct region){.first = gaps[g].first < first ? first : gaps[g].first, .last = gaps[g].last});
}

/* What an earlier session listed and did not get done. */
void heavy_load(struct family *f, struct error *error) {
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->lists[i].there)
            load_one(f, &f->lists[i], PART_LIST + (int)i, family_list(f->run, f->arena, f->tree->nodes[i]), error);
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->movers[i].there)
            load_one(f, &f->movers[i], PART_MOVES + (int)i, heavy_moves_table(f, f->arena, f->tree->edges[i]), error);
}
