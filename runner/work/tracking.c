/* The conditions of a tracked row as SQL: fragments from tracking.sql filled with quoted lists and the plan's texts. */
#include "work/tracking.h"

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/tracking.sql.h"

const struct sql *const tracking_count_pending = &sql_tracking_count_pending,
                        *const tracking_classify = &sql_tracking_classify,
                        *const tracking_give_up = &sql_tracking_give_up, *const tracking_gone = &sql_tracking_gone,
                        *const tracking_removed = &sql_tracking_removed, *const tracking_spare = &sql_tracking_spare;

const char *tracking_name(const struct run *run, struct arena *arena, int round) {
    if (round == 1) return arena_printf(arena, "track_%lld", (long long)run->holder.run);
    return arena_printf(arena, "track_%lld_%d", (long long)run->holder.run, round);
}

const char *tracking_sql(const struct run *run, struct arena *arena, int round) {
    return sql_qualified(arena, run->state.schema, tracking_name(run, arena, round));
}

const char *tracking_pending(bool last_pass) { return last_pass ? "outcome = 'contested'" : "outcome IS NULL"; }

/* "id" AS pgwinnow_k1: columns of the tracking table under their places in the key. */
static const char *numbered(struct arena *arena, const char *const *names, size_t count, const char *prefix) {
    struct text list = text_new(arena);
    for (size_t i = 0; i < count; i++)
        text_addf(&list, "%spgwinnow_track.%s AS %s%zu", i ? ", " : "", sql_identifier(arena, names[i]), prefix, i + 1);
    return list.data;
}

/* The survivor's key comes before the loser's in the order of the key. */
static const char *smaller_key(struct arena *arena, const char *alias, const struct key *key) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < key->count; i++) {
        const struct column *c = &key->columns[i];
        const char *theirs = arena_printf(arena, "%s.%s", alias, sql_identifier(arena, c->name));
        text_addf(&text, "(pgwinnow_k.pgwinnow_s%zu %s %s", i + 1, c->less, theirs);
        if (i + 1 < key->count) text_addf(&text, " OR pgwinnow_k.pgwinnow_s%zu %s %s AND (", i + 1, c->equal, theirs);
    }
    for (size_t i = 0; i < key->count; i++) text_add(&text, i + 1 < key->count ? "))" : ")");
    return text.data;
}

/* The loser's list equals the survivor's: each by the equality of its type's default class, or both NULL. */
static const char *same_key(struct arena *arena, const struct tracking *t) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < t->duplicates->count; i++) {
        const char *ours = t->duplicates->items[i].text, *equal = t->expressions[i].equal;
        text_addf(&text, "%s((%s\n) %s pgwinnow_k.pgwinnow_u%zu", i ? " AND " : "", ours, equal, i + 1);
        if (t->nulls_equal) text_addf(&text, " OR ((%s\n) IS NULL AND pgwinnow_k.pgwinnow_u%zu IS NULL)", ours, i + 1);
        text_add(&text, ")");
    }
    return text.data;
}

/* What of the survivor is compared with the loser. */
static const char *survivor_values(struct arena *arena, const struct run *run, const char *alias) {
    const struct tracking *t = run->tracking;
    struct text text = text_new(arena);
    if (t->versions) return arena_printf(arena, ", %s.xmin AS pgwinnow_survivor_xmin", alias);
    for (size_t i = 0; t->duplicates && i < t->duplicates->count; i++)
        text_addf(&text, ", (%s\n) AS pgwinnow_u%zu", t->duplicates->items[i].text, i + 1);
    if (t->keep == KEEP_FIRST || t->keep == KEEP_LAST) text_addf(&text, ", (%s\n) AS pgwinnow_order", t->order);
    /* Not the bare alias: a column of that name would be meant. */
    if (t->keep == KEEP_ORDER) text_addf(&text, ", ROW(%s.*)::%s AS pgwinnow_row", alias, run->table->sql);
    return text.data;
}

static const char *fragment(struct arena *arena, const struct sql *sql, const struct bindings *bindings) {
    struct error error = error_new(arena);
    const char *text = sql_expand(arena, sql, bindings->items, &error);
    return text;
}

/* The survivor would still win by the keep order. By the key alone it always does: neither key can change. */
static const char *keeps(struct arena *arena, const struct run *run, const char *alias) {
    const struct tracking *t = run->tracking;
    struct bindings b = {0};
    if (t->keep == KEEP_BY_KEY) return "true";
    bind(&b, "alias", alias);
    bind(&b, "table_keys", list_columns(arena, alias, run->table->key.columns, run->table->key.count));
    if (t->keep == KEEP_ORDER) {
        bind(&b, "order", arena_printf(arena, "%s\n", t->order));
        return fragment(arena, &sql_keeps_by_order, &b);
    }
    const char *theirs = arena_printf(arena, "(%s\n)", t->order), *less = t->order_column->less;
    bind(&b, "loser_value", theirs);
    bind(&b, "equal", t->order_column->equal);
    bind(&b, "survivor_key_is_smaller", smaller_key(arena, alias, &run->table->key));
    bind(&b, "survivor_is_better",
         t->keep == KEEP_FIRST ? arena_printf(arena, "pgwinnow_k.pgwinnow_order %s %s", less, theirs)
                               : arena_printf(arena, "%s %s pgwinnow_k.pgwinnow_order", theirs, less));
    return fragment(arena, &sql_keeps_by_value, &b);
}

static const char *same_version(struct arena *arena, const char *alias) {
    return arena_printf(arena, "%s.xmin OPERATOR(pg_catalog.=) pgwinnow_k.pgwinnow_version", alias);
}

static const char same_survivor[] =
    "pgwinnow_k.pgwinnow_survivor_xmin OPERATOR(pg_catalog.=) pgwinnow_k.pgwinnow_survivor_version";

/* What must not have changed since it was tracked. By versions neither key nor order need be compared: as the two rows
 * stand they were judged. */
static const char *still(struct arena *arena, const struct run *run, const char *alias) {
    const struct tracking *t = run->tracking;
    if (t->versions && t->survivors) return arena_printf(arena, "%s AND %s", same_version(arena, alias), same_survivor);
    if (t->versions) return same_version(arena, alias);
    if (t->recheck) return arena_printf(arena, "(%s\n)", t->recheck);
    if (t->duplicates) return arena_printf(arena, "%s AND %s", same_key(arena, t), keeps(arena, run, alias));
    return "true";
}

const char *tracking_named_equal(const struct run *run, struct arena *arena, const char *const *names,
                                 const char *track, const char *alias) {
    const struct key *key = &run->table->key;
    struct text text = text_new(arena);
    for (size_t i = 0; i < key->count; i++)
        text_addf(&text, "%s%s.%s %s %s.%s", i ? " AND " : "", alias, sql_identifier(arena, key->columns[i].name),
                  key->columns[i].equal, track, sql_identifier(arena, names[i]));
    return text.data;
}

const char *tracking_key_equal(const struct run *run, struct arena *arena, const char *alias, const char *track) {
    return tracking_named_equal(run, arena, run->tracking->columns, track, alias);
}

/* Further columns of the tracking table, for what follows the removal and for `still`. */
static const char *judged(struct arena *arena, const struct tracking *t) {
    return arena_printf(
        arena, "%s%s%s",
        t->grouped ? ", pgwinnow_track.group_no AS pgwinnow_group, pgwinnow_track.rank AS pgwinnow_rank" : "",
        t->versions ? ", pgwinnow_track.version AS pgwinnow_version" : "",
        t->versions && t->survivors ? ", pgwinnow_track.survivor_version AS pgwinnow_survivor_version" : "");
}

void tracking_bind(struct bindings *b, const struct run *run, struct arena *arena, int round) {
    const struct tracking *t = run->tracking;
    const struct key *key = &run->table->key;
    const char *alias = sql_identifier(arena, run->table->name);
    bind(b, "alias", alias);
    bind(b, "from", run->table->from);
    bind(b, "track", tracking_sql(run, arena, round));
    bind(b, "condition", t->where ? t->where : "true");
    bind(b, "table_keys", list_columns(arena, alias, key->columns, key->count));
    bind(b, "table_is_tracked",
         list_equal_numbered(arena, alias, key->columns, key->count, "pgwinnow_k", "pgwinnow_k"));
    bind(b, "key_order", list_numbered(arena, NULL, "pgwinnow_k", key->count));
    bind(b, "tracked_keys", numbered(arena, t->columns, key->count, "pgwinnow_k"));
    if (t->survivors) {
        bind(b, "survivor_keys", numbered(arena, t->survivors, key->count, "pgwinnow_s"));
        bind(b, "table_is_survivor",
             list_equal_numbered(arena, alias, key->columns, key->count, "pgwinnow_t", "pgwinnow_s"));
        bind(b, "survivor_values", survivor_values(arena, run, alias));
    }
    bind(b, "judged", judged(arena, t));
    bind(b, "still", still(arena, run, alias));
}

const char *tracking_qualified(const struct run *run, struct arena *arena, int round, const char *range,
                               const char *pending, bool wait, struct error *error) {
    struct bindings b = {0};
    tracking_bind(&b, run, arena, round);
    bind(&b, "range", range);
    bind(&b, "pending", pending);
    bind(&b, "skip_locked", wait ? "" : "SKIP LOCKED");
    bind(&b, "strength", run->tracking->merges ? "UPDATE" : "SHARE");
    return sql_expand(arena, run->tracking->survivors ? &sql_qualified_with_survivor : &sql_qualified_alone, b.items,
                      error);
}

static const char *changes(struct arena *arena, const struct run *run, const char *alias) {
    const struct tracking *t = run->tracking;
    struct bindings b = {0};
    if (t->versions) {
        bind(&b, "same_version", same_version(arena, alias));
        bind(&b, "same_survivor", same_survivor);
        return fragment(arena, &sql_changes_of_versions, &b);
    }
    if (t->recheck) {
        bind(&b, "recheck", t->recheck);
        return fragment(arena, &sql_changes_of_recheck, &b);
    }
    bind(&b, "same_key", same_key(arena, t));
    bind(&b, "keeps", keeps(arena, run, alias));
    return fragment(arena, &sql_changes_of_duplicates, &b);
}

void tracking_bind_reasons(struct bindings *b, const struct run *run, struct arena *arena, int round, const char *unit,
                           bool last_pass, struct error *error) {
    const struct tracking *t = run->tracking;
    const char *alias = sql_identifier(arena, run->table->name);
    struct bindings inner = {0};
    tracking_bind(&inner, run, arena, round);
    bind(&inner, "unit", unit);
    bind(&inner, "pending", tracking_pending(last_pass));
    bind(b, "plain", sql_expand(arena, t->survivors ? &sql_plain_with_survivor : &sql_plain_alone, inner.items, error));
    if (t->survivors) bind(&inner, "changes", changes(arena, run, alias));
    bind(b, "reason",
         sql_expand(arena, t->survivors ? &sql_reason_with_survivor : &sql_reason_alone, inner.items, error));
}
