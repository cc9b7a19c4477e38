/*
 * The thorough way. Rows that go are locked FOR UPDATE, so no child can come to them any more; then each edge is walked
 * by a new statement, which sees what came before the lock, and locks the children in their turn. Only when the whole
 * closure stands and fits the bounds is anything changed: foreign keys set to NULL, rows without a key, then tables
 * deepest first.
 */
#include "work/closure.h"
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/closure.sql.h"
#include "work/archive.h"
#include "work/family_job.h"
#include "work/family_text.h"
#include "work/merge.h"
#include "work/move.h"
#include "work/tracking.h"

struct try *family_try(struct batch *batch) {
    if (batch->own) return batch->own;
    const struct tree *tree = family_of(batch)->tree;
    struct try *t = batch->own = arena_alloc(batch->arena, sizeof *t);
    t->bound = family_bound(batch);
    t->fresh = arena_alloc(batch->arena, tree->node_count * sizeof *t->fresh);
    t->fresher = arena_alloc(batch->arena, tree->node_count * sizeof *t->fresher);
    t->found = arena_alloc(batch->arena, (tree->edge_count + 1) * sizeof *t->found);
    t->counted = arena_alloc(batch->arena, (tree->edge_count + 1) * sizeof *t->counted);
    t->asked = arena_alloc(batch->arena, (tree->node_count + tree->edge_count) * sizeof *t->asked);
    return t;
}

static void ask_for(struct try *t, size_t index) { t->asked[t->asked_count++] = index; }

/* --- taking the tracked rows --- */

/* What moves for a heavy group moves whether its rows were contested or not, and waits for them: it is listed once. */
static void bind_range(struct bindings *b, struct batch *batch, bool wait) {
    struct family *f = family_of(batch);
    bool apart = family_apart(&batch->range);
    const char *pending =
        apart ? "(outcome IS NULL OR outcome = 'contested')" : tracking_pending(family_last_pass(&batch->range));
    bind(b, "qualified",
         tracking_qualified(f->run, batch->arena, f->round, heavy_moves_roots(batch), pending, wait || apart,
                            &batch->error));
    bind(b, "skip_locked", wait || apart ? "" : "SKIP LOCKED");
}

void closure_lock_roots(struct batch *batch) {
    struct family *f = family_of(batch);
    const struct node *root = f->tree->nodes[0];
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    struct bindings b = {0};
    tracking_bind(&b, f->run, batch->arena, f->round);
    bind_range(&b, batch, family_last_pass(&batch->range));
    bind(&b, "family", family_table(f->run, batch->arena, root));
    bind(&b, "numbered", node_numbered(batch->arena, NULL, root));
    bind(&b, "stay_columns", move_stay_columns(batch));
    bind(&b, "stays", move_stay_values(batch));
    batch_queue(batch, arena_printf(batch->arena, "locking rows of %s", f->run->table->shown), &sql_lock_roots, &b,
                values, 2);
}

/* --- the closure, one level a round --- */

const char *closure_parents(struct batch *batch, const struct edge *edge, const char *which) {
    struct family *f = family_of(batch);
    if (edge->parent->index == 0 && family_apart(&batch->range))
        which = arena_printf(batch->arena, "%s AND f.seq IS NULL", which);
    struct bindings b = {0};
    bind(&b, "refs", edge_refs(batch->arena, edge, "p"));
    bind(&b, "family", family_table(f->run, batch->arena, edge->parent));
    bind(&b, "parent", edge->parent->table->from);
    bind(&b, "parent_is_family", node_is(batch->arena, "p", edge->parent, "f"));
    bind(&b, "which", which);
    bind(&b, "leaves", edge_leaves(batch->arena, edge, "p"));
    return sql_expand(batch->arena, &sql_family_parents, b.items, &batch->error);
}

/* Children that go themselves are no business of set-null and stop. */
const char *closure_not_in_family(struct batch *batch, const struct edge *edge) {
    struct family *f = family_of(batch);
    const struct node *child = edge->child;
    if (!(child->removed || (f->moves && child->dropped)) || !child->identity_count) return "true";
    return arena_printf(batch->arena,
                        "NOT EXISTS (SELECT FROM %s AS f WHERE f.batch = pg_catalog.pg_current_xact_id() AND %s)",
                        family_table(f->run, batch->arena, child), node_is(batch->arena, "c", child, "f"));
}

static void bind_edge(struct bindings *b, struct batch *batch, const struct edge *edge, const char *which) {
    bind(b, "parents", closure_parents(batch, edge, which));
    bind(b, "child", edge->child->table->from);
    bind(b, "points", edge_points(batch->arena, edge, "p", "c"));
}

/* What an edge settles itself: all but the rows that the closure has by key. */
static void bind_rest(struct bindings *b, struct batch *batch, const struct edge *edge) {
    bool deletes = edge->policy == POLICY_DELETE;
    bind_edge(b, batch, edge, "true");
    bind(b, "not_in_family", deletes ? edge_unnamed(batch->arena, edge, "c") : closure_not_in_family(batch, edge));
}

/* $1 is the round of the parents, when `which` asks for it; the children's is the one behind it. */
static void queue_close(struct batch *batch, const struct edge *edge, const char *which) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    const struct node *child = edge->child;
    /* The bound may have shrunk since the range was cut: then one row below is too many already. */
    int64_t left = t->bound > t->closed ? t->bound - t->closed : 0;
    const char *values[] = {batch_number(batch, t->round), batch_number(batch, left + 1)};
    struct bindings b = {0};
    bind_edge(&b, batch, edge, which);
    bind(&b, "not_in_family", closure_not_in_family(batch, edge));
    bind(&b, "child_family", family_table(f->run, batch->arena, child));
    bind(&b, "numbered", node_numbered(batch->arena, NULL, child));
    bind(&b, "child_keys", node_keys(batch->arena, "c", child));
    bind(&b, "named", node_named(batch->arena, "c", child));
    batch_queue(batch, arena_printf(batch->arena, "looking for rows of %s below", child->table->shown),
                &sql_close_family, &b, values, 2);
    ask_for(t, edge->index);
}

static const char of_last_round[] = "f.round = $1::int";

static bool close_round(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    t->asked_count = t->heard = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (f->settled[i] && goes_by_key(e) && t->fresh[e->parent->index]) queue_close(batch, e, of_last_round);
    }
    return t->asked_count > 0;
}

bool closure_close(struct batch *batch, size_t turn, bool inside) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    t->asked_count = t->heard = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (!f->settled[i] || !goes_by_key(e) || e->child->turn != turn || (e->parent->turn == turn) != inside)
            continue;
        if (inside ? t->fresh[e->parent->index] > 0 : move_going(batch, e->parent))
            queue_close(batch, e, inside ? of_last_round : "true");
    }
    return t->asked_count > 0;
}

void closure_start(struct batch *batch) {
    struct try *t = family_try(batch);
    t->stage = STAGE_CLOSE;
    t->round = 0;
    t->closed = family_apart(&batch->range) ? 0 : t->taken;
}

/* --- before anything is changed: does it fit, may it --- */

static bool checked_for_size(const struct family *f, const struct edge *e) {
    return f->settled[e->index] && goes_by_parent(e);
}

static bool must_be_empty(const struct family *f, const struct edge *e) {
    return e->reached && e->policy == POLICY_STOP && (f->what->roots_go || e->parent->index != 0);
}

/* Rows of the plan's own table can be reached as somebody's children. */
static bool leads_back(const struct family *f) {
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->settled[i] && f->tree->edges[i]->child->index == 0 && f->tree->edges[i]->policy == POLICY_DELETE)
            return true;
    return f->moves && f->tree->nodes[0]->dropped;
}

static void queue_protected(struct batch *batch) {
    struct family *f = family_of(batch);
    const struct tracking *t = f->run->tracking;
    const struct key *key = &f->run->table->key;
    struct column *survivors = arena_copy(batch->arena, t->named, key->count * sizeof *survivors);
    for (size_t i = 0; t->survivors && i < key->count; i++) survivors[i].name = t->survivors[i];
    struct bindings b = {0};
    bind(&b, "family", family_table(f->run, batch->arena, f->tree->nodes[0]));
    bind(&b, "track", tracking_sql(f->run, batch->arena, f->round));
    bind(&b, "tracked_is_family", list_equal_numbered(batch->arena, "t", t->named, key->count, "f", "k"));
    bind(&b, "survivor_is_family",
         t->survivors ? list_equal_numbered(batch->arena, "t", survivors, key->count, "f", "k") : "false");
    batch_queue(batch, "looking for survivors among what goes", &sql_find_protected, &b, NULL, 0);
}

static bool queue_checks(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    const char *values[] = {batch_number(batch, t->bound + 1)};
    size_t queued = 0;
    t->asked_count = t->heard = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        bool stop = must_be_empty(f, e);
        if (!stop && !checked_for_size(f, e)) continue;
        struct bindings b = {0};
        bind_rest(&b, batch, e);
        const char *about =
            arena_printf(batch->arena, "looking at rows of %s by %s", e->child->table->shown, e->constraint);
        batch_queue(batch, about, stop ? &sql_find_stopped : &sql_count_settled, &b, values, stop ? 0 : 1);
        if (stop) ask_for(t, i);
        queued++;
    }
    if (f->moves) queued += move_checks(batch);
    if (leads_back(f)) {
        queue_protected(batch);
        queued++;
    }
    return queued > 0;
}

/* --- the changes --- */

static void queue_versions(struct batch *batch, const struct edge *edge) {
    const struct run *run = batch->loop->run;
    const struct tracking *t = run->tracking;
    if (!t->versions || edge->child->index != 0) return;
    for (int side = 0; side < 2; side++) {
        const char **names = side ? t->survivors : t->columns;
        if (!names) continue;
        struct bindings b = {0};
        bind_rest(&b, batch, edge);
        bind(&b, "track", tracking_sql(run, batch->arena, family_of(batch)->round));
        bind(&b, "version", side ? "survivor_version" : "version");
        bind(&b, "tracked_is_child", tracking_named_equal(run, batch->arena, names, "t", "c"));
        batch_queue(batch, "noting rows of our own", &sql_note_nulls, &b, NULL, 0);
    }
}

static void queue_edge_change(struct batch *batch, const struct edge *edge) {
    struct try *t = family_try(batch);
    struct bindings b = {0};
    t->counted[t->counted_count++] = edge->index;
    bind_rest(&b, batch, edge);
    const char *shown = edge->child->table->shown;
    if (edge->policy == POLICY_SET_NULL) {
        queue_versions(batch, edge);
        bind(&b, "nulls", edge_nulls(batch->arena, edge));
        bind(&b, "returning", archive_changed(batch, edge->child));
        bind(&b, "beside", archive_beside(batch, edge->child->table->from));
        bind(&b, "same_row", archive_same_row(batch));
        bind(&b, "kept", archive_keep_changed(batch, edge->child, "pgwinnow_changed", "set-null"));
        batch_queue(batch, arena_printf(batch->arena, "setting %s of %s to NULL", edge->key, shown), &sql_set_null, &b,
                    NULL, 0);
    } else {
        bind(&b, "returning", archive_removed(batch, edge->child, "c"));
        bind(&b, "kept", archive_keep_removed(batch, edge->child, "pgwinnow_gone"));
        batch_queue(batch, arena_printf(batch->arena, "removing rows of %s", shown), &sql_delete_keyless, &b, NULL, 0);
    }
}

/* Tracked rows stay when only their children are settled. */
static const char *which_go(const struct batch *batch, const struct node *node) {
    bool stay = !family_of(batch)->what->roots_go || family_apart(&batch->range);
    return node->index == 0 && stay ? "f.seq IS NULL" : "true";
}

static void bind_node(struct bindings *b, struct batch *batch, const struct node *node, const char *link) {
    struct family *f = family_of(batch);
    bind(b, "returning", archive_removed(batch, node, "c"));
    bind(b, "kept", archive_keep_removed(batch, node, link));
    bind(b, "table", node->table->from);
    bind(b, "family", family_table(f->run, batch->arena, node));
    bind(b, "which", which_go(batch, node));
    bind(b, "child_is_family", node_is(batch->arena, "c", node, "f"));
}

const char *closure_link(struct batch *batch, const struct node *node, const char *link) {
    struct bindings b = {0};
    bind_node(&b, batch, node, link);
    bind(&b, "link", link);
    return sql_expand(batch->arena, &sql_circle_link, b.items, &batch->error);
}

const char *closure_expected(struct batch *batch, const struct node *node) {
    struct family *f = family_of(batch);
    struct bindings b = {0};
    bind(&b, "family", family_table(f->run, batch->arena, node));
    bind(&b, "which", which_go(batch, node));
    return sql_expand(batch->arena, &sql_expected_gone, b.items, &batch->error);
}

static void queue_node(struct batch *batch, const struct node *node) {
    struct bindings b = {0};
    bind_node(&b, batch, node, "pgwinnow_gone");
    ask_for(family_try(batch), node->index);
    batch_queue(batch, arena_printf(batch->arena, "removing rows of %s", node->table->shown), &sql_delete_family, &b,
                NULL, 0);
}

/* Whether a node takes part: in its sweep, and with rows in the closure. */
static bool goes(const struct family *f, const struct node *node, size_t sweep) {
    return node->sweep == sweep && node->removed && node->identity_count &&
           (node->index > 0 || f->what->roots_go || leads_back(f));
}

static void queue_circle(struct batch *batch, size_t sweep) {
    struct family *f = family_of(batch);
    struct text links = text_new(batch->arena), gone = text_new(batch->arena), roots = text_new(batch->arena),
                expected = text_new(batch->arena);
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (!goes(f, node, sweep)) continue;
        const char *comma = links.length ? ", " : "", *plus = links.length ? " + " : "",
                   *link = arena_printf(batch->arena, "d%zu", i);
        text_addf(&links, "%s%s", comma, closure_link(batch, node, link));
        text_addf(&gone, "%s(SELECT pg_catalog.count(*) FROM %s)", plus, link);
        text_addf(&roots, "%s(SELECT pg_catalog.count(seq) FROM %s)", plus, link);
        text_addf(&expected, "%s(%s)", plus, closure_expected(batch, node));
    }
    struct bindings b = {0};
    bind(&b, "links", links.data);
    bind(&b, "gone", gone.data);
    bind(&b, "roots", roots.data);
    bind(&b, "expected", expected.data);
    batch_queue(batch, "removing rows that refer to each other", &sql_delete_circle, &b, NULL, 0);
}

static void queue_sweep(struct batch *batch, size_t sweep) {
    struct family *f = family_of(batch);
    const struct node *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (goes(f, f->tree->nodes[i], sweep)) {
            only = f->tree->nodes[i];
            count++;
        }
    if (count == 1) queue_node(batch, only);
    if (count > 1) {
        ask_for(family_try(batch), only->index);
        queue_circle(batch, sweep);
    }
}

static void queue_changes(struct batch *batch) {
    struct family *f = family_of(batch);
    size_t sweeps = 0;
    struct try *t = family_try(batch);
    t->asked_count = t->heard = t->counted_count = t->counted_heard = 0;
    for (int keyless = 0; keyless < 2; keyless++)
        for (size_t i = 0; i < f->tree->edge_count; i++) {
            const struct edge *e = f->tree->edges[i];
            if (checked_for_size(f, e) && (e->policy == POLICY_DELETE) == keyless) queue_edge_change(batch, e);
        }
    if (f->moves) {
        move_settle(batch);
        merge_write(batch);
        archive_check(batch);
        return;
    }
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (f->tree->nodes[i]->sweep + 1 > sweeps) sweeps = f->tree->nodes[i]->sweep + 1;
    while (sweeps--) queue_sweep(batch, sweeps);
    merge_write(batch);
    archive_check(batch);
}

/* --- the stages --- */

/* Rows alone were cut to the size of a batch; a group was not. */
static bool too_large_group(struct batch *batch) {
    if (family_apart(&batch->range)) return true;
    const struct batch_settings *settings = &run_settings(batch->loop->run, batch->loop->step)->batch;
    return family_of(batch)->run->tracking->grouped && batch->range.part == PART_ROOT &&
           family_try(batch)->taken > settings->max;
}

bool closure_more(struct batch *batch) {
    struct try *t = family_try(batch);
    if (t->stage == STAGE_CLOSE) {
        if (t->closed > t->bound) batch->too_large = t->closed > t->taken || too_large_group(batch);
        if (batch->too_large) return false;
        if (t->taken && (family_of(batch)->moves ? move_walk(batch) : close_round(batch))) return true;
        if (batch->too_large) return false;
        t->stage = STAGE_CHECK;
        if (t->taken && queue_checks(batch)) return true;
    }
    if (t->stage == STAGE_CHECK) {
        if (t->closed + t->changing > t->bound && t->changing + t->closed > t->taken) batch->too_large = true;
        if (batch->too_large) return false;
        t->stage = STAGE_SETTLE;
        if (t->taken) {
            queue_changes(batch);
            return true;
        }
    }
    return false;
}

static void hear_close(struct batch *batch, const struct rows *rows) {
    struct try *t = family_try(batch);
    const struct edge *edge = family_of(batch)->tree->edges[t->asked[t->heard++]];
    int64_t found = rows_affected(rows);
    t->closed += found;
    t->fresher[edge->child->index] += found;
    family_found(batch, edge, found);
    if (family_of(batch)->moves) move_heard_close(batch, edge->child, found);
    if (t->heard < t->asked_count) return;
    t->round++;
    int64_t *old = t->fresh;
    t->fresh = t->fresher;
    t->fresher = old;
    for (size_t i = 0; i < family_of(batch)->tree->node_count; i++) t->fresher[i] = 0;
}

static void hear_stopped(struct batch *batch, const struct rows *rows) {
    struct try *t = family_try(batch);
    const struct edge *edge = family_of(batch)->tree->edges[t->asked[t->heard++]];
    if (rows_count(rows) == 0) return;
    fail(&batch->error, FAULT_REFUSED,
         "%s still has rows that point at rows of %s which would go (%s), and the plan says stop",
         edge->child->table->shown, edge->parent->table->shown, edge->constraint);
    fail_detail(&batch->error, "for example %s", rows_text(rows, 0, 0));
    fail_hint(&batch->error, "settle those rows, hold the tracked ones back, or give %s another policy", edge->key);
}

static bool in_circle(const struct family *f, const struct node *node) {
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct node *other = f->tree->nodes[i];
        if (other != node && other->removed && other->sweep == node->sweep) return true;
    }
    return false;
}

const char *closure_triggers(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < node->trigger_count; i++)
        text_addf(&text, "%s%s", i ? ", " : " (it has ", node->triggers[i]);
    if (node->trigger_count) text_add(&text, ")");
    return text.data;
}

/* Fewer gone than were locked: a trigger kept them. What points at them, or they at, must not be left half done. */
static void hear_deleted(struct batch *batch, const struct rows *rows) {
    int64_t gone = rows_int(rows, 0, 0), roots = rows_int(rows, 0, 1), expected = rows_int(rows, 0, 2);
    struct try *t = family_try(batch);
    const struct node *node = family_of(batch)->tree->nodes[t->asked[t->heard++]];
    batch->counts.rows += roots;
    family_settled_node(batch, node, gone - roots);
    if (gone == expected) return;
    fail(&batch->error, FAULT_FAILED, "only %lld of %lld rows of %s%s that were locked could be removed",
         (long long)gone, (long long)expected, node->table->shown,
         in_circle(family_of(batch), node) ? " and the tables in a circle with it" : "");
    fail_hint(&batch->error, "a BEFORE DELETE trigger kept the others%s; nothing of this batch was changed",
              closure_triggers(batch, node));
}

bool closure_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    if (sql == &sql_lock_roots) {
        t->taken = t->fresh[0] = rows_affected(rows);
        if (!family_of(batch)->what->roots_go && !family_apart(&batch->range)) batch->counts.rows = t->taken;
    } else if (sql == &sql_close_family) {
        hear_close(batch, rows);
    } else if (sql == &sql_count_settled) {
        t->changing += rows_int(rows, 0, 0);
    } else if (sql == &sql_find_stopped) {
        hear_stopped(batch, rows);
    } else if (sql == &sql_find_protected) {
        if (rows_count(rows)) t->is_protected = batch->too_large = true;
    } else if (sql == &sql_set_null || sql == &sql_delete_keyless) {
        family_settled(batch, family_of(batch)->tree->edges[t->counted[t->counted_heard++]], rows_int(rows, 0, 0));
    } else if (sql == &sql_delete_family || sql == &sql_delete_circle) {
        hear_deleted(batch, rows);
    } else {
        return move_answer(batch, sql, rows);
    }
    return true;
}

/* All statements of the thorough way in their order, each once. */
void closure_explain(struct batch *batch) {
    struct family *f = family_of(batch);
    struct try *t = family_try(batch);
    closure_lock_roots(batch);
    if (f->what->together) merge_explain(batch);
    for (size_t i = 0; i < f->tree->node_count; i++) t->fresh[i] = 1;
    if (f->moves)
        move_explain(batch);
    else
        close_round(batch);
    queue_checks(batch);
    queue_changes(batch);
}
