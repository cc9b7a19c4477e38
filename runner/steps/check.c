/*
 * check: asserts what a query says. It runs in a READ ONLY transaction; what is not as expected refuses the run, so
 * the steps behind it do not begin. The comparison is the server's own, in the type of the value.
 */
#include <stdlib.h>

#include "base/text.h"
#include "database/sql.h"
#include "sql/steps/check.sql.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "work/explanation.h"
#include "work/pause.h"
#include "work/record.h"
#include "work/session.h"

enum { MOST_SHOWN_ROWS = 3, MOST_SHOWN_BYTES = 200 };

struct check_options {
    struct sql_text query;
    const char *is, *at_most, *at_least, *rows;
};

#define AT(member) offsetof(struct check_options, member)
static const struct option check_option_table[] = {
    {"query", OPTION_SQL, AT(query), .about = "a SELECT", .flags = OPTION_REQUIRED},
    {"is", OPTION_TEXT, AT(is), .about = "its one value must be this"},
    {"at_most", OPTION_TEXT, AT(at_most), .about = "its one value must not be larger"},
    {"at_least", OPTION_TEXT, AT(at_least), .about = "its one value must not be smaller"},
    {"rows", OPTION_TEXT, AT(rows), .about = "none: it must give no row; some: at least one"},
    {0},
};
#undef AT

static const struct check_options *options_of(const struct run *run, size_t index) {
    return run->plan->steps[index].options;
}

static const char *expected_value(const struct check_options *o) {
    return o->is ? o->is : o->at_most ? o->at_most : o->at_least;
}

static void check_check(const struct plan *plan, size_t index, struct problems *problems) {
    const struct check_options *o = plan->steps[index].options;
    struct place place = plan->steps[index].place;
    int given = !!o->is + !!o->at_most + !!o->at_least + !!o->rows;
    if (given != 1)
        problem_add(problems, place, "like is: 0, or rows: none",
                    "a check takes one of 'is', 'at_most', 'at_least' and 'rows'%s",
                    given ? "" : ": what is expected is missing");
    if (o->rows && !text_equal(o->rows, "none") && !text_equal(o->rows, "some"))
        problem_add(problems, place, NULL, "'rows' takes none or some");
}

/* --- the value --- */

static bool is_number(const char *text) {
    char *end;
    strtod(text, &end);
    return *text && !*end && text[0] != 'n' && text[0] != 'N' && text[0] != 'i' && text[0] != 'I';
}

static bool is_number_type(unsigned oid) {
    return oid == 20 || oid == 21 || oid == 23 || oid == 700 || oid == 701 ||
           oid == 1700; /* int8 2 4, float4 8, numeric */
}

enum { BOOL_OID = 16 };

/* Numbers are compared as numbers, so 0 is 0.00; truth as truth; `is` of anything else by its text, the rest in
 * the order of its type. */
static const char *value_text(struct run *run, const struct check_options *o, unsigned type, struct error *error) {
    static const char value[] = "pgwinnow_x.pgwinnow_value";
    const char *expected = expected_value(o), *literal = sql_literal(run->arena, expected);
    bool number = is_number_type(type) && is_number(expected), as_text = o->is && !number && type != BOOL_OID;
    const char *operator= o->is ? "=" : o->at_most ? "<=" : ">=";
    struct binding bindings[] = {
        {"query", o->query.text}, {"compared", as_text ? "pgwinnow_x.pgwinnow_value::pg_catalog.text" : value},
        {
            "operator",
            number || as_text ? arena_printf(run->arena, "OPERATOR(pg_catalog.%s)", operator) : operator},
            {"expected", number ? arena_printf(run->arena, "%s::pg_catalog.numeric", literal) : literal},
            {NULL, NULL},
        };
    return sql_expand(run->arena, &sql_value, bindings, error);
}

static const char *expectation(struct arena *arena, const struct check_options *o) {
    if (o->rows) return text_equal(o->rows, "none") ? "no rows" : "at least one row";
    return arena_printf(arena, "%s%s", o->is ? "" : o->at_most ? "at most " : "at least ", expected_value(o));
}

static const char *cut(struct arena *arena, const char *text) {
    size_t length = text_cut(text, MOST_SHOWN_BYTES);
    return arena_printf(arena, "%.*s%s", (int)length, text, text[length] ? "..." : "");
}

static void refuse(struct run *run, size_t index, const char *got, const char *detail, struct error *error) {
    const struct plan_step *step = &run->plan->steps[index];
    fail(error, FAULT_REFUSED, "%s:%d:%d: the step %s expects %s, but %s", step->place.file, step->place.line,
         step->place.column, step->name, expectation(error->arena, options_of(run, index)), got);
    if (detail) fail_detail(error, "%s", detail);
    fail_hint(error, "the query was: %s\nnothing behind this step was begun; run again when it holds",
              options_of(run, index)->query.text);
}

static void judge_value(struct run *run, size_t index, const struct rows *rows, struct error *error) {
    if (rows_count(rows) != 1) {
        refuse(run, index, rows_count(rows) ? "the query gives more than one row" : "the query gives no row", NULL,
               error);
        return;
    }
    const char *value = rows_text(rows, 0, 0);
    if (rows_flag(rows, 0, 1)) {
        run->steps[index].note = arena_printf(run->arena, "the value is %s", cut(run->arena, value));
        return;
    }
    refuse(run, index, arena_printf(error->arena, "it is %s", value ? cut(error->arena, value) : "NULL"), NULL, error);
}

/* --- rows --- */

static const char *rows_shown(struct arena *arena, const struct rows *rows) {
    struct text text = text_new(arena);
    int count = rows_count(rows);
    for (int i = 0; i < count && i < MOST_SHOWN_ROWS; i++) {
        if (i) text_add(&text, "\n");
        for (int c = 0; c < rows_columns(rows); c++) {
            const char *value = rows_text(rows, i, c);
            text_addf(&text, "%s%s = %s", c ? ", " : "", rows_column_name(rows, c), value ? cut(arena, value) : "NULL");
        }
    }
    if (count > MOST_SHOWN_ROWS) text_add(&text, "\n...");
    return text.data;
}

static void judge_rows(struct run *run, size_t index, const struct rows *rows, struct error *error) {
    bool none = text_equal(options_of(run, index)->rows, "none");
    if (none && rows_count(rows)) refuse(run, index, "there are some", rows_shown(error->arena, rows), error);
    if (!none && !rows_count(rows)) refuse(run, index, "there is none", NULL, error);
}

/* --- the step --- */

static const char *text_of(struct run *run, size_t index, unsigned type, struct error *error) {
    const struct check_options *o = options_of(run, index);
    if (!o->rows) return value_text(run, o, type, error);
    return sql_expand(run->arena, &sql_rows, (struct binding[]){{"query", o->query.text}, {NULL, NULL}}, error);
}

static void check_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct check_options *o = options_of(run, index);
    struct rows *columns = trial_statement(run, index, &o->query, "query", o->query.text, problems, error);
    if (!columns) return;
    if (rows_columns(columns) == 0)
        problem_add(problems, o->query.place, NULL, "'query' takes a SELECT: this gives no rows");
    else if (!o->rows && rows_columns(columns) != 1)
        problem_add(problems, o->query.place, NULL, "the query gives %d columns; a check compares one value",
                    rows_columns(columns));
    else {
        unsigned type = rows_column_type(columns, 0);
        const char *text = text_of(run, index, type, error);
        if (text) trial_statement(run, index, &o->query, "query", text, problems, error);
        trial_rights(run, index, &o->query, "query", o->query.text, problems, error);
        run->steps[index].own = arena_copy(run->arena, &type, sizeof type);
    }
}

/* The type is asked anew: a `sql` step before may have made what the query reads. */
static void check_run(struct run *run, size_t index, struct error *error) {
    const struct check_options *o = options_of(run, index);
    pause_point(run, error);
    struct session session = session_for(run, index, run->arena);
    session.read_only = true;
    session_begin(run->desk, run->arena, &session, error);
    const char *about = arena_printf(run->arena, "the query of the step %s", run->plan->steps[index].name);
    struct rows *columns =
        slot_describe(run->desk, run->arena, &(struct statement){.about = about, .text = o->query.text}, error);
    const char *text =
        columns && rows_columns(columns) ? text_of(run, index, rows_column_type(columns, 0), error) : NULL;
    record_text(run, "query", o->query.place, text);
    struct rows *rows =
        text ? ask(run->desk, run->arena, &(struct statement){.about = about, .text = text}, error) : NULL;
    session_end(run->desk, run->arena, error);
    if (failed(error)) return;
    if (!rows)
        refuse(run, index, "the query gives none at all: it is no SELECT", NULL, error);
    else if (o->rows)
        judge_rows(run, index, rows, error);
    else
        judge_value(run, index, rows, error);
}

static void check_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    const struct check_options *o = options_of(run, index);
    text_addf(&explanation->said, "goes on only if the query gives %s; reads, changes nothing\n",
              expectation(explanation->arena, o));
    const unsigned *type = run->steps[index].own; /* not known when a step before makes what the query reads */
    const char *text = type ? text_of(run, index, *type, error) : NULL;
    if (text) explain_statement(explanation, o->rows ? &sql_rows : &sql_value, text);
}

const struct step step_check = {
    .name = "check",
    .about = "goes on only if a query says what is expected",
    .size = sizeof(struct check_options),
    .options = check_option_table,
    .needs = REPEATABLE,
    .check = check_check,
    .compile = check_compile,
    .explain = check_explain,
    .run = check_run,
};
