/*
 * What a backfill step works on: the columns it writes, how its rows are found again, checked against the catalog.
 * Running it is backfill.c's.
 */
#pragma once
#include "steps/trial.h"
#include "work/explanation.h"

enum on_conflict { CONFLICT_NOTHING, CONFLICT_ERROR };

struct backfill_options {
    struct name into, table;
    struct sql_text select, where;
    int on_conflict;
    struct entries set;
};

struct backfill_job {
    const struct backfill_options *options;
    const struct table *target;
    bool inserts;
    bool open;                 /* it names what a step before has yet to make: nothing below is complete */
    struct column *columns;    /* of the work table: those of `select` in the target's types, or pgwinnow_k1.. */
    size_t count;
    unsigned *types;           /* of the columns of `select` */
    bool *steady;              /* inserts: computed again it is the same; rows are compared by these */
    bool *nullable;            /* inserts: the work table holds a NULL in it */
    const char *assignments;   /* updates: "a" = (...), "b" = (...) */
    int64_t estimate;          /* rows, by the planner; -1: not known */
    bool whole;                /* look for all rows of a batch at once */
    int64_t most;              /* rows of the work table */
    struct gap *gaps;          /* of seq, not done yet */
    size_t gap_count, gap;
};

void backfill_check(const struct plan *, size_t index, struct problems *);
void backfill_compile(struct run *, size_t index, struct problems *, struct error *);

/* The cost that the planner tells in the answer to EXPLAIN (FORMAT json), and the number of rows. */
double plan_cost(const struct rows *, int64_t *rows);

/* x."a" = w."a" AND ...: how rows of the plan's SELECT and of the work table are compared. */
const char *backfill_equal(struct arena *, const struct backfill_job *, const char *found, const char *kept);
