/*
 * A whole statement (or a few) on the desk, in one transaction that begins by taking the lease through the step's own
 * row: what it does and its record commit together, or neither. Tried again as batches are; when the answer to a
 * COMMIT is lost, it is asked whether it had gone through.
 */
#pragma once
#include "work/session.h"

struct whole {
    struct run *run;
    size_t step;
    struct session session;
    void (*act)(struct whole *, struct arena *, struct error *);    /* inside the transaction */
    bool (*is_done)(struct whole *, struct arena *, struct error *); /* outside: an earlier try went through */
    void *context;
};

/* Settings of the step, with locks.ddl_timeout; change what differs. */
struct whole whole_new(struct run *, size_t step);
void whole_run(struct whole *, struct error *);

/* The step's row in state, with the counts that are shown: inside act(), "done" makes the step done with the commit. */
void whole_record(struct run *, size_t step, const char *state, struct arena *, struct error *);
bool whole_recorded_done(struct whole *, struct arena *, struct error *); /* for is_done */
