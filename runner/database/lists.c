/* Joins names, operators and types into the lists that statements of .sql files take verbatim. */
#include "database/lists.h"

#include "base/text.h"
#include "database/sql.h"

static void add_name(struct text *text, const char *alias, const char *name) {
    if (alias) text_addf(text, "%s.", alias);
    text_add(text, sql_identifier(text->arena, name));
}

/* prefix and number: "k1" */
static void add_numbered(struct text *text, const char *alias, const char *prefix, size_t number) {
    add_name(text, alias, arena_printf(text->arena, "%s%zu", prefix, number));
}

/* A key of a custom operator class has no default one; such types compare by the `=` of the server or not at all. */
static const char *equal_of(const struct column *column) {
    return column->equal ? column->equal : "OPERATOR(pg_catalog.=)";
}

const char *list_columns(struct arena *arena, const char *alias, const struct column *columns, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, ", ");
        add_name(&text, alias, columns[i].name);
    }
    return text.data;
}

const char *list_definitions(struct arena *arena, const char *prefix, const struct column *columns, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, ", ");
        add_name(&text, NULL, arena_printf(arena, "%s%s", prefix, columns[i].name));
        text_addf(&text, " %s", columns[i].type);
        if (columns[i].collation) text_addf(&text, " COLLATE %s", columns[i].collation);
    }
    return text.data;
}

const char *list_numbered(struct arena *arena, const char *alias, const char *prefix, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, ", ");
        add_numbered(&text, alias, prefix, i + 1);
    }
    return text.data;
}

const char *list_as_numbered(struct arena *arena, const char *alias, const struct column *columns, size_t count,
                             const char *prefix) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, ", ");
        add_name(&text, alias, columns[i].name);
        text_add(&text, " AS ");
        add_numbered(&text, NULL, prefix, i + 1);
    }
    return text.data;
}

const char *list_equal_numbered(struct arena *arena, const char *alias, const struct column *columns, size_t count,
                                const char *other, const char *prefix) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, " AND ");
        add_name(&text, alias, columns[i].name);
        text_addf(&text, " %s ", equal_of(&columns[i]));
        add_numbered(&text, other, prefix, i + 1);
    }
    return text.data;
}

const char *list_equal(struct arena *arena, const char *alias, const char *other, const struct column *columns,
                       size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, " AND ");
        add_name(&text, alias, columns[i].name);
        text_addf(&text, " %s ", equal_of(&columns[i]));
        add_name(&text, other, columns[i].name);
    }
    return text.data;
}

const char *list_names(struct arena *arena, const char *alias, const char *const *names, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) {
        if (i) text_add(&text, ", ");
        add_name(&text, alias, names[i]);
    }
    return text.data;
}

const char *list_oids(struct arena *arena, const unsigned *oids, size_t count) {
    struct text text = text_new(arena);
    text_add(&text, "{");
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%u", i ? "," : "", oids[i]);
    text_add(&text, "}");
    return text.data;
}

const char *list_texts(struct arena *arena, const char *const *names, size_t count) {
    struct text text = text_new(arena);
    text_add(&text, "{");
    for (size_t i = 0; i < count; i++) {
        text_add(&text, i ? ",\"" : "\"");
        for (const char *c = names[i]; *c; c++) {
            if (*c == '"' || *c == '\\') text_add(&text, "\\");
            text_add_n(&text, c, 1);
        }
        text_add(&text, "\"");
    }
    text_add(&text, "}");
    return text.data;
}

const char *list_column_texts(struct arena *arena, const struct column *columns, size_t count) {
    const char **names = arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) names[i] = columns[i].name;
    return list_texts(arena, names, count);
}
