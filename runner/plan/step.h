/*
 * What a step is: types only, so that plan/ knows no step. steps/table.c holds THE table.
 *
 * A step lives in one file with one .sql file. Its options fill its own struct. What it needs is data, checked by the
 * engine. check() sees the plan alone; compile() sees the catalog too; run() does it, and may be called again after any
 * kill: what is recorded as done in state is not done again.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "plan/option.h"

struct plan;
struct plan_step;
struct run;         /* work/run.h: everything a step may touch */
struct explanation; /* work/explanation.h: what a step says about itself */

enum step_needs {
    NEEDS_TREE = 1,           /* a discover step before it */
    NEEDS_TRACKED_ROWS = 2,   /* a track step before it */
    CHANGES_ROWS = 4,
    OUTSIDE_TRANSACTION = 8,  /* cannot run in one: direct connection */
    REPEATABLE = 16,          /* may appear twice, with `as` */
    USES_FAMILIES = 32,       /* settles children: temporary indexes must stand */
    TRACKS_ROWS = 64,         /* where a run goes back to when new duplicates came */
    INSIDE_ONLY = 256,        /* stands inside another step, never alone */
};

struct step {
    const char *name, *about;
    size_t size;                  /* of the struct that the options fill */
    const struct option *options; /* ends with a NULL name; NULL: the step has none of its own */
    unsigned needs;
    const struct step *const *inner; /* which steps may stand inside, NULL-terminated: it then has an option `steps` */
    void (*check)(const struct plan *, size_t index, struct problems *);             /* may be NULL */
    void (*check_inside)(const struct plan_step *, struct problems *);               /* inside another; may be NULL */
    void (*compile)(struct run *, size_t index, struct problems *, struct error *);  /* may be NULL; read only */
    void (*explain)(struct run *, size_t index, struct explanation *, struct error *);
    void (*run)(struct run *, size_t index, struct error *);
};
