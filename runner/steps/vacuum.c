/*
 * vacuum: VACUUM on the tables that were touched. Two things are known to go wrong without a word: a role that lacks
 * the right gets a warning only, and after huge deletes the shared memory of parallel workers may not be had. The
 * first is an error here; the second is tried again without them and then becomes a warning, since autovacuum will
 * come by.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/steps/vacuum.sql.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "work/direct.h"
#include "work/explanation.h"

enum pace_choice { PACE_AUTOVACUUM, PACE_FULL };

struct vacuum_options {
    struct names tables;
    bool analyze, truncate;
    int64_t parallel;
    int pace;
};

static const char *const paces[] = {"autovacuum", "full", NULL};

#define AT(member) offsetof(struct vacuum_options, member)
static const struct option vacuum_option_table[] = {
    {"tables", OPTION_NAMES, AT(tables),
     .about = "which; default: the plan's table and those whose rows went with its rows"},
    {"analyze", OPTION_FLAG, AT(analyze), .about = "renews the planner's statistics too", .fallback = "true"},
    {"truncate", OPTION_FLAG, AT(truncate),
     .about = "gives empty pages at the end back to the system: needs ACCESS EXCLUSIVE, on standbys too",
     .fallback = "false"},
    {"parallel", OPTION_COUNT, AT(parallel), .about = "parallel workers for indexes; default: the server's choice",
     .least = 0, .most = 1024},
    {"pace", OPTION_CHOICE, AT(pace), .about = "autovacuum: rests as autovacuum does; full: as fast as it goes",
     .fallback = "autovacuum", .choices = paces},
    {0},
};
#undef AT

struct vacuum_job {
    struct table **tables; /* those that the plan names */
    size_t count;
};

static const struct vacuum_options *options_of(const struct run *run, size_t index) {
    return run->plan->steps[index].options;
}

static void add(struct arena *arena, struct vacuum_job *job, struct table *table) {
    for (size_t i = 0; i < job->count; i++)
        if (job->tables[i]->oid == table->oid) return;
    job->tables = arena_grow(arena, job->tables, &job->count, sizeof *job->tables);
    job->tables[job->count - 1] = table;
}

/* The plan's table, and every table below it whose rows could be removed or changed. */
static struct vacuum_job touched(struct run *run, size_t index) {
    struct vacuum_job *named = run->steps[index].own, job = {0};
    if (named && named->count) return *named;
    add(run->arena, &job, run->table);
    for (size_t i = 0; i < run->tree->edge_count; i++)
        if (run->tree->edges[i]->reached) add(run->arena, &job, run->tree->edges[i]->child->table);
    return job;
}

static void vacuum_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct vacuum_options *o = options_of(run, index);
    struct vacuum_job *named = arena_alloc(run->arena, sizeof *named);
    run->steps[index].own = named;
    for (size_t i = 0; i < o->tables.count; i++) {
        struct table *table = trial_table(run, index, &o->tables.items[i], problems, error);
        if (table) add(run->arena, named, table);
    }
    struct vacuum_job job = touched(run, index);
    for (size_t i = 0; i < job.count; i++)
        run_lacks_all(run, vacuum_grants(run->desk, run->arena, job.tables[i]->oid, error));
}

static const char *parallel_text(struct arena *arena, int64_t workers) {
    return workers < 0 ? "" : arena_printf(arena, ", PARALLEL %lld", (long long)workers);
}

static struct bindings bindings_of(struct arena *arena, const struct vacuum_options *o, const struct table *table,
                                   int64_t parallel) {
    struct bindings b = {0};
    bind(&b, "analyze", o->analyze ? "true" : "false");
    bind(&b, "truncate", o->truncate ? "true" : "false");
    bind(&b, "parallel", parallel_text(arena, parallel));
    bind(&b, "table", table->sql);
    return b;
}

/* --- running --- */

struct hearing {
    struct arena *arena;
    const char *skipped; /* the server's words */
};

/* Whatever the server's language: the rights were asked before; this catches what changed since. */
static void hear(void *context, const char *severity, const char *sqlstate, const char *message) {
    (void)sqlstate;
    struct hearing *hearing = context;
    if (text_equal(severity, "WARNING") && strstr(message, "skipping"))
        hearing->skipped = arena_strdup(hearing->arena, message);
}

static bool out_of_shared_memory(const struct error *error) {
    return text_equal(error->sqlstate, "53100") || text_equal(error->sqlstate, "53200");
}

static void attempt(struct direct *direct, const struct vacuum_options *o, const struct table *table, int64_t parallel,
                    const char *doing, struct error *error) {
    struct bindings b = bindings_of(direct->arena, o, table, parallel);
    const char *about = arena_printf(direct->arena, "VACUUM of %s", table->shown);
    direct->tries = 0;
    do {
        direct_ask(direct, "setting the pace", o->pace == PACE_FULL ? &sql_pace_full : &sql_pace_of_autovacuum, NULL,
                   NULL, 0, error);
        direct_long(direct, doing, about, &sql_vacuum, &b, error);
    } while (direct_again(direct, error));
}

static void vacuum_table(struct direct *direct, const struct vacuum_options *o, const struct table *table,
                         const char *doing, struct error *error) {
    struct hearing hearing = {.arena = direct->arena};
    slot_on_notice(direct->slot, hear, &hearing);
    attempt(direct, o, table, o->parallel, doing, error);
    if (out_of_shared_memory(error) && o->parallel != 0) {
        error_clear(error);
        attempt(direct, o, table, 0, doing, error);
    }
    slot_on_notice(direct->slot, NULL, NULL);
    if (out_of_shared_memory(error)) {
        const char *message = arena_printf(direct->arena, "%s; the run goes on", error->message);
        error_clear(error);
        run_tell(direct->run, EVENT_NOTICE, message,
                 "autovacuum will come by; look at the space in /dev/shm and on the disk");
    }
    if (!hearing.skipped || failed(error)) return;
    fail(error, FAULT_REFUSED, "VACUUM of %s did not do it: %s", table->shown, hearing.skipped);
    fail_hint(error, "it needs the table's owner, or the database's; PostgreSQL 17 has GRANT MAINTAIN");
}

static void vacuum_run(struct run *run, size_t index, struct error *error) {
    const struct vacuum_options *o = options_of(run, index);
    trial_again(run, index, error);
    struct direct *direct = direct_open(run, index, NULL, error);
    if (!direct) return;
    struct vacuum_job job = touched(run, index);
    for (size_t i = 0; i < job.count && !failed(error); i++) {
        const char *number = arena_printf(direct->arena, " (%zu of %zu)", i + 1, job.count);
        const char *doing =
            arena_printf(direct->arena, "vacuuming %s%s", job.tables[i]->shown, job.count > 1 ? number : "");
        vacuum_table(direct, o, job.tables[i], doing, error);
    }
    run->steps[index].note = arena_printf(run->arena, "%zu table%s", job.count, job.count == 1 ? "" : "s");
    direct_close(direct);
}

static void vacuum_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    const struct vacuum_options *o = options_of(run, index);
    struct vacuum_job job = touched(run, index);
    text_addf(&explanation->said, "VACUUM of %zu table%s, %s; nobody is blocked%s\n", job.count,
              job.count == 1 ? "" : "s", o->pace == PACE_FULL ? "as fast as it goes" : "at autovacuum's pace",
              o->truncate ? ", but for a moment at the end, when ACCESS EXCLUSIVE can be had" : "");
    for (size_t i = 0; i < job.count; i++) {
        struct bindings b = bindings_of(explanation->arena, o, job.tables[i], o->parallel);
        const char *text = sql_expand(explanation->arena, &sql_vacuum, b.items, error);
        if (text) explain_statement(explanation, &sql_vacuum, text);
    }
}

const struct step step_vacuum = {
    .name = "vacuum",
    .about = "VACUUM and ANALYZE of the tables that were touched",
    .size = sizeof(struct vacuum_options),
    .options = vacuum_option_table,
    .needs = OUTSIDE_TRANSACTION | REPEATABLE,
    .compile = vacuum_compile,
    .explain = vacuum_explain,
    .run = vacuum_run,
};
