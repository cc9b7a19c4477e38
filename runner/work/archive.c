/* Archive tables and the pieces of SQL that fill them. Nothing here changes a row of the plan's tables. */
#include "work/archive.h"

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/archive.sql.h"
#include "state/private.h"
#include "work/family_job.h"

enum { OURS = 4 };
static const char *const our_names[OURS] = {"pgwinnow_seq", "pgwinnow_batch", "pgwinnow_order", "pgwinnow_action"};

bool archive_on(const struct run *run, size_t step) {
    return run->plan->archive.on && !run->plan->steps[step].archive_off;
}

/* --- names --- */

static const char *name_of(const struct run *run, struct arena *arena, const struct node *node) {
    return arena_printf(arena, "archive_%lld_%u", (long long)run->holder.run, node->table->oid);
}

static const char *table_of(const struct run *run, struct arena *arena, const struct node *node) {
    return sql_qualified(arena, run->state.schema, name_of(run, arena, node));
}

static const char *order_of(const struct run *run, struct arena *arena) {
    return sql_qualified(arena, run->state.schema, arena_printf(arena, "archive_%lld", (long long)run->holder.run));
}

static const char *our_name(struct arena *arena, const struct table *table, int which) {
    const char *name = our_names[which];
    while (table_column(table, name)) name = arena_printf(arena, "%s_", name);
    return name;
}

static void bind_ours(struct bindings *b, struct arena *arena, const struct table *table) {
    static const char *const placeholders[OURS] = {"seq", "batch", "order", "action"};
    for (int i = 0; i < OURS; i++) bind(b, placeholders[i], our_name(arena, table, i));
}

/* alias."a" AS pgwinnow_c1, ... */
static const char *columns_as(struct arena *arena, const struct table *table, const char *alias, const char *prefix) {
    return list_as_numbered(arena, alias, table->columns, table->column_count, prefix);
}

/* --- making the tables --- */

static void do_one(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                   const struct bindings *b, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error);
}

/* Written down before it is made, as everything is that must be dropped some day. */
static void note(struct run *run, struct arena *arena, const struct node *node, struct error *error) {
    const struct table *t = node->table;
    const char *ours[OURS];
    for (int i = 0; i < OURS; i++) ours[i] = our_name(arena, t, i);
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run),
                            arena_printf(arena, "%u", t->oid),
                            name_of(run, arena, node),
                            t->schema,
                            t->name,
                            list_column_texts(arena, t->key.columns, t->key.count),
                            list_texts(arena, ours, OURS),
                            arena_printf(arena, "%lld", (long long)run->plan->archive.keep)};
    state_ask(&run->state, arena, "noting an archive table", &sql_note_archive, values, 8, error);
}

static void add_missing(struct run *run, struct arena *arena, const struct node *node, struct error *error) {
    const struct table *t = node->table;
    const char *values[] = {table_of(run, arena, node), list_column_texts(arena, t->columns, t->column_count)};
    struct rows *rows =
        ask(run->desk, arena, &(struct statement){"looking at an archive table", sql_missing_columns.text, values, 2},
            error);
    for (int i = 0; rows && i < rows_count(rows) && !failed(error); i++) {
        struct bindings b = {0};
        bind(&b, "archive", table_of(run, arena, node));
        bind(&b, "definition", list_definitions(arena, "", table_column(t, rows_text(rows, i, 0)), 1));
        do_one(run, arena, "adding a column to an archive table", &sql_add_archive_column, &b, error);
    }
}

static void make_one(struct run *run, struct arena *arena, const struct node *node, struct error *error) {
    const struct table *t = node->table;
    struct bindings b = {0};
    bind(&b, "archive", table_of(run, arena, node));
    bind(&b, "definitions", list_definitions(arena, "", t->columns, t->column_count));
    bind(&b, "order_name", order_of(run, arena));
    bind_ours(&b, arena, t);
    note(run, arena, node, error);
    do_one(run, arena, arena_printf(arena, "making the archive of %s", t->shown), &sql_create_archive, &b, error);
    add_missing(run, arena, node, error);
}

static bool touched(const struct tree *tree, const struct node *node) {
    if (node->removed || node->moved_count) return true;
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        if (e->child == node && e->reached && e->policy != POLICY_STOP) return true;
    }
    return false;
}

void archive_make(struct run *run, size_t step, struct error *error) {
    if (!archive_on(run, step)) return;
    struct arena *arena = arena_new(run->arena);
    struct bindings b = {0};
    bind(&b, "order", order_of(run, arena));
    do_one(run, arena, "making the archive's sequence", &sql_create_archive_order, &b, error);
    for (size_t i = 0; i < run->tree->node_count && !failed(error); i++)
        if (touched(run->tree, run->tree->nodes[i])) make_one(run, arena, run->tree->nodes[i], error);
    private_keep(&run->state, arena, error);
    arena_free(arena);
}

/* --- fragments --- */

static bool keeps(const struct batch *batch) { return archive_on(batch->loop->run, batch->loop->step); }

/* Statements of a batch are counted on over its rounds. */
static const char *number(struct batch *batch) {
    return arena_printf(batch->arena, "%zu", (size_t)batch->round * 1000 + batch->sent_count);
}

static void bind_kept(struct bindings *b, struct batch *batch, const struct node *node, const char *source) {
    const struct table *t = node->table;
    bind(b, "kept", arena_printf(batch->arena, "%s_kept", source));
    bind(b, "source", source);
    bind(b, "archive", table_of(batch->loop->run, batch->arena, node));
    bind(b, "columns", list_columns(batch->arena, NULL, t->columns, t->column_count));
    bind(b, "number", number(batch));
    bind_ours(b, batch->arena, t);
}

const char *archive_removed(struct batch *batch, const struct node *node, const char *alias) {
    if (!keeps(batch)) return "";
    return arena_printf(batch->arena, ", %s", columns_as(batch->arena, node->table, alias, "pgwinnow_c"));
}

const char *archive_keep_removed(struct batch *batch, const struct node *node, const char *source) {
    if (!keeps(batch)) return "";
    struct bindings b = {0};
    bind_kept(&b, batch, node, source);
    bind(&b, "values", list_numbered(batch->arena, NULL, "pgwinnow_c", node->table->column_count));
    return sql_expand(batch->arena, &sql_keep_removed, b.items, &batch->error);
}

const char *archive_beside(struct batch *batch, const char *from) {
    return keeps(batch) ? arena_printf(batch->arena, ", %s AS o", from) : "";
}

const char *archive_same_row(struct batch *batch) {
    return keeps(batch) ? "AND o.tableoid = c.tableoid AND o.ctid = c.ctid" : "";
}

const char *archive_changed(struct batch *batch, const struct node *node) {
    if (!keeps(batch)) return "";
    struct bindings b = {0};
    bind(&b, "order_name", order_of(batch->loop->run, batch->arena));
    bind(&b, "old_columns", columns_as(batch->arena, node->table, "o", "pgwinnow_o"));
    bind(&b, "new_columns", columns_as(batch->arena, node->table, "c", "pgwinnow_n"));
    return sql_expand(batch->arena, &sql_changed_columns, b.items, &batch->error);
}

const char *archive_keep_changed(struct batch *batch, const struct node *node, const char *source, const char *action) {
    if (!keeps(batch)) return "";
    struct bindings b = {0};
    bind_kept(&b, batch, node, source);
    bind(&b, "old_values", list_numbered(batch->arena, NULL, "pgwinnow_o", node->table->column_count));
    bind(&b, "new_values", list_numbered(batch->arena, NULL, "pgwinnow_n", node->table->column_count));
    bind(&b, "does", action);
    return sql_expand(batch->arena, &sql_keep_changed, b.items, &batch->error);
}

/* --- after the changes --- */

void archive_check(struct batch *batch) {
    if (!keeps(batch)) return;
    const struct tree *tree = batch->loop->run->tree;
    struct text oids = text_new(batch->arena), counts = text_new(batch->arena);
    for (size_t i = 0; i < tree->node_count; i++) {
        if (!touched(tree, tree->nodes[i])) continue;
        text_addf(&oids, "%s%u", oids.length ? "," : "{", tree->nodes[i]->table->oid);
        text_addf(&counts, "%s%zu", counts.length ? "," : "{", tree->nodes[i]->table->column_count);
    }
    text_add(&oids, "}");
    text_add(&counts, "}");
    const char *values[] = {oids.data, counts.data};
    batch_queue(batch, "looking whether columns came", &sql_check_columns, &(struct bindings){0}, values, 2);
}

bool archive_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    if (sql != &sql_check_columns) return false;
    if (!rows_count(rows)) return true;
    fail(&batch->error, FAULT_FAILED, "columns of %s were added or dropped while the run was under way",
         rows_text(rows, 0, 0));
    fail_hint(&batch->error,
              "nothing of this batch was changed; `run` again goes on, with the columns as they are now");
    batch->error.final = true;
    return true;
}
