/* Trials run under a savepoint, since one that fails would end the transaction in which a plan is compiled. */
#include "steps/trial.h"

#include "base/text.h"
#include "sql/steps/trial.sql.h"
#include "work/session.h"

struct trial {
    struct run *run;
    struct place place;
    const char *key;
    bool lenient; /* what is not there may be made by a step before */
    struct problems *problems;
    struct error *error; /* the command's: a lost connection is no problem of the plan */
    struct error own;
};

bool trial_is_early(const struct run *run, size_t step) {
    return run->steps[step].shown->state != STEP_RUNNING && plan_step_before(run->plan, step, "sql");
}

static struct trial begin(struct run *run, size_t step, struct place place, const char *key, struct problems *problems,
                          struct error *error) {
    struct trial trial = {run, place, key, trial_is_early(run, step), problems, error, error_new(run->arena)};
    if (slot_in_transaction(run->desk))
        ask(run->desk, run->arena, &(struct statement){.about = "beginning a trial", .text = sql_save.text}, error);
    return trial;
}

static bool let_pass(const struct trial *trial) {
    static const char *const absent[] = {"42P01", "42703", "42883", "42704", "3F000"};
    for (size_t i = 0; trial->lenient && i < sizeof absent / sizeof *absent; i++)
        if (text_equal(trial->own.sqlstate, absent[i])) return true;
    return false;
}

/*
 * The server names what may not be read without its schema, and in its own language: where that is one table that the
 * role may not read, the GRANT is told, else the server's words are.
 */
void trial_unreadable(struct run *run, const char *said, const char *why, struct error *error) {
    struct statement look = {"looking for what may not be read", sql_unreadable.text, &said, 1};
    struct rows *rows = failed(error) ? NULL : ask(run->desk, run->arena, &look, error);
    if (rows && rows_count(rows) == 1) run_lacks(run, rows_text(rows, 0, 0), why);
    if (rows && rows_count(rows) != 1) run_lacks(run, arena_printf(run->arena, "-- %s", why), NULL);
}

static void lacks(const struct trial *trial) {
    const char *said = trial->own.message;
    const char *why =
        arena_printf(trial->run->arena, "'%s' in %s:%d: %s", trial->key, trial->place.file, trial->place.line, said);
    trial_unreadable(trial->run, said, why, trial->error);
}

/* Always back: a setting that was tried must not stay. */
static void end(struct trial *trial) {
    if (slot_in_transaction(trial->run->desk) && !failed(trial->error))
        ask(trial->run->desk, trial->run->arena, &(struct statement){.about = "ending a trial", .text = sql_back.text},
            trial->error);
    if (!failed(&trial->own) || let_pass(trial)) return;
    if (trial->own.fault == FAULT_CONNECTION || trial->own.fault == FAULT_STOPPED)
        error_promote(trial->error, &trial->own);
    else if (text_equal(trial->own.sqlstate, "42501"))
        lacks(trial);
    else
        problem_add(trial->problems, trial->place, trial->own.hint, "in '%s': %s", trial->key, trial->own.message);
}

struct rows *trial_statement(struct run *run, size_t step, const struct sql_text *sql, const char *key,
                             const char *text, struct problems *problems, struct error *error) {
    if (failed(error)) return NULL;
    struct trial trial = begin(run, step, sql->place, key, problems, error);
    struct rows *rows = NULL;
    if (!failed(error))
        rows = slot_describe(run->desk, run->arena, &(struct statement){.about = "the server says", .text = text},
                             &trial.own);
    end(&trial);
    return rows;
}

struct rows *trial_plan(struct run *run, size_t step, const struct sql_text *sql, const char *key, const char *text,
                        struct problems *problems, struct error *error) {
    if (failed(error)) return NULL;
    struct trial trial = begin(run, step, sql->place, key, problems, error);
    struct rows *rows = NULL;
    if (!failed(error))
        rows = ask(run->desk, run->arena, &(struct statement){.about = "the server says", .text = text}, &trial.own);
    end(&trial);
    return rows;
}

/* EXPLAIN looks at the rights and runs nothing. Whatever else it says was said when the text was described. */
void trial_rights(struct run *run, size_t step, const struct sql_text *sql, const char *key, const char *text,
                  struct problems *problems, struct error *error) {
    if (failed(error)) return;
    struct trial trial = begin(run, step, sql->place, key, problems, error);
    const char *explained =
        sql_expand(run->arena, &sql_explain, (struct binding[]){{"statement", text}, {NULL, NULL}}, error);
    if (!failed(error))
        ask(run->desk, run->arena, &(struct statement){.about = "the server says", .text = explained}, &trial.own);
    if (trial.own.fault == FAULT_FAILED && !text_equal(trial.own.sqlstate, "42501")) error_clear(&trial.own);
    end(&trial);
}

struct column *trial_expression(struct run *run, size_t step, const struct table *table, const struct sql_text *sql,
                                const char *key, struct problems *problems, struct error *error) {
    if (failed(error)) return NULL;
    struct trial trial = begin(run, step, sql->place, key, problems, error);
    struct sql_text text = {.text = sql->text};
    struct column *column = NULL;
    if (!failed(error)) column = catalog_expressions(run->desk, run->arena, table, &text, 1, &trial.own);
    end(&trial);
    return column;
}

bool trial_condition(struct run *run, size_t step, const struct table *table, const struct sql_text *sql,
                     const char *key, struct problems *problems, struct error *error) {
    if (!sql->text) return true;
    const struct binding bindings[] = {
        {"from", table->from}, {"name", table->name}, {"condition", sql->text}, {NULL, NULL}};
    const char *text = sql_expand(run->arena, &sql_condition, bindings, error);
    return text && trial_statement(run, step, sql, key, text, problems, error);
}

void trial_settings(struct run *run, size_t step, const struct entries *settings, struct problems *problems,
                    struct error *error) {
    for (size_t i = 0; i < settings->count && !failed(error); i++) {
        const struct entry *entry = &settings->items[i];
        const char *values[] = {entry->key, entry->value.text};
        struct trial trial = begin(run, step, entry->key_place, "settings", problems, error);
        if (!failed(error))
            ask(run->desk, run->arena, &(struct statement){"the server says", sql_setting.text, values, 2}, &trial.own);
        end(&trial);
    }
}

/* While its step runs the plan's table is read anew: a `sql` step may have given it a column. */
static struct table *plan_table(struct run *run, size_t step, struct error *error) {
    if (run->steps[step].shown->state != STEP_RUNNING) return run->table;
    return catalog_table_by_oid(run->desk, run->arena, run->table->oid, error);
}

struct table *trial_table(struct run *run, size_t step, const struct name *name, struct problems *problems,
                          struct error *error) {
    if (failed(error)) return NULL;
    if (!name->name) return plan_table(run, step, error);
    struct trial trial = begin(run, step, name->place, "table", problems, error);
    struct name bare = {.schema = name->schema, .name = name->name};
    struct table *table = failed(error) ? NULL : catalog_table(run->desk, run->arena, &bare, &trial.own);
    if (failed(&trial.own) && trial.own.fault == FAULT_USAGE) {
        if (!trial.lenient) problem_add(problems, name->place, trial.own.hint, "%s", trial.own.message);
        error_clear(&trial.own);
    }
    end(&trial);
    return table;
}

void trial_again(struct run *run, size_t step, struct error *error) {
    if (failed(error) || !plan_step_before(run->plan, step, "sql")) return;
    struct problems problems = problems_new(run->arena);
    struct session session = session_for(run, step, run->arena);
    session.read_only = true;
    session_begin(run->desk, run->arena, &session, error);
    if (!failed(error)) run->plan->steps[step].step->compile(run, step, &problems, error);
    session_end(run->desk, run->arena, error);
    if (!failed(error)) problems_fail(&problems, error, FAULT_USAGE);
    run_refuse_lacking(run, error);
}
