/*
 * The one wait: every descriptor of the program is looked at in one place, so that the heartbeat, the display and the
 * batches of all slots go on while a single statement runs for an hour. Timers tick from inside the wait.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct wire;

struct wire *wire_new(struct arena *);

/* Calls tick every `ms` from inside waits, never while an earlier tick still runs. */
struct timer *wire_every(struct wire *, int64_t ms, void (*tick)(void *context), void *context);
void wire_forget(struct wire *, struct timer *);

/* Rests until it is told when: ticks once in `ms`, or (below 0) not at all. What was told last counts. */
struct timer *wire_timer(struct wire *, void (*tick)(void *context), void *context);
void wire_in(struct timer *, int64_t ms);

void wire_wait(struct wire *, int64_t ms);  /* one turn: until something happened, or for at most ms */
void wire_sleep(struct wire *, int64_t ms); /* turns until the time has passed, a signal came, or somebody woke it */

/* From inside a wait: sleeps under way end. And: so do statements that straight code waits for, cancelled on the
 * server; what is asked afterwards is not. */
void wire_wake(struct wire *);
void wire_cancel(struct wire *);
int wire_cancels(const struct wire *); /* how often that was */

/* For floor 2 itself: something with a descriptor. `look` says what it waits for now (-1: nothing; the descriptor may
 * differ each time: libpq changes sockets while it connects); `ready` hears of it, and once a second in any case. */
struct source {
    int (*look)(void *context, short *events);
    void (*ready)(void *context);
    void *context;
    struct source *next;
};
void wire_add(struct wire *, struct source *);
void wire_remove(struct wire *, struct source *);
