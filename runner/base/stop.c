/* Signal handlers that only count and write a byte to the self-pipe (async-signal-safe). */
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int level, terminated;
static int pipe_ends[2] = {-1, -1};

static void on_signal(int number) {
    int saved = errno;
    if (number == SIGINT) {
        if (atomic_load(&level) < 2) atomic_fetch_add(&level, 1);
    } else {
        atomic_store(&terminated, 1);
        if (atomic_load(&level) < 1) atomic_store(&level, 1);
    }
    /* A full pipe has woken the wait already. */
    ssize_t written = write(pipe_ends[1], "", 1);
    (void)written;
    errno = saved;
}

void stop_install(void) {
    if (pipe_ends[0] >= 0 || pipe(pipe_ends) < 0) return;
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_ends[i], F_SETFL, O_NONBLOCK);
        fcntl(pipe_ends[i], F_SETFD, FD_CLOEXEC);
    }
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* nohup: whoever ignored SIGHUP for us wants the run to outlive the terminal. */
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int stop_fd(void) { return pipe_ends[0]; }

void stop_drain(void) {
    char bytes[16];
    while (pipe_ends[0] >= 0 && read(pipe_ends[0], bytes, sizeof bytes) > 0) continue;
}

int stop_level(void) { return atomic_load(&level); }

bool stop_terminated(void) { return atomic_load(&terminated); }
