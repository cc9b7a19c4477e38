/*
 * The tracking table of a run and the conditions under which a tracked row still goes.
 *
 * One row per row that will go: seq (the order of removal), its key, its survivor's key, `hold` (people may set it to
 * keep a row back) and `outcome` (NULL: pending or removed; 'contested': somebody held it, it waits for the last pass;
 * else the reason why it was spared).
 *
 * seq is the table's physical order. Where rows find their way to a survivor (moved children, merged columns) whole
 * groups stand together, in the physical order of their first tracked rows, and there are group_no and rank (the row's
 * place in the keep order of its group; the survivor is 1, so losers count from 2).
 *
 * Where a row was judged as it stood (by a rule, by a query without recheck, or to be merged) there are version, its
 * xmin then, and survivor_version: a later one spares it.
 *
 * Inside our statements the plan's table goes by its own unqualified name, as the plan's SQL expects; everything of
 * ours has the prefix pgwinnow_, so that the plan's column names stay unambiguous.
 */
#pragma once
#include "database/bindings.h"
#include "work/run.h"

enum track_source { TRACK_DUPLICATES, TRACK_WHERE, TRACK_QUERY };
enum track_keep { KEEP_BY_KEY, KEEP_FIRST, KEEP_LAST, KEEP_ORDER, KEEP_RULE };

struct tracking {
    enum track_source source;
    enum track_keep keep;
    const struct sql_texts *duplicates;
    struct column *expressions; /* their types and operators, as many */
    bool nulls_equal;
    const char *where;           /* SQL over the table, NULL: all rows */
    const char *order;           /* SQL: of keep first, last (an expression), order_by (a list) */
    struct column *order_column; /* type and operators of keep first, last */
    const char *query, *recheck; /* TRACK_QUERY */
    const char *rows; /* the SELECT of the rows that go: pgwinnow_table, pgwinnow_place (ctid), pgwinnow_k1.. */
    const char **columns,
        **survivors;      /* names in the tracking table, one per key column; survivors NULL where rows have none */
    struct column *named; /* the key's columns under their names in the tracking table */
    bool grouped;         /* with group_no and rank, seq by groups */
    bool merges;          /* survivors change too: they are locked FOR UPDATE, not FOR SHARE */
    bool versions;        /* with version and survivor_version */
};

/* pgwinnow.track_7, or track_7_2 in the second round; raw name, and quoted with the schema. */
const char *tracking_name(const struct run *, struct arena *, int round);
const char *tracking_sql(const struct run *, struct arena *, int round);

/* Placeholders every statement over tracked rows shares: alias, from, track, table_is_tracked, condition, still, ... */
void tracking_bind(struct bindings *, const struct run *, struct arena *, int round);

/* The FROM item that gives the tracked rows of a range that are pending, with survivors locked FOR SHARE: ready to
 * stand in parentheses. Its columns: pgwinnow_seq, pgwinnow_k1.., pgwinnow_s1.. (with survivors), pgwinnow_group and
 * pgwinnow_rank (when grouped), and what `still` compares. `range` is SQL over seq ("seq BETWEEN $1 AND $2"),
 * `pending` which of them; wait: for survivors that somebody holds, instead of passing over their rows. */
const char *tracking_qualified(const struct run *, struct arena *, int round, const char *range, const char *pending,
                               bool wait, struct error *);

/* p."id" OP t."id": a row of the plan's table is the tracked one. */
const char *tracking_key_equal(const struct run *, struct arena *, const char *alias, const char *track);
/* The same for the tracked row or its survivor: t.columns or t.survivors. */
const char *tracking_named_equal(const struct run *, struct arena *, const char *const *names, const char *track,
                                 const char *alias);

/* Over the range of a batch ($1, $2, of the column bound as `unit`: seq, or group_no where groups stay whole): how many
 * are pending; why those that are still there were not removed (two counts: contested, spared); all of them marked
 * contested; all of them spared with a reason ($3); those of a piece that are gone noted so. */
extern const struct sql *const tracking_count_pending,
    *const tracking_classify, *const tracking_give_up, *const tracking_gone, *const tracking_removed,
    *const tracking_spare;

/* Adds what tracking_classify needs beyond tracking_bind. */
void tracking_bind_reasons(struct bindings *, const struct run *, struct arena *, int round, const char *unit,
                           bool last_pass, struct error *);
const char *tracking_pending(bool last_pass); /* SQL: which rows are still to do */
