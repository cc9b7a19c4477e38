/*
 * Comparing definitions. Columns of the catalog are compared as such; expressions and conditions are compared by the
 * server: both texts are put into one SELECT that is explained, never run, and come back in the server's own writing.
 */
#include "work/index_match.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "sql/work/index_match.sql.h"

struct match {
    struct slot *slot;
    struct arena *arena;
    const struct index_wish *wish;
    const struct column *types; /* of the wish's elements; NULL: not asked yet */
    struct error *error;
};

static struct rows *query(struct match *m, const struct sql *sql, const char *const *values, int count) {
    return ask(m->slot, m->arena, &(struct statement){"comparing indexes", sql->text, values, count}, m->error);
}

static const char *number(struct match *m, unsigned long long n) { return arena_printf(m->arena, "%llu", n); }

static struct rows *candidates(struct match *m, const char *index) {
    const struct index_wish *wish = m->wish;
    size_t included = wish->include ? wish->include->count : 0;
    const char *values[] = {number(m, wish->table->oid),
                            wish->method,
                            wish->unique ? "true" : "false",
                            number(m, wish->count),
                            number(m, wish->count + included),
                            wish->where ? "true" : "false",
                            wish->nulls_not_distinct ? "true" : "false",
                            index};
    return query(m, &sql_candidates, values, 8);
}

/* "(siglen=32)" against "siglen=32": white space, quotes and parentheses carry nothing. */
static bool same_options(const char *plan, const char *catalog) {
    if (!catalog) catalog = "";
    for (;;) {
        plan += strspn(plan, " \t\r\n()'\"");
        catalog += strspn(catalog, " '\"");
        if (*plan != *catalog) return false;
        if (!*plan) return true;
        plan++;
        catalog++;
    }
}

static bool same_class(struct match *m, const struct index_element *element, const struct rows *rows, int row) {
    if (!same_options(element->class_options, rows_text(rows, row, 7))) return false;
    if (!element->operator_class.name) return rows_flag(rows, row, 3);
    const char *values[] = {m->wish->method, element->operator_class.name, element->operator_class.schema};
    struct rows *named = query(m, &sql_operator_class, values, 3);
    return named && rows_count(named) && rows_int(named, 0, 0) == rows_int(rows, row, 4) &&
           rows_int(named, 0, 1) == rows_int(rows, row, 5);
}

/* Types and collations of the wish's elements, asked once. */
static const struct column *types(struct match *m) {
    if (m->types) return m->types;
    struct sql_text *texts = arena_alloc(m->arena, (m->wish->count + 1) * sizeof *texts);
    for (size_t i = 0; i < m->wish->count; i++) {
        const struct index_element *e = &m->wish->elements[i];
        texts[i].text = arena_printf(m->arena, "%s %s", e->expression, e->collate);
    }
    m->types = catalog_expressions(m->slot, m->arena, m->wish->table, texts, m->wish->count, m->error);
    return m->types;
}

static bool same_columns(struct match *m, const struct rows *rows) {
    const struct column *wanted = types(m);
    if (failed(m->error)) return false;
    for (int i = 0; i < (int)m->wish->count; i++) {
        const struct index_element *element = &m->wish->elements[i];
        const char *collation = rows_text(rows, i, 6);
        if (rows_flag(rows, i, 1) != element->descending || rows_flag(rows, i, 2) != element->nulls_first) return false;
        if (collation && wanted[i].collation && !text_equal(collation, wanted[i].collation)) return false;
        if (!same_class(m, element, rows, i)) return false;
    }
    for (size_t i = 0; m->wish->include && i < m->wish->include->count; i++) {
        const char *name = rows_text(rows, (int)(m->wish->count + i), 0);
        if (!text_equal(name, identifier_text(m->arena, m->wish->include->items[i].name))) return false;
    }
    return true;
}

/* [{"Plan": {"Output": ["a", "a", "lower(b)", ...]}}]: every second one is the catalog's. */
static bool pairs_are_equal(const char *plan, size_t pairs) {
    json_t *root = json_loads(plan, 0, NULL);
    json_t *output = json_object_get(json_object_get(json_array_get(root, 0), "Plan"), "Output");
    bool equal = json_array_size(output) == 2 * pairs;
    for (size_t i = 0; equal && i < pairs; i++)
        equal = json_equal(json_array_get(output, 2 * i), json_array_get(output, 2 * i + 1));
    json_decref(root);
    return equal;
}

static const char *side_by_side(struct match *m, const char *list) {
    const struct table *table = m->wish->table;
    const char *text = sql_expand(
        m->arena, &sql_side_by_side,
        (struct binding[]){{"expressions", list}, {"table", table->sql}, {"name", table->name}, {NULL, NULL}},
        m->error);
    struct rows *rows =
        ask(m->slot, m->arena, &(struct statement){.about = "comparing indexes", .text = text}, m->error);
    return rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
}

static bool same_expressions(struct match *m, const struct rows *columns, const char *condition) {
    const struct index_wish *wish = m->wish;
    struct text list = text_new(m->arena);
    for (size_t i = 0; i < wish->count; i++)
        text_addf(&list, "%s%s, (%s)", i ? ", " : "", wish->elements[i].expression, rows_text(columns, (int)i, 0));
    if (wish->where) text_addf(&list, ", (%s\n), (%s)", wish->where, condition);
    const char *plan = side_by_side(m, list.data);
    return plan && pairs_are_equal(plan, wish->count + (wish->where != NULL));
}

static bool among(const json_t *output, size_t one, size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++)
        if (json_equal(json_array_get(output, one), json_array_get(output, i))) return true;
    return false;
}

/* The elements of one, those of the other, the conditions: each of the first is among the second. */
static bool agree(const char *plan, size_t count, size_t conditions) {
    json_t *root = json_loads(plan, 0, NULL);
    json_t *output = json_object_get(json_object_get(json_array_get(root, 0), "Plan"), "Output");
    bool same = json_array_size(output) == 2 * (count + conditions);
    for (size_t i = 0; same && i < count; i++)
        same = among(output, i, count, count) && among(output, count + i, 0, count);
    if (same && conditions) same = among(output, 2 * count, 2 * count + 1, 1);
    json_decref(root);
    return same;
}

bool index_wishes_agree(struct slot *slot, struct arena *arena, const struct index_wish *a, const struct index_wish *b,
                        struct error *error) {
    struct match m = {slot, arena, a, NULL, error};
    if (failed(error) || a->count != b->count || !a->where != !b->where) return false;
    if (a->nulls_not_distinct != b->nulls_not_distinct) return false;
    struct text list = text_new(arena);
    for (size_t i = 0; i < 2 * a->count; i++) {
        const struct index_element *e = i < a->count ? &a->elements[i] : &b->elements[i - a->count];
        text_addf(&list, "%s%s %s", i ? ", " : "", e->expression, e->collate);
    }
    if (a->where) text_addf(&list, ", (%s\n), (%s\n)", a->where, b->where);
    const char *plan = side_by_side(&m, list.data);
    return plan && agree(plan, a->count, a->where ? 1 : 0);
}

/* An index of a partition was made from its parent's text, or it is not taken. */
static bool same_text(struct match *m, const char *index) {
    struct rows *rows = query(m, &sql_definition_text, &index, 1);
    return rows && rows_count(rows) && text_equal(rows_text(rows, 0, 0), m->wish->definition);
}

static bool same(struct match *m, const char *index, const char *condition) {
    if (m->wish->partition) return same_text(m, index);
    struct rows *columns = query(m, &sql_index_columns, &index, 1);
    return columns && same_columns(m, columns) && same_expressions(m, columns, condition) && !failed(m->error);
}

bool index_same(struct slot *slot, struct arena *arena, const struct index_wish *wish, unsigned index,
                struct error *error) {
    struct match m = {slot, arena, wish, NULL, error};
    const char *oid = number(&m, index);
    struct rows *rows = failed(error) ? NULL : candidates(&m, oid);
    return rows && rows_count(rows) && same(&m, oid, rows_text(rows, 0, 4));
}

const char *index_twin(struct slot *slot, struct arena *arena, const struct index_wish *wish, struct error *error) {
    struct match m = {slot, arena, wish, NULL, error};
    struct rows *rows = failed(error) ? NULL : candidates(&m, NULL);
    for (int i = 0; rows && i < rows_count(rows) && !failed(error); i++) {
        const char *name = rows_text(rows, i, 1);
        if (!rows_flag(rows, i, 2) || text_equal(name, wish->not_this)) continue;
        if (wish->partition && rows_flag(rows, i, 3)) continue;
        if (same(&m, rows_text(rows, i, 0), rows_text(rows, i, 4))) return name;
    }
    return NULL;
}

const char *index_definition_text(struct slot *slot, struct arena *arena, unsigned index, struct error *error) {
    struct match m = {slot, arena, NULL, NULL, error};
    const char *oid = number(&m, index);
    struct rows *rows = failed(error) ? NULL : query(&m, &sql_definition_text, &oid, 1);
    return rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
}
