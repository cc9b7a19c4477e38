/*
 * The text of a guard's function.
 *
 * It runs with the rights of whoever runs the plan, called by anybody who writes to the table. So no name in it may be
 * left to be looked up then: the plan's texts are turned into the server's own, all names qualified, by way of an index
 * on an empty copy of the table. Whether the key can be computed on the function's path is tried on some rows.
 */
#include <string.h>

#include "base/text.h"
#include "sql/steps/guard_text.sql.h"
#include "steps/guard_job.h"
#include "work/session.h"

/* --- names --- */

const char *guard_name(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "guard_%lld", (long long)run->holder.run);
}

const char *guard_trigger_name(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "pgwinnow_guard_%lld", (long long)run->holder.run);
}

const char *guard_qualified(const struct run *run, struct arena *arena) {
    return sql_qualified(arena, run->state.schema, guard_name(run, arena));
}

/* --- the key --- */

static struct guard_key key_new(struct arena *arena, size_t count) {
    return (struct guard_key){arena_alloc(arena, (count + 1) * sizeof(char *)),
                              arena_alloc(arena, (count + 1) * sizeof(char *)), "true"};
}

struct guard_key guard_key_written(struct arena *arena, const struct guard_job *job) {
    struct guard_key key = key_new(arena, job->wish.count);
    for (size_t i = 0; i < job->wish.count; i++) {
        const struct index_element *e = &job->wish.elements[i];
        key.expressions[i] = *e->collate ? arena_printf(arena, "%s %s", e->expression, e->collate) : e->expression;
        key.equal[i] = job->columns[i].equal;
    }
    if (job->wish.where) key.condition = job->wish.where;
    return key;
}

/* The cast to the base type keeps an operator of a domain's out; it does not keep the index out. */
static const char *resolved(struct arena *arena, const char *expression, const char *type, const char *collation) {
    if (!collation) return arena_printf(arena, "((%s)::%s)", expression, type);
    return arena_printf(arena, "((%s)::%s COLLATE %s)", expression, type, collation);
}

/* Two that the index takes as equal must have the same hash: by the type's own notion. */
static void refuse_class(const struct guard_job *job, size_t i, const char *equal, struct error *error) {
    if (failed(error) || text_equal(equal, job->columns[i].equal)) return;
    fail(error, FAULT_REFUSED, "the guard cannot keep %s apart by an operator class with an equality of its own",
         job->wish.elements[i].text);
    fail_hint(error, "leave the step guard out; the unique index is built all the same");
}

static struct rows *say(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                        const struct bindings *b, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    return ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error);
}

static struct guard_key read_key(struct run *run, struct arena *arena, const struct guard_job *job,
                                 struct error *error) {
    static const char about[] = "resolving the names in the guard's key";
    struct guard_key key = key_new(arena, job->wish.count);
    struct bindings b = {0};
    bind(&b, "name", job->wish.table->name);
    bind(&b, "table", job->wish.table->sql);
    bind(&b, "definition", job->wish.definition);
    say(run, arena, about, &sql_clone_table, &b, error);
    say(run, arena, about, &sql_clone_index, &b, error);
    say(run, arena, about, &sql_no_path, &b, error);
    if (strncmp(error->sqlstate, "42", 2) == 0) { /* not immutable, a subquery, ... */
        error->fault = FAULT_REFUSED;
        error->hint = "what stands here must be fit for an index: the unique index could not be built on it either";
    }
    struct rows *rows = say(run, arena, about, &sql_key_texts, &b, error);
    for (size_t i = 0; rows && i < job->wish.count; i++) {
        int row = (int)i;
        key.equal[i] = arena_strdup(arena, rows_text(rows, row, 2));
        key.expressions[i] = resolved(arena, rows_text(rows, row, 0), job->columns[i].type, rows_text(rows, row, 1));
        if (rows_text(rows, row, 3)) key.condition = arena_strdup(arena, rows_text(rows, row, 3));
        refuse_class(job, i, key.equal[i], error);
    }
    return key;
}

/* On the path that the function has. What fails here would fail in every insert of the application. */
static void try_key(struct run *run, struct arena *arena, const struct guard_job *job, const struct guard_key *key,
                    struct error *error) {
    struct bindings b = {0};
    bind(&b, "list", guard_list(arena, key, job->wish.count));
    bind(&b, "from", job->wish.table->from);
    bind(&b, "condition", key->condition);
    say(run, arena, "setting the guard's path", &sql_guard_path, &b, error);
    if (failed(error)) return;
    say(run, arena, "trying the guard's key on rows of the table", &sql_try_key, &b, error);
    if (error->fault != FAULT_FAILED || strncmp(error->sqlstate, "42", 2) != 0) return;
    error->fault = FAULT_REFUSED;
    error->hint = "a function that the key calls finds something by the search_path, and a trigger must not depend on "
                  "that: ALTER FUNCTION ... SET search_path = ...; an index on it needs the same from PostgreSQL 17 on";
}

struct guard_key guard_key_resolved(struct run *run, size_t step, struct arena *arena, const struct guard_job *job,
                                    struct error *error) {
    struct session session = session_for(run, step, arena);
    session_begin(run->desk, arena, &session, error);
    struct guard_key key = read_key(run, arena, job, error);
    if (!failed(error)) try_key(run, arena, job, &key, error);
    struct error ignored = error_new(arena);
    if (!slot_lost(run->desk) && slot_in_transaction(run->desk))
        ask(run->desk, arena, &(struct statement){.about = "rolling back", .text = sql_drop_clone.text}, &ignored);
    return key;
}

/* --- lists --- */

const char *guard_list(struct arena *arena, const struct guard_key *key, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%s", i ? ", " : "", key->expressions[i]);
    return text.data;
}

const char *guard_nulls(struct arena *arena, const struct guard_job *job) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < job->wish.count; i++)
        text_addf(&text, "%sNULL::%s AS pgwinnow_k%zu", i ? ", " : "", job->columns[i].type, i + 1);
    return text.data;
}

const char *guard_equal(struct arena *arena, const struct guard_job *job, const struct guard_key *key) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < job->wish.count; i++) {
        const char *left = key->expressions[i];
        const char *equal = arena_printf(arena, "%s %s pgwinnow_key.pgwinnow_k%zu", left, key->equal[i], i + 1);
        if (i) text_add(&text, " AND ");
        if (job->wish.nulls_not_distinct)
            text_addf(&text, "(%s OR %s IS NULL AND pgwinnow_key.pgwinnow_k%zu IS NULL)", equal, left, i + 1);
        else
            text_add(&text, equal);
    }
    return text.data;
}

static const char *values(struct arena *arena, const struct guard_key *key, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%s%s AS pgwinnow_k%zu", i ? ", " : "", key->expressions[i], i + 1);
    return text.data;
}

static const char *filled(struct arena *arena, const struct guard_job *job, const struct guard_key *key) {
    if (job->wish.nulls_not_distinct) return "true";
    struct text text = text_new(arena);
    for (size_t i = 0; i < job->wish.count; i++)
        text_addf(&text, "%s%s IS NOT NULL", i ? " AND " : "", key->expressions[i]);
    return text.data;
}

static const char *shown_values(struct arena *arena, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%scoalesce(pgwinnow_key.pgwinnow_k%zu::text, 'null')", i ? ", " : "", i + 1);
    return text.data;
}

/* --- the function --- */

static const char *body(const struct run *run, struct arena *arena, const struct guard_job *job,
                        const struct guard_key *key, struct error *error) {
    struct bindings b = {0};
    size_t count = job->wish.count;
    bind(&b, "values", values(arena, key, count));
    bind(&b, "list", guard_list(arena, key, count));
    bind(&b, "condition", key->condition);
    bind(&b, "filled", filled(arena, job, key));
    bind(&b, "equal", guard_equal(arena, job, key));
    bind(&b, "claims", guard_qualified(run, arena));
    bind(&b, "from", job->wish.table->from);
    bind(&b, "constraint", job->constraint);
    bind(&b, "message", arena_printf(arena, "duplicate key value violates unique constraint \"%s\"", job->constraint));
    bind(&b, "shown", index_wish_shown(arena, &job->wish));
    bind(&b, "shown_values", shown_values(arena, count));
    bind(&b, "hint",
         arena_printf(arena, "The guard of pgwinnow run %lld keeps new duplicates out until the unique index is there.",
                      (long long)run->holder.run));
    return sql_expand(arena, &sql_guard_body, b.items, error);
}

/* NULLs that equal each other: only a plan for the values at hand can use the index. Backslashes in a text must not
 * change their meaning with the writer's settings. */
static const char *settings(struct arena *arena, const struct guard_job *job, const char *text) {
    return arena_printf(arena, "%s%s", job->wish.nulls_not_distinct ? "SET plan_cache_mode = force_custom_plan " : "",
                        text && strchr(text, '\\') ? "SET standard_conforming_strings = on " : "");
}

struct bindings guard_bindings(const struct run *run, struct arena *arena, const struct guard_job *job,
                               const struct guard_key *key, struct error *error) {
    struct bindings b = {0};
    const char *text = body(run, arena, job, key, error);
    bind(&b, "function", guard_qualified(run, arena));
    bind(&b, "claims", guard_qualified(run, arena));
    bind(&b, "constraint", job->constraint);
    bind(&b, "settings", settings(arena, job, text));
    bind(&b, "body", text);
    bind(&b, "trigger", guard_trigger_name(run, arena));
    bind(&b, "table", job->wish.table->sql);
    bind(&b, "state", run->state.schema);
    return b;
}
