/*
 * The live part at the bottom of a terminal: a few lines that are drawn again in place, below lines that stay.
 *
 * Moves the cursor relative to itself only and parks it below the live part, so the shell's prompt stands right after
 * any ending, kill -9 included; for the same reason the cursor is hidden only within a frame.
 */
#pragma once
#include "events/line.h"
#include "events/output.h"

enum { MOST_LIVE_LINES = 64 };

struct lines {
    struct line *items;
    size_t count;
};

struct screen {
    struct output *output;
    int fd;
    size_t fixed_width, fixed_height; /* 0: ask the terminal */
    size_t width, height;             /* as measured; lines take at most width - 1 columns */
    size_t columns[MOST_LIVE_LINES];  /* of the live lines that stand there */
    size_t count;
};

void screen_measure(struct screen *);

/* Puts `stay` above and `live` below, cut to the height. Without lines that stay it is a frame, and may be dropped;
 * false then, and the screen is as before. */
bool screen_draw(struct screen *, struct arena *, const struct lines *stay, const struct lines *live);
