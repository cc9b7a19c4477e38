/* A row of samples in their order. */
#include "work/throttle/samples.h"

/* Every second one of the older half goes. */
static void thin_out(struct samples *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (i == 0 || i >= s->count / 2 || i % 2 == 0) s->items[kept++] = s->items[i];
    s->count = kept;
}

void samples_add(struct samples *s, int64_t at, int64_t value) {
    if (s->count && value < s->items[s->count - 1].value) s->count = 0;
    if (s->count == SAMPLES) thin_out(s);
    s->items[s->count++] = (struct sample){at, value};
}

int64_t samples_age(const struct samples *s, int64_t value, int64_t now, bool *passed) {
    size_t i = s->count;
    while (i > 0 && s->items[i - 1].value > value) i--;
    *passed = i > 0;
    if (!s->count) return 0;
    return now - s->items[i ? i - 1 : 0].at;
}
