/*
 * What the files of the track step share. track.c has the options and the walk of a run; track_compile.c makes the
 * SELECT of the rows that go; what only a run can find out (whose survivor is whose, what a rule says) is put into a
 * work table first, which goes with the transaction of the track.
 */
#pragma once
#include "plan/rule.h"
#include "work/tracking.h"

struct track_options {
    struct sql_texts duplicates;
    struct sql_text where, query, recheck;
    struct {
        struct sql_text first, last, order_by;
        struct rule lua;
    } keep;
    int nulls, scan;
    struct {
        int64_t rows, groups;
        double share;
    } expect;
};

/* track_compile.c */
void track_compile(struct run *, size_t index, struct problems *, struct error *);
const char *track_definitions(const struct run *, struct arena *); /* of the tracking table's columns behind seq */
const char *track_columns(const struct run *, struct arena *);     /* their names */
const char *track_values(const struct run *, struct arena *);      /* their values, from pgwinnow_rows */
const char *track_order(const struct run *);                       /* ORDER BY of seq, over pgwinnow_rows */
const char *track_list(const struct run *, struct arena *);        /* the duplicates: (a), (b) */
const char *track_no_nulls(const struct run *, struct arena *);    /* a group's rows have none there, or true */
/* The key's columns under the names prefix1, prefix2. */
struct column *track_numbered(struct arena *, const struct key *, const char *prefix);
/* The window that finds a group's first place; `group`: what a group's rows have in common. */
const char *track_group_place(const struct run *, const struct bindings *group, struct error *);
