/* A run before its lane: enters, waits for whoever is in there, or ends with FAULT_HELD, saying who that is. */
#pragma once
#include "work/run.h"

/* What the run may change, from its tree and from what its steps told (run_changes). */
const char *lane_tables(const struct run *, struct arena *); /* "{16385,16390}" */

struct lane_wait {
    int64_t ms;       /* how long the living are waited for; 0: not at all. For the dead it always waits. */
    bool undoing;     /* the run's own lane and tables; its state is not touched */
    bool only_look;   /* whether it could enter: for what stands before a lease is taken */
    bool waited;      /* filled: the run was recorded as waiting */
};

/* run->holder is set, its heartbeat beats (but for only_look). */
void lane_enter(struct run *, struct lane_wait *, struct error *);
