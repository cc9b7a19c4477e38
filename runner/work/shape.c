/* Reading and comparing shapes. */
#include "work/shape.h"

#include "base/text.h"
#include "database/bindings.h"
#include "database/lists.h"
#include "sql/work/shape.sql.h"
#include "work/session.h"

static const char *expand(struct arena *arena, const struct sql *sql, struct error *error) {
    struct bindings b = {0};
    bind(&b, "lines", sql_shape_lines.text);
    return sql_expand(arena, sql, b.items, error);
}

static const char *table_oids(struct arena *arena, const struct tree *tree) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < tree->node_count; i++) text_addf(&list, "%s%u", i ? "," : "{", tree->nodes[i]->table->oid);
    text_add(&list, "}");
    return list.data;
}

struct shape *shape_read(struct run *run, struct arena *arena, struct error *error) {
    const struct key *key = &run->table->key;
    struct shape *shape = arena_alloc(arena, sizeof *shape);
    *shape = (struct shape){.same = expand(arena, &sql_shape_same, error)};
    shape->values[0] = table_oids(arena, run->tree);
    shape->values[1] = list_column_texts(arena, key->columns, key->count);
    struct statement statement = {"reading the tables' shape", expand(arena, &sql_shape_read, error), shape->values, 2};
    struct rows *rows = ask(run->desk, arena, &statement, error);
    if (failed(error)) return NULL;
    shape->count = (size_t)rows_count(rows);
    shape->lines = arena_alloc(arena, (shape->count + 1) * sizeof *shape->lines);
    for (size_t i = 0; i < shape->count; i++) shape->lines[i] = rows_text(rows, (int)i, 0);
    shape->values[2] = shape->count ? rows_text(rows, 0, 1) : "";
    return shape;
}

static void add_missing(struct text *text, const char *what, const struct shape *from, const struct shape *in) {
    for (size_t i = 0; i < from->count; i++) {
        bool found = false;
        for (size_t j = 0; j < in->count && !found; j++) found = text_equal(from->lines[i], in->lines[j]);
        if (!found) text_addf(text, "%s%s %s", text->length ? "\n" : "", what, from->lines[i]);
    }
}

static void refuse(const struct run *run, const struct shape *now, struct error *error) {
    struct text changes = text_new(error->arena);
    add_missing(&changes, "gone:", run->shape, now);
    add_missing(&changes, "new: ", now, run->shape);
    fail(error, FAULT_REFUSED, "%s or a table below it was changed while the run was under way", run->table->shown);
    fail_detail(error, "%s", changes.length ? changes.data : "something was dropped and made again under its old name");
    fail_hint(error, "what was committed is saved and right; look at it with explain, then run again: it goes on where "
                     "that can be, or says why not");
}

void shape_refuse_changed(struct run *run, struct error *error) {
    if (failed(error) || !run->shape) return;
    struct arena *arena = arena_new(run->arena);
    struct session session = session_for(run, run->plan->step_count, arena);
    session.read_only = true;
    session_begin(run->desk, arena, &session, error);
    struct shape *now = failed(error) ? NULL : shape_read(run, arena, error);
    session_end(run->desk, arena, error);
    if (now && !text_equal(now->values[2], run->shape->values[2])) refuse(run, now, error);
    arena_free(arena);
}

bool shape_is_changed(const struct error *error) { return text_equal(error->sqlstate, "22P02"); }
