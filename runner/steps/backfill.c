/*
 * backfill: inserts what a SELECT finds missing, or updates columns, in batches up to a high-water mark.
 *
 * First one statement writes down what there is to do, in a work table; from there on batches over its numbers, each
 * with its checkpoint, so it goes on where it was cut. The work table goes with the commit that makes the step done.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/steps/backfill.sql.h"
#include "state/private.h"
#include "steps/backfill_job.h"
#include "steps/table.h"
#include "steps/whole.h"
#include "work/loop.h"
#include "work/record.h"

/* A row that costs more than this to look for has no index to be found by: the work of a hundred pages and more. */
static const double cheap_row = 100;
enum { MOST_ROUNDS_OF_TRIES = 3 };

static const char *const conflict_choices[] = {"nothing", "error", NULL};

#define AT(member) offsetof(struct backfill_options, member)
static const struct option backfill_option_table[] = {
    {"into", OPTION_NAME, AT(into), .about = "the table that gets rows"},
    {"select", OPTION_SQL, AT(select),
     .about = "a SELECT of the rows that are missing: its columns are named as those of the table"},
    {"on_conflict", OPTION_CHOICE, AT(on_conflict),
     .about = "nothing: a row that is there already is left alone; error: it stops the run", .fallback = "nothing",
     .choices = conflict_choices},
    {"table", OPTION_NAME, AT(table), .about = "the table whose rows change; default: the plan's"},
    {"set", OPTION_MAP, AT(set), .about = "columns and the SQL of their new values", .item = OPTION_SQL},
    {"where", OPTION_SQL, AT(where), .about = "which rows change; default: all"},
    {0},
};
#undef AT

static const char *work_name(const struct run *run, struct arena *arena, size_t index) {
    const char *name = arena_printf(arena, "backfill_%lld_%zu", (long long)run->holder.run, index);
    int round = run->steps[index].round;
    return round > 1 ? arena_printf(arena, "%s_%d", name, round) : name;
}

static const char *not_null_marks(struct arena *arena, const struct backfill_job *job) {
    struct text text = text_new(arena);
    for (size_t i = 0; job->inserts && i < job->count; i++)
        text_addf(&text, ", COALESCE(pg_catalog.bool_or(%s IS NULL), false)",
                  sql_identifier(arena, job->columns[i].name));
    return text.data;
}

/* Everything that the statements of a backfill have places for. */
static struct bindings bindings_of(const struct run *run, size_t index, struct arena *arena) {
    const struct backfill_job *job = run->steps[index].own;
    const struct backfill_options *o = job->options;
    const struct table *target = job->target;
    const char *alias = sql_identifier(arena, target->name);
    struct bindings b = {0};
    bind(&b, "work", sql_qualified(arena, run->state.schema, work_name(run, arena, index)));
    bind(&b, "definitions", list_definitions(arena, "", job->columns, job->count));
    bind(&b, "columns", list_columns(arena, NULL, job->columns, job->count));
    bind(&b, "work_columns", list_columns(arena, "pgwinnow_w", job->columns, job->count));
    bind(&b, "nulls", not_null_marks(arena, job));
    bind(&b, "from", target->from);
    bind(&b, "name", target->name);
    bind(&b, "where", o->where.text ? o->where.text : "true");
    bind(&b, "into", target->sql);
    bind(&b, "select", o->select.text);
    bind(&b, "assignments", job->assignments);
    bind(&b, "fence", job->whole ? "" : "OFFSET 0");
    bind(&b, "conflict", o->on_conflict == CONFLICT_NOTHING ? "ON CONFLICT DO NOTHING" : "");
    if (job->inserts) {
        bind(&b, "equal", backfill_equal(arena, job, "pgwinnow_x", "pgwinnow_w"));
    } else {
        bind(&b, "keys", list_columns(arena, alias, target->key.columns, target->key.count));
        bind(&b, "key_equal",
             list_equal_numbered(arena, alias, target->key.columns, target->key.count, "pgwinnow_w", "pgwinnow_k"));
    }
    return b;
}

static struct rows *query(struct run *run, size_t index, struct arena *arena, const char *about, const struct sql *sql,
                          struct error *error) {
    struct bindings b = bindings_of(run, index, arena);
    const char *text = failed(error) ? NULL : sql_expand(arena, sql, b.items, error);
    record_sent(run, sql, text);
    return text ? ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error) : NULL;
}

/* --- what there is to do --- */

static bool work_is_there(struct whole *whole, struct arena *arena, struct error *error) {
    struct rows *rows = query(whole->run, whole->step, arena, "looking for the work table", &sql_work_exists, error);
    return rows && rows_flag(rows, 0, 0);
}

static void fill(struct whole *whole, struct arena *arena, struct error *error) {
    struct run *run = whole->run;
    const struct backfill_job *job = run->steps[whole->step].own;
    query(run, whole->step, arena, "creating the work table", &sql_create_work, error);
    private_keep(&run->state, arena, error);
    query(run, whole->step, arena, job->inserts ? "finding the rows that are missing" : "finding the rows to change",
          job->inserts ? &sql_fill_with_rows : &sql_fill_with_keys, error);
    runs_add_object(&run->state, arena, run->holder.run, "tracking", run->state.schema,
                    work_name(run, arena, whole->step), error);
}

static void make_work(struct run *run, size_t index, struct error *error) {
    const struct backfill_job *job = run->steps[index].own;
    struct whole whole = whole_new(run, index);
    whole.session.statement_timeout = 0;
    whole.act = fill;
    whole.is_done = work_is_there;
    if (work_is_there(&whole, run->arena, error) || failed(error)) return;
    run->progress.doing = job->inserts ? "finding the rows that are missing" : "finding the rows to change";
    whole_run(&whole, error);
    run->progress.doing = NULL;
}

static void read_work(struct run *run, size_t index, struct backfill_job *job, struct error *error) {
    struct rows *rows = query(run, index, run->arena, "reading the work table", &sql_work_facts, error);
    if (!rows) return;
    job->most = rows_int(rows, 0, 0);
    for (size_t i = 0; job->inserts && i < job->count; i++) job->nullable[i] = rows_flag(rows, 0, (int)i + 1);
    int round = run->steps[index].round;
    job->gaps = runs_gaps(&run->state, run->arena, run->holder.run, index, round, 0, job->most, &job->gap_count, error);
    job->gap = 0;
    run->steps[index].shown->total = job->most;
}

/* Can the rows of a batch be found one by one? By the planner, under the settings of a batch. */
static void judge(struct run *run, size_t index, struct backfill_job *job, struct error *error) {
    if (!job->inserts || !job->gap_count) return;
    const struct batch_settings *batch = &run_settings(run, index)->batch;
    struct session session = session_for(run, index, run->arena);
    session.read_only = session.pinned = true;
    session_begin(run->desk, run->arena, &session, error);
    double row = plan_cost(query(run, index, run->arena, "asking the planner", &sql_plan_of_row, error), NULL);
    session_end(run->desk, run->arena, error);
    session.pinned = false;
    session_begin(run->desk, run->arena, &session, error);
    double all = plan_cost(query(run, index, run->arena, "asking the planner", &sql_cost_of_select, error), NULL);
    session_end(run->desk, run->arena, error);
    double rows = (double)job->most, batches = rows / (double)batch->max + 1;
    job->whole = row > cheap_row && row * rows > all * batches;
}

/* --- batches --- */

static struct backfill_job *job_of(struct batch *batch) { return batch->loop->job; }

static enum cut backfill_cut(struct batch *batch) {
    struct backfill_job *job = job_of(batch);
    if (job->gap == job->gap_count) return CUT_DONE;
    struct gap *gap = &job->gaps[job->gap];
    /* The whole SELECT is computed for each batch then: few large ones. */
    int64_t size = job->whole ? batch->loop->pace.settings->max : pace_size(&batch->loop->pace);
    int64_t last = gap->last - gap->first < size ? gap->last : gap->first + size - 1;
    batch->range = (struct range){.first = gap->first, .last = last, .pass = 1};
    gap->first = last + 1;
    if (gap->first > gap->last) job->gap++;
    return CUT_RANGE;
}

static void backfill_fill(struct batch *batch) {
    const struct backfill_job *job = job_of(batch);
    struct bindings b = bindings_of(batch->loop->run, batch->loop->step, batch->arena);
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    const char *about = arena_printf(batch->arena, "%s the rows %s-%s of %s", job->inserts ? "inserting" : "changing",
                                     values[0], values[1], job->target->shown);
    batch_queue(batch, about, job->inserts ? &sql_insert_batch : &sql_update_batch, &b, values, 2);
}

/* What was written down and is not missing any more, or does not meet the condition any more. */
static void backfill_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    (void)sql;
    batch->counts.rows = rows_affected(rows);
    int64_t left = batch->range.last - batch->range.first + 1 - batch->counts.rows;
    batch->counts.spared = left > 0 ? left : 0;
}

/* Somebody holds a row all the time: the range waits behind the others, and only then is it given up. */
static bool backfill_stuck(struct batch *batch, bool too_large) {
    batch->range.tries = 0;
    return !too_large && ++batch->range.mode < MOST_ROUNDS_OF_TRIES;
}

static const struct part backfill_part = {
    .cut = backfill_cut, .fill = backfill_fill, .answer = backfill_answer, .stuck = backfill_stuck};

/* --- the step --- */

static void finish(struct whole *whole, struct arena *arena, struct error *error) {
    struct run *run = whole->run;
    query(run, whole->step, arena, "dropping the work table", &sql_drop_work, error);
    runs_forget_object(&run->state, arena, run->holder.run, "tracking", run->state.schema,
                       work_name(run, arena, whole->step), error);
    whole_record(run, whole->step, "done", arena, error);
}

static void backfill_run(struct run *run, size_t index, struct error *error) {
    trial_again(run, index, error);
    if (failed(error)) return;
    struct backfill_job *job = run->steps[index].own;
    make_work(run, index, error);
    if (!failed(error)) read_work(run, index, job, error);
    if (!failed(error)) judge(run, index, job, error);
    loop_run(run, index, &backfill_part, job, job->whole, error);
    if (failed(error)) return;
    struct whole whole = whole_new(run, index);
    whole.act = finish;
    whole.is_done = whole_recorded_done;
    whole_run(&whole, error);
}

static void backfill_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    struct backfill_job *job = run->steps[index].own;
    struct arena *arena = explanation->arena;
    if (!job || job->open) {
        text_add(&explanation->said, "what it does is known when the `sql` step before has run\n");
        return;
    }
    text_addf(&explanation->said, "%s %s", job->inserts ? "inserts into" : "changes rows of", job->target->shown);
    if (job->estimate >= 0)
        text_addf(&explanation->said, ", about %s rows by the planner", text_count(arena, job->estimate));
    text_add(&explanation->said, ": written down once, then in batches, each row looked at again\n");
    struct bindings b = bindings_of(run, index, arena);
    const struct sql *fill = job->inserts ? &sql_fill_with_rows : &sql_fill_with_keys;
    const char *text = sql_expand(arena, fill, b.items, error);
    if (text) explain_statement(explanation, fill, text);
    loop_explain(run, index, &backfill_part, job, &(struct range){.first = 1, .last = 1000, .pass = 1}, explanation,
                 error);
}

const struct step step_backfill = {
    .name = "backfill",
    .about = "inserts rows that are missing, or updates columns, in batches",
    .size = sizeof(struct backfill_options),
    .options = backfill_option_table,
    .needs = CHANGES_ROWS | REPEATABLE,
    .check = backfill_check,
    .compile = backfill_compile,
    .explain = backfill_explain,
    .run = backfill_run,
};
