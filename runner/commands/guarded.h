/*
 * A command that may run only until a moment that is put off again and again.
 *
 * It runs in a process group of its own. A third process, the guardian, sees to it that the whole group is told to end
 * (SIGTERM) and then killed when the moment comes, or when we are gone: also when we are suspended or killed, and also
 * for what the command itself has started.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct guarded {
    pid_t command, guardian;
    int pipe; /* to the guardian */
};

struct guarded_time {
    int64_t end, kill; /* clock_ms: SIGTERM, SIGKILL */
};

/* Starts argv[0] with the environment variable. A command that cannot be run ends with 127 or 126, as in a shell. */
struct guarded guarded_start(char *const *argv, const char *variable, const char *value, struct guarded_time,
                             struct error *);
void guarded_until(const struct guarded *, struct guarded_time);
void guarded_signal(const struct guarded *, int signal); /* to the whole group */
/* Whether it has ended; then its exit code (128 and more: by a signal). */
bool guarded_ended(struct guarded *, int *code);
