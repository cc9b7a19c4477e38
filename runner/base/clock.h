/* Time: monotonic milliseconds for measuring, and durations as people write them. */
#pragma once
#include <stdint.h>

#include "base/arena.h"

int64_t clock_ms(void); /* monotonic; only differences mean something */

/* 450 -> "450 ms", 12345 -> "12.3 s", 192000 -> "3 min 12 s", 7500000 -> "2 h 5 min". */
const char *clock_text(struct arena *, int64_t ms);

/* A length with up to `spread` (0..1) of it added or taken at random, so that retries of several runners do not meet.
 * */
int64_t clock_jitter(int64_t ms, double spread);
