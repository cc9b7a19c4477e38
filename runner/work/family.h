/*
 * Families: tracked rows and what points at them, settled in bounded batches.
 *
 *   fast      one statement takes the rows and all their children, where every edge is NO ACTION or RESTRICT
 *   thorough  rows locked FOR UPDATE, the closure over the edges collected level by level under those locks, then
 *             settled deepest first: where the database's own actions would do our work, for circles, and after a race
 *   heavy     one row whose family exceeds the bounds: its descendants are listed once and go in pieces ahead of it
 *   last pass contested rows, waiting for their locks
 */
#pragma once
#include "work/explanation.h"
#include "work/run.h"

struct merge;

struct families {
    bool roots_go;                     /* false: delete-children alone, the tracked rows stay */
    const bool *edges;                 /* by edge index: which are settled now; NULL: all that are reached */
    bool together;                     /* whole groups only, and never in pieces ahead */
    const struct merge *merge;         /* what survivors become; NULL: nothing */
    struct event_step *children_shown; /* where the rows settled below are counted; may be NULL */
};

/* Settles everything that is tracked; records counts with the step. Makes its helper tables and drops them. */
void families_remove(struct run *, size_t step, const struct families *, struct error *);

/* Rows of tracked rows that were held back, and those that stayed contested, end up in the step's note. */
void families_explain(struct run *, size_t step, const struct families *, struct explanation *, struct error *);

/* Drops the helper tables of a run, if any are left (clean, and the end of a step). */
void families_drop(const struct state *, struct arena *, int64_t run, struct error *);
