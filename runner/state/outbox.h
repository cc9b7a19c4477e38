/*
 * The stream of events, and what endpoints are still to be told of it. Rows are made in the transaction of what they
 * tell (work/announce.h), and go when they were delivered (work/courier.h).
 */
#pragma once
#include "state/lease.h"

/* The name of a run that no other database will use; NULL after an error. */
const char *outbox_uid(const struct state *, struct arena *, int64_t run, struct error *);

/* Writes events and rows of the outbox: $1 run, $2 fence, $3 and $4 as the statement says. Answers a row with the
 * number of rows that are to be delivered, or none when the lease is lost. */
const char *outbox_put_text(struct arena *, const char *schema, struct error *);
