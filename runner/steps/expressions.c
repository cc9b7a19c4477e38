/* Describing SQL texts without running them: the server parses, we place its complaint. */
#include "steps/expressions.h"

#include <string.h>

#include "base/text.h"
#include "database/bindings.h"
#include "sql/steps/expressions.sql.h"
#include "steps/trial.h"

enum { BOOLEAN_OID = 16 }; /* pg_type.dat: bool */

static void say(struct run *run, const char *text, struct error *error) {
    ask(run->desk, run->arena, &(struct statement){.about = "checking a text of the plan", .text = text}, error);
}

/* The server's complaint about a text becomes a problem; a lost connection stays an error. */
static bool complained(struct run *run, const struct sql_text *text, struct error *tried, struct problems *problems,
                       struct error *error) {
    if (!failed(tried)) return false;
    if (tried->fault == FAULT_CONNECTION || !*tried->sqlstate) {
        error_promote(error, tried);
        return true;
    }
    say(run, sql_restore.text, error);
    if (text_equal(tried->sqlstate, "42501"))
        trial_unreadable(run, tried->message, tried->message, error);
    else
        problem_add(problems, text->place, tried->hint, "%s", tried->message);
    return true;
}

static struct column *compile_one(struct run *run, const struct sql_text *text, struct problems *problems,
                                  struct error *error) {
    struct error tried = error_new(run->arena);
    say(run, sql_save.text, error);
    if (failed(error)) return NULL;
    struct column *column = catalog_expressions(run->desk, run->arena, run->table, text, 1, &tried);
    return complained(run, text, &tried, problems, error) ? NULL : column;
}

struct column *expressions_compile(struct run *run, const struct sql_text *texts, size_t count,
                                   struct problems *problems, struct error *error) {
    struct column *columns = arena_alloc(run->arena, (count + 1) * sizeof *columns);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct column *column = compile_one(run, &texts[i], problems, error);
        good = good && column;
        if (column) columns[i] = *column;
    }
    return good ? columns : NULL;
}

void expressions_check_condition(struct run *run, const struct sql_text *text, struct problems *problems,
                                 struct error *error) {
    struct column *column = expressions_compile(run, text, 1, problems, error);
    if (column && column->type_oid != BOOLEAN_OID)
        problem_add(problems, text->place, NULL, "a condition must be true or false, not of type %s", column->type);
}

static struct rows *describe(struct run *run, const struct sql_text *text, const char *statement,
                             struct problems *problems, struct error *error) {
    struct error tried = error_new(run->arena);
    say(run, sql_save.text, error);
    if (failed(error)) return NULL;
    struct rows *rows = slot_describe(
        run->desk, run->arena, &(struct statement){.about = "checking a text of the plan", .text = statement}, &tried);
    return complained(run, text, &tried, problems, error) ? NULL : rows;
}

void expressions_check_order(struct run *run, const struct sql_text *text, struct problems *problems,
                             struct error *error) {
    struct bindings b = {0};
    bind(&b, "from", run->table->from);
    bind(&b, "alias", sql_identifier(run->arena, run->table->name));
    bind(&b, "order", text->text);
    describe(run, text, sql_expand(run->arena, &sql_describe_order, b.items, error), problems, error);
}

struct rows *expressions_describe_query(struct run *run, const struct sql_text *text, struct problems *problems,
                                        struct error *error) {
    struct bindings b = {0};
    bind(&b, "query", text->text);
    return describe(run, text, sql_expand(run->arena, &sql_describe_query, b.items, error), problems, error);
}
