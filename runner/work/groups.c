/* Counting groups with what is below them, by the paths that the policies take. */
#include "work/groups.h"

#include <inttypes.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/groups.sql.h"
#include "work/family_text.h"
#include "work/tracking.h"

enum { MOST_PATHS = 64 };

struct counting {
    struct run *run;
    struct arena *arena;
    int round;
    bool *passed; /* by edge index: the path at hand has been there */
    size_t paths;
    struct text below;
    struct error *error;
};

/* --- the tracked rows as parents --- */

static const char *tracked_name(const struct run *run, const char *column) {
    const struct key *key = &run->table->key;
    for (size_t i = 0; i < key->count; i++)
        if (text_equal(key->columns[i].name, column)) return run->tracking->columns[i];
    return NULL;
}

static bool key_is_enough(const struct run *run, const struct edge *edge) {
    for (size_t i = 0; i < edge->count; i++)
        if (!tracked_name(run, edge->parent_columns[i])) return false;
    return !edge->parent_leaves;
}

/* The FROM item p: group_no, and the columns that the edge refers to. */
static const char *tracked_parents(struct counting *c, const struct edge *edge) {
    struct bindings b = {0};
    struct text keys = text_new(c->arena);
    bool enough = key_is_enough(c->run, edge);
    for (size_t i = 0; enough && i < edge->count; i++)
        text_addf(&keys, "%st.%s AS %s", i ? ", " : "",
                  sql_identifier(c->arena, tracked_name(c->run, edge->parent_columns[i])),
                  sql_identifier(c->arena, edge->parent_columns[i]));
    bind(&b, "keys", keys.data);
    bind(&b, "track", tracking_sql(c->run, c->arena, c->round));
    bind(&b, "from", c->run->table->from);
    bind(&b, "row_is_tracked", tracking_key_equal(c->run, c->arena, "r", "t"));
    return sql_expand(c->arena, enough ? &sql_tracked_keys_only : &sql_tracked_rows, b.items, c->error);
}

/* --- paths --- */

static bool counts(const struct edge *e) {
    return e->reached && (e->policy == POLICY_DELETE || e->policy == POLICY_SET_NULL || e->policy == POLICY_MOVE);
}

static void add_paths(struct counting *c, const struct node *node, bool carried, const char *parent, const char *joins,
                      int depth);

/* One edge further. What is set to NULL stays where it is, and so does all below; what moves takes along what refers to
 * its new values. What only a collision would reach is not counted: a group that is too large by that is spared. */
static void add_path(struct counting *c, const struct edge *edge, const char *parent, const char *joins, int depth) {
    const char *alias = arena_printf(c->arena, "c%d", depth),
               *above = depth ? arena_printf(c->arena, "c%d", depth - 1) : "p";
    struct bindings step = {0}, path = {0};
    bind(&step, "child", edge->child->table->from);
    bind(&step, "alias", alias);
    bind(&step, "points", edge_points(c->arena, edge, above, alias));
    bind(&step, "leaves", edge_leaves(c->arena, edge, above));
    if (!depth) parent = tracked_parents(c, edge);
    joins = arena_printf(c->arena, "%s %s", joins, sql_expand(c->arena, &sql_join_child, step.items, c->error));
    bind(&path, "parent", parent);
    bind(&path, "joins", joins);
    text_addf(&c->below, "\n%s", sql_expand(c->arena, &sql_rows_below, path.items, c->error));
    c->passed[edge->index] = true;
    if (edge->policy != POLICY_SET_NULL)
        add_paths(c, edge->child, edge->policy == POLICY_MOVE, parent, joins, depth + 1);
    c->passed[edge->index] = false;
}

static void add_paths(struct counting *c, const struct node *node, bool carried, const char *parent, const char *joins,
                      int depth) {
    const struct tree *tree = c->run->tree;
    for (size_t i = 0; i < tree->edge_count && c->paths < MOST_PATHS; i++) {
        const struct edge *e = tree->edges[i];
        if (e->parent != node || !(carried ? e->carried : counts(e)) || c->passed[i]) continue;
        c->paths++;
        add_path(c, e, parent, joins, depth);
    }
}

/* --- the answer --- */

static const char *shown_list(struct run *run, struct arena *arena, const char *alias) {
    const struct tracking *t = run->tracking;
    const struct key *key = &run->table->key;
    size_t count = t->duplicates ? t->duplicates->count : key->count;
    struct text text = text_new(arena);
    text_add(&text, "pg_catalog.concat(");
    for (size_t i = 0; i < count; i++) {
        const char *name = t->duplicates ? t->duplicates->items[i].text : key->columns[i].name;
        const char *value = t->duplicates ? arena_printf(arena, "(%s\n)", name)
                                          : arena_printf(arena, "%s.%s", alias, sql_identifier(arena, name));
        text_addf(&text, "%s%s, %s", i ? ", " : "",
                  sql_literal(arena, arena_printf(arena, "%s%s = ", i ? ", " : "", name)), value);
    }
    text_add(&text, ")");
    return text.data;
}

static const char *group_key(struct counting *c, const char *group) {
    const char *values[] = {group};
    struct bindings b = {0};
    tracking_bind(&b, c->run, c->arena, c->round);
    bind(&b, "shown", shown_list(c->run, c->arena, sql_identifier(c->arena, c->run->table->name)));
    const char *text = sql_expand(c->arena, &sql_group_shown, b.items, c->error);
    struct rows *rows =
        ask(c->run->desk, c->arena, &(struct statement){"reading the key of a group", text, values, 1}, c->error);
    return rows && rows_count(rows) ? rows_text(rows, 0, 0) : arena_printf(c->arena, "group_no = %s", group);
}

static void refuse(struct counting *c, const struct rows *rows, int64_t most) {
    const char *key = group_key(c, rows_text(rows, 0, 0)), *table = c->run->table->shown;
    int64_t size = rows_int(rows, 0, 1), others = rows_int(rows, 0, 2) - 1;
    fail(c->error, FAULT_REFUSED,
         "the group of %s with %s has %s rows with what is below it, more than the %s of a batch", table, key,
         text_count(c->arena, size), text_count(c->arena, most));
    if (others) fail_detail(c->error, "%s more groups are too large", text_count(c->arena, others));
    fail_hint(c->error,
              "groups go whole, in one transaction: raise `max` of batch to %" PRId64
              " for this step, or leave the group out by `where`",
              size);
}

void groups_refuse_large(struct run *run, struct arena *arena, int round, int64_t most, struct error *error) {
    if (failed(error)) return;
    struct counting c = {.run = run, .arena = arena, .round = round, .below = text_new(arena), .error = error};
    const char *values[] = {arena_printf(arena, "%" PRId64, most)};
    struct bindings b = {0};
    c.passed = arena_alloc(arena, (run->tree->edge_count + 1) * sizeof *c.passed);
    add_paths(&c, run->tree->nodes[0], false, "", "", 0);
    bind(&b, "track", tracking_sql(run, arena, round));
    bind(&b, "below", c.below.data);
    const char *text = sql_expand(arena, &sql_find_large_group, b.items, error);
    struct rows *rows =
        ask(run->desk, arena, &(struct statement){"looking for groups that are too large", text, values, 1}, error);
    if (rows && rows_count(rows)) refuse(&c, rows, most);
}
