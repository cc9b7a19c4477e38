/*
 * Lanes: of a database's runs one at a time goes in each, and two that may change the same table never go at once,
 * whatever their lanes.
 *
 * A run enters while it holds its own lease, and is in until it gives that back. Who dies or falls asleep in there is
 * shut out by its fence before anybody else enters, so it commits nothing more when it wakes up. Waiting for its open
 * batches is done before the gate is locked, so that nobody queues behind that.
 */
#pragma once
#include "state/lease.h"

struct lane_claim {
    const char *lane;   /* NULL: the run's own, as recorded */
    const char *tables; /* "{16385,16390}"; NULL: those of the run, as recorded */
};

struct lane_blocker {
    int64_t run, fence;
    const char *plan, *environment, *holder; /* environment may be NULL */
    const char *lane;                        /* that the run wanted to enter */
    const char *table;                       /* that both may change; NULL: only the lane is the same */
    double age;                              /* seconds since its last beat */
    bool there;                              /* its connection is, or cannot be seen */
    bool dead;                               /* may be cleared out of the way */
};

/* In a transaction of the caller's: locks the gate and enters, or returns who is in the way. NULL and the error set
 * when it failed; FAULT_HELD when the run's own lease is lost. Without a fence it only looks. */
struct lane_blocker *lanes_enter(const struct state *, struct arena *, const struct holder *,
                                 const struct lane_claim *, struct error *);

/* Raises the fence of one who is dead; waits for its open batches, 15 s at most. Nothing when it lives again. */
void lanes_clear(const struct state *, struct arena *, const struct lane_blocker *, struct error *);

/* For status: the run waits for this. Ended by entering, or by lanes_leave_queue. */
void lanes_queue(const struct state *, struct arena *, const struct holder *, const char *reason, struct error *);
void lanes_leave_queue(const struct state *, struct arena *, int64_t run, struct error *);
