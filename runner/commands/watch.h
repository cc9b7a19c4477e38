/*
 * Looking again and again: the same page drawn in place on a terminal, printed anew elsewhere when something changed,
 * or a line of JSON. Reads only, and outlives a lost connection.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "wire/slot.h"

struct view {
    const char *page;    /* for people: lines, with colours in them */
    const char *answer;  /* the same as one line of JSON */
    const char *essence; /* what must differ for something to have changed: without times and speeds */
    bool over;           /* nothing will change any more */
};

struct watched {
    /* Called each time, in an arena that is emptied in between. Text is wrapped into `width` columns; 0: as usual. */
    struct view (*look)(void *context, struct arena *, size_t width, struct error *);
    void *context;
    struct slot *slot; /* that it looks through */
    int64_t every;     /* ms */
    bool json, colour;
};

/* Until it is over, the reader is gone, or a signal ends it, which is no error. What cannot be read at first is one;
 * later only what will not pass by itself. */
void watch(const struct watched *, struct arena *, struct error *);
