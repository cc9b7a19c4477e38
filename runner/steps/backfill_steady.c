/*
 * Reads the plan of a SELECT: what each column is computed from stands in the Output of its topmost node. A column
 * that only names one of a sub-select hides what it is computed from: it counts as changing when anything in the
 * sub-select does.
 */
#include "steps/backfill_steady.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "sql/steps/backfill_steady.sql.h"

struct reading {
    struct run *run;
    struct error *error;
    json_t *top;
};

static const char *text_at(json_t *node, const char *key) { return json_string_value(json_object_get(node, key)); }

static bool changes(struct reading *r, const char *expression) {
    struct statement statement = {"looking at the columns of the SELECT", sql_changes.text, &expression, 1};
    struct rows *rows = failed(r->error) || !expression ? NULL : ask(r->run->desk, r->run->arena, &statement, r->error);
    return rows && rows_flag(rows, 0, 0);
}

/* Anything that this node and those below compute. */
static bool node_changes(struct reading *r, json_t *node) {
    json_t *output = json_object_get(node, "Output"), *below = json_object_get(node, "Plans");
    if (changes(r, text_at(node, "Function Call"))) return true;
    for (size_t i = 0; i < json_array_size(output); i++)
        if (changes(r, json_string_value(json_array_get(output, i)))) return true;
    for (size_t i = 0; i < json_array_size(below); i++)
        if (node_changes(r, json_array_get(below, i))) return true;
    return false;
}

/* The first node at or below this one whose `key` is `value` (of that length). */
static json_t *find(json_t *node, const char *key, const char *value, size_t length) {
    const char *found = text_at(node, key);
    if (found && strlen(found) == length && strncmp(found, value, length) == 0) return node;
    json_t *below = json_object_get(node, "Plans"), *in = NULL;
    for (size_t i = 0; i < json_array_size(below) && !in; i++) in = find(json_array_get(below, i), key, value, length);
    return in;
}

/* "x.a" names a column of a table, or one of a sub-select, a WITH or a function, which may compute it from anything. */
static bool hidden_changes(struct reading *r, const char *expression) {
    const char *dot = strchr(expression, '.');
    json_t *scan = dot ? find(r->top, "Alias", expression, (size_t)(dot - expression)) : NULL;
    if (!scan || text_at(scan, "Relation Name")) return false;
    const char *with = text_at(scan, "CTE Name");
    if (!with) return node_changes(r, scan);
    const char *name = arena_printf(r->run->arena, "CTE %s", with);
    json_t *plan = find(r->top, "Subplan Name", name, strlen(name));
    return !plan || node_changes(r, plan);
}

/* Nodes that only pass on (Append) have no Output of their own: then any branch decides. */
static bool column_changes(struct reading *r, json_t *node, size_t column) {
    json_t *output = json_object_get(node, "Output"), *below = json_object_get(node, "Plans");
    const char *expression = json_string_value(json_array_get(output, column));
    if (expression) return changes(r, expression) || (!strchr(expression, '(') && hidden_changes(r, expression));
    for (size_t i = 0; !output && i < json_array_size(below); i++)
        if (column_changes(r, json_array_get(below, i), column)) return true;
    return false;
}

bool *steady_columns(struct run *run, const struct rows *plan, size_t count, struct error *error) {
    bool *steady = arena_alloc(run->arena, count + 1);
    json_t *root = rows_count(plan) ? json_loads(rows_text(plan, 0, 0), 0, NULL) : NULL;
    struct reading reading = {run, error, json_object_get(json_array_get(root, 0), "Plan")};
    for (size_t i = 0; i < count; i++) steady[i] = !column_changes(&reading, reading.top, i);
    json_decref(root);
    return steady;
}
