/*
 * Named leases, for `pgwinnow lock`: one holder at a time in a database, until it gives back, or its time to live is
 * over since the last beat, by the server's clock. Each taking has its own fence, a number that only grows.
 */
#pragma once
#include "state/schema.h"

struct lock_holder {
    const char *name, *holder, *command;
    int64_t held_ms, quiet_ms, ttl_ms; /* since it was taken, since the last beat */
};

/* The fence; 0 when somebody else has it. */
int64_t locks_take(const struct state *, struct arena *, const char *name, const char *command, int64_t ttl_ms,
                   struct error *);
void locks_release(const struct state *, struct arena *, const char *name, int64_t fence, struct error *);

/* Those that are held now; of one name, or all (NULL). */
struct lock_holder *locks_held(const struct state *, struct arena *, const char *name, size_t *count, struct error *);

/* The beat, for who sends it asynchronously: $1 name, $2 fence. Affects a row while the lock is ours. */
const char *locks_beat_text(struct arena *, const char *schema, struct error *);
