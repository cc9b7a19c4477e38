/*
 * Reads tables from the catalog: names, estimates, columns with their types and operators, the key that names a row.
 *
 * Any number of tables costs the same four queries. What points at a table is tree.c's.
 */
#include "database/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/sql.h"
#include "database/types.h"
#include "sql/database/catalog.sql.h"

enum { LONGEST_KEY = 32 }; /* INDEX_MAX_KEYS */

struct reading {
    struct slot *slot;
    struct arena *arena;
    struct error *error;
    struct table **tables; /* in the order asked for */
    struct table **by_oid;
    size_t count;
};

static struct rows *query(struct reading *r, const char *about, const struct sql *sql, const char *value) {
    if (failed(r->error)) return NULL;
    struct statement statement = {about, sql->text, &value, 1};
    return ask(r->slot, r->arena, &statement, r->error);
}

static int by_oid(const void *a, const void *b) {
    unsigned x = (*(struct table *const *)a)->oid, y = (*(struct table *const *)b)->oid;
    return x < y ? -1 : x > y;
}

static struct table *find(struct reading *r, unsigned oid) {
    struct table wanted = {.oid = oid}, *key = &wanted;
    struct table **found = bsearch(&key, r->by_oid, r->count, sizeof *r->by_oid, by_oid);
    return found ? *found : NULL;
}

static struct table *table_of(struct reading *r, const struct rows *rows, int row) {
    struct table *table = arena_alloc(r->arena, sizeof *table);
    struct name name = {.schema = rows_text(rows, row, 1), .name = rows_text(rows, row, 2)};
    const char *sql = sql_qualified(r->arena, name.schema, name.name);
    bool partitioned = rows_flag(rows, row, 3);
    *table = (struct table){
        .oid = (unsigned)rows_int(rows, row, 0),
        .schema = name.schema,
        .name = name.name,
        .sql = sql,
        .from = partitioned ? sql : arena_printf(r->arena, "ONLY %s", sql),
        .shown = name_text(r->arena, &name),
        .partitioned = partitioned,
        .is_partition = rows_flag(rows, row, 4),
        .rows = rows_int(rows, row, 5),
        .bytes = rows_int(rows, row, 6),
        .owner = rows_text(rows, row, 7),
        .owned = rows_flag(rows, row, 8),
        .row_security = rows_flag(rows, row, 9),
    };
    return table;
}

static void read_tables(struct reading *r, const unsigned *oids, size_t count) {
    struct rows *rows = query(r, "reading tables from the catalog", &sql_read_tables, list_oids(r->arena, oids, count));
    if (!rows) return;
    if ((size_t)rows_count(rows) != count) {
        fail(r->error, FAULT_FAILED, "a table was dropped while the catalog was read");
        fail_hint(r->error, "start again");
        return;
    }
    r->count = count;
    r->tables = arena_alloc(r->arena, (count + 1) * sizeof *r->tables);
    for (int i = 0; i < (int)count; i++) r->tables[i] = table_of(r, rows, i);
    r->by_oid = arena_copy(r->arena, r->tables, (count + 1) * sizeof *r->tables);
    qsort(r->by_oid, count, sizeof *r->by_oid, by_oid);
}

/* --- columns --- */

static int by_type(const void *a, const void *b) {
    const struct type_name *x = a, *y = b;
    if (x->oid != y->oid) return x->oid < y->oid ? -1 : 1;
    return x->modifier < y->modifier ? -1 : x->modifier > y->modifier;
}

static struct type_name type_name_of(const struct rows *rows, int row) {
    return (struct type_name){.oid = (unsigned)rows_int(rows, row, 3), .modifier = (int)rows_int(rows, row, 4)};
}

/* Each type once: a schema of thousands of columns has a few dozen. */
static struct type_name *distinct_types(struct arena *arena, const struct rows *rows, size_t *count) {
    int all = rows_count(rows);
    struct type_name *names = arena_alloc(arena, (size_t)(all + 1) * sizeof *names);
    for (int i = 0; i < all; i++) names[i] = type_name_of(rows, i);
    qsort(names, (size_t)all, sizeof *names, by_type);
    for (int i = 0; i < all; i++)
        if (*count == 0 || by_type(&names[*count - 1], &names[i]) != 0) names[(*count)++] = names[i];
    return names;
}

static struct column column_of(const struct rows *rows, int row, const struct type *type) {
    return (struct column){
        .name = rows_text(rows, row, 2),
        .number = (int)rows_int(rows, row, 1),
        .type = type->sql,
        .type_oid = type->oid,
        .collation = rows_text(rows, row, 5),
        .equal = type->equal,
        .less = type->less,
        .not_null = rows_flag(rows, row, 6) || type->not_null,
        .generated = rows_flag(rows, row, 7),
        .identity_always = rows_flag(rows, row, 8),
    };
}

static void read_columns(struct reading *r, const char *oids) {
    struct rows *rows = query(r, "reading columns from the catalog", &sql_read_columns, oids);
    if (!rows || rows_count(rows) == 0) return;
    size_t count = 0;
    struct type_name *names = distinct_types(r->arena, rows, &count);
    struct type *types = types_read(r->slot, r->arena, names, count, r->error);
    if (!types) return;
    struct column *columns = arena_alloc(r->arena, (size_t)rows_count(rows) * sizeof *columns);
    for (int i = 0; i < rows_count(rows); i++) {
        struct type_name wanted = type_name_of(rows, i);
        struct type_name *name = bsearch(&wanted, names, count, sizeof *names, by_type);
        columns[i] = column_of(rows, i, &types[name - names]);
        struct table *table = find(r, (unsigned)rows_int(rows, i, 0));
        if (!table) continue;
        if (!table->column_count++) table->columns = &columns[i];
    }
}

/* --- keys --- */

static const struct column *column_numbered(const struct table *table, int number) {
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].number == number) return &table->columns[i];
    return NULL;
}

/* numbers: "1 4 2", of which those behind the first `count` are INCLUDEd */
static void set_key(struct arena *arena, struct table *table, const char *numbers, size_t count) {
    struct column *columns = arena_alloc(arena, count * sizeof *columns);
    char *at = (char *)numbers;
    for (size_t i = 0; i < count; i++) {
        const struct column *column = column_numbered(table, (int)strtol(at, &at, 10));
        if (!column) return;
        columns[i] = *column;
    }
    table->key.columns = columns;
    table->key.count = count;
}

static void read_keys(struct reading *r, const char *oids) {
    struct rows *rows = query(r, "reading keys from the catalog", &sql_read_keys, oids);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        struct table *table = find(r, (unsigned)rows_int(rows, i, 0));
        int64_t count = rows_int(rows, i, 3);
        if (!table || count < 1 || count > LONGEST_KEY) continue;
        table->key.index = rows_text(rows, i, 1);
        table->key.primary = rows_flag(rows, i, 2);
        set_key(r->arena, table, rows_text(rows, i, 4), (size_t)count);
    }
}

struct table **catalog_tables(struct slot *slot, struct arena *arena, const unsigned *oids, size_t count,
                              struct error *error) {
    struct reading r = {.slot = slot, .arena = arena, .error = error};
    read_tables(&r, oids, count);
    const char *all = list_oids(arena, oids, count);
    read_columns(&r, all);
    read_keys(&r, all);
    return failed(error) ? NULL : r.tables;
}

struct table *catalog_table_by_oid(struct slot *slot, struct arena *arena, unsigned oid, struct error *error) {
    struct table **tables = catalog_tables(slot, arena, &oid, 1, error);
    return tables ? tables[0] : NULL;
}

const struct column *table_column(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0) return &table->columns[i];
    return NULL;
}

/* --- names of plans --- */

static const char *kind_text(char kind) {
    switch (kind) {
    case 'v': return "a view";
    case 'm': return "a materialized view";
    case 'f': return "a foreign table";
    case 'S': return "a sequence";
    case 'c': return "a composite type";
    case 't': return "a TOAST table";
    default: return "an index";
    }
}

static const char *place_text(struct arena *arena, const struct place *place) {
    if (!place->file) return "";
    return arena_printf(arena, "%s:%d:%d: ", place->file, place->line, place->column);
}

/* Another schema's table of that very name, else the nearest name in reach. */
static const char *suggestion(struct arena *arena, const struct rows *rows, const struct name *name) {
    size_t count = 0;
    const char **near = NULL;
    struct name found = {0};
    for (int i = 0; i < rows_count(rows); i++) {
        if (rows_flag(rows, i, 2)) {
            found = (struct name){.schema = rows_text(rows, i, 0), .name = rows_text(rows, i, 1)};
            return name_text(arena, &found);
        }
        near = arena_grow(arena, near, &count, sizeof *near);
        near[count - 1] = rows_text(rows, i, 1);
    }
    found = (struct name){.schema = name->schema, .name = text_nearest(name->name, near, count)};
    return found.name ? name_text(arena, &found) : NULL;
}

static void no_such_table(struct slot *slot, struct arena *arena, const struct name *name, struct error *error) {
    const char *values[] = {name->schema, name->name};
    struct statement statement = {"looking for similar tables", sql_similar_tables.text, values, 2};
    struct rows *rows = ask(slot, arena, &statement, error);
    if (!rows) return;
    const char *near = suggestion(arena, rows, name);
    fail(error, FAULT_USAGE, "%sthere is no table %s in database %s", place_text(arena, &name->place),
         name_text(arena, name), slot_database(slot));
    if (near)
        fail_hint(error, "did you mean %s?", near);
    else if (!name->schema)
        fail_hint(error, "name its schema when it is not on the search_path: schema.%s",
                  identifier_text(arena, name->name));
}

struct table *catalog_table(struct slot *slot, struct arena *arena, const struct name *name, struct error *error) {
    const char *values[] = {name->schema, name->name};
    struct statement statement = {"looking up the table in the catalog", sql_resolve_table.text, values, 2};
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    if (!rows) return NULL;
    if (rows_count(rows) == 0) {
        no_such_table(slot, arena, name, error);
        return NULL;
    }
    char kind = rows_text(rows, 0, 1)[0];
    if (kind != 'r' && kind != 'p') {
        fail(error, FAULT_USAGE, "%s%s is %s, not a table", place_text(arena, &name->place), rows_text(rows, 0, 2),
             kind_text(kind));
        fail_hint(error, "name the table that holds the rows");
        return NULL;
    }
    return catalog_table_by_oid(slot, arena, (unsigned)rows_int(rows, 0, 0), error);
}

struct leaf *catalog_leaves(struct slot *slot, struct arena *arena, unsigned oid, size_t *count, struct error *error) {
    struct reading r = {.slot = slot, .arena = arena, .error = error};
    *count = 0;
    struct rows *rows =
        query(&r, "reading partitions from the catalog", &sql_read_leaves, arena_printf(arena, "%u", oid));
    if (!rows) return NULL;
    struct leaf *leaves = arena_alloc(arena, (size_t)(rows_count(rows) + 1) * sizeof *leaves);
    for (int i = 0; i < rows_count(rows); i++) {
        struct name name = {.schema = rows_text(rows, i, 1), .name = rows_text(rows, i, 2)};
        leaves[(*count)++] = (struct leaf){.oid = (unsigned)rows_int(rows, i, 0),
                                           .sql = sql_qualified(arena, name.schema, name.name),
                                           .shown = name_text(arena, &name)};
    }
    return leaves;
}
