/* Files that a plan names: their paths are relative to the plan's folder, and they are read when the plan is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "plan/problem.h"

struct file_text {
    const char *name; /* as the plan wrote it; NULL: not given */
    const char *path; /* to open it from here, and what errors show */
    const char *text; /* whole, NUL-terminated */
    size_t length;
    struct place place; /* of the name in the plan */
};

enum { FILE_MOST_BYTES = 1024 * 1024 };

/* Reads file->path into `text` and `length`; false: `why` says what stood in the way. */
bool file_read(struct arena *, struct file_text *file, const char **why);

const char *file_path(struct arena *, const char *folder, const char *name);

/* The same for the same bytes, on one line. */
const char *file_fingerprint(struct arena *, const struct file_text *);
