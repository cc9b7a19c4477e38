/* Reads what statements need to know of types: how to write them and how to compare their values. */
#include "database/types.h"

#include "base/text.h"
#include "sql/database/types.sql.h"

static const char *array_of(struct arena *arena, const struct type_name *names, size_t count, bool modifiers) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, i ? "," : "{");
        if (modifiers)
            text_addf(&text, "%d", names[i].modifier);
        else
            text_addf(&text, "%u", names[i].oid);
    }
    text_add(&text, count ? "}" : "{}");
    return text.data;
}

struct type *types_read(struct slot *slot, struct arena *arena, const struct type_name *names, size_t count,
                        struct error *error) {
    const char *values[] = {array_of(arena, names, count, false), array_of(arena, names, count, true)};
    struct statement statement = {"reading types from the catalog", sql_read_types.text, values, 2};
    struct rows *rows = ask(slot, arena, &statement, error);
    if (!rows) return NULL;
    if ((size_t)rows_count(rows) != count) {
        fail(error, FAULT_FAILED, "a type was dropped while the catalog was read");
        fail_hint(error, "start again");
        return NULL;
    }
    struct type *types = arena_alloc(arena, count * sizeof *types);
    for (int i = 0; i < (int)count; i++)
        types[i] = (struct type){
            .oid = (unsigned)rows_int(rows, i, 0),
            .sql = rows_text(rows, i, 1),
            .not_null = rows_flag(rows, i, 2),
            .collatable = rows_flag(rows, i, 3),
            .pseudo = rows_flag(rows, i, 4),
            .equal = rows_text(rows, i, 5),
            .less = rows_text(rows, i, 6),
        };
    return types;
}
