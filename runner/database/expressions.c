/* Asks the server what the expressions of a plan are: type, operators, collation. None of them is run. */
#include "base/text.h"
#include "database/catalog.h"
#include "database/sql.h"
#include "database/types.h"
#include "sql/database/expressions.sql.h"

static const char *about(struct arena *arena, const struct sql_text *expression) {
    const struct place *place = &expression->place;
    if (!place->file) return arena_printf(arena, "checking \"%s\"", expression->text);
    return arena_printf(arena, "checking \"%s\" (%s:%d:%d)", expression->text, place->file, place->line, place->column);
}

static struct statement statement_of(struct arena *arena, const struct sql *sql, const struct table *table,
                                     const struct sql_text *expression, struct error *error) {
    const char *text =
        sql_expand(arena, sql,
                   (struct binding[]){
                       {"expression", expression->text}, {"from", table->from}, {"name", table->name}, {NULL, NULL}},
                   error);
    return (struct statement){.about = about(arena, expression), .text = text};
}

/* What the server cannot parse or resolve (class 42) is wrong in the plan. */
static void blame_plan(struct error *error) {
    if (error->fault == FAULT_FAILED && text_starts(error->sqlstate, "42")) error->fault = FAULT_USAGE;
}

static unsigned type_of(struct slot *slot, struct arena *arena, const struct table *table,
                        const struct sql_text *expression, struct error *error) {
    struct statement statement = statement_of(arena, &sql_describe_expression, table, expression, error);
    struct rows *rows = failed(error) ? NULL : slot_describe(slot, arena, &statement, error);
    blame_plan(error);
    if (!rows) return 0;
    if (rows_columns(rows) == 1) return rows_column_type(rows, 0);
    fail(error, FAULT_USAGE, "%s: it gives %d values, not one", statement.about, rows_columns(rows));
    return 0;
}

static const char *collation_of(struct slot *slot, struct arena *arena, const struct table *table,
                                const struct sql_text *expression, struct error *error) {
    struct statement statement = statement_of(arena, &sql_expression_collation, table, expression, error);
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    return rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
}

static struct column column_of(struct arena *arena, const struct type *type, const struct sql_text *expression,
                               struct error *error) {
    if (type->pseudo) {
        fail(error, FAULT_USAGE, "%s: values of type %s cannot be kept in a table", about(arena, expression),
             type->sql);
        fail_hint(error, "list its parts instead, or cast it");
    }
    return (struct column){
        .name = expression->text, .type = type->sql, .type_oid = type->oid, .equal = type->equal, .less = type->less};
}

struct column *catalog_expressions(struct slot *slot, struct arena *arena, const struct table *table,
                                   const struct sql_text *expressions, size_t count, struct error *error) {
    struct type_name *names = arena_alloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count && !failed(error); i++)
        names[i] = (struct type_name){type_of(slot, arena, table, &expressions[i], error), -1};
    struct type *types = failed(error) ? NULL : types_read(slot, arena, names, count, error);
    if (!types) return NULL;
    struct column *columns = arena_alloc(arena, (count + 1) * sizeof *columns);
    for (size_t i = 0; i < count; i++) {
        columns[i] = column_of(arena, &types[i], &expressions[i], error);
        if (types[i].collatable) columns[i].collation = collation_of(slot, arena, table, &expressions[i], error);
    }
    return failed(error) ? NULL : columns;
}
