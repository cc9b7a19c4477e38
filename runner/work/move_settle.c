/*
 * The tables of moves, and the changes of a batch that moves: one statement over all tables. Rows that go leave before
 * others take their places (an index is checked row by row), foreign keys are checked at the end.
 */
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/move_settle.sql.h"
#include "work/archive.h"
#include "work/closure.h"
#include "work/family_text.h"
#include "work/move_job.h"
#include "work/tracking.h"

/* --- tables --- */

static void define(struct text *text, const char *prefix, size_t number, const struct column *c) {
    text_addf(text, ", %s%zu %s", prefix, number, c->type);
    if (c->collation) text_addf(text, " COLLATE %s", c->collation);
}

const char *move_stay_definitions(const struct family *f, struct arena *arena, const struct node *node) {
    struct text text = text_new(arena);
    if (!f->moves) return "";
    text_add(&text, ", rank bigint");
    for (size_t i = 0; i < node->identity_count; i++) define(&text, "s", i + 1, &node->identity[i]);
    return text.data;
}

static bool tracks_survivors(const struct family *f) { return f->moves && f->run->tracking->survivors; }

const char *move_stay_columns(const struct batch *batch) {
    const struct family *f = family_of(batch);
    if (!tracks_survivors(f)) return "";
    return arena_printf(batch->arena, ", rank, %s",
                        list_numbered(batch->arena, NULL, "s", f->tree->nodes[0]->identity_count));
}

const char *move_stay_values(const struct batch *batch) {
    const struct family *f = family_of(batch);
    if (!tracks_survivors(f)) return "";
    return arena_printf(batch->arena, ", pgwinnow_k.%s, %s",
                        f->run->tracking->grouped ? "pgwinnow_rank" : "pgwinnow_seq",
                        list_numbered(batch->arena, "pgwinnow_k", "pgwinnow_s", f->tree->nodes[0]->identity_count));
}

static const char *definitions(struct family *f, const struct node *node) {
    struct text text = text_new(f->arena);
    for (size_t i = 0; i < node->identity_count; i++) define(&text, "k", i + 1, &node->identity[i]);
    for (size_t i = 0; i < node->identity_count; i++) define(&text, "s", i + 1, &node->identity[i]);
    for (size_t i = 0; i < node->moved_count; i++) {
        const struct column *c = table_column(node->table, node->moved[i]);
        if (c) define(&text, "m", i + 1, c);
    }
    text_add(&text, move_groups(f->arena, node, ", g# bigint, h# boolean"));
    return text.data;
}

static void make(struct family *f, const struct node *node, const char *kind, const struct sql *sql,
                 struct error *error) {
    const struct run *run = f->run;
    const char *name = arena_printf(f->arena, "%s_%lld_%zu", kind, (long long)run->holder.run, node->index);
    runs_add_object(&run->state, f->arena, run->holder.run, "tracking", run->state.schema, name, error);
    struct bindings b = {0};
    bind(&b, kind, sql_qualified(f->arena, run->state.schema, name));
    bind(&b, "definitions", definitions(f, node));
    const char *text = sql_expand(f->arena, sql, b.items, error);
    ask(run->desk, f->arena, &(struct statement){.about = "making a move table", .text = text}, error);
}

void move_tables_make(struct family *f, struct error *error) {
    for (size_t i = 0; f->moves && i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (!node->moved_count) continue;
        make(f, node, "move", &sql_create_move, error);
        if (move_has_pairs(node)) make(f, node, "pairs", &sql_create_pairs, error);
    }
}

/* --- the statement --- */

struct settling {
    struct batch *batch;
    struct text links, counts;
};

static void add(struct settling *s, const char *link) {
    text_addf(&s->links, "%s%s", s->links.length ? ",\n" : "", link);
}

static void count(struct settling *s, const struct node *node, const char *link, bool moves, const char *expected) {
    struct batch *batch = s->batch;
    struct bindings b = {0};
    bind(&b, "node", arena_printf(batch->arena, "%zu", node->index));
    bind(&b, "link", link);
    bind(&b, "roots", moves ? "NULL" : "seq");
    bind(&b, "expected", expected);
    bind(&b, "moves", moves ? "true" : "false");
    text_addf(&s->counts, "%s%s", s->counts.length ? "\nUNION ALL\n" : "",
              sql_expand(batch->arena, &sql_count_link, b.items, &batch->error));
}

static const char *expected_moves(struct batch *batch, const struct node *node, const char *which) {
    struct bindings b = {0};
    bind(&b, "move", move_table(batch, node));
    bind(&b, "which", which);
    return sql_expand(batch->arena, &sql_expected_moves, b.items, &batch->error);
}

/* Rows without a name are in no family table. */
static const char *unnamed(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 1; i <= node->identity_count; i++) text_addf(&text, "%sm.k%zu IS NULL", i > 1 ? " OR " : "(", i);
    if (!node->identity_count) return "true";
    text_add(&text, ")");
    return text.data;
}

static bool drops_unnamed(const struct node *node) { return node->dropped && !move_named(node); }

static void add_dropped(struct settling *s, const struct node *node, const char *link) {
    struct batch *batch = s->batch;
    struct bindings b = {0};
    bind(&b, "link", link);
    bind(&b, "child", node->table->from);
    bind(&b, "move", move_table(batch, node));
    bind(&b, "unnamed", unnamed(batch, node));
    bind(&b, "returning", archive_removed(batch, node, "c"));
    bind(&b, "kept", archive_keep_removed(batch, node, link));
    add(s, sql_expand(batch->arena, &sql_drop_link, b.items, &batch->error));
    count(s, node, link, false,
          expected_moves(batch, node, arena_printf(batch->arena, "m.dropped AND %s", unnamed(batch, node))));
}

static const char *assignments(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < node->moved_count; i++)
        text_addf(&text, "%s%s = m.m%zu", i ? ", " : "", sql_identifier(batch->arena, node->moved[i]), i + 1);
    return text.data;
}

static void add_moved(struct settling *s, const struct node *node, const char *link, const char *after) {
    struct batch *batch = s->batch;
    struct bindings b = {0};
    bind(&b, "link", link);
    bind(&b, "child", node->table->from);
    bind(&b, "move", move_table(batch, node));
    bind(&b, "assignments", assignments(batch, node));
    bind(&b, "same_row", move_same_row(batch, node));
    bind(&b, "after", after);
    bind(&b, "beside", archive_beside(batch, node->table->from));
    bind(&b, "same_place", archive_same_row(batch));
    bind(&b, "returning", archive_changed(batch, node));
    bind(&b, "kept", archive_keep_changed(batch, node, link, "move"));
    add(s, sql_expand(batch->arena, &sql_move_link, b.items, &batch->error));
    count(s, node, link, true, expected_moves(batch, node, "NOT m.dropped"));
}

static void add_node(struct settling *s, const struct node *node) {
    struct batch *batch = s->batch;
    const struct walk *w = move_state(batch);
    struct text after = text_new(batch->arena);
    const char *gone = arena_printf(batch->arena, "d%zu", node->index),
               *dropped = arena_printf(batch->arena, "x%zu", node->index);
    text_add(&after, "0");
    if (w->going[node->index]) {
        add(s, closure_link(batch, node, gone));
        count(s, node, gone, false, closure_expected(batch, node));
        text_addf(&after, " + (SELECT pg_catalog.count(*) FROM %s)", gone);
    }
    if (!w->moving[node->index]) return;
    if (drops_unnamed(node)) {
        add_dropped(s, node, dropped);
        text_addf(&after, " + (SELECT pg_catalog.count(*) FROM %s)", dropped);
    }
    add_moved(s, node, arena_printf(batch->arena, "u%zu", node->index),
              arena_printf(batch->arena, "%s >= 0", after.data));
}

static void queue_versions(struct batch *batch) {
    const struct run *run = batch->loop->run;
    const struct tracking *t = run->tracking;
    const struct node *root = family_of(batch)->tree->nodes[0];
    if (!t->versions || !move_state(batch)->moving[0]) return;
    for (int side = 0; side < 2; side++) {
        const char **names = side ? t->survivors : t->columns;
        if (!names) continue;
        struct column *columns = arena_copy(batch->arena, t->named, root->identity_count * sizeof *columns);
        for (size_t i = 0; i < root->identity_count; i++) columns[i].name = names[i];
        struct bindings b = {0};
        bind(&b, "track", tracking_sql(run, batch->arena, family_of(batch)->round));
        bind(&b, "version", side ? "survivor_version" : "version");
        bind(&b, "move", move_table(batch, root));
        bind(&b, "tracked_is_moved", list_equal_numbered(batch->arena, "t", columns, root->identity_count, "m", "k"));
        batch_queue(batch, "noting rows of our own", &sql_note_versions, &b, NULL, 0);
    }
}

void move_settle(struct batch *batch) {
    struct family *f = family_of(batch);
    struct settling s = {batch, text_new(batch->arena), text_new(batch->arena)};
    for (size_t i = 0; i < f->tree->node_count; i++) add_node(&s, f->tree->nodes[i]);
    struct bindings b = {0};
    bind(&b, "links", s.links.data);
    bind(&b, "counts", s.counts.data);
    if (s.links.length) batch_queue(batch, "moving rows and removing others", &sql_settle_moves, &b, NULL, 0);
    queue_versions(batch);
}

static void hear_settled(struct batch *batch, const struct rows *rows) {
    for (int i = 0; i < rows_count(rows); i++) {
        const struct node *node = family_of(batch)->tree->nodes[rows_int(rows, i, 0)];
        int64_t done = rows_int(rows, i, 1), roots = rows_int(rows, i, 2), expected = rows_int(rows, i, 3);
        batch->counts.rows += roots;
        family_settled_node(batch, node, done - roots);
        if (done == expected) continue;
        fail(&batch->error, FAULT_FAILED, "only %lld of %lld rows of %s that were locked could be %s", (long long)done,
             (long long)expected, node->table->shown, rows_flag(rows, i, 4) ? "moved" : "removed");
        fail_hint(&batch->error, "a BEFORE trigger kept the others%s; nothing of this batch was changed",
                  closure_triggers(batch, node));
    }
}

bool move_settle_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    if (sql == &sql_settle_moves) hear_settled(batch, rows);
    return sql == &sql_settle_moves || sql == &sql_note_versions;
}
