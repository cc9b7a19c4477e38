/*
 * The direct connection: for what cannot run inside a transaction (concurrent indexes, VACUUM).
 *
 * It is a session of its own past any pooler, so here SET is right: no lock_timeout, since nobody queues behind a
 * concurrent build or a plain VACUUM; no statement_timeout; the run's search_path; the step's own settings. A pooler in
 * between is refused. What it needs to be stopped, retried and shown is done here for all of its users.
 */
#pragma once
#include "database/bindings.h"
#include "work/run.h"

struct watch;

struct direct {
    struct run *run;
    size_t step;
    struct arena *arena;            /* of the connection: gone with direct_close */
    struct slot *slot;
    struct watch *watch;
    const struct entries *settings; /* NULL: none */
    int tries;
    char waiting[300];              /* what run->progress.waiting points at */
};

/* NULL when it fails: FAULT_REFUSED behind a pooler, FAULT_USAGE for a setting that the server does not take. */
struct direct *direct_open(struct run *, size_t step, const struct entries *settings, struct error *);
void direct_close(struct direct *); /* NULL is fine */

/* A question or a quick command. Rows live until direct_close. */
struct rows *direct_ask(struct direct *, const char *about, const struct sql *, const struct bindings *,
                        const char *const *values, int count, struct error *);

/* A statement that may take hours: is a pause_point, is watched while it runs, and becomes FAULT_STOPPED
 * when it was cancelled by our own doing. `doing` is for the display. */
struct rows *direct_long(struct direct *, const char *doing, const char *about, const struct sql *,
                         const struct bindings *, struct error *);

/* A change of a definition that others would queue behind: in a transaction with locks.ddl_timeout, tried again after
 * growing pauses. */
void direct_short(struct direct *, const char *about, const struct sql *, const struct bindings *, struct error *);

/* For the display: why nothing happens; NULL: it goes on. */
void direct_waits(struct direct *, const char *why);

/* After an error that time mends (a deadlock, a lost connection): pauses, connects again if need be, clears the
 * error and says true, as often as locks.retries. What the statement left behind must be looked at anew. */
bool direct_again(struct direct *, struct error *);
