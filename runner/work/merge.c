/* Merging inside a batch: groups whole or not at all, values computed under the locks, written last. */
#include "work/merge.h"

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/merge.sql.h"
#include "state/private.h"
#include "work/archive.h"
#include "work/family_text.h"
#include "work/merge_job.h"
#include "work/tracking.h"

struct merging *merging_of(struct batch *batch) {
    struct try *t = family_try(batch);
    if (!t->merging) t->merging = arena_alloc(batch->arena, sizeof *t->merging);
    return t->merging;
}

static const struct key *key_of(const struct run *run) { return &run->table->key; }

/* --- the table of values --- */

static const char *table_name(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "merge_%lld", (long long)run->holder.run);
}

const char *merge_table(const struct run *run, struct arena *arena) {
    return sql_qualified(arena, run->state.schema, table_name(run, arena));
}

static const char *definitions(struct arena *arena, const struct merge *merge) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < merge->count; i++) {
        const struct column *c = merge->values[i].column;
        text_addf(&text, "%s%s %s", i ? ", " : "", merge->values[i].name, c->type);
        if (c->collation) text_addf(&text, " COLLATE %s", c->collation);
    }
    return text.data;
}

static void change(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                   const struct bindings *b, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error);
}

void merge_make(struct run *run, struct arena *arena, const struct merge *merge, struct error *error) {
    struct bindings b = {0};
    runs_add_object(&run->state, arena, run->holder.run, "tracking", run->state.schema, table_name(run, arena), error);
    bind(&b, "merge", merge_table(run, arena));
    bind(&b, "keys", node_definitions(arena, run->tree->nodes[0]));
    bind(&b, "key_names", node_numbered(arena, NULL, run->tree->nodes[0]));
    bind(&b, "values", definitions(arena, merge));
    change(run, arena, "dropping a merge table", &sql_drop_merge, &b, error);
    change(run, arena, "making the merge table", &sql_create_merge, &b, error);
    private_keep(&run->state, arena, error);
}

/* --- the values --- */

const char *merge_row(struct arena *arena, const struct run *run) {
    return arena_printf(arena, "ROW(%s.*)::%s AS pgwinnow_row", sql_identifier(arena, run->table->name),
                        run->table->sql);
}

/* pgwinnow_track."survivor_id" AS pgwinnow_k1: a survivor is a row of its group too. */
static const char *survivor_as_row(struct batch *batch) {
    const struct run *run = batch->loop->run;
    struct text list = text_new(batch->arena);
    for (size_t i = 0; i < key_of(run)->count; i++)
        text_addf(&list, "%spgwinnow_track.%s AS pgwinnow_k%zu", i ? ", " : "",
                  sql_identifier(batch->arena, run->tracking->survivors[i]), i + 1);
    return list.data;
}

static const char *survivors(struct batch *batch) {
    struct text list = text_new(batch->arena);
    for (size_t i = 0; i < key_of(batch->loop->run)->count; i++)
        text_addf(&list, "%spgwinnow_s%zu", i ? ", " : "", i + 1);
    return list.data;
}

const char *merge_value_names(struct batch *batch) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < merge_of(batch)->count; i++)
        text_addf(&text, "%s%s", i ? ", " : "", merge_of(batch)->values[i].name);
    return text.data;
}

static const char *expressions(struct batch *batch) {
    struct text list = text_new(batch->arena);
    for (size_t i = 0; i < merge_of(batch)->count; i++)
        text_addf(&list, "%s%s", i ? ", " : "", merge_of(batch)->values[i].expression);
    return list.data;
}

/* 'id = ', quoted value, ', ', ...: the survivor's key, and what the rows of the group have in common. */
static const char *named_values(struct batch *batch) {
    const struct run *run = batch->loop->run;
    const struct tracking *t = run->tracking;
    const char *alias = sql_identifier(batch->arena, run->table->name);
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < key_of(run)->count; i++) {
        const char *name = key_of(run)->columns[i].name;
        family_add_named(&text, name, arena_printf(batch->arena, "%s.%s", alias, sql_identifier(batch->arena, name)));
    }
    for (size_t i = 0; t->duplicates && i < t->duplicates->count; i++)
        family_add_named(&text, t->duplicates->items[i].text, t->duplicates->items[i].text);
    return text.data;
}

void merge_bind_members(struct bindings *b, struct batch *batch) {
    struct family *f = family_of(batch);
    const char *alias = sql_identifier(batch->arena, f->run->table->name);
    struct bindings inner = {0};
    tracking_bind(&inner, f->run, batch->arena, f->round);
    bind(&inner, "family", family_table(f->run, batch->arena, f->tree->nodes[0]));
    bind(&inner, "survivor_as_row", survivor_as_row(batch));
    bind(b, "members", sql_expand(batch->arena, &sql_members, inner.items, &batch->error));
    bind(b, "alias", alias);
    bind(b, "from", f->run->table->from);
    bind(b, "row", merge_row(batch->arena, f->run));
    bind(b, "table_is_member",
         list_equal_numbered(batch->arena, alias, key_of(f->run)->columns, key_of(f->run)->count, "pgwinnow_m",
                             "pgwinnow_k"));
    bind(b, "survivors", survivors(batch));
    bind(b, "name", named_values(batch));
}

static const char *about(struct batch *batch) {
    return arena_printf(batch->arena, "merging %s of %s", merge_of(batch)->shown, batch->loop->run->table->shown);
}

static void queue_values(struct batch *batch) {
    struct family *f = family_of(batch);
    struct bindings b = {0};
    merge_bind_members(&b, batch);
    bind(&b, "merge", merge_table(f->run, batch->arena));
    bind(&b, "key_names", node_numbered(batch->arena, NULL, f->tree->nodes[0]));
    bind(&b, "value_names", merge_value_names(batch));
    bind(&b, "expressions", expressions(batch));
    batch_queue(batch, about(batch), &sql_merge_values, &b, NULL, 0);
}

/* --- the group that fails --- */

static void queue_name(struct batch *batch) {
    struct bindings b = {0};
    merge_bind_members(&b, batch);
    bind(&b, "name", named_values(batch));
    batch_queue(batch, "naming the group", &sql_name_group, &b, NULL, 0);
}

/* It is not the group's fault: no right, no room, a statement that this server does not take. */
static bool is_general(const struct error *error) {
    static const char *const classes[] = {"42", "53", "57", "58", "XX"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (text_starts(error->sqlstate, classes[i])) return true;
    return false;
}

bool merge_narrows(struct batch *batch) {
    bool rule = rule_failed(batch);
    if (!rule && batch->failed_sql != &sql_merge_values && batch->failed_sql != &sql_write_merged) return false;
    if (is_general(&batch->error)) return false;
    struct error *error = &batch->error;
    const char *group = batch->range.alone ? family_try(batch)->group : NULL;
    if (!group) return true;
    if (rule) error->fault = FAULT_HOOK;
    error->message = arena_printf(batch->arena, "%s, in the group %s", error->message, group);
    if (!error->hint)
        error->hint = arena_printf(batch->arena,
                                   "nothing of this group was changed; change the rule or the rows, or set hold in %s "
                                   "for its rows, and run again",
                                   tracking_sql(family_of(batch)->run, batch->arena, family_of(batch)->round));
    return true;
}

/* --- whole groups --- */

static void queue_leave_parts(struct batch *batch) {
    struct family *f = family_of(batch);
    const char *alias = sql_identifier(batch->arena, f->run->table->name);
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    struct bindings b = {0};
    tracking_bind(&b, f->run, batch->arena, f->round);
    tracking_bind_reasons(&b, f->run, batch->arena, f->round, family_unit(f->run, &batch->range),
                          family_last_pass(&batch->range), &batch->error);
    bind(&b, "family", family_table(f->run, batch->arena, f->tree->nodes[0]));
    bind(&b, "table_is_family", node_is(batch->arena, alias, f->tree->nodes[0], "pgwinnow_f"));
    batch_queue(batch, "leaving groups that others hold a row of", &sql_leave_parts, &b, values, 2);
}

static void queue_collecting(struct batch *batch) {
    const struct merge *merge = merge_of(batch);
    if (merge && batch->range.alone) queue_name(batch);
    if (merge && merge->box) rule_queue_rows(batch);
    if (merge && !merge->box) queue_values(batch);
}

bool merge_collect(struct batch *batch) {
    struct try *t = family_try(batch);
    if (t->collected) return rule_more(batch);
    t->collected = true;
    if (!t->taken) return false;
    if (t->taken < t->expected) queue_leave_parts(batch);
    queue_collecting(batch);
    return t->taken < t->expected || merge_of(batch);
}

/* --- writing --- */

/* What a rule file left alone in all groups is not even assigned: triggers on a column would fire. */
static bool is_written(struct batch *batch, size_t value) {
    const bool *named = merging_of(batch)->named;
    return !merge_of(batch)->box || (named && named[value]) || batch->explanation;
}

static const char *assignments(struct batch *batch) {
    const struct merge *merge = merge_of(batch);
    struct text list = text_new(batch->arena);
    for (size_t i = 0; i < merge->count; i++)
        if (is_written(batch, i))
            text_addf(&list, "%s%s = m.%s", list.length ? ", " : "",
                      sql_identifier(batch->arena, merge->values[i].column->name), merge->values[i].name);
    return list.data;
}

/* Compared as images: equal by a type's operator may still read differently (citext, numeric). The cast keeps two ROWs
 * from becoming a comparison column by column, for which there is no such operator. */
static const char *differs(struct batch *batch) {
    struct text now = text_new(batch->arena), then = text_new(batch->arena);
    for (size_t i = 0; i < merge_of(batch)->count; i++) {
        const struct merge_value *value = &merge_of(batch)->values[i];
        const char *comma = now.length ? ", " : "";
        if (!is_written(batch, i)) continue;
        text_addf(&now, "%sc.%s::%s", comma, sql_identifier(batch->arena, value->column->name), value->column->type);
        text_addf(&then, "%sm.%s", comma, value->name);
    }
    return arena_printf(batch->arena, "ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(%s)", now.data,
                        then.data);
}

void merge_write(struct batch *batch) {
    struct family *f = family_of(batch);
    const struct node *root = f->tree->nodes[0];
    struct bindings b = {0};
    if (!merge_of(batch) || !*assignments(batch)) return;
    bind(&b, "from", f->run->table->from);
    bind(&b, "merge", merge_table(f->run, batch->arena));
    bind(&b, "assignments", assignments(batch));
    bind(&b, "survivor", node_is(batch->arena, "c", root, "m"));
    bind(&b, "differs", differs(batch));
    bind(&b, "beside", archive_beside(batch, f->run->table->from));
    bind(&b, "same_row", archive_same_row(batch));
    bind(&b, "returning", archive_changed(batch, root));
    bind(&b, "kept", archive_keep_changed(batch, root, "pgwinnow_changed", "merge"));
    batch_queue(batch, about(batch), &sql_write_merged, &b, NULL, 0);
}

static void hear_written(struct batch *batch, const struct rows *rows) {
    int64_t written = rows_int(rows, 0, 0), differ = rows_int(rows, 0, 1);
    if (written == differ) return;
    fail(&batch->error, FAULT_FAILED, "only %lld of %lld survivors of %s could be given their merged values",
         (long long)written, (long long)differ, batch->loop->run->table->shown);
    fail_hint(&batch->error, "a BEFORE UPDATE trigger kept the others as they were; nothing of this batch was changed");
    batch->error.final = true;
}

bool merge_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    if (sql == &sql_leave_parts)
        t->taken = t->fresh[0] = t->taken - rows_affected(rows);
    else if (sql == &sql_name_group)
        t->group = arena_strdup(batch->arena, rows_text(rows, 0, 0));
    else if (sql == &sql_merge_values)
        t->changing += rows_affected(rows);
    else if (sql == &sql_write_merged)
        hear_written(batch, rows);
    else
        return rule_answer(batch, sql, rows);
    return true;
}

void merge_explain(struct batch *batch) {
    queue_leave_parts(batch);
    queue_collecting(batch);
}
