/*
 * How a run ends as cancelled: what it made for itself goes (helper tables, the guard, indexes for the time of the run,
 * what a build that was cut short left), each in one short try; what stays is told: rows that are removed and how they
 * come back, the tracking table, what could not be dropped now.
 */
#pragma once
#include "state/overview.h"
#include "work/run.h"

/* The lease is ours. Never fails: what is left to do is among what stays. Fills how->detail. */
void cancel_tidy(struct run *, struct error *how);

/* --fresh, or a run that somebody cancelled while nobody worked on it: takes the lease of `old`, and ends it. */
void cancel_old(struct run *, const struct run_row *old, struct error *);

struct cancel_request {
    const char *database, *database_direct, *schema; /* as in struct request */
    struct listener *listeners;
};

/* `pgwinnow cancel` of a run that nobody works on. FAULT_HELD when somebody does. */
void engine_cancel(struct arena *, const struct overview *, const struct cancel_request *, struct error *);
