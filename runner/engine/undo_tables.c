/* Reading what a run archived, and refusing what cannot come back as it was: before anything is changed. */
#include <jansson.h>

#include "base/text.h"
#include "database/bindings.h"
#include "engine/undo_job.h"
#include "sql/engine/undo_tables.sql.h"

enum { OURS = 4 };

static struct rows *look(const struct undo_job *job, const char *about, const struct sql *sql, const char *value,
                         struct error *error) {
    return ask(job->run->desk, job->arena, &(struct statement){about, sql->text, &value, 1}, error);
}

static void free_json(void *json) { json_decref(json); }

/* '["a", "b"]' as the server gives it */
static const char **names_of(struct arena *arena, const char *json, size_t *count) {
    json_t *list = json ? json_loads(json, 0, NULL) : NULL;
    if (list) arena_defer(arena, free_json, list);
    *count = json_array_size(list);
    const char **names = arena_alloc(arena, (*count + 1) * sizeof *names);
    for (size_t i = 0; i < *count; i++) names[i] = json_string_value(json_array_get(list, i));
    return names;
}

/* --- columns --- */

/* What was kept must still have its place, of the very type: a value that is cast on its way back is another value. */
static void match_columns(const struct undo_job *job, struct undo_table *t, const struct table *kept,
                          const char *const *ours, struct error *error) {
    struct text lost = text_new(job->arena);
    t->columns = arena_alloc(job->arena, (kept->column_count + 1) * sizeof *t->columns);
    for (size_t i = 0; i < kept->column_count; i++) {
        const struct column *was = &kept->columns[i];
        bool own = false;
        for (int k = 0; k < OURS; k++) own = own || text_equal(ours[k], was->name);
        if (own) continue;
        const struct column *now = table_column(t->table, was->name);
        const char *name = identifier_text(job->arena, was->name);
        if (now && text_equal(now->type, was->type))
            t->columns[t->column_count++] = now;
        else
            text_addf(&lost, "%scolumn %s of %s, which was %s, %s%s", lost.length ? "\n" : "", name, t->table->shown,
                      was->type, now ? "is now " : "is gone", now ? now->type : "");
    }
    if (!lost.length || failed(error)) return;
    fail(error, FAULT_REFUSED, "%s was changed since: what was kept does not fit any more", t->table->shown);
    fail_detail(error, "%s", lost.data);
    fail_hint(error, "put the columns back as they were, or restore by hand from %s", t->archive);
}

static void match_keys(const struct undo_job *job, struct undo_table *t, const char *const *names, size_t count) {
    t->keys = arena_alloc(job->arena, (count + 1) * sizeof *t->keys);
    for (size_t i = 0; i < count; i++) {
        const struct column *column = table_column(t->table, names[i]);
        if (column) t->keys[t->key_count++] = *column;
    }
}

/* --- rules --- */

static void read_rules(struct undo_job *job, struct undo_table *t, const char *oid, struct error *error) {
    struct rows *rows = look(job, "reading unique indexes", &sql_unique_rules, oid, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        const char *name = rows_text(rows, i, 0);
        if (!t->rule_count || !text_equal(t->rules[t->rule_count - 1].name, name)) {
            t->rules = arena_grow(job->arena, t->rules, &t->rule_count, sizeof *t->rules);
            struct undo_rule *new = &t->rules[t->rule_count - 1];
            *new = (struct undo_rule){.name = name,
                                      .excludes = rows_flag(rows, i, 1),
                                      .predicate = rows_text(rows, i, 2),
                                      .nulls_equal = rows_flag(rows, i, 3)};
            new->columns = names_of(job->arena, rows_text(rows, i, 7), &new->column_count);
        }
        struct undo_rule *rule = &t->rules[t->rule_count - 1];
        rule->terms = arena_grow(job->arena, rule->terms, &rule->count, sizeof *rule->terms);
        rule->terms[rule->count - 1] =
            (struct undo_term){rows_text(rows, i, 4), rows_text(rows, i, 5), rows_text(rows, i, 6)};
    }
}

static void add_pair(struct arena *arena, struct undo_reference *r, const char *own, const char *other,
                     const char *equal) {
    size_t n = r->count, m = r->count, k = r->count;
    r->own = arena_grow(arena, r->own, &n, sizeof *r->own);
    r->others = arena_grow(arena, r->others, &m, sizeof *r->others);
    r->equal = arena_grow(arena, r->equal, &k, sizeof *r->equal);
    r->own[r->count] = own;
    r->others[r->count] = other;
    r->equal[r->count] = equal;
    r->count = n;
}

static struct undo_reference *read_references(const struct undo_job *job, const char *oid, bool incoming, size_t *count,
                                              struct error *error) {
    const char *values[] = {oid, incoming ? "true" : "false"};
    struct rows *rows = ask(job->run->desk, job->arena,
                            &(struct statement){"reading foreign keys", sql_references_of.text, values, 2}, error);
    struct undo_reference *list = NULL;
    for (int i = 0; rows && i < rows_count(rows); i++) {
        bool new = i == 0 || rows_int(rows, i, 0) != rows_int(rows, i - 1, 0);
        if (new) {
            list = arena_grow(job->arena, list, count, sizeof *list);
            list[*count - 1] = (struct undo_reference){.name = rows_text(rows, i, 1),
                                                       .other = (unsigned)rows_int(rows, i, 2),
                                                       .other_sql = rows_text(rows, i, 3),
                                                       .cascades = rows_flag(rows, i, 7)};
        }
        add_pair(job->arena, &list[*count - 1], rows_text(rows, i, 4), rows_text(rows, i, 5), rows_text(rows, i, 6));
    }
    return list;
}

static void read_checks(struct undo_job *job, struct undo_table *t, const char *oid, struct error *error) {
    struct rows *rows = look(job, "reading check constraints", &sql_check_rules, oid, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        t->checks = arena_grow(job->arena, t->checks, &t->check_count, sizeof *t->checks);
        t->checks[t->check_count - 1] = (struct undo_check){rows_text(rows, i, 0), rows_text(rows, i, 1)};
    }
}

static void check_rights(struct undo_job *job, const struct undo_table *t, const char *oid, struct error *error) {
    struct rows *rows = look(job, "looking at rights", &sql_may_write, oid, error);
    const char *missing = rows ? rows_text(rows, 0, 0) : NULL;
    if (!missing || !*missing) return;
    fail(error, FAULT_REFUSED, "the role lacks rights on %s", t->table->shown);
    fail_hint(error, "GRANT %s ON %s TO %s;", missing, t->table->shown, rows_text(rows, 0, 1));
}

/* --- archives --- */

static void refuse_dropped(const struct undo_job *job, const struct rows *rows, int i, struct error *error) {
    if (rows_text(rows, i, 6)) {
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: the archive of %s was dropped at %s, by clean",
             (long long)job->run->holder.run, rows_text(rows, i, 3), rows_text(rows, i, 6));
        fail_hint(error, "how long archives are kept is said by `archive: { keep: ... }` of the plan");
    } else if (!rows_text(rows, i, 1)) {
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: the archive of %s, %s, is gone",
             (long long)job->run->holder.run, rows_text(rows, i, 3),
             sql_qualified(job->arena, job->run->state.schema, rows_text(rows, i, 2)));
    } else if (!rows_flag(rows, i, 7)) {
        fail(error, FAULT_REFUSED, "run %lld cannot be undone: table %s is gone", (long long)job->run->holder.run,
             rows_text(rows, i, 3));
        fail_hint(error, "its rows as they were are in %s",
                  sql_qualified(job->arena, job->run->state.schema, rows_text(rows, i, 2)));
    }
}

static void read_one(struct undo_job *job, const struct rows *rows, int i, struct undo_table *t, struct error *error) {
    const char *oid = rows_text(rows, i, 0);
    size_t key_count, own_count;
    const char **keys = names_of(job->arena, rows_text(rows, i, 4), &key_count);
    const char **ours = names_of(job->arena, rows_text(rows, i, 5), &own_count);
    *t = (struct undo_table){.oid = (unsigned)rows_int(rows, i, 0),
                             .archive_name = rows_text(rows, i, 2),
                             .archive = sql_qualified(job->arena, job->run->state.schema, rows_text(rows, i, 2)),
                             .seq = ours[0],
                             .batch = ours[1],
                             .order = ours[2],
                             .action = ours[3]};
    struct table *kept = catalog_table_by_oid(job->run->desk, job->arena, (unsigned)rows_int(rows, i, 1), error);
    t->table = catalog_table_by_oid(job->run->desk, job->arena, t->oid, error);
    if (failed(error)) return;
    run_refuse_hidden(t->table, error);
    check_rights(job, t, oid, error);
    match_columns(job, t, kept, ours, error);
    match_keys(job, t, keys, key_count);
    t->changes = arena_alloc(job->arena, (t->column_count + 1) * sizeof *t->changes);
    read_rules(job, t, oid, error);
    t->outgoing = read_references(job, oid, false, &t->outgoing_count, error);
    t->incoming = read_references(job, oid, true, &t->incoming_count, error);
    read_checks(job, t, oid, error);
}

void undo_tables_read(struct undo_job *job, struct error *error) {
    const char *values[] = {arena_printf(job->arena, "%lld", (long long)job->run->holder.run), job->run->state.schema};
    struct rows *rows =
        state_ask(&job->run->state, job->arena, "reading the archives", &sql_read_archives, values, 2, error);
    int count = rows ? rows_count(rows) : 0;
    for (int i = 0; i < count && !failed(error); i++) refuse_dropped(job, rows, i, error);
    job->table_count = 0;
    job->tables = arena_alloc(job->arena, ((size_t)count + 1) * sizeof *job->tables);
    for (int i = 0; i < count && !failed(error); i++) read_one(job, rows, i, &job->tables[job->table_count++], error);
}

void undo_tables_changes(struct undo_job *job, struct error *error) {
    for (size_t i = 0; i < job->table_count && !failed(error); i++) {
        struct undo_table *t = &job->tables[i];
        struct text differ = text_new(job->arena);
        for (size_t c = 0; c < t->column_count; c++) {
            const char *name = sql_identifier(job->arena, t->columns[c]->name);
            text_addf(&differ, "%spg_catalog.bool_or(%s)", c ? ", " : "", undo_unlike(job->arena, "o", "a", name));
        }
        if (!t->column_count) continue;
        struct bindings b = undo_bindings(job, t);
        bind(&b, "differ", differ.data);
        const char *text = sql_expand(job->arena, &sql_changed_columns, b.items, error);
        struct rows *rows =
            ask(job->run->desk, job->arena,
                &(struct statement){.about = "looking which columns the run changed", .text = text}, error);
        for (size_t c = 0; rows && c < t->column_count; c++) {
            t->changes[c] = rows_flag(rows, 0, (int)c);
            t->any_changes = t->any_changes || t->changes[c];
        }
        job->keyless = job->keyless || (t->any_changes && !t->key_count);
    }
}

const struct undo_table *undo_table_of(const struct undo_job *job, unsigned oid) {
    for (size_t i = 0; i < job->table_count; i++)
        if (job->tables[i].oid == oid) return &job->tables[i];
    return NULL;
}

bool undo_touches(const struct undo_table *t, const char *const *columns, size_t count) {
    for (size_t i = 0; i < t->column_count; i++)
        for (size_t k = 0; t->changes[i] && k < count; k++)
            if (text_equal(t->columns[i]->name, columns[k])) return true;
    return false;
}
