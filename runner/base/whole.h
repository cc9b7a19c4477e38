/* Files that a reader finds whole: as they were before, or as they are now. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"

/* Writes beside `path` and renames. mode 0: what the umask leaves. NULL, or why it could not be written. A device or a
 * link is not replaced by a file. */
const char *whole_write(struct arena *, const char *path, const char *data, size_t length, mode_t mode);

/* To a descriptor: until all is taken. false: errno says why. */
bool whole_put(int fd, const char *data, size_t length);
