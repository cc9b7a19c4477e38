/* Signal handlers that only count and write a byte to the self-pipe (async-signal-safe). */
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_int level, terminated;
static atomic_int interrupts, terminations, hangups; /* not yet taken by stop_next_signal */
static int pipe_ends[2] = {-1, -1};

static void wake(void) {
    /* A full pipe has woken the wait already. */
    ssize_t written = write(pipe_ends[1], "", 1);
    (void)written;
}

static void on_child(int number) {
    int saved = errno;
    (void)number;
    wake();
    errno = saved;
}

static void on_signal(int number) {
    int saved = errno;
    atomic_fetch_add(number == SIGINT ? &interrupts : number == SIGHUP ? &hangups : &terminations, 1);
    if (number == SIGINT) {
        if (atomic_load(&level) < 2) atomic_fetch_add(&level, 1);
    } else {
        atomic_store(&terminated, 1);
        if (atomic_load(&level) < 1) atomic_store(&level, 1);
    }
    wake();
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

void stop_hear_children(void) {
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
}

int stop_next_signal(void) {
    atomic_int *const counts[] = {&interrupts, &terminations, &hangups};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (atomic_load(counts[i]) == 0) continue;
        atomic_fetch_sub(counts[i], 1);
        return numbers[i];
    }
    return 0;
}

int stop_fd(void) { return pipe_ends[0]; }

void stop_drain(void) {
    char bytes[16];
    while (pipe_ends[0] >= 0 && read(pipe_ends[0], bytes, sizeof bytes) > 0) continue;
}

int stop_level(void) { return atomic_load(&level); }

bool stop_terminated(void) { return atomic_load(&terminated); }
