/*
 * sql: runs one statement of the plan. The step's row in state is written in the same transaction, so it is done
 * exactly once, whatever is killed when. A statement that cannot run in a transaction runs alone on the direct
 * connection; it may run again after a crash between its end and the record of it.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "database/sql.h"
#include "sql/steps/sql.sql.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "steps/whole.h"
#include "work/direct.h"
#include "work/explanation.h"
#include "work/record.h"

struct sql_options {
    struct sql_text run;
    const char *about;
};

#define AT(member) offsetof(struct sql_options, member)
static const struct option sql_option_table[] = {
    {"run", OPTION_SQL, AT(run), .about = "one statement", .flags = OPTION_REQUIRED},
    {"about", OPTION_TEXT, AT(about), .about = "what it is for, in a line", .flags = OPTION_UNCOUNTED},
    {0},
};
#undef AT

static const struct sql_options *options_of(const struct run *run, size_t index) {
    return run->plan->steps[index].options;
}

/* Our own transaction carries the checkpoint; a SET would leak to others behind a pooler. */
static void sql_check(const struct plan *plan, size_t index, struct problems *problems) {
    static const char *const words[] = {"begin", "start",     "commit",  "end", "rollback",
                                        "abort", "savepoint", "release", "set", "reset"};
    const struct sql_options *o = plan->steps[index].options;
    size_t length = strspn(o->run.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (length == strlen(words[i]) && strncasecmp(o->run.text, words[i], length) == 0)
            problem_add(problems, o->run.place,
                        "the statement runs in a transaction of its own, with the settings of the run",
                        "%.*s is not for a step", (int)length, o->run.text);
}

static void sql_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct sql_options *o = options_of(run, index);
    trial_statement(run, index, &o->run, "run", o->run.text, problems, error);
    trial_rights(run, index, &o->run, "run", o->run.text, problems, error);
}

static const char *about_of(struct run *run, size_t index) {
    return arena_printf(run->arena, "the statement of the step %s", run->plan->steps[index].name);
}

static void act(struct whole *whole, struct arena *arena, struct error *error) {
    struct run *run = whole->run;
    struct statement statement = {.about = about_of(run, whole->step), .text = options_of(run, whole->step)->run.text};
    record_text(run, "run", options_of(run, whole->step)->run.place, statement.text);
    struct rows *rows = ask(run->desk, arena, &statement, error);
    if (!rows) return;
    run->steps[whole->step].shown->rows = rows_affected(rows);
    whole_record(run, whole->step, "done", arena, error);
}

static bool cannot_in_transaction(const struct error *error) {
    return text_equal(error->sqlstate, "25001") || text_equal(error->sqlstate, "2D000");
}

static void alone(struct run *run, size_t index, struct error *error) {
    struct direct *direct = direct_open(run, index, NULL, error);
    if (!direct) return;
    struct bindings b = {0};
    bind(&b, "statement", options_of(run, index)->run.text);
    const char *doing = options_of(run, index)->about ? options_of(run, index)->about : "running the statement";
    direct_long(direct, doing, about_of(run, index), &sql_statement, &b, error);
    direct_close(direct);
}

static void sql_run(struct run *run, size_t index, struct error *error) {
    struct whole whole = whole_new(run, index);
    whole.act = act;
    whole.is_done = whole_recorded_done;
    run->progress.doing = options_of(run, index)->about;
    whole_run(&whole, error);
    run->progress.doing = NULL;
    if (!cannot_in_transaction(error)) return;
    error_clear(error);
    alone(run, index, error);
}

static void sql_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    const struct sql_options *o = options_of(run, index);
    struct binding bindings[] = {{"statement", o->run.text}, {NULL, NULL}};
    const char *text = sql_expand(explanation->arena, &sql_statement, bindings, error);
    text_addf(&explanation->said, "%s%sruns once, in a transaction with its own record\n", o->about ? o->about : "",
              o->about ? ": " : "");
    if (text) explain_statement(explanation, &sql_statement, text);
}

const struct step step_sql = {
    .name = "sql",
    .about = "runs one statement, once",
    .size = sizeof(struct sql_options),
    .options = sql_option_table,
    .needs = REPEATABLE | CHANGES_ROWS,
    .check = sql_check,
    .compile = sql_compile,
    .explain = sql_explain,
    .run = sql_run,
};
