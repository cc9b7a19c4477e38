/* Unique indexes that the run made: what it removed would collide under them. They may go when the user says so. */
#include <jansson.h>

#include "base/text.h"
#include "database/bindings.h"
#include "engine/undo_job.h"
#include "sql/engine/undo_index.sql.h"
#include "work/direct.h"
#include "work/indexes.h"
#include "work/session.h"

/* Names as the plan wrote them: folded, or quoted. */
static bool names(struct arena *arena, const json_t *options, const char *key, const char *index) {
    const char *text = json_string_value(json_object_get(options, key)), *why;
    struct name name;
    return text && name_parse(arena, text, &name, &why) && text_equal(name.name, index);
}

static bool made_by_run(const struct undo_job *job, const json_t *definition, const char *index) {
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(definition, "steps"), i, step) {
        const json_t *options = json_object_get(step, "options");
        if (!text_equal(json_string_value(json_object_get(step, "step")), "index")) continue;
        if (!json_object_get(options, "unique")) continue;
        if (names(job->arena, options, "name", index) || names(job->arena, options, "constraint", index)) return true;
    }
    return false;
}

static void note(struct undo_job *job, const struct undo_table *t, const struct undo_rule *rule) {
    struct undo_outcome *out = job->outcome;
    out->indexes = arena_grow(job->arena, out->indexes, &out->index_count, sizeof *out->indexes);
    out->indexes[out->index_count - 1] = arena_printf(job->arena, "%s on %s", rule->name, t->table->shown);
}

static bool known(const struct undo_table *t, const char *index) {
    for (size_t i = 0; i < t->rule_count; i++)
        if (text_equal(t->rules[i].name, index)) return true;
    return false;
}

/* An undo that was killed while it dropped an index goes on with that. */
static void add_half_dropped(struct undo_job *job, struct undo_table *t, const json_t *definition,
                             struct error *error) {
    const char *values[] = {arena_printf(job->arena, "%u", t->oid)};
    struct rows *rows =
        ask(job->run->desk, job->arena,
            &(struct statement){"looking for indexes that are half dropped", sql_half_dropped.text, values, 1}, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        const char *name = arena_strdup(job->arena, rows_text(rows, i, 0));
        if (!made_by_run(job, definition, name) || known(t, name)) continue;
        t->rules = arena_grow(job->arena, t->rules, &t->rule_count, sizeof *t->rules);
        t->rules[t->rule_count - 1] = (struct undo_rule){.name = name, .dead = true};
    }
}

static void look(struct undo_job *job, struct error *error) {
    json_t *definition = json_loads(job->definition, 0, NULL);
    job->outcome->index_count = 0;
    struct session session = session_for(job->run, job->step, job->arena);
    session.read_only = true;
    session.statement_timeout = 0;
    session_begin(job->run->desk, job->arena, &session, error);
    for (size_t i = 0; i < job->table_count; i++) {
        add_half_dropped(job, &job->tables[i], definition, error);
        for (size_t k = 0; k < job->tables[i].rule_count && !failed(error); k++) {
            struct undo_rule *rule = &job->tables[i].rules[k];
            if (!made_by_run(job, definition, rule->name)) continue;
            rule->goes = rule->dead || undo_in_the_way(job, job->arena, &job->tables[i], rule, error);
            if (rule->goes) note(job, &job->tables[i], rule);
        }
    }
    session_end(job->run->desk, job->arena, error);
    json_decref(definition);
}

void undo_indexes_find(struct undo_job *job, struct error *error) {
    if (failed(error)) return;
    look(job, error);
    struct undo_outcome *out = job->outcome;
    if (!out->index_count || failed(error)) return;
    struct text list = text_new(job->arena);
    for (size_t i = 0; i < out->index_count; i++) text_addf(&list, "%s%s", i ? ", " : "", out->indexes[i]);
    if (job->request->agrees(job->request->context, list.data)) return;
    long long run = (long long)job->run->holder.run;
    fail(error, FAULT_REFUSED, "the unique index that run %lld made stands in the way: %s", run, list.data);
    fail_detail(error, "what the run removed collides under it with what is there");
    fail_hint(error, "`pgwinnow undo %lld --yes` drops it first; nothing was changed so far", run);
}

static bool is_constraint(struct undo_job *job, const struct undo_table *t, const char *name, struct error *error) {
    const char *values[] = {arena_printf(job->arena, "%u", t->oid), name};
    struct rows *rows = ask(job->run->desk, job->arena,
                            &(struct statement){"looking for a constraint", sql_is_constraint.text, values, 2}, error);
    return rows && rows_flag(rows, 0, 0);
}

static void drop(struct undo_job *job, struct direct *direct, const struct undo_table *t, const char *name,
                 struct error *error) {
    if (!is_constraint(job, t, name, error)) {
        indexes_drop(direct, t->table, name, error);
        return;
    }
    struct bindings b = {0};
    bind(&b, "table", t->table->sql);
    bind(&b, "name", name);
    direct_short(direct, arena_printf(job->arena, "dropping the constraint %s of %s", name, t->table->shown),
                 &sql_drop_unique_constraint, &b, error);
}

void undo_indexes_drop(struct undo_job *job, struct error *error) {
    if (!job->outcome->index_count || failed(error)) return;
    struct direct *direct = direct_open(job->run, job->step, NULL, error);
    for (size_t i = 0; i < job->table_count; i++)
        for (size_t k = 0; k < job->tables[i].rule_count && !failed(error); k++)
            if (job->tables[i].rules[k].goes) drop(job, direct, &job->tables[i], job->tables[i].rules[k].name, error);
    direct_close(direct);
}
