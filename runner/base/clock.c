/* The clock. The random numbers are for jitter only. */
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *clock_text(struct arena *arena, int64_t ms) {
    long long s = ms / 1000;
    if (ms < 1000) return arena_printf(arena, "%lld ms", (long long)ms);
    if (s < 60) return arena_printf(arena, "%lld.%lld s", s, (long long)(ms % 1000) / 100);
    if (s < 3600) return arena_printf(arena, "%lld min %lld s", s / 60, s % 60);
    if (s < 86400) return arena_printf(arena, "%lld h %lld min", s / 3600, s % 3600 / 60);
    return arena_printf(arena, "%lld d %lld h", s / 86400, s % 86400 / 3600);
}

int64_t clock_jitter(int64_t ms, double spread) {
    static unsigned short seed[3];
    if (!seed[0]) {
        seed[0] = 1;
        seed[1] = (unsigned short)getpid();
        seed[2] = (unsigned short)clock_ms();
    }
    return ms + (int64_t)((double)ms * spread * (2 * erand48(seed) - 1));
}
