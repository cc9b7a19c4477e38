/* The one wait, over poll(2). Owns the timers and the list of sources; leaves what a descriptor means to them. */
#include "wire/wire.h"

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/stop.h"

struct timer {
    int64_t every, due; /* every 0: rests once it has ticked */
    void (*tick)(void *);
    void *context;
    bool ticking;
    struct timer *next;
};

enum { MOST_SOURCES = 256, LOOK_AGAIN_MS = 1000 };

static const int64_t never = INT64_MAX;

struct wire {
    struct arena *arena;
    struct source *sources;
    struct timer *timers;
    int64_t looked; /* when every source was last told to look, ready or not */
    int wakes, cancels;
};

struct wire *wire_new(struct arena *arena) {
    struct wire *wire = arena_alloc(arena, sizeof *wire);
    wire->arena = arena;
    wire->looked = clock_ms();
    return wire;
}

struct timer *wire_timer(struct wire *wire, void (*tick)(void *), void *context) {
    struct timer *timer = arena_alloc(wire->arena, sizeof *timer);
    *timer = (struct timer){0, never, tick, context, false, wire->timers};
    wire->timers = timer;
    return timer;
}

struct timer *wire_every(struct wire *wire, int64_t ms, void (*tick)(void *), void *context) {
    struct timer *timer = wire_timer(wire, tick, context);
    timer->every = ms;
    wire_in(timer, ms);
    return timer;
}

void wire_in(struct timer *timer, int64_t ms) { timer->due = ms < 0 ? never : clock_ms() + ms; }

void wire_forget(struct wire *wire, struct timer *timer) {
    for (struct timer **link = &wire->timers; *link; link = &(*link)->next)
        if (*link == timer) {
            *link = timer->next;
            return;
        }
}

void wire_add(struct wire *wire, struct source *source) {
    source->next = wire->sources;
    wire->sources = source;
}

void wire_remove(struct wire *wire, struct source *source) {
    for (struct source **link = &wire->sources; *link; link = &(*link)->next)
        if (*link == source) {
            *link = source->next;
            return;
        }
}

/* A tick may wait in its turn (it asks the server something): its own timer then rests, the others go on. */
static void tick_timers(struct wire *wire) {
    int64_t now = clock_ms();
    for (struct timer *t = wire->timers, *next; t; t = next) {
        next = t->next;
        if (t->ticking || t->due > now) continue;
        t->due = t->every ? now + t->every : never;
        t->ticking = true;
        t->tick(t->context);
        t->ticking = false;
    }
}

static int64_t until_next_timer(const struct wire *wire, int64_t most) {
    int64_t now = clock_ms();
    for (const struct timer *t = wire->timers; t; t = t->next) {
        if (t->ticking) continue;
        int64_t left = t->due > now ? t->due - now : 0;
        if (left < most) most = left;
    }
    return most;
}

void wire_wait(struct wire *wire, int64_t ms) {
    struct pollfd fds[MOST_SOURCES];
    struct source *who[MOST_SOURCES];
    nfds_t count = 0;
    if (stop_fd() >= 0) {
        fds[count] = (struct pollfd){.fd = stop_fd(), .events = POLLIN};
        who[count++] = NULL;
    }
    for (struct source *s = wire->sources; s && count < MOST_SOURCES; s = s->next) {
        short events = 0;
        int fd = s->look(s->context, &events);
        if (fd < 0) continue;
        fds[count] = (struct pollfd){.fd = fd, .events = events};
        who[count++] = s;
    }
    int64_t wait = until_next_timer(wire, ms < LOOK_AGAIN_MS ? ms : LOOK_AGAIN_MS);
    int ready = poll(fds, count, wait < 0 ? 0 : (int)wait);

    int64_t now = clock_ms();
    bool all = now - wire->looked >= LOOK_AGAIN_MS; /* libpq 15 behind a TLS proxy lost wake-ups */
    if (all) wire->looked = now;
    for (nfds_t i = 0; i < count; i++) {
        if (!all && (ready <= 0 || !fds[i].revents)) continue;
        if (who[i])
            who[i]->ready(who[i]->context);
        else
            stop_drain();
    }
    tick_timers(wire);
}

void wire_sleep(struct wire *wire, int64_t ms) {
    int level = stop_level(), wakes = wire->wakes;
    int64_t until = clock_ms() + ms;
    for (int64_t now = clock_ms(); now < until && stop_level() == level && wire->wakes == wakes; now = clock_ms())
        wire_wait(wire, until - now);
}

void wire_wake(struct wire *wire) { wire->wakes++; }

void wire_cancel(struct wire *wire) {
    wire->cancels++;
    wire_wake(wire);
}

int wire_cancels(const struct wire *wire) { return wire->cancels; }
