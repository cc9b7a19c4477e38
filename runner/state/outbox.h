/*
 * The stream of events, and what endpoints are still to be told of it. Rows are made in the transaction of what they
 * tell (work/announce.h), and go when they were delivered (work/courier.h). Statements, for who sends them
 * asynchronously as well as for straight code; all that they point at lives in the arena.
 */
#pragma once
#include "state/lease.h"

enum { OUTBOX_KEEP_DAYS = 7 };

/* The name of a run that no other database will use; NULL after an error. */
const char *outbox_uid(const struct state *, struct arena *, int64_t run, struct error *);

/* Writes events and rows of the outbox: $1 run, $2 fence, $3 and $4 as the statement says. Answers a row with the
 * number of rows that are to be delivered, or none when the lease is lost. */
const char *outbox_put_text(struct arena *, const char *schema, struct error *);

/* What waits for an endpoint of a plan and environment, of all their runs. */
struct outbox_queue {
    const char *schema; /* of the state */
    const char *plan, *environment, *endpoint; /* environment may be NULL */
};

struct outbox_row {
    int64_t seq, run; /* seq 0: the first in the queue is not to be sent now */
    const char *id, *body;
    int tries;        /* this one included */
    int64_t wait;     /* ms until it is; seq 0 only */
};

/* Takes the first of the queue, if it is due; for `ahead` ms it is ours. `at_once`: due or not, unless somebody is
 * sending it. */
struct statement outbox_next(struct arena *, const struct outbox_queue *, int64_t ahead, bool at_once, struct error *);
bool outbox_taken(struct arena *, const struct rows *, struct outbox_row *); /* false: the queue is empty */

struct statement outbox_delivered(struct arena *, const struct outbox_queue *, int64_t seq, const char *answer,
                                  struct error *);
struct statement outbox_undelivered(struct arena *, const struct outbox_queue *, int64_t seq, const char *answer,
                                    int64_t again, struct error *);
/* The endpoint is gone: all that waits for it is dropped, and `run` (0: none) puts nothing more there. */
struct statement outbox_gone(struct arena *, const struct outbox_queue *, int64_t run, const char *answer,
                             struct error *);
/* Drops what waited for too long, whatever the endpoint. */
struct statement outbox_expire(struct arena *, const struct outbox_queue *, struct error *);

/* What waits, by endpoint, those too that the plan does not have any more. */
struct outbox_waiting {
    const char *endpoint, *answer; /* answer: to the last try of the first row; NULL: none yet */
    int64_t count;
};
struct outbox_waiting *outbox_waiting(const struct state *, struct arena *, const struct outbox_queue *, size_t *count,
                                      struct error *);
