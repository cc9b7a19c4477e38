/*
 * The bytes of a plan file before YAML sees them: read whole, and refused when they are not text as people edit it.
 *
 * What passes is UTF-8 without NUL bytes, control characters or line ends that editors count differently, so lines and
 * columns mean the same to libyaml, to the excerpts and to the reader.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "plan/problem.h"

struct source_text {
    const char *text; /* NUL-terminated, without a byte order mark; NULL: could not be read */
    size_t length;
};

enum { SOURCE_MOST_BYTES = 4 * 1024 * 1024 };

struct source_text source_read(struct arena *, const char *file, const char *shown_as, struct problems *);

/* Steps over a byte order mark, which counts in no column. */
void source_skip_mark(struct source_text *);

/* False when a problem was added: the text must not go to the YAML reader then. */
bool source_check(const struct source_text *, const char *shown_as, struct problems *);
