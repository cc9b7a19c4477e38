/*
 * Lua's patterns over bytes, with a step counter: the standard matcher runs for ever on some short patterns, and a hook
 * cannot stop a C function. Character classes are those of ASCII, whatever the locale. Knows nothing of Lua itself.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { PATTERN_CAPTURES = 32, PATTERN_POSITION = -2 };

struct matching {
    const char *subject, *subject_end; /* both texts end with a NUL behind their end */
    const char *pattern_end;
    void (*tick)(void *); /* called every few thousand steps; may leave for good (longjmp) */
    void *data;
    const char *wrong; /* what is wrong with the pattern; sticky: nothing matches then */
    int level;         /* captures */
    struct {
        const char *start;
        ptrdiff_t length; /* PATTERN_POSITION: the place itself */
    } capture[PATTERN_CAPTURES];
    int depth;
    unsigned steps;
};

/* The end of the match that begins at `at` of the subject, or NULL. Starts captures anew. */
const char *pattern_match(struct matching *, const char *at, const char *pattern);
