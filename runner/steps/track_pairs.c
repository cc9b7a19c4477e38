/*
 * Tracking by a query that gives a survivor for each key: the output of a matching job. Chains (a goes to b, b goes to
 * c) are followed to their end in the server, whatever their number and length; what has no end or two is refused.
 */
#include "steps/track_pairs.h"

#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/steps/track_pairs.sql.h"
#include "work/record.h"

enum { LONGEST_NAME = 63 };

struct pairs {
    struct run *run;
    struct arena *arena;
    struct bindings bindings;
};

/* --- names and lists --- */

const char *pairs_column(struct arena *arena, const struct column *column) {
    const char *full = arena_printf(arena, "survivor_%s", column->name);
    return arena_strndup(arena, full, text_cut(full, LONGEST_NAME));
}

/* 'id = ' and the value, for people. */
static const char *shown(struct arena *arena, const struct key *key, const char *prefix) {
    struct text text = text_new(arena);
    text_add(&text, "pg_catalog.concat(");
    for (size_t i = 0; i < key->count; i++)
        text_addf(&text, "%s%s, %s%zu", i ? ", " : "",
                  sql_literal(arena, arena_printf(arena, "%s%s = ", i ? ", " : "", key->columns[i].name)), prefix,
                  i + 1);
    text_add(&text, ")");
    return text.data;
}

/* p.pgwinnow_s1 IS NULL OR ..., or IS NOT NULL AND ... */
static const char *each(struct arena *arena, const struct key *key, const char *prefix, const char *behind,
                        const char *between) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < key->count; i++) text_addf(&text, "%s%s%zu %s", i ? between : "", prefix, i + 1, behind);
    return text.data;
}

static const char *queried(struct arena *arena, const struct key *key, bool survivor) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < key->count; i++) {
        const char *name = survivor ? pairs_column(arena, &key->columns[i]) : key->columns[i].name;
        text_addf(&list, "%spgwinnow_query.%s::%s AS pgwinnow_%c%zu", i ? ", " : "", sql_identifier(arena, name),
                  key->columns[i].type, survivor ? 's' : 'k', i + 1);
    }
    return list.data;
}

/* --- the pairs as the query gives them --- */

static const char *direct_pairs(struct run *run, struct arena *arena, struct error *error) {
    const struct key *key = &run->table->key;
    const char *alias = sql_identifier(arena, run->table->name);
    struct bindings b = {0};
    bind(&b, "alias", alias);
    bind(&b, "from", run->table->from);
    bind(&b, "query", run->tracking->query);
    bind(&b, "query_keys", queried(arena, key, false));
    bind(&b, "query_survivors", queried(arena, key, true));
    bind(&b, "pair_keys", list_numbered(arena, "pgwinnow_q", "pgwinnow_k", key->count));
    bind(&b, "pair_survivors", list_numbered(arena, "pgwinnow_q", "pgwinnow_s", key->count));
    bind(&b, "table_is_queried",
         list_equal_numbered(arena, alias, key->columns, key->count, "pgwinnow_q", "pgwinnow_k"));
    bind(&b, "other_is_survivor",
         list_equal_numbered(arena, "pgwinnow_other", key->columns, key->count, "pgwinnow_q", "pgwinnow_s"));
    bind(&b, "has_key", each(arena, key, "pgwinnow_q.pgwinnow_k", "IS NOT NULL", " AND "));
    bind(&b, "is_itself",
         list_equal_numbered(arena, "pgwinnow_q", track_numbered(arena, key, "pgwinnow_k"), key->count, "pgwinnow_q",
                             "pgwinnow_s"));
    return sql_expand(arena, &sql_direct_pairs, b.items, error);
}

const char *pairs_estimate(struct run *run, struct error *error) {
    struct bindings b = {0};
    bind(&b, "pairs_given", direct_pairs(run, run->arena, error));
    return sql_expand(run->arena, &sql_direct_pairs_there, b.items, error);
}

/* --- statements over the table of pairs --- */

static void bind_lists(struct bindings *b, struct arena *arena, const struct key *key) {
    static const char *const columns[][3] = {
        {"keys", NULL, "pgwinnow_k"},     {"survivors", NULL, "pgwinnow_s"},     {"firsts", NULL, "pgwinnow_f"},
        {"keys_of_p", "p", "pgwinnow_k"}, {"survivors_of_p", "p", "pgwinnow_s"}, {"firsts_of_p", "p", "pgwinnow_f"},
        {"keys_of_q", "q", "pgwinnow_k"}, {"survivors_of_q", "q", "pgwinnow_s"},
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        bind(b, columns[i][0], list_numbered(arena, columns[i][1], columns[i][2], key->count));
}

static struct pairs new_pairs(struct run *run, struct arena *arena, struct error *error) {
    const struct key *key = &run->table->key;
    struct pairs pairs = {.run = run, .arena = arena};
    struct bindings *b = &pairs.bindings;
    struct column *keys = track_numbered(arena, key, "pgwinnow_k"),
                  *survivors = track_numbered(arena, key, "pgwinnow_s"),
                  *firsts = track_numbered(arena, key, "pgwinnow_f");
    bind(b, "pairs",
         sql_qualified(arena, run->state.schema, arena_printf(arena, "pairs_%lld", (long long)run->holder.run)));
    bind(b, "pairs_given", direct_pairs(run, arena, error));
    bind(b, "definitions",
         arena_printf(arena, "%s, %s, %s", list_definitions(arena, "", keys, key->count),
                      list_definitions(arena, "", survivors, key->count),
                      list_definitions(arena, "", firsts, key->count)));
    bind_lists(b, arena, key);
    bind(b, "key_shown", shown(arena, key, "p.pgwinnow_k"));
    bind(b, "survivor_shown", shown(arena, key, "p.pgwinnow_s"));
    bind(b, "no_survivor", each(arena, key, "p.pgwinnow_s", "IS NULL", " OR "));
    bind(b, "same_key", list_equal(arena, "p", "q", keys, key->count));
    bind(b, "leads_to_q", list_equal_numbered(arena, "p", survivors, key->count, "q", "pgwinnow_k"));
    bind(b, "walk_leads_to_p", list_equal_numbered(arena, "w", firsts, key->count, "p", "pgwinnow_k"));
    return pairs;
}

static struct rows *do_one(struct pairs *pairs, const char *about, const struct sql *sql, struct error *error) {
    const char *text = sql_expand(pairs->arena, sql, pairs->bindings.items, error);
    record_sent(pairs->run, sql, text);
    return ask(pairs->run->desk, pairs->arena, &(struct statement){.about = about, .text = text}, error);
}

/* --- what cannot be followed --- */

static void refuse_unpaired(struct pairs *pairs, struct error *error) {
    struct rows *rows = do_one(pairs, "looking for keys without survivor", &sql_find_unpaired, error);
    if (!rows || !rows_count(rows)) return;
    fail(error, FAULT_REFUSED, "the query of track gives no survivor for the row with %s", rows_text(rows, 0, 0));
    fail_hint(error, "every key needs one: leave rows without a match out of the query");
}

static void refuse_ambiguous(struct pairs *pairs, struct error *error) {
    struct rows *rows = do_one(pairs, "looking for keys with two survivors", &sql_find_ambiguous, error);
    if (!rows || rows_count(rows) < 2) return;
    fail(error, FAULT_REFUSED, "the query of track gives more than one survivor for the row with %s",
         rows_text(rows, 0, 0));
    fail_detail(error, "one is %s, another is %s", rows_text(rows, 0, 1), rows_text(rows, 1, 1));
    fail_hint(error, "let the query choose one: SELECT DISTINCT ON (key) ... ORDER BY key, score DESC");
}

static void refuse_circle(struct pairs *pairs, struct error *error) {
    struct rows *rows = do_one(pairs, "looking for the circle", &sql_find_circle, error);
    fail(error, FAULT_REFUSED, "the pairs of track's query lead in a circle: no row of it would stay");
    if (rows) fail_detail(error, "%s", rows_text(rows, 0, 0));
    fail_hint(error, "let one row of each circle stay: leave its pair out of the query");
}

static void refuse_missing(struct pairs *pairs, struct error *error) {
    const char *table = pairs->run->table->shown;
    struct rows *rows = do_one(pairs, "looking for survivors", &sql_find_missing_survivor, error);
    if (!rows || !rows_count(rows)) return;
    bool one = rows_int(rows, 0, 2) == 1;
    fail(error, FAULT_REFUSED, "the survivor%s of %s row%s in track's query %s not in %s", one ? "" : "s",
         text_count(error->arena, rows_int(rows, 0, 2)), one ? "" : "s", one ? "is" : "are", table);
    fail_detail(error, "the row with %s should go to the one with %s", rows_text(rows, 0, 0), rows_text(rows, 0, 1));
    fail_hint(error, "let the query give rows that are there: JOIN %s on the survivor's key", table);
}

/* Rounds double the distance: when it is more than there are rows and something still moves, it moves in a circle. */
static void follow(struct pairs *pairs, int64_t count, struct error *error) {
    int64_t distance = 1, moved = 1;
    while (moved && !failed(error)) {
        struct rows *rows = do_one(pairs, "following chains of survivors", &sql_follow_pairs, error);
        moved = rows ? rows_affected(rows) : 0;
        distance *= 2;
        if (moved && distance > 2 * count) refuse_circle(pairs, error);
    }
}

/* --- for the track step --- */

static const char *followed_rows(struct pairs *pairs, struct error *error) {
    const struct tracking *t = pairs->run->tracking;
    struct bindings *b = &pairs->bindings, group = {0};
    bind(&group, "group", list_numbered(pairs->arena, NULL, "pgwinnow_s", pairs->run->table->key.count));
    bind(b, "group_rank", t->grouped ? sql_expand(pairs->arena, &sql_rank_by_key, b->items, error) : "");
    bind(b, "group_place", t->grouped ? track_group_place(pairs->run, &group, error) : "");
    return sql_expand(pairs->arena, &sql_rows_followed, b->items, error);
}

const char *pairs_make(struct run *run, struct arena *arena, struct error *error) {
    struct pairs pairs = new_pairs(run, arena, error);
    run->progress.doing = "reading the pairs of the query";
    do_one(&pairs, "making the table of pairs", &sql_create_pairs, error);
    struct rows *filled = do_one(&pairs, "reading the pairs of track's query", &sql_fill_pairs, error);
    do_one(&pairs, "analysing the pairs", &sql_analyze_pairs, error);
    refuse_unpaired(&pairs, error);
    refuse_ambiguous(&pairs, error);
    run->progress.doing = "following chains of survivors";
    follow(&pairs, filled ? rows_affected(filled) : 0, error);
    refuse_missing(&pairs, error);
    return followed_rows(&pairs, error);
}

void pairs_drop(struct run *run, struct arena *arena, struct error *error) {
    struct pairs pairs = new_pairs(run, arena, error);
    do_one(&pairs, "dropping the table of pairs", &sql_drop_pairs, error);
}

const char *pairs_explain(struct run *run, struct explanation *explanation, struct error *error) {
    static const struct sql *const statements[] = {&sql_create_pairs, &sql_fill_pairs, &sql_follow_pairs};
    struct pairs pairs = new_pairs(run, run->arena, error);
    text_add(&explanation->said,
             "chains of survivors are followed to their end; the counts above are of the pairs as given\n");
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        explain_statement(explanation, statements[i],
                          sql_expand(run->arena, statements[i], pairs.bindings.items, error));
    return followed_rows(&pairs, error);
}
