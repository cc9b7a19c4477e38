/* What to do about a failed batch: decided here and nowhere else, by SQLSTATE. */
#pragma once
#include <stdint.h>

#include "base/error.h"

enum verdict {
    VERDICT_FAIL,    /* nothing that time would mend */
    VERDICT_LATER,   /* a lock, a deadlock, a serialisation failure: again after a growing, jittered pause */
    VERDICT_SMALLER, /* it took too long: half the batch */
    /* A row came or changed between our statements: again, thoroughly; three times in a row is a failure. */
    VERDICT_RACE,
    VERDICT_CONNECT, /* the connection is gone: connect, then the very same range again */
    VERDICT_DONE,    /* the checkpoint is there: the COMMIT whose answer was lost had gone through */
};

enum { MOST_RACES = 3 };

/* at_hold: the failing statement was the hold, so 23505 is its own checkpoint. */
enum verdict retry_verdict(const struct error *, bool at_hold);

/* What to do about it, where the server's own words leave that open; NULL: nothing to add. */
const char *retry_hint(const struct error *);

int64_t retry_pause(int tries); /* ms: 50, 100, 200 ... 60,000, each with a fifth of jitter */
