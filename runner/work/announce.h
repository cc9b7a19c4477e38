/*
 * What happens, written down in the transaction of what it tells: the row in `events`, and one in the outbox for each
 * endpoint of the plan that wants it. Neither is ever there without the other. Whoever listens (run->listeners) hears
 * of it when it is committed, from the caller: run_tell(), event_tell().
 *
 *     announce_begin(run, error);
 *     runs_set_step(..., error);
 *     announce_step(run, EVENT_STEP_STARTED, STEP_RUNNING, NULL, error);
 *     announce_end(run, error);
 *     if (!failed(error)) run_tell(run, EVENT_STEP_STARTED, NULL, NULL);
 *
 * All of it may be done again when nobody heard the answer to a COMMIT: the same event has the same id, and is there
 * once. An event is the same when run, fence, type, step and round are; of run.* there may be several under one
 * fence, told apart by how many were committed before.
 *
 * Not every event has a row in `events`: progress and batches go to endpoints only, notices nowhere.
 */
#pragma once
#include "work/run.h"

struct announcer;

/* The lease was just taken. Before this, and without it (explain), all of the below does nothing. */
void announce_open(struct run *, struct error *);

/* A transaction on the desk; `end` commits, or rolls back when the error is set. */
void announce_begin(struct run *, struct error *);
void announce_end(struct run *, struct error *);

/* Inside a transaction on the desk, of announce_begin or any other. A lease that is lost fails (FAULT_HELD). */
void announce(struct run *, const struct event *, struct error *);
/* The same of the step at hand, as it will be once this is committed. */
void announce_step(struct run *, enum event_type, enum step_state, const char *message, struct error *);

/* What has no transaction of its own: told at once, and kept in memory until somebody writes it: the next who
 * announces, or who asks for the statement. It stays until he says that it is committed. */
void announce_later(struct run *, enum event_type, const char *message, const char *hint);
struct pending {
    struct statement statement; /* in the arena given */
    int64_t last;
};
bool announce_pending(struct run *, struct arena *, struct pending *); /* false: nothing is waiting */
void announce_written(struct run *, const struct pending *);

/* For endpoints alone, over any connection; texts in the arena. In a batch's transaction `after` is its step as it will
 * be then and `key` the batch; false: nobody wants to hear of batches. */
bool announce_batch(struct run *, struct arena *, size_t step, const struct event_step *after, const char *key,
                    struct statement *);
struct statement announce_progress(struct run *, struct arena *, const struct endpoint *);

/* Changes when something may have come into the outbox; a batch says so itself, when it is committed. */
int64_t announce_news(const struct run *);
void announce_is_news(struct run *);
