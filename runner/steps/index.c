/*
 * index: builds an index concurrently, plain or unique, and what may follow from it: a constraint, an older index
 * that goes.
 *
 * Before a unique one is built its duplicates are looked for; if there are any the run goes back to track (the engine
 * does that), at most three times. How an index is built is work/indexes.h's.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/steps/index.sql.h"
#include "steps/index_job.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "work/guard.h"
#include "work/index_match.h"
#include "work/indexes.h"
#include "work/tracking.h"

enum { MOST_ROUNDS = 3, NULLS_NOT_DISTINCT_VERSION = 150000 };

#define AT(member) offsetof(struct index_options, member)
static const struct option index_option_table[] = {
    {"name", OPTION_NAME, AT(name), .about = "of the index; it lives in its table's schema", .flags = OPTION_REQUIRED},
    {"unique", OPTION_SQLS, AT(unique),
     .about =
         "columns or expressions of a unique index, as CREATE INDEX takes them: with DESC, operator class, collation"},
    {"columns", OPTION_SQLS, AT(columns), .about = "the same for an index that is not unique"},
    {"where", OPTION_SQL, AT(where), .about = "only rows that meet this: a partial index"},
    {"include", OPTION_NAMES, AT(include), .about = "columns that the index holds beside its key"},
    {"method", OPTION_NAME, AT(method), .about = "btree, hash, gin, gist, ...", .fallback = "btree"},
    {"nulls_not_distinct", OPTION_FLAG, AT(nulls_not_distinct),
     .about = "a unique index takes NULLs as equal (PostgreSQL 15 and later)", .fallback = "false"},
    {"constraint", OPTION_NAME, AT(constraint),
     .about = "makes the unique index a constraint of this name; the index takes the name too"},
    {"replaces", OPTION_NAME, AT(replaces), .about = "an index that is dropped, concurrently, once this one is valid"},
    {"table", OPTION_NAME, AT(table), .about = "the table; default: the plan's"},
    {"settings", OPTION_MAP, AT(settings),
     .about = "server settings for the build, like maintenance_work_mem or max_parallel_maintenance_workers",
     .item = OPTION_TEXT},
    {0},
};
#undef AT

struct index_job {
    const struct index_options *options;
    bool open; /* it names what a step before has yet to make */
    struct index_wish wish;
};

static const struct index_options *options_of(const struct plan *plan, size_t index) {
    return plan->steps[index].options;
}

static const struct sql_texts *list_of(const struct index_options *o) {
    return o->unique.count ? &o->unique : &o->columns;
}

struct index_wish index_step_wish(const struct run *run, size_t index, const struct table *table, struct error *error) {
    const struct index_options *o = options_of(run->plan, index);
    struct index_wish wish = {.table = table,
                              .name = o->name.name,
                              .unique = o->unique.count > 0,
                              .nulls_not_distinct = o->nulls_not_distinct,
                              .method = o->method.name,
                              .include = &o->include,
                              .where = o->where.text,
                              .not_this = o->replaces.name};
    index_elements_read(run->arena, &wish, list_of(o));
    index_wish_define(run->arena, &wish, error);
    return wish;
}

/* --- what the plan alone tells --- */

static void check_name(const struct name *name, const char *key, struct problems *problems) {
    if (name->schema)
        problem_add(problems, name->place, "an index lives in the schema of its table",
                    "'%s' takes a name without a schema", key);
}

/* A constraint can stand on a plain unique index over columns only. */
static void check_constraint(const struct index_options *o, struct problems *problems) {
    static const char hint[] = "leave 'constraint' out: a unique index keeps duplicates out just as well";
    if (!o->constraint.name) return;
    const char *why = !o->unique.count                       ? "is not unique"
                      : o->where.text                        ? "has a condition"
                      : !text_equal(o->method.name, "btree") ? "is no btree"
                                                             : NULL;
    struct arena *arena = problems->arena;
    for (size_t i = 0; i < o->unique.count && !why; i++) {
        struct index_element e = index_element_read(arena, &o->unique.items[i]);
        if (!e.column || e.operator_class.name || e.descending || e.nulls_first || *e.collate)
            why = arena_printf(arena, "has \"%s\", which is more than a column", o->unique.items[i].text);
    }
    if (why) problem_add(problems, o->constraint.place, hint, "a constraint cannot stand on an index that %s", why);
}

static void index_check(const struct plan *plan, size_t index, struct problems *problems) {
    const struct index_options *o = options_of(plan, index);
    struct place place = plan->steps[index].place;
    if (!o->unique.count == !o->columns.count)
        problem_add(problems, place, "unique: [a, b] keeps duplicates out, columns: [a, b] does not",
                    "an index takes 'unique' or 'columns'%s", o->unique.count ? ", not both" : "");
    if (o->nulls_not_distinct && !o->unique.count)
        problem_add(problems, place, NULL, "'nulls_not_distinct' is for a unique index");
    check_name(&o->name, "name", problems);
    check_name(&o->constraint, "constraint", problems);
    check_name(&o->replaces, "replaces", problems);
    if (o->replaces.name && text_equal(o->replaces.name, o->name.name))
        problem_add(problems, o->replaces.place, "give the new index another name", "an index cannot replace itself");
    for (size_t i = 0; i < o->include.count; i++)
        if (o->include.items[i].schema)
            problem_add(problems, o->include.items[i].place, NULL, "'include' takes columns of the table");
    check_constraint(o, problems);
}

/* --- what the catalog tells --- */

static void check_elements(struct run *run, size_t index, struct index_job *job, struct problems *problems,
                           struct error *error) {
    const struct index_options *o = job->options;
    for (size_t i = 0; i < job->wish.count; i++) {
        const struct index_element *e = &job->wish.elements[i];
        struct sql_text text = {arena_printf(run->arena, "%s %s", e->expression, e->collate), e->place};
        const char *key = o->unique.count ? "unique" : "columns";
        if (!trial_expression(run, index, job->wish.table, &text, key, problems, error)) job->open = true;
    }
    if (!trial_condition(run, index, job->wish.table, &o->where, "where", problems, error)) job->open = true;
    for (size_t i = 0; i < o->include.count; i++)
        if (!table_column(job->wish.table, o->include.items[i].name) && !trial_is_early(run, index))
            problem_add(problems, o->include.items[i].place, NULL, "%s has no column %s", job->wish.table->shown,
                        o->include.items[i].name);
}

static bool has_column(const struct index_wish *wish, const char *name) {
    for (size_t i = 0; name && i < wish->count; i++)
        if (text_equal(wish->elements[i].column, name)) return true;
    return false;
}

/* Uniqueness is kept partition by partition, so the key must say which partition it is. */
static void check_partitioned(struct run *run, const struct index_job *job, struct problems *problems,
                              struct error *error) {
    const struct index_options *o = job->options;
    if (!job->wish.table->partitioned || failed(error)) return;
    if (o->constraint.name)
        problem_add(problems, o->constraint.place, "leave 'constraint' out: the unique index does the same",
                    "a partitioned table takes no constraint on an index that is there");
    if (!o->unique.count) return;
    const char *value = arena_printf(run->arena, "%u", job->wish.table->oid);
    struct statement statement = {"reading the partition keys", sql_partition_keys.text, &value, 1};
    struct rows *rows = ask(run->desk, run->arena, &statement, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        const char *column = rows_text(rows, i, 0);
        if (!has_column(&job->wish, column))
            problem_add(problems, o->unique.items[0].place, NULL,
                        "%s is partitioned by %s, which a unique index of it must have among its columns",
                        job->wish.table->shown, column ? column : "an expression");
    }
}

static void check_replaced(struct run *run, const struct index_job *job, struct problems *problems,
                           struct error *error) {
    const struct name *replaces = &job->options->replaces;
    if (!replaces->name || failed(error)) return;
    const char *values[] = {job->wish.table->schema, replaces->name};
    struct statement statement = {"looking at the index to replace", sql_constraint_behind.text, values, 2};
    struct rows *rows = ask(run->desk, run->arena, &statement, error);
    if (rows && rows_count(rows))
        problem_add(problems, replaces->place, "drop the constraint by a 'sql' step if it is to go",
                    "the index %s stands behind the constraint %s and cannot be dropped alone", replaces->name,
                    rows_text(rows, 0, 0));
}

static void check_rights(struct run *run, size_t index, const struct index_job *job, struct problems *problems,
                         struct error *error) {
    const struct table *table = job->wish.table;
    struct place place = run->plan->steps[index].place;
    run_lacks_all(run, index_grants(run->desk, run->arena, table->oid, error));
    if (job->wish.nulls_not_distinct && slot_server_version(run->desk) < NULLS_NOT_DISTINCT_VERSION)
        problem_add(problems, place, "leave it out, or index coalesce() of the columns",
                    "'nulls_not_distinct' needs PostgreSQL 15; this server is %d",
                    slot_server_version(run->desk) / 10000);
}

static void index_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct index_options *o = options_of(run->plan, index);
    struct table *table = trial_table(run, index, &o->table, problems, error);
    if (!table || failed(error)) return;
    struct index_job *job = arena_alloc(run->arena, sizeof *job);
    job->options = o;
    job->wish = index_step_wish(run, index, table, error);
    check_rights(run, index, job, problems, error);
    check_elements(run, index, job, problems, error);
    check_partitioned(run, job, problems, error);
    check_replaced(run, job, problems, error);
    trial_settings(run, index, &o->settings, problems, error);
    run->steps[index].own = job;
}

/* --- duplicates --- */

static const char *not_null(struct arena *arena, const struct index_wish *wish) {
    if (wish->nulls_not_distinct) return "true";
    struct text text = text_new(arena);
    for (size_t i = 0; i < wish->count; i++) text_addf(&text, "%spgwinnow_k%zu IS NOT NULL", i ? " AND " : "", i + 1);
    return text.data;
}

static struct bindings duplicates_of(struct arena *arena, const struct index_wish *wish) {
    struct bindings b = {0};
    bind(&b, "keys", list_numbered(arena, NULL, "pgwinnow_k", wish->count));
    bind(&b, "expressions", index_wish_expressions(arena, wish, "pgwinnow_k"));
    bind(&b, "from", wish->table->from);
    bind(&b, "name", wish->table->name);
    bind(&b, "condition", wish->where ? wish->where : "true");
    bind(&b, "not_null", not_null(arena, wish));
    return b;
}

static struct rows *look_for_duplicates(struct direct *direct, const struct index_wish *wish, struct error *error) {
    struct bindings b = duplicates_of(direct->arena, wish);
    const char *doing = arena_printf(direct->arena, "looking for duplicates in %s", wish->table->shown);
    struct rows *rows;
    direct->tries = 0;
    do rows = direct_long(direct, doing, doing, &sql_duplicates, &b, error);
    while (direct_again(direct, error));
    return rows;
}

static const char *keys_shown(struct arena *arena, const struct rows *rows, const char *detail) {
    struct text text = text_new(arena);
    for (int i = 0; rows && i < rows_count(rows); i++)
        text_addf(&text, "%s%s: %s rows", i ? "\n" : "", rows_text(rows, i, 0), rows_text(rows, i, 1));
    return text.length || !detail ? text.data : detail;
}

/* Back to track, which finds them again, while that can help. */
static void duplicates_found(struct run *run, size_t index, const struct index_wish *wish, const struct rows *rows,
                             const char *detail, struct error *error) {
    const struct plan_step *track = plan_step_before(run->plan, index, "track");
    bool tracked = track && run->tracking && run->tracking->source == TRACK_DUPLICATES;
    int64_t keys = rows && rows_count(rows) ? rows_int(rows, 0, 2) : 1;
    const char *found =
        arena_printf(run->arena, "%s key%s duplicates", text_count(run->arena, keys), keys == 1 ? " has" : "s have");
    if (tracked && run->steps[index].round < MOST_ROUNDS) {
        run->restart_reason = arena_printf(run->arena, "%s again", found);
        return;
    }
    fail(error, FAULT_REFUSED, "the unique index %s cannot be built: %s%s", wish->name, found, tracked ? " again" : "");
    fail_detail(error, "(%s)\n%s", index_wish_shown(run->arena, wish), keys_shown(run->arena, rows, detail));
    if (tracked)
        fail_hint(error,
                  "%d rounds of removing them were not enough: rows on hold or spared, or a writer that goes on making "
                  "them; `track` and this index must agree on list and condition",
                  MOST_ROUNDS);
    else
        fail_hint(error,
                  "remove them first: a `track` step with these `duplicates` and a `delete` step before this one");
}

/* --- what follows once it is valid --- */

static bool constraint_is_there(struct direct *direct, const struct index_wish *wish, const char *constraint,
                                const char *index, struct error *error) {
    const char *values[] = {arena_printf(direct->arena, "%u", wish->table->oid), constraint};
    struct rows *rows = direct_ask(direct, "looking for the constraint", &sql_constraint_named, NULL, values, 2, error);
    if (!rows || rows_count(rows) == 0) return false;
    if (text_equal(rows_text(rows, 0, 0), "u") && text_equal(rows_text(rows, 0, 1), index)) return true;
    fail(error, FAULT_REFUSED, "%s has a constraint %s already, on another index than %s", wish->table->shown,
         constraint, index);
    fail_hint(error, "give the constraint another name, or drop that one by a `sql` step");
    return true;
}

/* A try whose answer was lost had gone through: the index bears the constraint's name since. */
static bool added_unheard(struct direct *direct, const struct index_wish *wish, const char *constraint) {
    struct error looking = error_new(direct->arena);
    return constraint_is_there(direct, wish, constraint, constraint, &looking) && !failed(&looking);
}

static void add_constraint(struct direct *direct, const struct index_job *job, const char *index, struct error *error) {
    const char *constraint = job->options->constraint.name;
    if (!constraint || failed(error) || constraint_is_there(direct, &job->wish, constraint, index, error)) return;
    if (failed(error)) return;
    struct bindings b = {0};
    bind(&b, "from", job->wish.table->from);
    bind(&b, "constraint", constraint);
    bind(&b, "index", index);
    const char *about =
        arena_printf(direct->arena, "adding the constraint %s to %s", constraint, job->wish.table->shown);
    direct_short(direct, about, &sql_add_constraint, &b, error);
    if (text_equal(error->sqlstate, "42704") && added_unheard(direct, &job->wish, constraint)) error_clear(error);
}

static void say(struct run *run, size_t index, const struct index_job *job, const char *name, bool built) {
    const char *wanted = job->wish.name, *constraint = job->options->constraint.name;
    run->steps[index].note =
        built ? arena_printf(run->arena, "built %s", wanted) : arena_printf(run->arena, "%s was there", name);
    if (built || text_equal(name, wanted) || text_equal(name, constraint)) return;
    const char *message = arena_printf(run->arena, "%s has an index like %s already: %s; nothing is built",
                                       job->wish.table->shown, wanted, name);
    run_tell(run, EVENT_NOTICE, message, NULL);
}

/* Builds it unless it stands; NULL when the run stops here or goes back to track. */
static const char *stand(struct direct *direct, size_t index, const struct index_job *job, struct error *error) {
    struct run *run = direct->run;
    const struct index_wish *wish = &job->wish;
    const char *name = NULL;
    if (indexes_stand(direct, wish, &name, error)) {
        say(run, index, job, name, false);
        return name;
    }
    struct rows *rows = wish->unique ? look_for_duplicates(direct, wish, error) : NULL;
    struct index_result result = {.outcome = INDEX_DUPLICATES};
    if (!rows || rows_count(rows) == 0) result = indexes_build(direct, wish, error);
    if (failed(error)) return NULL;
    if (result.outcome == INDEX_DUPLICATES) {
        if (result.detail) rows = look_for_duplicates(direct, wish, error);
        if (!failed(error)) duplicates_found(run, index, wish, rows, result.detail, error);
        return NULL;
    }
    say(run, index, job, result.name, result.outcome == INDEX_BUILT);
    return result.name;
}

static void index_run(struct run *run, size_t index, struct error *error) {
    trial_again(run, index, error);
    const struct index_job *job = run->steps[index].own;
    struct direct *direct = direct_open(run, index, &options_of(run->plan, index)->settings, error);
    if (!direct) return;
    const char *name = stand(direct, index, job, error);
    if (name) {
        add_constraint(direct, job, name, error);
        guards_end(run, (int)index, error); /* before the index goes by which it looks keys up */
        if (job->options->replaces.name && !failed(error))
            indexes_drop(direct, job->wish.table, job->options->replaces.name, error);
    }
    direct_close(direct);
}

static void explain_follow_ups(const struct index_job *job, struct explanation *explanation, struct error *error) {
    const struct index_options *o = job->options;
    if (o->constraint.name) {
        struct bindings b = {0};
        bind(&b, "from", job->wish.table->from);
        bind(&b, "constraint", o->constraint.name);
        bind(&b, "index", o->name.name);
        const char *text = sql_expand(explanation->arena, &sql_add_constraint, b.items, error);
        if (text) explain_statement(explanation, &sql_add_constraint, text);
        text_addf(&explanation->said,
                  "becomes the constraint %s: ACCESS EXCLUSIVE on %s for a moment, in short tries\n",
                  o->constraint.name, job->wish.table->shown);
    }
    if (o->replaces.name) {
        text_addf(&explanation->said, "then drops the index %s\n", o->replaces.name);
        index_drop_explain(job->wish.table->schema, o->replaces.name, explanation, error);
    }
}

static void index_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    const struct index_job *job = run->steps[index].own;
    if (!job || job->open) {
        text_add(&explanation->said, "what it does is known when the `sql` step before has run\n");
        return;
    }
    const struct index_wish *wish = &job->wish;
    const char *twin = index_twin(run->desk, run->arena, wish, error);
    if (twin) {
        text_addf(&explanation->said, "%s is there already and valid: nothing to build\n", twin);
    } else {
        text_addf(&explanation->said,
                  "builds %s on %s (%s), concurrently: nobody is blocked; it waits for older transactions\n",
                  wish->name, wish->table->shown, index_wish_shown(explanation->arena, wish));
        if (wish->unique) {
            struct bindings b = duplicates_of(explanation->arena, wish);
            const char *text = sql_expand(explanation->arena, &sql_duplicates, b.items, error);
            text_add(&explanation->said,
                     "looks for duplicates first, and goes back to track when there are new ones\n");
            if (text) explain_statement(explanation, &sql_duplicates, text);
        }
        indexes_explain(wish, explanation, error);
    }
    explain_follow_ups(job, explanation, error);
}

const struct step step_index = {
    .name = "index",
    .about = "builds an index concurrently, plain or unique",
    .size = sizeof(struct index_options),
    .options = index_option_table,
    .needs = OUTSIDE_TRANSACTION | REPEATABLE,
    .check = index_check,
    .compile = index_compile,
    .explain = index_explain,
    .run = index_run,
};
