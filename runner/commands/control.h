/* What pause, resume, cancel and approve share: which run, whether it took effect, and how that is told. */
#pragma once
#include "commands/desk.h"

struct control {
    struct command_line *line;
    struct arena *arena;
    struct named named;
    struct state state;
    const struct overview *run; /* as it was when it was looked at last */
};

/* Finds the run that is named; refuses one that is over, saying how that is with it. The error is set or `run` is. */
struct control control_open(struct command_line *, struct arena *, struct error *);

/* Looks again until `done` or its runner is gone, for a few seconds at most. Whether it is done. */
bool control_await(struct control *, bool (*done)(const struct overview *), struct error *);
bool control_is(const struct control *, const char *state);

/* The end: a line or more for people, or an object. `effective`: what was asked for is so now. `next`: what to type;
 * may be NULL. */
struct told {
    const char *act; /* "pause" */
    bool effective;
    const char *text, *next, *step, *remains; /* but for the text, NULL is fine */
};
void control_tell(struct control *, const struct told *);
