/*
 * The bounded writer. Sets O_NONBLOCK only on a file description of its own: one that we were given is shared with the
 * shell and with our own standard error, which would then lose output. Where the descriptor cannot be opened anew
 * (another user's terminal, a socket) it writes small pieces, each after a poll.
 */
#include "events/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum { ROOM = 256 * 1024, PIECE_OF_TERMINAL = 128, LAST_WAIT_MS = 2000 };

struct output {
    int fd;
    bool own; /* fd is a non-blocking description of our own */
    bool socket;
    bool broken;  /* the reader is gone */
    size_t piece; /* at most so much in one write */
    size_t start, end, lost;
    char data[ROOM];
};

/* The same pipe or terminal once more, by a description whose flags nobody shares. Regular files never block, and a
 * second description would have an offset of its own. */
static int reopen(int fd, const struct stat *about) {
    char path[64];
    if (!S_ISFIFO(about->st_mode) && !isatty(fd)) return -1;
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool ready(const struct output *output, int wait_ms) {
    struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};
    return poll(&poll_fd, 1, wait_ms) > 0;
}

static ssize_t put(const struct output *output, const char *data, size_t length) {
    if (output->socket) return send(output->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(output->fd, data, length);
}

void output_flush(struct output *output) {
    while (output_behind(output) && !output->broken && ready(output, 0)) {
        size_t length = output->end - output->start;
        ssize_t n = put(output, output->data + output->start, length < output->piece ? length : output->piece);
        if (n > 0)
            output->start += (size_t)n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            output->broken = true;
        else
            break;
    }
    if (!output_behind(output) || output->broken) output->start = output->end = 0;
}

static bool accept_text(struct output *output, const char *text, size_t length) {
    if (output->broken) return true;
    if (length > ROOM - (output->end - output->start)) return false;
    if (length > ROOM - output->end) {
        memmove(output->data, output->data + output->start, output->end - output->start);
        output->end -= output->start;
        output->start = 0;
    }
    memcpy(output->data + output->end, text, length);
    output->end += length;
    output_flush(output);
    return true;
}

bool output_line(struct output *output, const char *text, size_t length) {
    output_flush(output);
    bool accepted = accept_text(output, text, length);
    if (!accepted) output->lost++;
    return accepted;
}

bool output_frame(struct output *output, const char *text, size_t length) {
    output_flush(output);
    return !output_behind(output) && accept_text(output, text, length);
}

size_t output_lost(const struct output *output) { return output->lost; }

bool output_behind(const struct output *output) { return output->start < output->end; }

static void close_output(void *handle) {
    struct output *output = handle;
    for (int64_t end = clock_ms() + LAST_WAIT_MS, left; output_behind(output) && (left = end - clock_ms()) > 0;)
        if (ready(output, (int)left)) output_flush(output);
    if (output->own) close(output->fd);
}

struct output *output_new(struct arena *arena, int fd) {
    struct output *output = arena_alloc(arena, sizeof *output);
    struct stat about = {0};
    fstat(fd, &about);
    int own = reopen(fd, &about);
    output->fd = own >= 0 ? own : fd;
    output->own = own >= 0;
    output->socket = S_ISSOCK(about.st_mode);
    output->piece = own >= 0 || S_ISREG(about.st_mode) || output->socket ? ROOM
                    : isatty(fd)                                         ? PIECE_OF_TERMINAL
                                                                         : PIPE_BUF;
    arena_defer(arena, close_output, output);
    return output;
}
