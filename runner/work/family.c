/*
 * One pass over the tracked rows: which rows a batch takes, in which way, and what becomes of those that stay. The
 * thorough way is closure.c's, heavy rows are heavy.c's.
 */
#include "base/text.h"
#include "database/lists.h"
#include "database/tree_json.h"
#include "sql/work/family.sql.h"
#include "work/archive.h"
#include "work/family_job.h"
#include "work/family_text.h"
#include "work/merge.h"
#include "work/move.h"
#include "work/tracking.h"

enum { MOST_PATHS = 64 };

/* --- statements over the range --- */

static void queue_tracking(struct batch *batch, const struct sql *sql, const char *about, const char *reason) {
    struct family *f = family_of(batch);
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last), reason};
    struct bindings b = {0};
    tracking_bind(&b, f->run, batch->arena, f->round);
    bind(&b, "unit", family_unit(f->run, &batch->range));
    bind(&b, "pending", tracking_pending(family_last_pass(&batch->range)));
    if (sql == tracking_classify)
        tracking_bind_reasons(&b, f->run, batch->arena, f->round, family_unit(f->run, &batch->range),
                              family_last_pass(&batch->range), &batch->error);
    batch_queue(batch, about, sql, &b, values, reason ? 3 : 2);
}

/* --- the next range --- */

/* Rows, or groups. */
static int64_t units_wanted(const struct batch *batch) {
    const struct run *run = batch->loop->run;
    const struct family *f = family_of(batch);
    int64_t size = (int64_t)((double)family_bound(batch) / f->weight);
    int64_t left = run->max_rows ? (int64_t)((double)(run->max_rows - run->removed) / f->unit_rows) : size;
    if (left < size) size = left;
    return size < 1 ? 1 : size;
}

/* Rows that point at tracked ones by this edge are changed or go, in the batch that takes those. */
static bool counted(const struct family *f, size_t edge) {
    const struct edge *e = f->tree->edges[edge];
    bool moves = e->reached && e->policy == POLICY_MOVE && e->parent->index == 0;
    return f->settled[edge] || (moves && (!f->what->edges || f->what->edges[edge]));
}

static void add_paths(struct batch *batch, const struct node *node, const char *joins, const char *first,
                      const char *points, int depth, struct text *paths);

/* One edge further: its rows are counted, and those below them. */
static void add_path(struct batch *batch, const struct edge *edge, const char *joins, const char *first,
                     const char *points, int depth, struct text *paths) {
    const char *alias = arena_printf(batch->arena, "c%d", depth),
               *parent = depth ? arena_printf(batch->arena, "c%d", depth - 1) : "p";
    const char *here = edge_points(batch->arena, edge, parent, alias);
    if (!depth) {
        points = arena_printf(batch->arena, "%s %s", here, edge_leaves(batch->arena, edge, "p"));
        first = arena_printf(batch->arena, "%s AS c0", edge->child->table->from);
    } else {
        struct bindings b = {0};
        bind(&b, "child", edge->child->table->from);
        bind(&b, "child_alias", alias);
        bind(&b, "points", arena_printf(batch->arena, "%s %s", here, edge_leaves(batch->arena, edge, parent)));
        joins = arena_printf(batch->arena, "%s %s", joins,
                             sql_expand(batch->arena, &sql_probe_join, b.items, &batch->error));
    }
    struct bindings b = {0};
    bind(&b, "first", first);
    bind(&b, "joins", joins);
    bind(&b, "points", points);
    text_addf(paths, "\n%s", sql_expand(batch->arena, &sql_probe_path, b.items, &batch->error));
    if (edge->policy == POLICY_DELETE) add_paths(batch, edge->child, joins, first, points, depth + 1, paths);
}

static void add_paths(struct batch *batch, const struct node *node, const char *joins, const char *first,
                      const char *points, int depth, struct text *paths) {
    const struct family *f = family_of(batch);
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->tree->edges[i]->parent == node && counted(f, i))
            add_path(batch, f->tree->edges[i], joins, first, points, depth, paths);
}

static size_t place_in_key(const struct key *key, const char *name) {
    size_t i = 0;
    while (i < key->count && !text_equal(key->columns[i].name, name)) i++;
    return i;
}

/* What points at tracked rows does so by the key that was tracked: the rows themselves need not be read. */
static bool key_is_enough(const struct family *f) {
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent->index != 0 || !counted(f, i)) continue;
        if (e->parent_leaves) return false;
        for (size_t c = 0; c < e->count; c++)
            if (place_in_key(&f->run->table->key, e->parent_columns[c]) == f->run->table->key.count) return false;
    }
    return true;
}

/* The FROM item p: the tracked row of the plan's table, or its key alone. */
static const char *probed_parent(struct batch *batch) {
    const struct family *f = family_of(batch);
    const struct key *key = &f->run->table->key;
    struct bindings b = {0};
    struct text columns = text_new(batch->arena);
    bind(&b, "from", f->run->table->from);
    bind(&b, "parent_is_tracked", list_equal_numbered(batch->arena, "p", key->columns, key->count, "t", "pgwinnow_k"));
    for (size_t i = 0; i < key->count; i++)
        text_addf(&columns, "%st.pgwinnow_k%zu AS %s", i ? ", " : "", i + 1,
                  sql_identifier(batch->arena, key->columns[i].name));
    bind(&b, "columns", columns.data);
    return sql_expand(batch->arena, key_is_enough(f) ? &sql_probe_key : &sql_probe_row, b.items, &batch->error);
}

/* A little more is looked at than is wanted: the weight is an average. */
static void queue_probe(struct batch *batch, const struct gap *gap) {
    struct family *f = family_of(batch);
    int64_t look = units_wanted(batch) + units_wanted(batch) / 32 + 1;
    const char *values[] = {batch_number(batch, gap->first - 1), batch_number(batch, look),
                            batch_number(batch, family_bound(batch)), batch_number(batch, gap->last)};
    struct text paths = text_new(batch->arena);
    struct bindings b = {0};
    add_paths(batch, f->tree->nodes[0], "", "", "", 0, &paths);
    tracking_bind(&b, f->run, batch->arena, f->round);
    bind(&b, "paths", paths.data);
    bind(&b, "parent", probed_parent(batch));
    bind(&b, "survivors", f->what->merge ? "1" : "0");
    f->looked = gap->first - 1 + look < gap->last ? gap->first - 1 + look : gap->last;
    batch_question(batch, "counting families", f->run->tracking->grouped ? &sql_probe_groups : &sql_probe, &b, values,
                   4);
}

static enum cut cut_region(struct batch *batch) {
    struct family *f = family_of(batch);
    struct gap *gap = &f->regions[f->region];
    if (f->heavy_next && heavy_listing(batch->loop)) return CUT_WAIT;
    f->heavy_next = false;
    if (f->probed) {
        queue_probe(batch, gap);
        return CUT_ASKED;
    }
    int64_t last = gap->first + units_wanted(batch) - 1;
    batch->range = (struct range){.first = gap->first, .last = last < gap->last ? last : gap->last, .pass = FIRST_PASS};
    gap->first = batch->range.last + 1;
    return CUT_RANGE;
}

static bool any_range(const struct range *range) {
    (void)range;
    return true;
}

static void ask_contested(struct batch *batch) {
    struct family *f = family_of(batch);
    const char *values[] = {batch_number(batch, f->contested_after), batch_number(batch, units_wanted(batch))};
    struct bindings b = {0};
    bind(&b, "track", tracking_sql(f->run, batch->arena, f->round));
    bind(&b, "unit", family_unit(f->run, &(struct range){.part = PART_ROOT}));
    batch_question(batch, "looking for contested rows", &sql_next_contested, &b, values, 2);
}

static void ask_group(struct batch *batch) {
    struct family *f = family_of(batch);
    const char *values[] = {batch_number(batch, f->groups[--f->group_count].first)};
    struct bindings b = {0};
    bind(&b, "track", tracking_sql(f->run, batch->arena, f->round));
    batch_question(batch, "looking for the rows of a group", &sql_group_ends, &b, values, 1);
}

static enum cut cut(struct batch *batch) {
    struct family *f = family_of(batch);
    if (heavy_cut(batch) || heavy_moves_cut(batch) || heavy_cut_group(batch)) return CUT_RANGE;
    if (f->group_count && !loop_others_busy(batch->loop, batch, is_heavy_part)) {
        ask_group(batch);
        return CUT_ASKED;
    }
    while (f->region < f->region_count && f->regions[f->region].first > f->regions[f->region].last) f->region++;
    if (f->region < f->region_count) return cut_region(batch);
    if (loop_others_busy(batch->loop, batch, any_range)) return CUT_WAIT;
    if (!f->what->roots_go || f->contested_round > MOST_CONTESTED_ROUNDS) return CUT_DONE;
    ask_contested(batch);
    return CUT_ASKED;
}

/* The prefix of the gap whose families fit, or its first row alone when that one does not. */
static void hear_probe(struct batch *batch, const struct rows *rows) {
    struct family *f = family_of(batch);
    struct gap *gap = &f->regions[f->region];
    bool fits = rows_text(rows, 0, 0) != NULL, any = rows_int(rows, 0, 2) > 0;
    bool heavy = any && !fits && !f->run->tracking->grouped; /* a group goes whole if it can, alone if it must */
    int64_t last = rows_int(rows, 0, 0), first = rows_int(rows, 0, 1);
    if (!any) {
        gap->first = (f->run->tracking->grouped ? f->looked : gap->last) + 1;
        return;
    }
    if (heavy && heavy_listing(batch->loop)) {
        f->heavy_next = true;
        return;
    }
    batch->range = (struct range){.first = fits ? gap->first : first, .last = fits ? last : first, .pass = FIRST_PASS};
    gap->first = batch->range.last + 1;
    if (heavy) heavy_begin(f, &batch->range);
    if (fits && last > batch->range.first) {
        double weight = (double)rows_int(rows, 0, 3) / (double)(last - batch->range.first + 1);
        f->weight = f->weight * 0.6 + (weight > 1 ? weight : 1) * 0.4;
    }
}

static void hear_contested(struct batch *batch, const struct rows *rows) {
    struct family *f = family_of(batch);
    if (rows_text(rows, 0, 0)) {
        batch->range = (struct range){.first = rows_int(rows, 0, 0),
                                      .last = rows_int(rows, 0, 1),
                                      .pass = f->next_pass,
                                      .mode = MODE_THOROUGH,
                                      .waits = true};
        f->contested_after = batch->range.last;
    } else if (f->contested_after == 0) {
        f->contested_round = MOST_CONTESTED_ROUNDS + 1; /* none at all: done */
    } else {
        f->contested_after = 0;
        f->contested_round++;
        f->next_pass++;
    }
}

static void cut_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    if (sql == &sql_probe || sql == &sql_probe_groups) hear_probe(batch, rows);
    if (sql == &sql_group_ends && rows_text(rows, 0, 0))
        family_of(batch)->group_rows = (struct gap){rows_int(rows, 0, 0), rows_int(rows, 0, 1)};
    if (sql == &sql_next_contested) hear_contested(batch, rows);
}

/* --- the part --- */

static bool fast(const struct batch *batch) {
    return family_of(batch)->fast && batch->range.mode == MODE_NORMAL && !batch->range.races && !batch->range.tries &&
           !family_last_pass(&batch->range);
}

static bool piece_is_plain(const struct batch *batch) {
    size_t node = (size_t)(batch->range.part - PART_LIST);
    return family_of(batch)->plain[node] && batch->range.mode == MODE_NORMAL && !batch->range.races;
}

static const char protected_reason[] = "a row below it is a survivor or held back";

static const char *heavy_reason(const struct family *f) {
    if (f->what->together) return "its group is larger than a batch may be";
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->tree->nodes[i]->cyclic && f->tree->nodes[i]->removed)
            return "what goes with it, in a circle, is larger than a batch may be";
    return "rows that point at it keep coming";
}

static void fill_roots(struct batch *batch) {
    switch (batch->range.mode) {
    case MODE_GIVE_UP: queue_tracking(batch, tracking_give_up, "leaving busy rows for the last pass", NULL); return;
    case MODE_SKIP_HEAVY:
        queue_tracking(batch, tracking_spare, "sparing a row", heavy_reason(family_of(batch)));
        return;
    case MODE_SKIP_PROTECTED: queue_tracking(batch, tracking_spare, "sparing a row", protected_reason); return;
    default: break;
    }
    queue_tracking(batch, tracking_count_pending, "counting tracked rows", NULL);
    if (fast(batch))
        family_fast(batch);
    else
        closure_lock_roots(batch);
}

static void fill(struct batch *batch) {
    int mode = batch->range.mode;
    if (is_of_roots(&batch->range))
        fill_roots(batch);
    else if (family_apart(&batch->range))
        closure_lock_roots(batch);
    else if (mode == MODE_EXPAND || mode == MODE_DRAIN)
        heavy_fill(batch);
    else if (mode == MODE_NORMAL || mode == MODE_THOROUGH)
        heavy_piece(batch, !piece_is_plain(batch));
}

static void answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    if (sql == tracking_count_pending) {
        t->expected = rows_int(rows, 0, 0);
    } else if (sql == tracking_classify) {
        batch->counts.contested = rows_int(rows, 0, 0);
        batch->counts.spared = t->expected - t->taken - batch->counts.contested;
    } else if (sql == tracking_give_up) {
        batch->counts.contested = rows_affected(rows);
    } else if (sql == tracking_spare) {
        batch->counts.spared = rows_affected(rows);
    } else if (!family_fast_answer(batch, sql, rows) && !closure_answer(batch, sql, rows) &&
               !merge_answer(batch, sql, rows) && !archive_answer(batch, sql, rows)) {
        heavy_answer(batch, sql, rows);
    }
}

/* What was tracked and did not go is looked at, in the same transaction: spared with a reason, or contested. */
static bool classify(struct batch *batch) {
    struct try *t = family_try(batch);
    bool already = t->stage == STAGE_CLASSIFY, piece = batch->range.part == PART_GROUP;
    t->stage = STAGE_CLASSIFY;
    if (already || !is_of_roots(&batch->range) || !family_of(batch)->what->roots_go) return false;
    bool last = family_last_pass(&batch->range), stay = t->taken < t->expected;
    if (piece) queue_tracking(batch, tracking_removed, "noting which rows are gone", NULL);
    if (last) queue_tracking(batch, tracking_gone, "noting which rows are gone", NULL);
    if (stay) queue_tracking(batch, tracking_classify, "looking why rows stay", NULL);
    return last || stay || piece;
}

static bool more(struct batch *batch) {
    struct try *t = family_try(batch);
    int mode = batch->range.mode;
    bool root = is_of_roots(&batch->range);
    if (mode == MODE_EXPAND || mode == MODE_DRAIN) return heavy_more(batch);
    if (mode != MODE_NORMAL && mode != MODE_THOROUGH && mode != MODE_DRAIN_MOVES) return false;
    if (t->stage == STAGE_TAKE && root && family_of(batch)->what->together && merge_collect(batch)) return true;
    bool apart = family_apart(&batch->range);
    if (t->stage == STAGE_TAKE && (apart || (root ? !fast(batch) : !piece_is_plain(batch)))) closure_start(batch);
    if (t->stage >= STAGE_CLOSE && t->stage < STAGE_SETTLE && closure_more(batch)) return true;
    return !batch->too_large && classify(batch);
}

/* One row of a list of moves, or as few as can be of those without a key, and what would go or move with it because of
 * a collision. */
static void refuse_moves(struct batch *batch) {
    const struct edge *e = heavy_moves_edge(batch);
    const char *moved = e ? arena_printf(batch->arena, "a moved row of %s", e->child->table->shown)
                          : arena_printf(batch->arena, "what points at group %lld of %s and moves in pieces",
                                         (long long)batch->range.first, family_of(batch)->run->table->shown);
    fail(&batch->error, FAULT_FAILED, "%s takes more rows with it than a batch may change (%lld)", moved,
         (long long)family_bound(batch));
    fail_hint(&batch->error, "raise batch: max for this step, and run again: what is done stays done");
}

/* A single row that does not fit is heavy; one that stays too large after three rounds, or leads to a row that must
 * stay, is spared. Rows that are busy all the time wait for the last pass. */
static bool stuck(struct batch *batch, bool too_large) {
    struct family *f = family_of(batch);
    struct range *range = &batch->range;
    bool root = is_of_roots(range);
    if (too_large && root && family_try(batch)->is_protected) {
        range->mode = MODE_SKIP_PROTECTED;
        return true;
    }
    if (too_large && root && f->what->together) {
        range->mode = MODE_SKIP_HEAVY;
        return true;
    }
    if (too_large && family_apart(range)) {
        if (range->mode == MODE_DRAIN_MOVES && move_less(batch)) return true;
        refuse_moves(batch);
        return false;
    }
    if (too_large && (range->large >= MOST_HEAVY_ROUNDS || range->part == PART_GROUP)) {
        range->mode = MODE_SKIP_HEAVY;
        return true;
    }
    if (too_large && range->part < PART_HEAVY) {
        heavy_begin(f, range);
        return true;
    }
    if (too_large || !root || range->mode == MODE_GIVE_UP) return false;
    if (family_last_pass(range))
        f->contested_round = MOST_CONTESTED_ROUNDS; /* it stays; the others still get their turn */
    range->mode = MODE_GIVE_UP;
    range->tries = range->races = 0;
    return true;
}

static bool ready(const struct loop *loop, const struct range *range) {
    const struct family *f = loop->job;
    if (range->mode == MODE_EXPAND) return !heavy_listing(loop);
    if (range->part >= PART_MOVES) return heavy_moves_next(loop, range);
    if (!is_of_roots(range) || !range->large) return true;
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->lists[i].count) return false;
    return !loop_others_busy(loop, NULL, is_heavy_part);
}

static void committed(struct batch *batch) {
    struct family *f = family_of(batch);
    if (f->what->children_shown) f->what->children_shown->rows += batch->counts.children;
    int mode = batch->range.mode;
    if (mode == MODE_EXPAND || mode == MODE_DRAIN || mode == MODE_DRAIN_MOVES) heavy_committed(batch);
    if (!f->probed && batch->counts.rows && batch->range.part == PART_ROOT) {
        bool grouped = f->run->tracking->grouped;
        int64_t units = grouped ? batch->range.last - batch->range.first + 1 : batch->counts.rows;
        int64_t merged = f->what->merge ? units : 0;
        double weight = (double)(batch->counts.rows + batch->counts.children + merged) / (double)units;
        f->weight = f->weight * 0.6 + weight * 0.4;
    }
}

static const struct part family_part = {cut,       cut_answer, fill,          answer, more,
                                        committed, stuck,      merge_narrows, ready,  false};

/* --- making the job --- */

/* Rows of this node can go without being looked below first: what the database objects to (23503) is done thoroughly.
 * */
static bool can_go_first(const struct family *f, const struct node *node) {
    if (f->moves || node->cyclic || node->before_triggers) return false;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent != node || !e->reached) continue;
        if ((e->on_delete != 'a' && e->on_delete != 'r') || e->parent_leaves) return false;
    }
    return true;
}

static size_t count_paths(const struct family *f, const struct node *node, size_t depth) {
    size_t paths = 0;
    if (depth > f->tree->node_count) return MOST_PATHS + 1;
    for (size_t i = 0; i < f->tree->edge_count && paths <= MOST_PATHS; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent != node || !counted(f, i)) continue;
        paths += 1 + (e->policy == POLICY_DELETE ? count_paths(f, e->child, depth + 1) : 0);
    }
    return paths;
}

static void settle_edges(struct family *f) {
    const struct tree *tree = f->tree;
    f->settled = arena_alloc(f->arena, (tree->edge_count + 1) * sizeof *f->settled);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        bool changes = e->reached && e->policy != POLICY_NONE && e->policy != POLICY_STOP;
        f->settled[i] = changes && (!f->what->edges || f->what->edges[i]);
        f->moves = f->moves || (f->settled[i] && goes_with_moves(e));
    }
}

/* How the tree may be gone through. */
static void choose_ways(struct family *f) {
    const struct tree *tree = f->tree;
    size_t paths = 0;
    bool circles = false;
    f->fast = f->what->roots_go && !f->moves && !(f->run->tracking && f->run->tracking->grouped);
    f->plain = arena_alloc(f->arena, tree->node_count * sizeof *f->plain);
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct node *node = tree->nodes[i];
        if (!node->removed) continue;
        f->plain[i] = can_go_first(f, node);
        f->fast = f->fast && f->plain[i];
        circles = circles || node->cyclic;
    }
    for (size_t i = 0; i < tree->edge_count;
         i++) /* what must be settled with its parents keeps them from going first */
        if (f->settled[i] && (goes_by_parent(tree->edges[i]) || goes_with_moves(tree->edges[i])))
            f->plain[tree->edges[i]->parent->index] = false;
    for (size_t i = 0; i < tree->edge_count; i++) {
        /* One statement cannot change a row by one edge and remove it by another; nor can rows that go refer to rows
         * that go in all orders. */
        const struct edge *e = tree->edges[i];
        bool tied = e->policy != POLICY_DELETE && e->child->removed;
        if (e->reached && tied && (e->policy == POLICY_SET_NULL || e->child != e->parent)) f->fast = false;
    }
    if (!circles) paths = count_paths(f, tree->nodes[0], 0);
    f->probed = paths > 0 && paths <= MOST_PATHS;
    if (paths > MOST_PATHS) f->fast = false;
}

static struct family *new_family(struct run *run, size_t step, const struct families *what, struct arena *arena) {
    struct family *f = arena_alloc(arena, sizeof *f);
    *f = (struct family){.run = run,
                         .step = step,
                         .round = run->steps[step].round,
                         .what = what,
                         .arena = arena,
                         .tree = run->tree,
                         .weight = 1};
    f->lists = arena_alloc(arena, run->tree->node_count * sizeof *f->lists);
    f->movers = arena_alloc(arena, (run->tree->edge_count + 1) * sizeof *f->movers);
    f->leaves = arena_alloc(arena, (run->tree->edge_count + 1) * sizeof *f->leaves);
    f->places = tree_places(arena, run->tree, &f->shown);
    settle_edges(f);
    choose_ways(f);
    return f;
}

static bool unindexed(const struct family *f) {
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if ((f->tree->edges[i]->reached || f->tree->edges[i]->carried) && !f->tree->edges[i]->indexed &&
            f->run->missing_index != MISSING_CREATE)
            return true;
    return false;
}

static void load_leaves(struct family *f, struct error *error) {
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (f->settled[i] && goes_in_drains(e))
            f->leaves[i].items =
                catalog_leaves(f->run->desk, f->arena, e->child->table->oid, &f->leaves[i].count, error);
    }
}

static void read_pass(struct family *f, struct error *error) {
    const struct run *run = f->run;
    const char *values[] = {arena_printf(f->arena, "%lld", (long long)run->holder.run),
                            arena_printf(f->arena, "%zu", f->step), arena_printf(f->arena, "%d", f->round)};
    struct bindings b = {0};
    bind(&b, "state", run->state.schema);
    const char *text = sql_expand(f->arena, &sql_last_pass_used, b.items, error);
    struct rows *rows = ask(run->desk, f->arena, &(struct statement){"reading checkpoints", text, values, 3}, error);
    if (rows) f->next_pass = (int)rows_int(rows, 0, 0) + 1;
}

struct tracked_counts {
    int64_t rows, last, held, contested; /* last: of what ranges count */
};

static struct tracked_counts count_tracked(struct family *f, struct error *error) {
    struct bindings b = {0};
    bind(&b, "track", tracking_sql(f->run, f->arena, f->round));
    bind(&b, "unit", family_unit(f->run, &(struct range){.part = PART_ROOT}));
    const char *text = sql_expand(f->arena, &sql_count_tracked, b.items, error);
    struct rows *rows =
        ask(f->run->desk, f->arena, &(struct statement){.about = "counting tracked rows", .text = text}, error);
    if (!rows) return (struct tracked_counts){0};
    return (struct tracked_counts){rows_int(rows, 0, 0), rows_int(rows, 0, 1), rows_int(rows, 0, 2),
                                   rows_int(rows, 0, 3)};
}

static void tell_end(struct family *f, struct error *error) {
    struct tracked_counts counts = count_tracked(f, error);
    struct run_step *step = &f->run->steps[f->step];
    if (counts.held) step->note = arena_printf(f->run->arena, "%s held back", text_count(f->arena, counts.held));
    if (!counts.contested || !f->what->roots_go) return;
    fail(error, FAULT_FAILED, "%s tracked rows of %s stayed locked by other sessions",
         text_count(f->arena, counts.contested), f->run->table->shown);
    fail_hint(error, "they are those with outcome 'contested' in %s; run again when the others are done",
              tracking_sql(f->run, f->arena, f->round));
}

void families_remove(struct run *run, size_t step, const struct families *what, struct error *error) {
    struct arena *arena = arena_new(run->arena);
    struct family *f = new_family(run, step, what, arena);
    family_tables_make(f, error);
    if (what->merge) merge_make(run, arena, what->merge, error);
    archive_make(run, step, error);
    load_leaves(f, error);
    heavy_load(f, error);
    read_pass(f, error);
    struct tracked_counts counts = count_tracked(f, error);
    run->steps[step].shown->total = counts.rows - counts.held;
    f->unit_rows = counts.last ? (double)counts.rows / (double)counts.last : 1;
    f->weight = f->unit_rows + (what->merge ? 1 : 0);
    f->group_rows = (struct gap){1, 0};
    f->regions =
        runs_gaps(&run->state, arena, run->holder.run, step, f->round, PART_ROOT, counts.last, &f->region_count, error);
    loop_run(run, step, &family_part, f, unindexed(f), error);
    if (!failed(error)) tell_end(f, error);
    if (!failed(error)) families_drop(&run->state, arena, run->holder.run, error);
    arena_free(arena);
}

void families_explain(struct run *run, size_t step, const struct families *what, struct explanation *explanation,
                      struct error *error) {
    struct arena *arena = arena_new(run->arena);
    struct family *f = new_family(run, step, what, arena);
    struct range range = {.first = 1, .last = run_settings(run, step)->batch.size, .pass = FIRST_PASS};
    if (f->fast) {
        text_add(&explanation->said, "each batch: the rows and all that points at them, in one statement\n");
        loop_explain(run, step, &family_part, f, &range, explanation, error);
        text_add(&explanation->said, "when a row came meanwhile (23503), thoroughly: parents locked first\n");
    } else {
        text_add(
            &explanation->said,
            "each batch: rows locked, what points at them collected under the locks, then settled deepest first\n");
    }
    struct loop loop = {.run = run,
                        .step = step,
                        .part = &family_part,
                        .job = f,
                        .error = error,
                        .pace = pace_new(&run_settings(run, step)->batch)};
    struct batch batch = {.loop = &loop, .arena = arena, .range = range, .explanation = explanation, .round = 1};
    batch.error = error_new(arena);
    closure_explain(&batch);
    error_promote(error, &batch.error);
    arena_free(arena);
}
