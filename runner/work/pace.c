/* The size of the next batch. */
#include "work/pace.h"

#include "base/clock.h"

static const double smoothing = 0.4, growth = 1.2;

struct pace pace_new(const struct batch_settings *settings) {
    return (struct pace){settings, (double)settings->size};
}

int64_t pace_size(const struct pace *pace) { return (int64_t)pace->size; }

static double within(const struct pace *pace, double size) {
    if (size > (double)pace->settings->max) size = (double)pace->settings->max;
    return size < (double)pace->settings->min ? (double)pace->settings->min : size;
}

/* A batch much smaller than asked for (the end of the table, a gap) says nothing about the size that fits. */
void pace_done(struct pace *pace, int64_t rows, int64_t ms) {
    if ((double)rows * 2 < pace->size) return;
    double fits = (double)rows * (double)pace->settings->target / (double)(ms > 0 ? ms : 1);
    double size = pace->size * (1 - smoothing) + fits * smoothing;
    pace->size = within(pace, size > pace->size * growth ? pace->size * growth : size);
}

void pace_halve(struct pace *pace) { pace->size = within(pace, pace->size / 2); }

int64_t pace_pause(const struct pace *pace) { return clock_jitter(pace->settings->pause, 0.2); }

int64_t pace_share(const struct pace *pace, int64_t ms) {
    const struct batch_settings *s = pace->settings;
    return ms < s->target ? clock_jitter(s->pause * ms / s->target, 0.2) : pace_pause(pace);
}
