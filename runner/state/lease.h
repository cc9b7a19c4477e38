/*
 * The lease: one runner per run, and a fencing number that every batch locks first.
 *
 * The holder beats every second or so (5 s at most). The lease is free when it was released, when the holder's direct
 * connection is gone, or when the last beat is older than 60 s by the server's clock (trap list: a lock flag without
 * expiry blocks for ever).
 */
#pragma once
#include "state/runs.h"

enum { LEASE_STALE_SECONDS = 60 };

struct lease_holder {
    const char *holder; /* "user@host pid 123" */
    double age;         /* seconds since the last beat */
};

/* Who we are, for the one who is refused: login, machine, process. */
const char *lease_ourselves(struct arena *);

/* NULL when there never was one. */
struct lease_holder *lease_look(const struct state *, struct arena *, int64_t run, struct error *);

/* Takes it when it is free: raises the fence, which waits for the old holder's open batches (15 s at most: they have an
 * idle limit). Returns the fence; 0 when it is not free. `direct`: this slot's connection is our sign of life. */
int64_t lease_take(const struct state *, struct arena *, int64_t run, bool direct, struct error *);

void lease_release(const struct state *, struct arena *, const struct holder *, struct error *);

/* Statements for the heartbeat, which goes asynchronously: text with the schema put in, $1 run, $2 fence, $3 direct.
 * beat answers one row (wanted, settings, by which role it is wanted) while the lease is ours, none when it was
 * lost. */
const char *lease_beat_text(struct arena *, const char *schema, struct error *);
/* The hold: $1 run, $2 step, $3 fence, $4 first, $5 last, $6 round, $7 part, $8 pass. Affects one row, or none when
 * lost. */
const char *lease_hold_text(struct arena *, const char *schema, struct error *);
/* The counts into the checkpoint: $1 run, $2 step, $3 round, $4 part, $5 pass, $6 first, $7 rows, $8 children, $9
 * spared, $10 ms, $11 the children by edge, or NULL. */
const char *lease_counts_text(struct arena *, const char *schema, struct error *);
/* What a checkpoint holds: $1..$6 as above; last, rows, children, spared. */
const char *lease_checkpoint_text(struct arena *, const char *schema, struct error *);
