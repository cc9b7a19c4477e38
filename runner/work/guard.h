/*
 * Guards that a run has put up, and how they go. A guard is a trigger that keeps new duplicates out until a unique
 * index does (steps/guard.c makes it): a function and a table of claims in the state schema, `guard_RUN` both, and the
 * trigger `pgwinnow_guard_RUN` on the table.
 *
 * It goes in two parts. Disarming replaces the function by one that does nothing: no lock on the table, effective at
 * once. Dropping the trigger needs ACCESS EXCLUSIVE and is tried in short tries; a disarmed guard that cannot be
 * dropped harms nobody, and whoever comes next tries again: the run's end, another run's guard on the table, `clean`.
 */
#pragma once
#include "work/run.h"

struct guard {
    int64_t run;
    int step;
    int until;              /* the step of the index it stands for; -1: the run's end */
    const char *name;       /* of function and claims; raw */
    const char *constraint; /* what its errors name */
    bool disarmed, stands;  /* stands: the trigger is there */
    const char *table, *trigger; /* where it is now, quoted; its name, raw. NULL: there is none */
};

struct guard *guards_of(const struct state *, struct arena *, int64_t run, size_t *count, struct error *);

/* In a transaction of its own. Nothing to do when it is. */
void guard_disarm(const struct state *, struct arena *, const struct guard *, struct error *);

/* One short try to drop all of it and to forget it. `lock_timeout` in ms. */
void guard_drop(const struct state *, struct arena *, const struct guard *, int64_t lock_timeout, struct error *);

/* Ends those of the run whose time has come: `until` is the step of an index that is valid now, -1 for all. Fails when
 * one cannot be disarmed; one that cannot be dropped is told. */
void guards_end(struct run *, int until, struct error *);

/* Drops what runs that are over left on the table, in one short try each. */
void guards_drop_left(struct run *, const struct table *, struct error *);
