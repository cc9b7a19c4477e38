/* Pieces of SQL about one table of an undo. Names are quoted here and nowhere else. */
#include "base/text.h"
#include "database/bindings.h"
#include "database/lists.h"
#include "engine/undo_job.h"
#include "sql/engine/undo_text.sql.h"

static const char *quoted(struct arena *arena, const struct column *column) {
    return sql_identifier(arena, column->name);
}

struct bindings undo_bindings(const struct undo_job *job, const struct undo_table *t) {
    struct bindings b = {0};
    bind(&b, "archive", t->archive);
    bind(&b, "from", t->table->from);
    bind(&b, "table", t->table->sql);
    bind(&b, "plan", job->plan_table);
    bind(&b, "left", job->left_table);
    bind(&b, "seq", t->seq);
    bind(&b, "batch", t->batch);
    bind(&b, "order", t->order);
    bind(&b, "action", t->action);
    return b;
}

const char *undo_stays_out(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                           const char *alias, struct error *error) {
    struct bindings b = {0};
    bind(&b, "left", job->left_table);
    bind(&b, "table", arena_printf(arena, "%u", t->oid));
    bind(&b, "alias", alias);
    bind(&b, "seq", t->seq);
    return sql_expand(arena, &sql_stays_out, b.items, error);
}

const char *undo_these(const struct undo_job *job, struct arena *arena, const struct undo_table *t, const char *alias,
                       enum undo_view view, struct error *error) {
    const char *batch = sql_identifier(arena, t->batch), *order = sql_identifier(arena, t->order);
    if (view == VIEW_LATER) return arena_printf(arena, "%s.%s = $1::bigint AND $2::bigint IS NOT NULL", alias, batch);
    return arena_printf(arena, "%s.%s = $1::bigint AND %s.%s = $2::int AND %s", alias, batch, alias, order,
                        undo_stays_out(job, arena, t, alias, error));
}

const char *undo_same_key(struct arena *arena, const struct undo_table *t, const char *alias, const char *other) {
    return t->key_count ? list_equal(arena, alias, other, t->keys, t->key_count) : "false";
}

/* What is there goes by its base type, as in the archive: images of different types cannot be compared. */
static void add_value(struct text *text, const char *alias, const struct column *column, bool present) {
    text_addf(text, "%s.%s", alias, quoted(text->arena, column));
    if (present) text_addf(text, "::%s", column->type);
}

const char *undo_image(struct arena *arena, const struct undo_table *t, const char *alias, bool present) {
    struct text text = text_new(arena);
    text_add(&text, "ROW(");
    for (size_t i = 0; i < t->column_count; i++) {
        if (i) text_add(&text, ", ");
        add_value(&text, alias, t->columns[i], present);
    }
    text_add(&text, ")::text");
    return text.data;
}

/* "(id, part) = (7, 2)" */
const char *undo_shown(struct arena *arena, const struct undo_table *t, const char *alias) {
    struct text names = text_new(arena), values = text_new(arena);
    for (size_t i = 0; i < t->key_count; i++) {
        text_addf(&names, "%s%s", i ? ", " : "(", identifier_text(arena, t->keys[i].name));
        text_add(&values, i ? ", " : "");
        if (alias)
            add_value(&values, alias, &t->keys[i], false);
        else
            text_addf(&values, "pgwinnow_n.pgwinnow_k%zu", i + 1);
        text_add(&values, "::text");
    }
    if (t->key_count)
        return arena_printf(arena, "pg_catalog.concat(%s, pg_catalog.concat_ws(', ', %s), ')')",
                            sql_literal(arena, arena_printf(arena, "%s) = (", names.data)), values.data);
    if (alias) return arena_printf(arena, "pg_catalog.left(%s, 200)", undo_image(arena, t, alias, false));
    return arena_printf(arena, "pg_catalog.left(ROW(%s)::text, 200)",
                        list_numbered(arena, "pgwinnow_n", "pgwinnow_n", t->column_count));
}

/* By image, which every type has, and which tells -0 from 0. Without the cast to a record the parser would compare
 * column by column. */
const char *undo_unlike(struct arena *arena, const char *alias, const char *other, const char *column) {
    return arena_printf(arena, "ROW(%s.%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(%s.%s)::pg_catalog.record",
                        alias, column, other, column);
}

/* Which of the run's columns are not as it left them any more: a condition, and their names as SQL texts. */
const char *undo_differs(struct arena *arena, const struct undo_table *t, bool present, const char **changed) {
    struct text text = text_new(arena), names = text_new(arena);
    for (size_t i = 0; i < t->column_count; i++) {
        if (!t->changes[i]) continue;
        const struct column *c = t->columns[i];
        const char *name = quoted(arena, c);
        const char *now =
            present ? arena_printf(arena, "c.%s::%s", name, c->type) : arena_printf(arena, "w.pgwinnow_w%zu", i + 1);
        const char *one = arena_printf(arena,
                                       "(%s AND ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) "
                                       "ROW(a.%s)::pg_catalog.record)",
                                       undo_unlike(arena, "o", "a", name), now, name);
        text_addf(&text, "%s%s", text.length ? " OR " : "", one);
        text_addf(&names, "%sCASE WHEN %s THEN %s END", names.length ? ", " : "", one,
                  sql_literal(arena, identifier_text(arena, c->name)));
    }
    if (changed) *changed = names.length ? names.data : "NULL";
    return text.length ? text.data : "false";
}

const char *undo_number(const struct undo_table *t, const char *column, struct arena *arena) {
    for (size_t i = 0; i < t->column_count; i++)
        if (text_equal(t->columns[i]->name, column)) return arena_printf(arena, "pgwinnow_n.pgwinnow_n%zu", i + 1);
    return "NULL";
}
