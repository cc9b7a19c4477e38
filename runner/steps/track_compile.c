/* The track step held against the catalog: the SELECT of the rows that go, and the columns of the tracking table. */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/steps/track_compile.sql.h"
#include "steps/expressions.h"
#include "steps/track_pairs.h"
#include "steps/track_rule.h"
#include "steps/trial.h"

/* --- names in the tracking table --- */

static bool taken(const char *name, const struct key *key, const char *const *names, size_t count, bool survivor) {
    static const char *const ours[] = {"seq",      "hold", "outcome",  "version", "survivor_version",
                                       "group_no", "rank", "tableoid", "ctid",    "xmin",
                                       "xmax",     "cmin", "cmax"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (text_equal(name, ours[i])) return true;
    for (size_t i = 0; survivor && i < key->count; i++)
        if (text_equal(name, key->columns[i].name)) return true;
    for (size_t i = 0; i < count; i++)
        if (text_equal(name, names[i])) return true;
    return false;
}

/* The key's own names, or survivor_ before them, cut to what a name may be; one that is taken gets underscores. */
static const char **names_for(struct arena *arena, const struct key *key, const char *prefix) {
    enum { LONGEST = 60 };
    const char **names = arena_alloc(arena, key->count * sizeof *names);
    for (size_t i = 0; i < key->count; i++) {
        const char *full = arena_printf(arena, "%s%s", prefix, key->columns[i].name);
        const char *name = arena_strndup(arena, full, *prefix ? text_cut(full, LONGEST) : strlen(full));
        while (taken(name, key, names, i, *prefix))
            name = arena_printf(arena, "%.*s_", (int)text_cut(name, LONGEST), name);
        names[i] = name;
    }
    return names;
}

/* --- compile --- */

static const char *key_list(struct arena *arena, const char *alias, const struct key *key) {
    return list_columns(arena, alias, key->columns, key->count);
}

/* (a), (b)  or  (a) IS NOT NULL AND (b) IS NOT NULL */
static const char *expression_list(struct arena *arena, const struct sql_texts *texts, const char *behind,
                                   const char *between) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < texts->count; i++)
        text_addf(&list, "%s(%s\n)%s", i ? between : "", texts->items[i].text, behind);
    return list.data;
}

/* ORDER BY of a group: what is kept comes first. */
static const char *keep_order(struct arena *arena, const struct run *run, const char *alias) {
    const struct tracking *t = run->tracking;
    const char *keys = key_list(arena, alias, &run->table->key);
    switch (t->keep) {
    case KEEP_FIRST: return arena_printf(arena, "(%s\n) ASC NULLS LAST, %s", t->order, keys);
    case KEEP_LAST: return arena_printf(arena, "(%s\n) DESC NULLS LAST, %s", t->order, keys);
    case KEEP_ORDER: return arena_printf(arena, "%s\n, %s", t->order, keys);
    case KEEP_RULE: /* for explain: how many go is the same, whichever stays */
    case KEEP_BY_KEY: break;
    }
    return keys;
}

const char *track_list(const struct run *run, struct arena *arena) {
    return expression_list(arena, run->tracking->duplicates, "", ", ");
}

const char *track_no_nulls(const struct run *run, struct arena *arena) {
    const struct tracking *t = run->tracking;
    return t->nulls_equal ? "true" : expression_list(arena, t->duplicates, " IS NOT NULL", " AND ");
}

struct column *track_numbered(struct arena *arena, const struct key *key, const char *prefix) {
    struct column *columns = arena_copy(arena, key->columns, key->count * sizeof *columns);
    for (size_t i = 0; i < key->count; i++) columns[i].name = arena_printf(arena, "%s%zu", prefix, i + 1);
    return columns;
}

static const char *survivor_keys(struct arena *arena, const char *alias, const struct key *key) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < key->count; i++)
        text_addf(&list, "%spg_catalog.first_value(%s.%s) OVER pgwinnow_group AS pgwinnow_s%zu", i ? ", " : "", alias,
                  sql_identifier(arena, key->columns[i].name), i + 1);
    return list.data;
}

static const char *query_keys(struct arena *arena, const struct key *key) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < key->count; i++)
        text_addf(&list, "%spgwinnow_query.%s::%s AS pgwinnow_k%zu", i ? ", " : "",
                  sql_identifier(arena, key->columns[i].name), key->columns[i].type, i + 1);
    return list.data;
}

static const char versions[] = ", %s.xmin AS pgwinnow_version, "
                               "pg_catalog.first_value(%s.xmin) OVER pgwinnow_group AS pgwinnow_survivor_version";

/* What tells the groups apart goes along, so that the window over the rows that go can use it. */
static void bind_groups(struct bindings *b, struct run *run, struct error *error) {
    const struct tracking *t = run->tracking;
    struct text values = text_new(run->arena), names = text_new(run->arena);
    struct bindings place = {0};
    for (size_t i = 0; t->grouped && i < t->duplicates->count; i++) {
        text_addf(&values, ", (%s\n) AS pgwinnow_g%zu", t->duplicates->items[i].text, i + 1);
        text_addf(&names, "%spgwinnow_g%zu", i ? ", " : "", i + 1);
    }
    bind(&place, "group", names.data);
    bind(b, "group_values", values.data);
    bind(b, "group_place", t->grouped ? track_group_place(run, &place, error) : "");
}

static const char *duplicates_sql(struct run *run, struct bindings *b, struct error *error) {
    struct arena *arena = run->arena;
    const struct tracking *t = run->tracking;
    const char *alias = sql_identifier(arena, run->table->name);
    bind(b, "survivors", survivor_keys(arena, alias, &run->table->key));
    bind(b, "versions", t->versions ? arena_printf(arena, versions, alias, alias) : "");
    bind(b, "no_nulls", track_no_nulls(run, arena));
    bind(b, "list", track_list(run, arena));
    bind(b, "order", keep_order(arena, run, alias));
    bind_groups(b, run, error);
    return sql_expand(arena, &sql_rows_duplicates, b->items, error);
}

static const char *rows_sql(struct run *run, struct error *error) {
    struct arena *arena = run->arena;
    const struct tracking *t = run->tracking;
    const struct key *key = &run->table->key;
    const char *alias = sql_identifier(arena, run->table->name);
    struct bindings b = {0};
    bind(&b, "alias", alias);
    bind(&b, "from", run->table->from);
    bind(&b, "condition", t->where ? t->where : "true");
    bind(&b, "keys", list_as_numbered(arena, alias, key->columns, key->count, "pgwinnow_k"));
    if (t->source == TRACK_WHERE) return sql_expand(arena, &sql_rows_where, b.items, error);
    if (t->source == TRACK_QUERY && t->survivors) return pairs_estimate(run, error);
    if (t->source == TRACK_QUERY) {
        bind(&b, "query", t->query);
        bind(&b, "query_keys", query_keys(arena, key));
        bind(&b, "table_is_queried",
             list_equal_numbered(arena, alias, key->columns, key->count, "pgwinnow_q", "pgwinnow_k"));
        return sql_expand(arena, &sql_rows_query, b.items, error);
    }
    return duplicates_sql(run, &b, error);
}

static void compile_keep(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct track_options *o = run->plan->steps[index].options;
    struct tracking *t = run->tracking;
    const struct sql_text *value = o->keep.first.text ? &o->keep.first : o->keep.last.text ? &o->keep.last : NULL;
    if (value) {
        t->keep = o->keep.first.text ? KEEP_FIRST : KEEP_LAST;
        t->order = value->text;
        t->order_column = expressions_compile(run, value, 1, problems, error);
        if (t->order_column && !t->order_column->less)
            problem_add(problems, value->place, "its type has no order", "rows cannot be ordered by %s", value->text);
    } else if (o->keep.order_by.text) {
        t->keep = KEEP_ORDER;
        t->order = o->keep.order_by.text;
        expressions_check_order(run, &o->keep.order_by, problems, error);
    } else if (o->keep.lua.file.text) {
        t->keep = KEEP_RULE;
        rule_compile(run, index, problems, error);
    }
}

static void compile_duplicates(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct track_options *o = run->plan->steps[index].options;
    struct tracking *t = run->tracking;
    t->duplicates = &o->duplicates;
    t->nulls_equal = o->nulls;
    t->survivors = names_for(run->arena, &run->table->key, "survivor_");
    t->expressions = expressions_compile(run, o->duplicates.items, o->duplicates.count, problems, error);
    for (size_t i = 0; t->expressions && i < o->duplicates.count; i++)
        if (!t->expressions[i].equal)
            problem_add(problems, o->duplicates.items[i].place, "compare a text or another expression of it",
                        "values of %s cannot be compared (type %s)", o->duplicates.items[i].text,
                        t->expressions[i].type);
    compile_keep(run, index, problems, error);
}

static int times_given(const struct rows *columns, const char *name) {
    int times = 0;
    for (int c = 0; c < rows_columns(columns); c++) times += text_equal(rows_column_name(columns, c), name);
    return times;
}

static void miss_survivors(struct run *run, const struct rows *columns, struct place place, struct problems *problems) {
    const struct key *key = &run->table->key;
    for (size_t i = 0; i < key->count; i++) {
        const char *name = pairs_column(run->arena, &key->columns[i]);
        if (times_given(columns, name) != 1)
            problem_add(problems, place, "name them survivor_ and the column's name, one for each column of the key",
                        "the query gives a part of the survivor's key: %s must be there once", name);
    }
}

static void compile_query(struct run *run, const struct track_options *o, struct problems *problems,
                          struct error *error) {
    struct tracking *t = run->tracking;
    const struct key *key = &run->table->key;
    t->query = o->query.text;
    t->recheck = o->recheck.text;
    if (t->recheck) expressions_check_condition(run, &o->recheck, problems, error);
    struct rows *columns = expressions_describe_query(run, &o->query, problems, error);
    if (!columns) return;
    size_t survivors = 0;
    for (size_t i = 0; i < key->count; i++) {
        if (times_given(columns, key->columns[i].name) != 1)
            problem_add(problems, o->query.place, "name the columns as the key of the table does",
                        "the query must give the key column %s once", key->columns[i].name);
        survivors += times_given(columns, pairs_column(run->arena, &key->columns[i])) == 1;
    }
    if (survivors && survivors < key->count) miss_survivors(run, columns, o->query.place, problems);
    if (survivors == key->count) t->survivors = names_for(run->arena, key, "survivor_");
    if ((size_t)rows_columns(columns) > key->count + survivors)
        problem_add(problems, o->query.place,
                    "select the key alone, or the key and survivor_ with each column's name behind it",
                    "the query gives more columns than the key of %s and its survivor's", run->table->shown);
    if (o->expect.groups >= 0 && !t->survivors)
        problem_add(problems, o->query.place, "give survivor_ columns too, or expect rows",
                    "expect: groups goes with duplicates, or with a query that gives survivors");
}

/* A later step of the plan brings something to the survivors: its groups must be whole, and in one order. */
static bool merges(const struct plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++)
        if (text_equal(plan->steps[i].step->name, "together")) return true;
    return false;
}

static bool moves(const struct tree *tree) {
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->reached && tree->edges[i]->policy == POLICY_MOVE) return true;
    return false;
}

static const char *option_name(const struct tracking *t) {
    return t->source == TRACK_QUERY ? "query" : t->where ? "where" : "duplicates";
}

void track_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct track_options *o = run->plan->steps[index].options;
    const struct key *key = &run->table->key;
    struct tracking *t = run->tracking = arena_alloc(run->arena, sizeof *t);
    if (!key->count) {
        problem_add(problems, run->plan->steps[index].place,
                    "add a primary key, or a unique constraint over NOT NULL columns",
                    "%s has no key that names its rows", run->table->shown);
        return;
    }
    struct error guard = error_new(run->arena);
    run_refuse_hidden(run->table, &guard);
    run_refuse(run, &guard, error);
    t->source = o->duplicates.count ? TRACK_DUPLICATES : o->query.text ? TRACK_QUERY : TRACK_WHERE;
    t->where = o->where.text;
    t->columns = names_for(run->arena, key, "");
    t->named = arena_copy(run->arena, key->columns, key->count * sizeof *t->named);
    for (size_t i = 0; i < key->count; i++) t->named[i].name = t->columns[i];
    t->versions = t->source == TRACK_QUERY ? !o->recheck.text : o->keep.lua.file.text || merges(run->plan);
    if (t->source == TRACK_WHERE) t->versions = false;
    if (t->where) expressions_check_condition(run, &o->where, problems, error);
    if (t->source == TRACK_DUPLICATES) compile_duplicates(run, index, problems, error);
    if (t->source == TRACK_QUERY) compile_query(run, o, problems, error);
    t->grouped = t->survivors && (merges(run->plan) || moves(run->tree));
    if (!problems->count && !failed(error)) t->rows = rows_sql(run, error);
    const struct sql_text *sql = t->source == TRACK_QUERY ? &o->query : t->where ? &o->where : &o->duplicates.items[0];
    if (t->rows) trial_rights(run, index, sql, option_name(t), t->rows, problems, error);
}

/* --- the tracking table --- */

const char *track_definitions(const struct run *run, struct arena *arena) {
    const struct tracking *t = run->tracking;
    size_t count = run->table->key.count;
    struct text text = text_new(arena);
    text_add(&text, list_definitions(arena, "", t->named, count));
    if (t->survivors) {
        struct column *survivors = arena_copy(arena, t->named, count * sizeof *survivors);
        for (size_t i = 0; i < count; i++) survivors[i].name = t->survivors[i];
        text_addf(&text, ", %s", list_definitions(arena, "", survivors, count));
    }
    if (t->grouped) text_add(&text, ", group_no bigint NOT NULL, rank bigint NOT NULL");
    if (t->versions) text_add(&text, ", version xid");
    if (t->versions && t->survivors) text_add(&text, ", survivor_version xid");
    return text.data;
}

const char *track_columns(const struct run *run, struct arena *arena) {
    const struct tracking *t = run->tracking;
    size_t count = run->table->key.count;
    return arena_printf(arena, "%s%s%s%s%s%s", list_names(arena, NULL, t->columns, count), t->survivors ? ", " : "",
                        t->survivors ? list_names(arena, NULL, t->survivors, count) : "",
                        t->grouped ? ", group_no, rank" : "", t->versions ? ", version" : "",
                        t->versions && t->survivors ? ", survivor_version" : "");
}

const char *track_values(const struct run *run, struct arena *arena) {
    const struct tracking *t = run->tracking;
    size_t count = run->table->key.count;
    return arena_printf(
        arena, "%s%s%s%s%s%s", list_numbered(arena, NULL, "pgwinnow_k", count), t->survivors ? ", " : "",
        t->survivors ? list_numbered(arena, NULL, "pgwinnow_s", count) : "",
        t->grouped ? ", pg_catalog.dense_rank() OVER (ORDER BY pgwinnow_group_place), pgwinnow_rank" : "",
        t->versions ? ", pgwinnow_version" : "", t->versions && t->survivors ? ", pgwinnow_survivor_version" : "");
}

const char *track_order(const struct run *run) {
    return run->tracking->grouped ? "pgwinnow_group_place, pgwinnow_rank" : "pgwinnow_table, pgwinnow_place";
}

const char *track_group_place(const struct run *run, const struct bindings *group, struct error *error) {
    const struct sql *sql = run->table->partitioned ? &sql_place_in_partitions : &sql_place_in_table;
    return sql_expand(run->arena, sql, group->items, error);
}
