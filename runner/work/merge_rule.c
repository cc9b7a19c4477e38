/*
 * Merging by a rule file: the box is asked about each group of the batch. It may think for seconds about each, so it is
 * asked for a while only before the next round trip: the heartbeat goes on between them.
 */
#include <jansson.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "script/box.h"
#include "sql/work/merge_rule.sql.h"
#include "work/family_text.h"
#include "work/merge_job.h"
#include "work/told.h"

enum { FIELD_RANK, FIELD_NAME, FIELD_COLUMNS, A_WHILE_MS = 500 };

void rule_queue_rows(struct batch *batch) {
    const struct run *run = batch->loop->run;
    const struct table *table = run->table;
    const struct merge *merge = merge_of(batch);
    struct text children = text_new(batch->arena);
    struct bindings b = {0};
    merge_bind_members(&b, batch);
    bind(&b, "columns", told_columns(batch->arena, sql_identifier(batch->arena, table->name), table, &batch->error));
    for (size_t i = 0; i < merge->child_count; i++) text_addf(&children, ", %s", merge->children[i]);
    bind(&b, "children", children.data);
    batch_queue(batch, arena_printf(batch->arena, "reading groups of %s", table->shown), &sql_merge_rows, &b, NULL, 0);
}

/* --- a group --- */

static bool names(struct batch *batch, const struct box_value *value) {
    const struct merge *merge = merge_of(batch);
    for (size_t i = 0; i < merge->count; i++)
        if (text_equal(merge->values[i].column->name, value->column)) return merging_of(batch)->named[i] = true;
    return false;
}

static void feed(struct batch *batch, const struct rows *rows, int row) {
    const struct merge *merge = merge_of(batch);
    size_t count = batch->loop->run->table->column_count + merge->child_count;
    const char **values = arena_alloc(batch->arena, (count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = rows_text(rows, row, FIELD_COLUMNS + (int)i);
    box_row(merge->box, values, &batch->error);
}

static json_t *survivor_key(struct batch *batch, const struct rows *rows, int row) {
    const struct table *table = batch->loop->run->table;
    json_t *key = json_array();
    for (size_t k = 0; k < table->key.count; k++)
        for (size_t i = 0; i < table->column_count; i++)
            if (table->columns[i].number == table->key.columns[k].number)
                json_array_append_new(key, json_string(rows_text(rows, row, FIELD_COLUMNS + (int)i)));
    return key;
}

static json_t *answer_of(struct batch *batch, const char *group) {
    struct box_values values = box_merge(merge_of(batch)->box, batch->arena, &batch->error);
    json_t *json = json_object();
    for (size_t i = 0; i < values.count && !failed(&batch->error); i++) {
        const struct box_value *value = &values.items[i];
        if (names(batch, value)) {
            json_object_set_new(json, value->column, value->text ? json_string(value->text) : json_null());
            continue;
        }
        fail(&batch->error, FAULT_HOOK, "%s: merge gave the column %s, which cannot be written, in the group %s",
             merge_of(batch)->file, value->column, group);
        fail_hint(&batch->error, "the columns of %s that can be are %s", batch->loop->run->table->shown,
                  merge_of(batch)->shown);
    }
    return json;
}

/* Feeds the group that begins at merging->next, and asks. */
static void ask_rule(struct batch *batch, json_t *all) {
    struct merging *m = merging_of(batch);
    int first = m->next;
    const char *group = rows_text(m->rows, first, FIELD_NAME);
    box_group(merge_of(batch)->box, group);
    do feed(batch, m->rows, m->next++);
    while (m->next < rows_count(m->rows) && rows_int(m->rows, m->next, FIELD_RANK) != 1 && !failed(&batch->error));
    if (failed(&batch->error)) return;
    json_t *values = answer_of(batch, group);
    if (json_object_size(values))
        json_array_append_new(all, json_pack("{s:o, s:o}", "k", survivor_key(batch, m->rows, first), "v", values));
    else
        json_decref(values);
}

/* --- what it says, on its way back --- */

static const char *keys(struct batch *batch, const char *alias) {
    const struct key *key = &batch->loop->run->table->key;
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < key->count; i++) {
        const struct column *c = &key->columns[i];
        const char *value = arena_printf(
            batch->arena, "(pgwinnow_j.g OPERATOR(pg_catalog.->) 'k' OPERATOR(pg_catalog.->>) %zu)::%s", i, c->type);
        if (alias)
            text_addf(&text, "%s%s.%s %s %s", i ? " AND " : "", alias, sql_identifier(batch->arena, c->name), c->equal,
                      value);
        else
            text_addf(&text, "%s%s", i ? ", " : "", value);
    }
    return text.data;
}

static const char *values(struct batch *batch) {
    const struct merge *merge = merge_of(batch);
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < merge->count; i++) {
        const struct column *c = merge->values[i].column;
        const char *name = sql_literal(batch->arena, c->name);
        text_addf(
            &text,
            "%sCASE WHEN pg_catalog.jsonb_exists(pgwinnow_j.g OPERATOR(pg_catalog.->) 'v', %s) THEN (pgwinnow_j.g "
            "OPERATOR(pg_catalog.->) 'v' OPERATOR(pg_catalog.->>) %s)::%s ELSE c.%s END",
            i ? ", " : "", name, name, c->type, sql_identifier(batch->arena, c->name));
    }
    return text.data;
}

static void queue_ruled(struct batch *batch, const json_t *all) {
    const struct run *run = batch->loop->run;
    const char *sent[] = {json_written(batch->arena, all, JSON_COMPACT)};
    struct bindings b = {0};
    bind(&b, "merge", merge_table(run, batch->arena));
    bind(&b, "from", run->table->from);
    bind(&b, "key_names", node_numbered(batch->arena, NULL, run->tree->nodes[0]));
    bind(&b, "value_names", merge_value_names(batch));
    bind(&b, "keys", keys(batch, NULL));
    bind(&b, "values", values(batch));
    bind(&b, "survivor", keys(batch, "c"));
    batch_queue(batch,
                arena_printf(batch->arena, "taking what %s says of %s", merge_of(batch)->file, run->table->shown),
                &sql_merge_ruled, &b, sent, 1);
}

bool rule_more(struct batch *batch) {
    struct merging *m = merging_of(batch);
    if (!m->rows || m->next >= rows_count(m->rows)) return false;
    if (!m->named) m->named = arena_alloc(batch->arena, merge_of(batch)->count + 1);
    json_t *all = json_array();
    int64_t until = clock_ms() + A_WHILE_MS;
    do ask_rule(batch, all);
    while (m->next < rows_count(m->rows) && clock_ms() < until && !failed(&batch->error));
    if (!failed(&batch->error)) queue_ruled(batch, all);
    json_decref(all);
    return !failed(&batch->error);
}

bool rule_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    if (sql == &sql_merge_rows)
        merging_of(batch)->rows = rows;
    else if (sql == &sql_merge_ruled)
        family_try(batch)->changing += rows_affected(rows);
    else
        return false;
    return true;
}

bool rule_failed(const struct batch *batch) { return batch->failed_sql == &sql_merge_ruled; }
