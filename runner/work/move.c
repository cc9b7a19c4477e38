/*
 * The walk: turn by turn down the tree, each turn in few trips. Rows that go by delete edges are closed first, so that
 * no row is given up in favour of one that goes itself; then what moves is collected, under its own locks, and
 * collisions are resolved on the images. In a circle that is done again for what was dropped, until nothing is.
 */
#include "work/move.h"

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/move.sql.h"
#include "work/closure.h"
#include "work/family_text.h"
#include "work/move_job.h"
#include "work/tracking.h"

enum { MOST_PASSES = 1000 };

/* Behind all that hold a place: more than there are rows in a batch. */
#define ARRIVES "1000000000000"

struct walk *move_state(struct batch *batch) {
    struct try *t = family_try(batch);
    const struct tree *tree = family_of(batch)->tree;
    if (t->walk) return t->walk;
    struct walk *w = t->walk = arena_alloc(batch->arena, sizeof *w);
    size_t size = (tree->node_count + 1) * sizeof(int64_t);
    w->going = arena_copy(batch->arena, t->fresh, tree->node_count * sizeof(int64_t));
    w->moving = arena_alloc(batch->arena, size);
    w->open = arena_alloc(batch->arena, size);
    w->entered = arena_alloc(batch->arena, size);
    w->marked = arena_alloc(batch->arena, size);
    w->forced = arena_alloc(batch->arena, tree->node_count + 1);
    return w;
}

void move_check(const struct run *run, struct problems *problems) {
    if (!run->tracking || run->tracking->survivors) return;
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if (!e->reached || e->policy != POLICY_MOVE || e->follows) continue;
        problem_add(problems, e->place, "track duplicates, or a query that gives survivors; or choose another policy",
                    "%s cannot be moved: no row stays in the place of those that the plan tracks", e->key);
    }
}

/* --- statements of a turn --- */

static void queue(struct batch *batch, const struct node *node, const char *about, const struct sql *sql,
                  const struct bindings *b, const char *const *values, int count) {
    struct walk *w = move_state(batch);
    w->asked = arena_grow(batch->arena, w->asked, &w->asked_count, sizeof *w->asked);
    w->asked[w->asked_count - 1] = (struct asked){.node = node->index};
    batch_queue(batch, arena_printf(batch->arena, "%s of %s", about, node->table->shown), sql, b, values, count);
}

static void queue_by(struct batch *batch, const struct edge *edge, const char *about, const struct sql *sql,
                     const struct bindings *b, const char *const *values, int count) {
    struct walk *w = move_state(batch);
    queue(batch, edge->child, about, sql, b, values, count);
    w->asked[w->asked_count - 1].edge = edge;
}

static bool brings(struct batch *batch, const struct edge *e) {
    const struct family *f = family_of(batch);
    const struct walk *w = move_state(batch);
    if (!e->child->moved_count || (w->again && e->parent->turn != w->turn)) return false;
    if (e->carried && w->moving[e->parent->index]) return true;
    bool kept = e->parent->index == 0 && family_apart(&batch->range); /* of them only what was dropped goes */
    return f->settled[e->index] && goes_with_moves(e) &&
           w->going[e->parent->index] > (kept ? family_try(batch)->taken : 0);
}

static void bind_collect(struct bindings *b, struct batch *batch, const struct edge *e) {
    const struct node *child = e->child;
    const char *keys =
        child->identity_count ? arena_printf(batch->arena, "%s, ", node_numbered(batch->arena, NULL, child)) : "";
    bind(b, "move", move_table(batch, child));
    bind(b, "columns",
         arena_printf(batch->arena, "%s%s", keys, list_numbered(batch->arena, NULL, "m", child->moved_count)));
    bool loses = move_to_null(batch, e);
    bind(b, "conflict", arena_printf(batch->arena, "%d", loses ? 0 : (int)e->on_conflict));
    bind(b, "arrives", loses ? "false" : "true");
    bind(b, "mapping", move_mapping(batch, e));
    bind(b, "child", child->table->from);
    bind(b, "points",
         arena_printf(batch->arena, "%s%s", edge_points(batch->arena, e, "p", "c"), move_not_going(batch, child, "c")));
    bind(b, "order", move_named(child) ? node_keys(batch->arena, "c", child) : "c.tableoid, c.ctid");
    move_bind_edge(b, batch, e);
    bind(b, "enter", sql_expand(batch->arena, &sql_enter_moves, b->items, &batch->error));
}

static int64_t room(struct batch *batch) {
    int64_t left = family_try(batch)->bound - family_try(batch)->closed;
    return left > 0 ? left : 0;
}

/* Every edge that is drained gets its share of the batch; less, when what went with it was too much. */
static int64_t drain_share(struct batch *batch) {
    const struct family *f = family_of(batch);
    int64_t edges = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) edges += heavy_moves_drained(f, f->tree->edges[i]);
    int64_t share = (family_bound(batch) / edges) >> (batch->range.large - 1); /* the row itself was too large once */
    return share > 0 ? share : 1;
}

bool move_less(struct batch *batch) {
    if (drain_share(batch) == 1) return false;
    batch->range.large++;
    return true;
}

static void queue_collect(struct batch *batch, const struct edge *e) {
    const char *values[] = {batch_number(batch, room(batch) + 1)};
    struct bindings b = {0};
    bind_collect(&b, batch, e);
    bind(&b, "not_in_family", closure_not_in_family(batch, e));
    queue_by(batch, e, arena_printf(batch->arena, "collecting rows by %s", e->constraint), &sql_collect_moves, &b,
             values, 1);
}

static void queue_nulls(struct batch *batch, const struct edge *e) {
    if (!family_of(batch)->settled[e->index]) return;
    move_state(batch)->to_null = true;
    queue_collect(batch, e);
    move_state(batch)->to_null = false;
}

/* The tracked rows of a heavy group are in the family table only to tell where a piece goes. */
static void queue_piece(struct batch *batch, const struct edge *e) {
    struct family *f = family_of(batch);
    bool drain = batch->range.mode == MODE_DRAIN_MOVES;
    const char *about = arena_printf(batch->arena, "collecting a piece by %s", e->constraint);
    const char *values[] = {batch_number(batch, drain ? drain_share(batch) : room(batch) + 1),
                            batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    struct bindings b = {0};
    move_state(batch)->piece = true;
    bind_collect(&b, batch, e);
    move_state(batch)->piece = false;
    if (drain) {
        bool named = e->child->identity_count > 0;
        bind(&b, "not_in_family",
             named ? arena_printf(batch->arena, "NOT (%s)", node_named(batch->arena, "c", e->child)) : "true");
        queue_by(batch, e, about, &sql_collect_moves, &b, values, 1);
        return;
    }
    bind(&b, "moves", heavy_moves_table(f, batch->arena, e));
    bind(&b, "child_is_listed", node_is(batch->arena, "c", e->child, "l"));
    bind(&b, "not_in_family", closure_not_in_family(batch, e));
    queue_by(batch, e, about, &sql_collect_listed, &b, values, 3);
}

/* Of a heavy group: this edge's rows are what the batch is about. */
static bool is_piece(struct batch *batch, const struct edge *e) {
    if (!family_apart(&batch->range) || move_state(batch)->again) return false;
    return heavy_moves_edge(batch) ? heavy_moves_edge(batch) == e : heavy_moves_drained(family_of(batch), e);
}

static void bind_stays(struct bindings *b, struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 1; i <= node->identity_count; i++) text_addf(&text, ", s%zu = x.pgwinnow_s%zu", i, i);
    bind(b, "stays", text.data);
}

static void queue_others(struct batch *batch, const struct node *node) {
    struct bindings b = {0};
    bind(&b, "move", move_table(batch, node));
    bind(&b, "values", move_values(batch, node));
    bind(&b, "others", move_others(batch, node));
    bind_stays(&b, batch, node);
    queue(batch, node, "looking for rows in the way of those", &sql_drop_for_others, &b, NULL, 0);
}

static void queue_numbers(struct batch *batch, const struct node *node) {
    struct bindings b = {0};
    bind(&b, "move", move_table(batch, node));
    bind(&b, "values", move_values(batch, node));
    bind(&b, "order", move_order(batch, node, false));
    bind(&b, "groups", move_groups(batch->arena, node, ", g# = x.g#, h# = x.h#"));
    bind(&b, "ranks", move_ranks(batch, node));
    bind(&b, "has", move_groups(batch->arena, node, ", pgwinnow_h# AS h#"));
    queue(batch, node, "comparing moved rows", &sql_number_moves, &b, NULL, 0);
}

static const char *pass_of(struct batch *batch) { return batch_number(batch, move_state(batch)->pass); }

static void queue_pairs(struct batch *batch, const struct node *node) {
    const char *values[] = {pass_of(batch)};
    for (size_t r = 0; r < node->unique_count; r++) {
        if (!node->uniques[r].involved || !node->uniques[r].exclusion) continue;
        struct bindings b = {0};
        move_bind_pair(&b, batch, node, &node->uniques[r]);
        queue(batch, node, "comparing moved rows", &sql_pair_moves, &b, values, 1);
    }
}

static void queue_decision(struct batch *batch, const struct node *node) {
    const char *values[] = {pass_of(batch)};
    int count = move_has_pairs(node);
    struct bindings b = {0};
    bind(&b, "move", move_table(batch, node));
    bind(&b, "bests",
         move_groups(batch->arena, node,
                     ", g#, h#, pg_catalog.min(CASE WHEN h# THEN pref ELSE pref + " ARRIVES
                     " END) OVER (PARTITION BY g#) AS b#"));
    bind(&b, "best",
         arena_printf(batch->arena, "true%s",
                      move_groups(batch->arena, node,
                                  " AND (x.g# IS NULL OR x.b# = CASE WHEN x.h# THEN x.pref ELSE x.pref + " ARRIVES
                                  " END)")));
    bind(&b, "forced", move_state(batch)->forced[node->index] ? "true" : "false");
    bind(&b, "unpaired", move_unpaired(batch, node));
    queue(batch, node, "looking which moved rows stay", &sql_mark_sure, &b, values, count);
    bind(&b, "groups", move_groups(batch->arena, node, ", g#"));
    bind(&b, "winners", move_winners(batch, node));
    queue(batch, node, "looking which moved rows collide", &sql_drop_for_sure, &b, values, count);
}

static bool may_stop(const struct family *f, const struct node *node) {
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->tree->edges[i]->child == node && f->tree->edges[i]->on_conflict == CONFLICT_STOP) return true;
    return false;
}

/* w."k1" where a moved row stays, m."s1" where another one does. */
static const char *winner_key(struct batch *batch, size_t number) {
    return arena_printf(batch->arena, "CASE WHEN m.winner IS NULL THEN m.s%zu ELSE w.k%zu END", number, number);
}

static const char *winner_keys(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 1; i <= node->identity_count; i++)
        text_addf(&text, "%s%s", i > 1 ? ", " : "", winner_key(batch, i));
    return text.data;
}

static void queue_conflict(struct batch *batch, const struct node *node) {
    struct bindings b = {0};
    struct text loser = text_new(batch->arena), winner = text_new(batch->arena);
    for (size_t i = 0; i < node->identity_count; i++) {
        family_add_named(&loser, node->identity[i].name, arena_printf(batch->arena, "m.k%zu", i + 1));
        family_add_named(&winner, node->identity[i].name, winner_key(batch, i + 1));
    }
    bind(&b, "move", move_table(batch, node));
    bind(&b, "child", node->table->from);
    bind(&b, "same_row", move_same_row(batch, node));
    bind(&b, "loser", node->identity_count ? loser.data : "NULL");
    bind(&b, "winner", node->identity_count ? winner.data : "NULL");
    bind(&b, "targets", move_targets(batch, node));
    queue(batch, node, "looking at collisions", &sql_find_conflict, &b, NULL, 0);
}

static void queue_entering(struct batch *batch, const struct node *node) {
    struct family *f = family_of(batch);
    const char *values[] = {batch_number(batch, family_try(batch)->round + 1)};
    struct bindings b = {0};
    bind(&b, "move", move_table(batch, node));
    bind(&b, "winner", winner_keys(batch, node));
    if (may_stop(f, node)) queue_conflict(batch, node);
    if (!move_enters(node)) return;
    struct text named = text_new(batch->arena);
    for (size_t i = 1; i <= node->identity_count; i++)
        text_addf(&named, "%sm.k%zu IS NOT NULL", i > 1 ? " AND " : "", i);
    bind(&b, "family", family_table(f->run, batch->arena, node));
    bind(&b, "numbered", node_numbered(batch->arena, NULL, node));
    bind(&b, "stay_numbered", list_numbered(batch->arena, NULL, "s", node->identity_count));
    bind(&b, "keys", node_numbered(batch->arena, "m", node));
    bind(&b, "stays", winner_keys(batch, node));
    bind(&b, "named", named.data);
    queue(batch, node, "noting dropped rows", &sql_enter_dropped, &b, values, 1);
}

static void queue_resolving(struct batch *batch, const struct node *node) {
    queue_others(batch, node);
    queue_numbers(batch, node);
    queue_pairs(batch, node);
    queue_decision(batch, node);
    queue_entering(batch, node);
}

/* What was dropped by an earlier pass goes now, perhaps with what else was to move. */
static void queue_again(struct batch *batch, const struct node *node) {
    struct family *f = family_of(batch);
    struct bindings b = {0};
    if (!move_enters(node)) return;
    struct text same = text_new(batch->arena), stays = text_new(batch->arena), dropped = text_new(batch->arena);
    for (size_t i = 0; i < node->identity_count; i++) {
        const char *equal = node->identity[i].equal;
        text_addf(&same, "%sm.k%zu %s f.k%zu", i ? " AND " : "", i + 1, equal, i + 1);
        text_addf(&stays, "%ss%zu = d.s%zu", i ? ", " : "", i + 1, i + 1);
        text_addf(&dropped, "%sf.s%zu %s d.k%zu", i ? " AND " : "", i + 1, equal, i + 1);
    }
    bind(&b, "family", family_table(f->run, batch->arena, node));
    bind(&b, "move", move_table(batch, node));
    bind(&b, "same", same.data);
    bind(&b, "stays", stays.data);
    bind(&b, "stays_is_dropped", dropped.data);
    queue(batch, node, "taking back moves", &sql_evict_moves, &b, NULL, 0);
    queue(batch, node, "following dropped rows", &sql_follow_stays, &b, NULL, 0);
}

size_t move_checks(struct batch *batch) {
    struct family *f = family_of(batch);
    size_t queued = 0;
    move_state(batch)->asked_count = move_state(batch)->heard = 0;
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (!node->turns || !node->removed || !move_enters(node) || !move_state(batch)->moving[i]) continue;
        struct column *stays = arena_copy(batch->arena, node->identity, node->identity_count * sizeof *stays);
        for (size_t c = 0; c < node->identity_count; c++) stays[c].name = arena_printf(batch->arena, "s%zu", c + 1);
        struct bindings b = {0};
        bind(&b, "family", family_table(f->run, batch->arena, node));
        bind(&b, "stays_is_going", list_equal_numbered(batch->arena, "f", stays, node->identity_count, "g", "k"));
        queue(batch, node, "looking whether rows stay", &sql_find_unstable, &b, NULL, 0);
        queued++;
    }
    return queued;
}

/* --- the steps of a turn --- */

static void begin(struct batch *batch) {
    struct walk *w = move_state(batch);
    w->asked_count = w->heard = 0;
}

static bool collect_turn(struct batch *batch) {
    struct family *f = family_of(batch);
    struct walk *w = move_state(batch);
    begin(batch);
    w->pass++;
    for (size_t i = 0; w->again && i < f->tree->node_count; i++)
        if (f->tree->nodes[i]->turn == w->turn && f->tree->nodes[i]->moved_count) queue_again(batch, f->tree->nodes[i]);
    bool any = false;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->child->turn != w->turn) continue;
        bool piece = is_piece(batch, e), more = brings(batch, e);
        if (piece) queue_piece(batch, e);
        if (more) queue_collect(batch, e);
        if (more && e->carried && e->policy == POLICY_SET_NULL) queue_nulls(batch, e);
        any = any || piece || more;
    }
    for (size_t i = 0; any && i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (node->turn == w->turn && node->moved_count && move_has_rules(node)) queue_resolving(batch, node);
    }
    return w->asked_count > 0;
}

static bool decide_turn(struct batch *batch) {
    struct family *f = family_of(batch);
    struct walk *w = move_state(batch);
    begin(batch);
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (node->turn != w->turn || !w->open[i]) continue;
        queue_decision(batch, node);
        queue_entering(batch, node);
    }
    return w->asked_count > 0;
}

/* Dropped rows are rows that go, found in a round of their own. */
static bool count_entered(struct batch *batch) {
    struct try *t = family_try(batch);
    struct walk *w = move_state(batch);
    bool any = false;
    for (size_t i = 0; i < family_of(batch)->tree->node_count; i++) {
        t->fresh[i] = w->entered[i];
        w->going[i] += w->entered[i];
        any = any || w->entered[i];
        w->entered[i] = 0;
    }
    t->round++;
    return any;
}

static bool turns(const struct family *f, size_t turn) {
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->tree->nodes[i]->turn == turn && f->tree->nodes[i]->turns) return true;
    return false;
}

static void next_turn(struct batch *batch) {
    struct walk *w = move_state(batch);
    w->turn++;
    w->again = false;
    w->step = WALK_CLOSE;
}

/* After a pass: what it dropped may have dropped more, in a circle; whose key it changed may take more along. */
static void end_pass(struct batch *batch) {
    struct walk *w = move_state(batch);
    bool entered = count_entered(batch), grew = w->grew;
    w->grew = false;
    if (!(entered || grew) || !turns(family_of(batch), w->turn)) {
        next_turn(batch);
        return;
    }
    w->again = true;
    w->step = WALK_INNER;
    if (w->pass > MOST_PASSES) batch->too_large = true;
}

/* One step on; true: it queued something. */
static bool step(struct batch *batch) {
    struct walk *w = move_state(batch);
    switch (w->step) {
    case WALK_CLOSE:
        w->step = turns(family_of(batch), w->turn) ? WALK_INNER : WALK_COLLECT;
        return closure_close(batch, w->turn, false);
    case WALK_INNER:
        if (closure_close(batch, w->turn, true)) return true;
        w->step = WALK_COLLECT;
        return false;
    case WALK_COLLECT:
        if (!collect_turn(batch)) {
            next_turn(batch);
            return false;
        }
        w->step = WALK_DECIDE;
        return true;
    case WALK_DECIDE:
        if (decide_turn(batch)) return true;
        end_pass(batch);
        return false;
    }
    return false;
}

bool move_walk(struct batch *batch) {
    const struct tree *tree = family_of(batch)->tree;
    struct walk *w = move_state(batch);
    while (w->turn < tree->node_count && !batch->too_large && !failed(&batch->error))
        if (step(batch)) return true;
    return false;
}

void move_explain(struct batch *batch) {
    const struct tree *tree = family_of(batch)->tree;
    struct walk *w = move_state(batch);
    for (size_t i = 0; i < tree->node_count; i++) w->going[i] = w->moving[i] = 1;
    for (w->turn = 0; w->turn < tree->node_count; w->turn++) {
        closure_close(batch, w->turn, false);
        if (turns(family_of(batch), w->turn)) closure_close(batch, w->turn, true);
        collect_turn(batch);
    }
}

/* --- answers --- */

bool move_going(struct batch *batch, const struct node *node) { return move_state(batch)->going[node->index] > 0; }

void move_heard_close(struct batch *batch, const struct node *child, int64_t found) {
    move_state(batch)->going[child->index] += found;
}

static void refuse(struct batch *batch, const struct node *node, const struct rows *rows) {
    if (!rows_count(rows)) return;
    const struct rule *rule = &node->uniques[rows_int(rows, 0, 0)];
    fail(&batch->error, FAULT_REFUSED, "moved rows of %s would collide by %s, and the plan says stop",
         node->table->shown, rule->name);
    const char *loser = rows_text(rows, 0, 1), *target = rows_text(rows, 0, 3);
    if (*loser)
        fail_detail(&batch->error, "the row with %s would collide with the one with %s when it points at %s", loser,
                    rows_text(rows, 0, 2), target);
    else
        fail_detail(&batch->error, "a row would collide with another when it points at %s", target);
    fail_hint(&batch->error,
              "nothing of this batch was changed; settle those rows, hold the tracked ones back, or choose another "
              "on_conflict");
}

static void refuse_lost(struct batch *batch, const struct node *node) {
    fail(&batch->error, FAULT_REFUSED,
         "rows of %s cannot be moved: the row that stays has NULL in the columns they refer to", node->table->shown);
    fail_hint(&batch->error,
              "nothing of this batch was changed; give the rows that stay a value there, or choose another "
              "policy");
}

bool move_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    struct walk *w = t->walk;
    if (!w) return false;
    if (move_settle_answer(batch, sql, rows)) return true;
    bool collects = sql == &sql_collect_moves || sql == &sql_collect_listed;
    bool ours = collects || sql == &sql_drop_for_others || sql == &sql_number_moves || sql == &sql_pair_moves ||
                sql == &sql_mark_sure || sql == &sql_drop_for_sure || sql == &sql_find_conflict ||
                sql == &sql_enter_dropped || sql == &sql_evict_moves || sql == &sql_follow_stays ||
                sql == &sql_find_unstable;
    if (!ours) return false;
    struct asked asked = w->asked[w->heard++];
    size_t node = asked.node;
    if (collects) {
        if (rows_int(rows, 0, 2)) refuse_lost(batch, family_of(batch)->tree->nodes[node]);
        if (batch->range.mode == MODE_DRAIN_MOVES && rows_int(rows, 0, 0) >= drain_share(batch)) t->full = true;
        t->closed += rows_int(rows, 0, 0);
        family_found(batch, asked.edge, rows_int(rows, 0, 0));
        w->moving[node] += rows_int(rows, 0, 0);
        w->grew = w->grew || rows_int(rows, 0, 1) > 0;
    }
    if (sql == &sql_mark_sure) w->marked[node] = rows_affected(rows);
    if (sql == &sql_drop_for_sure) {
        w->open[node] = rows_int(rows, 0, 1);
        w->forced[node] = w->open[node] && !w->marked[node] && !rows_int(rows, 0, 0);
    }
    if (sql == &sql_enter_dropped) w->entered[node] += rows_affected(rows);
    if (sql == &sql_find_unstable && rows_count(rows)) t->is_protected = batch->too_large = true;
    if (sql == &sql_find_conflict) refuse(batch, family_of(batch)->tree->nodes[node], rows);
    return true;
}
