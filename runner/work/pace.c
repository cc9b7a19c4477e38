/* The size of the next batch. */
#include "work/pace.h"

#include "base/clock.h"

static const double smoothing = 0.4, growth = 1.2, calm = 0.5, least_share = 0.2, most_ease = 10, jitter = 0.2;

struct pace pace_new(const struct batch_settings *settings) {
    return (struct pace){.settings = settings, .size = (double)settings->size, .asked = settings->size};
}

static double within(const struct pace *pace, double size) {
    if (size > (double)pace->settings->max) size = (double)pace->settings->max;
    return size < (double)pace->settings->min ? (double)pace->settings->min : size;
}

int64_t pace_size(struct pace *pace) {
    if (pace->asked != pace->settings->size) pace->size = (double)pace->settings->size;
    pace->asked = pace->settings->size;
    pace->size = within(pace, pace->size);
    return (int64_t)pace->size;
}

/* The share of batch.target that batches may take now. */
static double share_now(const struct pace *pace) {
    if (pace->near <= calm) return 1;
    double share = (1 - pace->near) / (1 - calm);
    return share < least_share ? least_share : share;
}

/* A batch much smaller than asked for (the end of the table, a gap) says nothing about the size that fits. */
void pace_done(struct pace *pace, int64_t rows, int64_t ms) {
    if ((double)rows * 2 < pace->size) return;
    double fits = (double)rows * (double)pace->settings->target * share_now(pace) / (double)(ms > 0 ? ms : 1);
    double size = pace->size * (1 - smoothing) + fits * smoothing;
    pace->size = within(pace, size > pace->size * growth ? pace->size * growth : size);
}

void pace_halve(struct pace *pace) { pace->size = within(pace, pace->size / 2); }

int64_t pace_pause(const struct pace *pace) { return clock_jitter(pace->settings->pause, jitter); }

bool pace_rested(const struct pace *pace, int64_t ms) {
    return (double)ms > (double)pace->settings->pause * (1 + jitter);
}

int64_t pace_share(const struct pace *pace, int64_t ms) {
    const struct batch_settings *s = pace->settings;
    return ms < s->target ? clock_jitter(s->pause * ms / s->target, jitter) : pace_pause(pace);
}

int64_t pace_ease(const struct pace *pace, int64_t ms) {
    if (pace->near <= calm) return 0;
    double left = 1 - pace->near, times = left > 0 ? (pace->near - calm) / left : most_ease;
    return (int64_t)((double)ms * (times < most_ease ? times : most_ease));
}
