/*
 * When was a counter of the server (the end of the WAL, the next transaction) at a value? Samples of our own say: the
 * server keeps no such history. Old ones get sparser, so the memory is fixed and the error grows with the age.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLES = 512 };

struct samples {
    struct sample {
        int64_t at, value;
    } items[SAMPLES];
    size_t count;
};

/* A value behind the last one begins anew: another server has taken over. */
void samples_add(struct samples *, int64_t at, int64_t value);

/* ms from the newest sample that is not beyond the value to `now`. None: from the first sample, and *passed false: it
 * is older than that. */
int64_t samples_age(const struct samples *, int64_t value, int64_t now, bool *passed);
