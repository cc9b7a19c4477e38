/*
 * Rows a second, smoothed: what was done lately counts, what was done half an hour ago does not. Time in which nothing
 * could be done (a throttle, a pause, a lock) counts as a few seconds at most, so that the speed shown afterwards, and
 * the time left, are those of the work.
 */
#pragma once
#include <stdint.h>

struct rate {
    double rows, ms; /* both fade alike */
    int64_t at;      /* clock_ms of the last that was added */
};

struct rate rate_new(int64_t now);
void rate_add(struct rate *, int64_t rows, int64_t now);
double rate_of(const struct rate *); /* 0: nothing yet */
