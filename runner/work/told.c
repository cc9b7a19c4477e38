/* Columns as rules see them. */
#include "work/told.h"

#include "base/text.h"
#include "database/sql.h"
#include "sql/work/told.sql.h"

enum { TIMESTAMPTZ = 1184 };

const char *told_columns(struct arena *arena, const char *alias, const struct table *table, struct error *error) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *c = &table->columns[i];
        const char *column = arena_printf(arena, "%s.%s", alias, sql_identifier(arena, c->name));
        struct binding bindings[] = {{"column", column}, {NULL, NULL}};
        if (c->type_oid == TIMESTAMPTZ) column = sql_expand(arena, &sql_told_moment, bindings, error);
        if (column) text_addf(&text, "%s%s", i ? ", " : "", column);
    }
    return text.data;
}
