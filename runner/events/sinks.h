/*
 * THE table of sinks: who shows or passes on the events of a run. --output chooses one of the displays; beside it
 * listen those that the request gives something to do.
 *
 * A sink is opened on a descriptor and gives a listener. It never blocks and never fails: a reader that is slow misses
 * progress, one that goes away misses the rest, and the run goes on. It is closed by the arena it was opened in (what
 * is still held back gets two seconds then), so that arena must go before the program ends or prints to the same place.
 * Nothing may be left in a stdio buffer of the descriptor when a sink is opened: fflush() first.
 */
#pragma once
#include <stdbool.h>

#include "base/event.h"

struct arena;

struct sink_request {
    int fd;
    bool colour;
    bool unicode;         /* lines and ticks that are not ASCII; sink_unicode() tells for this process */
    bool quiet;           /* only what went wrong or needs attention */
    int width, height;    /* 0: the terminal is asked at each frame */
    int64_t (*now)(void); /* monotonic ms; NULL: clock_ms */
    const char *metrics;  /* the file for Prometheus; NULL: none */
    bool undoing;         /* what is told is an undo */
};

struct sink {
    const char *name, *about;
    struct listener *(*open)(struct arena *, const struct sink_request *);
};

extern const struct sink *const sink_table[];   /* the displays; NULL-terminated */
extern const char *const sink_choices[];        /* "auto", then the names of the table in its order: --output */
extern const struct sink *const sinks_beside[]; /* NULL-terminated; open() gives NULL when nothing asks for it */

/* What --output means: `choice` is an index in sink_choices; auto is the bar on a terminal, else plain lines. */
const struct sink *sink_choose(int choice, bool terminal, bool quiet);

/* The display, NULL for none, and all that listens beside it. Those hear first, so that they can tell the display that
 * they have a problem. NULL: nobody listens. */
struct listener *sinks_open(struct arena *, const struct sink *display, const struct sink_request *);

bool sink_unicode(void); /* the locale's character set is UTF-8 (setlocale before) */
