/*
 * How large the next batch is: what is measured decides. Aims at batch.target by the smoothed time of the last batches,
 * grows by at most a fifth a step, halves after a timeout or a lost deadlock, stays within min and max. When something
 * that is throttled comes near its limit, batches get smaller and pauses longer in good time.
 */
#pragma once
#include "plan/plan.h"

struct pace {
    const struct batch_settings *settings; /* may change under way */
    double size;
    double near; /* how near that is: 0 to 1, set before each use; from a half on it counts */
    int64_t asked; /* settings->size as last heard: when somebody changes that, it begins there again */
};

struct pace pace_new(const struct batch_settings *);
int64_t pace_size(struct pace *);
void pace_done(struct pace *, int64_t rows, int64_t ms); /* a batch of so many rows took so long */
void pace_halve(struct pace *);
int64_t pace_pause(const struct pace *); /* ms to rest, with jitter */
/* After so many ms no pause goes on any more: it may have been made shorter since it began. */
bool pace_rested(const struct pace *, int64_t ms);
/* Where batches are as large as they are: the same share of the time as behind a batch that takes batch.target, so that
 * many small ones do not spend it resting; never more than the pause. */
int64_t pace_share(const struct pace *, int64_t ms);
/* What is added to the pause behind a batch that took so long: nothing at half the limit, as long as the batch at three
 * quarters, ten times that at most. */
int64_t pace_ease(const struct pace *, int64_t ms);
