/* Starting the command and its guardian. Owns both processes and what they inherit; knows no lock. */
#include "commands/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { NOT_FOUND = 127, NOT_RUN = 126, BY_SIGNAL = 128, LOOK_MS = 50, MOST_FILES = 65536 };

/* --- the guardian --- */

/* Nothing of ours stays open in it: neither the connection, which would look alive, nor a pipe that somebody reads. */
static void close_all_but(int fd) {
    long most = sysconf(_SC_OPEN_MAX);
    if (most < 0 || most > MOST_FILES) most = MOST_FILES;
    for (int i = 0; i < most; i++)
        if (i != fd) close(i);
}

static void end_group(pid_t group, struct guarded_time time) {
    if (kill(-group, SIGTERM) < 0) return;
    while (clock_ms() < time.kill && kill(-group, 0) == 0) poll(NULL, 0, LOOK_MS);
    kill(-group, SIGKILL);
}

static _Noreturn void guard(pid_t group, int fd, struct guarded_time time) {
    setsid();
    const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
    close_all_but(fd);
    for (;;) {
        struct pollfd source = {.fd = fd, .events = POLLIN};
        int64_t left = time.end - clock_ms();
        int ready = left > 0 ? poll(&source, 1, left > INT32_MAX ? INT32_MAX : (int)left) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0 || read(fd, &time, sizeof time) != (ssize_t)sizeof time) break;
        if (!time.end) _exit(0);
    }
    end_group(group, time);
    _exit(0);
}

/* --- the command --- */

static bool has_terminal(void) { return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp(); }

static void give_terminal(pid_t group) {
    void (*before)(int) = signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, group);
    signal(SIGTTOU, before);
}

/* Until there is a guardian nothing is run. */
static _Noreturn void become(char *const *argv, int start, bool terminal) {
    char byte;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (terminal) give_terminal(getpid());
    signal(SIGPIPE, SIG_DFL);
    if (read(start, &byte, 1) != 1) _exit(NOT_RUN);
    close(start);
    execvp(argv[0], argv);
    int code = errno == ENOENT ? NOT_FOUND : NOT_RUN;
    fprintf(stderr, "pgwinnow: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(code);
}

static pid_t fork_command(char *const *argv, int start[2], struct error *error) {
    bool terminal = has_terminal();
    pid_t pid = fork();
    if (pid < 0) fail(error, FAULT_FAILED, "cannot start %s: %s", argv[0], strerror(errno));
    if (pid == 0) {
        close(start[1]);
        become(argv, start[0], terminal);
    }
    if (pid > 0) setpgid(pid, pid);
    return pid;
}

static pid_t fork_guardian(pid_t group, int ends[2], struct guarded_time time, struct error *error) {
    pid_t pid = fork();
    if (pid < 0) fail(error, FAULT_FAILED, "cannot start a guardian: %s", strerror(errno));
    if (pid == 0) guard(group, ends[0], time);
    return pid;
}

struct guarded guarded_start(char *const *argv, const char *variable, const char *value, struct guarded_time time,
                             struct error *error) {
    int start[2], ends[2];
    struct guarded g = {.pipe = -1};
    if (failed(error)) return g;
    fflush(NULL);
    setenv(variable, value, 1);
    if (pipe2(start, O_CLOEXEC) < 0 || pipe2(ends, O_CLOEXEC) < 0) {
        fail(error, FAULT_FAILED, "cannot start %s: %s", argv[0], strerror(errno));
        return g;
    }
    g.command = fork_command(argv, start, error);
    if (!failed(error)) g.guardian = fork_guardian(g.command, ends, time, error);
    g.pipe = ends[1];
    bool go = !failed(error) && write(start[1], "", 1) == 1;
    if (!go) fail(error, FAULT_FAILED, "cannot start %s: %s", argv[0], strerror(errno));
    close(start[0]);
    close(start[1]);
    close(ends[0]);
    return g;
}

/* A guardian that is gone guards nothing: then nothing may run. */
void guarded_until(const struct guarded *g, struct guarded_time time) {
    if (write(g->pipe, &time, sizeof time) != (ssize_t)sizeof time) kill(-g->command, SIGKILL);
}

void guarded_signal(const struct guarded *g, int signal) { kill(-g->command, signal); }

bool guarded_ended(struct guarded *g, int *code) {
    int status;
    if (waitpid(g->command, &status, WNOHANG) != g->command) return false;
    struct guarded_time none = {0};
    ssize_t written = write(g->pipe, &none, sizeof none);
    (void)written;
    close(g->pipe);
    waitpid(g->guardian, NULL, 0);
    if (isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == g->command) give_terminal(getpgrp());
    *code = WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
