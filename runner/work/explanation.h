/* What explain says of a step: lines for people, and the very statements that run would send. */
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"

struct explained {
    const char *name, *file, *text; /* of a statement: its name and file in the source, the text as it is sent */
    int line;
};

struct explanation {
    struct arena *arena;
    struct text said; /* lines, each with its newline */
    struct explained *statements;
    size_t count;
};

struct sql;
void explain_statement(struct explanation *, const struct sql *, const char *text);
