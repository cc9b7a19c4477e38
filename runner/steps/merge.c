/*
 * merge, inside `together`: what the survivor of a group takes over from the rows that go. Here the rules become SQL
 * expressions over a group and are held against the catalog; computing and writing them is work/merge.c's.
 */
#include "steps/merge.h"

#include "base/text.h"
#include "database/bindings.h"
#include "database/lists.h"
#include "plan/rule.h"
#include "script/box.h"
#include "sql/steps/merge.sql.h"
#include "steps/table.h"
#include "steps/trial.h"
#include "work/family_text.h"

enum { RULE_FIRST, RULE_LAST, RULE_MIN, RULE_MAX, RULE_SUM, RULE_UNION, RULE_CONCAT };
enum { JSONB_OID = 3802 };

struct merge_rule {
    int rule;
    struct sql_text sql;
    const char *concat; /* what stands between the texts */
};

struct merge_options {
    struct entries columns;
    struct rule lua;
};

static const char *const rules[] = {"first", "last", "min", "max", "sum", "union", "concat", NULL};

#define RULE(field) offsetof(struct merge_rule, field)
static const struct option column_options[] = {
    {.name = "rule",
     .kind = OPTION_CHOICE,
     .offset = RULE(rule),
     .choices = rules,
     .about = "over the group in keep order, survivor first, NULLs left out; union: the elements of arrays, the keys "
              "of jsonb objects (the earlier row's win), multiranges; concat: each text once"},
    {.name = "sql",
     .kind = OPTION_SQL,
     .offset = RULE(sql),
     .about = "an aggregate expression over the group's rows, which go by the table's name; pgwinnow_rank is a row's "
              "place in the keep order, the survivor's is 1"},
    {.name = "concat",
     .kind = OPTION_TEXT,
     .offset = RULE(concat),
     .about = "the rule concat, with this between the texts instead of ', '"},
    {0},
};

static const struct option options[] = {
    {.name = "columns",
     .kind = OPTION_MAP,
     .offset = offsetof(struct merge_options, columns),
     .item = OPTION_GROUP,
     .group = column_options,
     .size = sizeof(struct merge_rule),
     .shorthand = "rule",
     .about = "columns of the survivor and how their values are found"},
    {.name = "lua",
     .kind = OPTION_GROUP,
     .offset = offsetof(struct merge_options, lua),
     .group = rule_options,
     .shorthand = "file",
     .about = "a rule file instead: its function merge(survivor, losers) gives a table of column to value"},
    {0},
};

/* --- the plan alone --- */

static void check_inside(const struct plan_step *step, struct problems *problems) {
    const struct merge_options *o = step->options;
    if (!o->columns.count && !o->lua.file.name)
        problem_add(problems, step->place, "for example  columns: { phone: first, visits: sum }",
                    "merge needs columns, or lua");
    if (o->columns.count && o->lua.file.name)
        problem_add(problems, step->place, NULL, "merge takes columns or lua, not both");
    box_check(&o->lua, "merge", problems);
    for (size_t i = 0; i < o->columns.count; i++) {
        const struct entry *entry = &o->columns.items[i];
        const struct merge_rule *rule = entry->options;
        struct name name = {0};
        const char *why = NULL;
        if (!name_parse(problems->arena, entry->key, &name, &why) || name.schema)
            problem_add(problems, entry->key_place, why, "'%s' is no name of a column", entry->key);
        if ((rule->rule != RULE_FIRST) + (rule->sql.text != NULL) + (rule->concat != NULL) > 1)
            problem_add(problems, entry->key_place, NULL, "a column takes one of rule, sql and concat");
    }
}

/* --- which columns --- */

static bool in_key(const struct table *table, const char *name) {
    for (size_t i = 0; i < table->key.count; i++)
        if (text_equal(table->key.columns[i].name, name)) return true;
    return false;
}

static void no_column(const struct table *table, const char *name, struct place place, struct problems *problems) {
    const char **names = arena_alloc(problems->arena, (table->column_count + 1) * sizeof *names);
    for (size_t i = 0; i < table->column_count; i++) names[i] = table->columns[i].name;
    const char *near = text_nearest(name, names, table->column_count);
    problem_add(problems, place, near ? arena_printf(problems->arena, "did you mean %s?", near) : NULL,
                "%s has no column %s", table->shown, name);
}

/* The column that a rule is for; NULL when a problem was told. */
static const struct column *writable(const struct table *table, const struct entry *entry, struct problems *problems) {
    struct name name = {0};
    const char *why;
    name_parse(problems->arena, entry->key, &name, &why);
    const struct column *column = table_column(table, name.name);
    if (!column)
        no_column(table, name.name, entry->key_place, problems);
    else if (in_key(table, name.name))
        problem_add(problems, entry->key_place, "leave it out: the survivor keeps its key",
                    "%s is part of the key of %s", name.name, table->shown);
    else if (column->generated)
        problem_add(problems, entry->key_place, "leave it out: the server computes it", "%s of %s is generated",
                    name.name, table->shown);
    else if (column->identity_always)
        problem_add(problems, entry->key_place, "leave it out: only the server gives its values",
                    "%s of %s is GENERATED ALWAYS AS IDENTITY", name.name, table->shown);
    else
        return column;
    return NULL;
}

/* --- rules as SQL --- */

struct kind {
    bool array;
    char type; /* pg_type.typtype */
};

struct rule_input {
    struct run *run;
    const struct entry *entry;
    const struct column *column;
    struct kind kind;
    struct problems *problems;
    struct error *error;
};

static const char *expand(struct rule_input *in, const struct sql *sql, const char *by) {
    struct arena *arena = in->run->arena;
    const struct merge_rule *rule = in->entry->options;
    const char *alias = sql_identifier(arena, in->run->table->name);
    struct bindings b = {0};
    bind(&b, "alias", alias);
    bind(&b, "column", in->column->name);
    bind(&b, "value", arena_printf(arena, "%s.%s", alias, sql_identifier(arena, in->column->name)));
    bind(&b, "by", by);
    bind(&b, "expression", rule->sql.text);
    bind(&b, "between", rule->concat ? rule->concat : ", ");
    return sql_expand(arena, sql, b.items, in->error);
}

static const char *wrong_type(struct rule_input *in, const char *rule, const char *needs) {
    problem_add(in->problems, in->entry->value.place, "or write it as SQL: { sql: EXPRESSION }",
                "%s needs %s; %s of %s is of type %s", rule, needs, in->column->name, in->run->table->shown,
                in->column->type);
    return NULL;
}

/* The value of the first row in an order, of those that have one. */
static const char *first_by(struct rule_input *in, const char *by) {
    return expand(in, in->kind.array ? &sql_rule_first_array : &sql_rule_first, by);
}

static const char *smallest(struct rule_input *in, const char *name, const char *direction) {
    struct arena *arena = in->run->arena;
    if (!in->column->less) return wrong_type(in, name, "a type with an order");
    return first_by(in, arena_printf(arena, "%s.%s %s, %s.pgwinnow_rank", sql_identifier(arena, in->run->table->name),
                                     sql_identifier(arena, in->column->name), direction,
                                     sql_identifier(arena, in->run->table->name)));
}

static const char *by_rank(struct rule_input *in, const char *direction) {
    struct arena *arena = in->run->arena;
    return first_by(in,
                    arena_printf(arena, "%s.pgwinnow_rank%s", sql_identifier(arena, in->run->table->name), direction));
}

static const char *union_of(struct rule_input *in) {
    if (in->kind.array) return expand(in, &sql_rule_array_union, "");
    if (in->column->type_oid == JSONB_OID) return expand(in, &sql_rule_json_union, "");
    if (in->kind.type == 'm') return expand(in, &sql_rule_range_union, "");
    return wrong_type(in, "union", "an array, a jsonb or a multirange");
}

/* NULL when a problem was told. */
static const char *expression(struct rule_input *in) {
    const struct merge_rule *rule = in->entry->options;
    if (rule->sql.text) return expand(in, &sql_rule_sql, "");
    if (rule->concat) return expand(in, &sql_rule_concat, "");
    switch (rule->rule) {
    case RULE_LAST: return by_rank(in, " DESC");
    case RULE_MIN: return smallest(in, "min", "ASC");
    case RULE_MAX: return smallest(in, "max", "DESC");
    case RULE_SUM: return expand(in, &sql_rule_sum, "");
    case RULE_UNION: return union_of(in);
    case RULE_CONCAT: return expand(in, &sql_rule_concat, "");
    default: return by_rank(in, "");
    }
}

static void try_rule(struct rule_input *in, size_t index, const char *expression) {
    struct run *run = in->run;
    const struct merge_rule *rule = in->entry->options;
    const char *alias = sql_identifier(run->arena, run->table->name);
    const struct binding bindings[] = {{"from", run->table->from},          {"column", in->column->name},
                                       {"expression", expression},          {"alias", alias},
                                       {"row", merge_row(run->arena, run)}, {NULL, NULL}};
    struct sql_text text = {in->entry->key, rule->sql.text ? rule->sql.place : in->entry->value.place};
    const char *statement = sql_expand(run->arena, &sql_try_rule, bindings, in->error);
    if (statement) trial_statement(run, index, &text, in->entry->key, statement, in->problems, in->error);
}

/* --- compile --- */

static struct kind kind_of(struct run *run, const struct column *column, struct error *error) {
    const char *values[] = {list_oids(run->arena, &column->type_oid, 1)};
    struct rows *rows =
        ask(run->desk, run->arena, &(struct statement){"reading a type", sql_kinds.text, values, 1}, error);
    if (!rows || !rows_count(rows)) return (struct kind){0};
    return (struct kind){rows_flag(rows, 0, 1), rows_text(rows, 0, 2)[0]};
}

static bool given_twice(const struct merge *merge, const struct column *column) {
    for (size_t i = 0; i < merge->count; i++)
        if (merge->values[i].column == column) return true;
    return false;
}

static void compile_column(struct run *run, size_t index, const struct entry *entry, struct merge *merge,
                           struct problems *problems, struct error *error) {
    const struct column *column = writable(run->table, entry, problems);
    if (!column || failed(error)) return;
    if (given_twice(merge, column))
        problem_add(problems, entry->key_place, NULL, "the column %s is given twice", column->name);
    struct rule_input in = {run, entry, column, kind_of(run, column, error), problems, error};
    const char *text = failed(error) ? NULL : expression(&in);
    if (!text || failed(error)) return;
    try_rule(&in, index, text);
    merge->values = arena_grow(run->arena, merge->values, &merge->count, sizeof *merge->values);
    merge->values[merge->count - 1] =
        (struct merge_value){column, arena_printf(run->arena, "v%zu", merge->count), text};
}

static void check_rights(struct run *run, const struct merge *merge, struct error *error) {
    const char **names = arena_alloc(run->arena, (merge->count + 1) * sizeof *names);
    for (size_t i = 0; i < merge->count; i++) names[i] = merge->values[i].column->name;
    const char *values[] = {arena_printf(run->arena, "%u", run->table->oid),
                            list_texts(run->arena, names, merge->count)};
    struct rows *rows = merge->count && !failed(error)
                            ? ask(run->desk, run->arena,
                                  &(struct statement){"asking for rights", sql_may_not_change.text, values, 2}, error)
                            : NULL;
    const char *user = sql_identifier(run->arena, slot_user(run->desk));
    if (rows && rows_count(rows))
        run_lacks(
            run, arena_printf(run->arena, "GRANT UPDATE ON %s TO %s;", run->table->sql, user),
            arena_printf(run->arena, "this role may not change %s of %s", rows_text(rows, 0, 0), run->table->shown));
}

/* --- a rule file --- */

static const struct edge *child_edge(const struct tree *tree, const char *name) {
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->parent->index == 0 && text_equal(tree->edges[i]->key, name)) return tree->edges[i];
    return NULL;
}

static const char *count_children(struct run *run, const struct edge *edge, struct error *error) {
    const char *alias = sql_identifier(run->arena, run->table->name);
    const struct binding bindings[] = {{"child", edge->child->table->from},
                                       {"points", edge_points(run->arena, edge, alias, "pgwinnow_child")},
                                       {"leaves", edge_leaves(run->arena, edge, alias)},
                                       {NULL, NULL}};
    return sql_expand(run->arena, &sql_count_children, bindings, error);
}

static void take_children(struct run *run, const struct rule *rule, struct merge *merge, struct problems *problems,
                          struct error *error) {
    for (const char *const *name = box_children(merge->box); *name; name++) {
        const struct edge *edge = child_edge(run->tree, *name);
        merge->children = arena_grow(run->arena, merge->children, &merge->child_count, sizeof *merge->children);
        if (edge)
            merge->children[merge->child_count - 1] = count_children(run, edge, error);
        else
            problem_add(problems, rule->file.place, "explain shows the tree",
                        "%s asks for the children %s, which do not point at %s", rule->file.path, *name,
                        run->table->shown);
    }
}

static void tell_columns(struct run *run, struct merge *merge, struct error *error) {
    const struct table *table = run->table;
    size_t count = table->column_count;
    struct box_column *columns = arena_alloc(run->arena, (count + merge->child_count + 1) * sizeof *columns);
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct box_column){table->columns[i].name, box_kind_of(table->columns[i].type_oid)};
    for (size_t i = 0; i < merge->child_count; i++)
        columns[count + i] = (struct box_column){box_children(merge->box)[i], BOX_CHILDREN};
    box_columns(merge->box, columns, count + merge->child_count, error);
}

/* Any column that can be written may be named by the rule. */
static void compile_rule_file(struct run *run, const struct rule *rule, struct merge *merge, struct problems *problems,
                              struct error *error) {
    merge->file = rule->file.path;
    merge->box = failed(error) ? NULL : box_new(run->arena, rule, error);
    if (failed(error)) return;
    take_children(run, rule, merge, problems, error);
    for (size_t i = 0; i < run->table->column_count; i++) {
        const struct column *c = &run->table->columns[i];
        if (c->generated || c->identity_always || in_key(run->table, c->name)) continue;
        merge->values = arena_grow(run->arena, merge->values, &merge->count, sizeof *merge->values);
        merge->values[merge->count - 1] = (struct merge_value){c, arena_printf(run->arena, "v%zu", merge->count), NULL};
    }
    tell_columns(run, merge, error);
}

struct merge *merge_compile(struct run *run, size_t index, const struct plan_step *inside, struct problems *problems,
                            struct error *error) {
    const struct merge_options *o = inside->options;
    struct merge *merge = arena_alloc(run->arena, sizeof *merge);
    struct text shown = text_new(run->arena);
    size_t before = problems->count;
    for (size_t i = 0; i < o->columns.count; i++)
        compile_column(run, index, &o->columns.items[i], merge, problems, error);
    if (o->lua.file.text) compile_rule_file(run, &o->lua, merge, problems, error);
    if (!o->lua.file.text) check_rights(run, merge, error);
    for (size_t i = 0; i < merge->count; i++) text_addf(&shown, "%s%s", i ? ", " : "", merge->values[i].column->name);
    merge->shown = shown.data;
    return problems->count > before || failed(error) ? NULL : merge;
}

const struct step step_merge = {
    .name = "merge",
    .about = "inside `together`: writes merged values onto the survivors",
    .size = sizeof(struct merge_options),
    .options = options,
    .needs = INSIDE_ONLY,
    .check_inside = check_inside,
};
