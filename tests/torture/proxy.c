/*
 * torture-proxy: runs a command with a proxy between it and the PostgreSQL server, and lets one thing go wrong.
 *
 *     proxy --listen DIR [--fault KIND --at N [--by UNIT]] [--kill] [--all] [--from TEXT] [--skip TEXT]
 *           [--again K --times T] [--limit SECONDS] [--report FILE] [--log FILE] -- COMMAND...
 *
 * The server is where PGHOST and PGPORT say (a folder); the command finds the proxy there instead. Messages of the
 * protocol are counted on all connections together, in the order they come:
 *
 *   points    a start of a connection, a statement (Execute, Query), a Sync, an end of COPY
 *   trips     a Sync or Query: what the command then waits for
 *   commits   trips that end a transaction
 *
 * and at the Nth of them the fault happens:
 *
 *   before    the connection is cut, the point is not passed on; what came before it is. By points, unless --by says
 *             otherwise
 *   after     it is passed on; when the server has answered, the answer is thrown away and the connection cut. By trips
 *   within    the same, but half of the answer is passed on
 *
 * --kill: the command is killed with SIGKILL too. --all: all connections are cut.
 * --from TEXT: counting begins with the first statement that contains TEXT. --skip TEXT: trips with one that contains
 * it are not counted: they come by the clock, and numbers would not be the same twice. --again K --times T: after the
 * first fault one more after each K, T in all. Ends as the command ends (128 + signal), or with 124 when that takes
 * longer than the limit.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_LINKS = 64, CHUNK = 65536, CANCEL_REQUEST = 80877102, SSL_REQUEST = 80877103, GSS_REQUEST = 80877104 };

enum kind { KIND_NONE, KIND_BEFORE, KIND_AFTER, KIND_WITHIN };

enum unit { UNIT_USUAL, UNIT_POINTS, UNIT_TRIPS, UNIT_COMMITS };

struct bytes {
    char *data;
    size_t length, room;
};

/* A connection of the command, and ours to the server for it. */
struct link {
    int client, server;
    struct bytes from_client, to_server, from_server, to_client;
    struct bytes held; /* an answer that is not passed on yet */
    bool started, in_transaction, skipped;
    char text[1000]; /* of the statement parsed last */
    int owed;        /* trips that the server has not answered */
    int fault_in;    /* the fault comes when so many of them are answered; 0: none */
};

struct proxy {
    const char *folder, *server_folder, *port, *report, *from, *skip;
    FILE *log;
    enum kind kind;
    enum unit unit;
    long at, again, times, limit;
    bool all, kill;
    int listener, signals;
    pid_t child;
    int status;
    bool ended, killed;
    long points, trips, commits, links_made, faults;
    struct link *links[MOST_LINKS];
};

static void give_up(const char *what) {
    fprintf(stderr, "torture-proxy: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* --- bytes --- */

static void add(struct bytes *b, const char *data, size_t length) {
    if (b->length + length > b->room) {
        b->room = 2 * (b->length + length);
        b->data = realloc(b->data, b->room);
        if (!b->data) give_up("memory");
    }
    memcpy(b->data + b->length, data, length);
    b->length += length;
}

static void take(struct bytes *b, size_t length) {
    memmove(b->data, b->data + length, b->length - length);
    b->length -= length;
}

static uint32_t number_at(const struct bytes *b, size_t at) {
    const unsigned char *p = (const unsigned char *)b->data + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads what is there; false at the end. */
static bool receive(int fd, struct bytes *b) {
    char chunk[CHUNK];
    ssize_t got = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got > 0) add(b, chunk, (size_t)got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool deliver(int fd, struct bytes *b, int flags) {
    ssize_t sent = b->length ? send(fd, b->data, b->length, MSG_NOSIGNAL | flags) : 0;
    if (sent > 0) take(b, (size_t)sent);
    return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

/* What was passed on before a cut arrives, as it would have. */
static void deliver_all(int fd, struct bytes *b) {
    while (b->length && deliver(fd, b, 0)) continue;
}

/* --- links --- */

static int unix_socket(const char *folder, const char *port, struct sockaddr_un *address) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/.s.PGSQL.%s", folder, port);
    if (fd < 0 || length >= (int)sizeof address->sun_path) give_up("socket");
    return fd;
}

static void accept_link(struct proxy *p) {
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) return;
    size_t i = 0;
    while (i < MOST_LINKS && p->links[i]) i++;
    struct sockaddr_un address;
    int server = unix_socket(p->server_folder, p->port, &address);
    if (i == MOST_LINKS || connect(server, (struct sockaddr *)&address, sizeof address) < 0) {
        close(client);
        close(server);
        return;
    }
    struct link *link = calloc(1, sizeof *link);
    if (!link) give_up("memory");
    link->client = client;
    link->server = server;
    p->links[i] = link;
    p->links_made++;
}

static void close_link(struct proxy *p, struct link *link) {
    deliver_all(link->server, &link->to_server);
    deliver_all(link->client, &link->to_client);
    close(link->server);
    close(link->client);
    for (size_t i = 0; i < MOST_LINKS; i++)
        if (p->links[i] == link) p->links[i] = NULL;
    struct bytes *all[] = {&link->from_client, &link->to_server, &link->from_server, &link->to_client, &link->held};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->data);
    free(link);
}

static void close_all(struct proxy *p) {
    for (size_t i = 0; i < MOST_LINKS; i++)
        if (p->links[i]) close_link(p, p->links[i]);
}

/* --- the fault --- */

static void kill_child(struct proxy *p) {
    p->killed = true;
    kill(p->child, SIGKILL);
}

static void happen(struct proxy *p, struct link *link) {
    p->faults++;
    if (p->kill) kill_child(p);
    if (p->all || p->killed)
        close_all(p);
    else
        close_link(p, link);
}

/* Is it this one? If more are to come it also says when the next one is. */
static bool due(struct proxy *p, enum unit unit, long count) {
    if (unit != p->unit || count != p->at) return false;
    if (p->faults + 1 < p->times) p->at += p->again;
    return true;
}

static void note(struct proxy *p, const char *what, const char *text) {
    if (!p->log) return;
    char line[121];
    snprintf(line, sizeof line, "%s", text);
    for (char *c = line; *c; c++)
        if (*c == '\n') *c = ' ';
    fprintf(p->log, "%ld %ld %ld %s %s\n", p->points, p->trips, p->commits, what, line);
}

static bool counted(const struct proxy *p, const struct link *link, const char *text) {
    return !link->skipped && (!p->from || strstr(text, p->from));
}

/* A message that may be cut off. Says whether the link is gone. */
static bool point(struct proxy *p, struct link *link, const char *what, const char *text) {
    if (!counted(p, link, text)) return false;
    p->from = NULL;
    p->points++;
    note(p, what, text);
    if (p->kind != KIND_BEFORE || !due(p, UNIT_POINTS, p->points)) return false;
    happen(p, link);
    return true;
}

/* What the command will wait for. Says whether the link is gone. */
static bool trip(struct proxy *p, struct link *link, const char *text) {
    bool commit = !link->in_transaction;
    link->owed++;
    if (!counted(p, link, text)) return false;
    p->trips++;
    p->commits += commit;
    if (!due(p, UNIT_TRIPS, p->trips) && !(commit && due(p, UNIT_COMMITS, p->commits))) return false;
    if (p->kind == KIND_BEFORE) {
        happen(p, link);
        return true;
    }
    link->fault_in = link->owed;
    return false;
}

/* --- from the command --- */

static void hear_statement(struct link *link, const char *text) {
    if (strncasecmp(text, "begin", 5) == 0) link->in_transaction = true;
    if (strncasecmp(text, "commit", 6) == 0 || strncasecmp(text, "rollback", 8) == 0) link->in_transaction = false;
}

/* One whole message, type byte and all. Says whether the link is gone. */
static bool hear_client(struct proxy *p, struct link *link, const char *message, size_t length) {
    switch (message[0]) {
    case 'P': snprintf(link->text, sizeof link->text, "%s", message + 5 + strlen(message + 5) + 1); break;
    case 'E':
        if (point(p, link, "execute", link->text)) return true;
        hear_statement(link, link->text);
        break;
    case 'Q':
        if (point(p, link, "query", message + 5)) return true;
        hear_statement(link, message + 5);
        if (trip(p, link, message + 5)) return true;
        break;
    case 'S':
        if (point(p, link, "sync", link->text) || trip(p, link, link->text)) return true;
        break;
    case 'c':
        if (point(p, link, "copy done", link->text)) return true;
        break;
    default: break;
    }
    add(&link->to_server, message, length);
    return false;
}

/* No encryption over a unix socket: libpq does not ask for it there. */
static bool hear_start(struct proxy *p, struct link *link, size_t length) {
    uint32_t code = number_at(&link->from_client, 4);
    if (code == SSL_REQUEST || code == GSS_REQUEST) {
        add(&link->to_client, "N", 1);
    } else {
        link->started = true;
        if (code != CANCEL_REQUEST && point(p, link, "start", "")) return true;
        add(&link->to_server, link->from_client.data, length);
    }
    take(&link->from_client, length);
    return false;
}

static size_t message_length(const struct bytes *in, size_t at) {
    return in->length - at < 5 ? 0 : (size_t)number_at(in, at + 1) + 1;
}

/* Looks at all that is sent before the next Sync, or alone; 0 when it is not all there yet. */
static size_t whole_trip(const struct proxy *p, struct link *link) {
    const struct bytes *in = &link->from_client;
    size_t at = 0;
    link->skipped = false;
    for (size_t length; (length = message_length(in, at)) && at + length <= in->length; at += length) {
        const char *message = in->data + at;
        const char *text = message[0] == 'P'   ? message + 5 + strlen(message + 5) + 1
                           : message[0] == 'Q' ? message + 5
                                               : "";
        if (p->skip && strstr(text, p->skip)) link->skipped = true;
        if (!strchr("PBDE", message[0])) return at + length;
    }
    return 0;
}

/* Says whether the link is gone. */
static bool pass_trip(struct proxy *p, struct link *link, size_t whole) {
    struct bytes *in = &link->from_client;
    for (size_t at = 0, length; at < whole; at += length) {
        length = message_length(in, at);
        if (hear_client(p, link, in->data + at, length)) return true;
    }
    take(in, whole);
    return false;
}

static void read_client(struct proxy *p, struct link *link) {
    struct bytes *in = &link->from_client;
    bool more = receive(link->client, in);
    while (!link->started && in->length >= 8 && in->length >= number_at(in, 0))
        if (hear_start(p, link, number_at(in, 0))) return;
    for (size_t whole; link->started && (whole = whole_trip(p, link));)
        if (pass_trip(p, link, whole)) return;
    if (!more) close_link(p, link);
}

/* --- from the server --- */

/* ReadyForQuery, or CopyInResponse: a Sync that was sent with a COPY FROM STDIN is not answered otherwise, and the
 * command waits for this before it goes on. Says whether the link is gone. */
static bool answered(struct proxy *p, struct link *link, char status) {
    link->in_transaction = status != 'I';
    if (link->owed) link->owed--;
    if (!link->fault_in || --link->fault_in) return false;
    if (p->kind == KIND_WITHIN) add(&link->to_client, link->held.data, link->held.length / 2);
    happen(p, link);
    return true;
}

static void read_server(struct proxy *p, struct link *link) {
    struct bytes *in = &link->from_server;
    bool more = receive(link->server, in);
    size_t done = 0;
    while (in->length - done >= 5 && in->length - done >= (size_t)number_at(in, done + 1) + 1) {
        size_t length = number_at(in, done + 1) + 1;
        add(link->fault_in == 1 ? &link->held : &link->to_client, in->data + done, length);
        char type = in->data[done], status = in->data[done + 5];
        if (type == 'G') status = link->in_transaction ? 'T' : 'I';
        done += length;
        if ((type == 'Z' || type == 'G') && answered(p, link, status)) return;
    }
    take(in, done);
    if (!more) close_link(p, link);
}

/* --- the loop --- */

static void reap(struct proxy *p) {
    struct signalfd_siginfo info;
    while (read(p->signals, &info, sizeof info) > 0) continue;
    if (waitpid(p->child, &p->status, WNOHANG) == p->child) p->ended = true;
}

static void turn(struct proxy *p) {
    struct pollfd fds[2 + 2 * MOST_LINKS] = {{p->listener, POLLIN, 0}, {p->signals, POLLIN, 0}};
    struct link *links[MOST_LINKS];
    size_t count = 0;
    for (size_t i = 0; i < MOST_LINKS; i++) {
        struct link *link = links[count] = p->links[i];
        if (!link) continue;
        fds[2 + 2 * count] = (struct pollfd){link->client, POLLIN | (link->to_client.length ? POLLOUT : 0), 0};
        fds[3 + 2 * count++] = (struct pollfd){link->server, POLLIN | (link->to_server.length ? POLLOUT : 0), 0};
    }
    if (poll(fds, 2 + 2 * count, p->ended ? 200 : 1000) <= 0) {
        if (p->ended) close_all(p);
        return;
    }
    if (fds[0].revents) accept_link(p);
    if (fds[1].revents) reap(p);
    for (size_t i = 0; i < 2 * count; i++) {
        struct link *link = links[i / 2];
        bool here = false; /* a fault may have taken it away in this very turn */
        for (size_t j = 0; j < MOST_LINKS; j++) here |= p->links[j] == link;
        if (!here) continue;
        if (fds[2 + i].revents & POLLOUT)
            deliver(fds[2 + i].fd, i % 2 ? &link->to_server : &link->to_client, MSG_DONTWAIT);
        if (fds[2 + i].revents & (POLLIN | POLLHUP | POLLERR)) (i % 2 ? read_server : read_client)(p, link);
    }
}

static bool any_link(const struct proxy *p) {
    for (size_t i = 0; i < MOST_LINKS; i++)
        if (p->links[i]) return true;
    return false;
}

static int serve(struct proxy *p) {
    time_t until = time(NULL) + p->limit;
    bool late = false;
    while (!p->ended || any_link(p)) {
        turn(p);
        if (p->limit && !late && time(NULL) > until) {
            late = true;
            kill_child(p);
        }
    }
    return late ? 124 : WIFSIGNALED(p->status) ? 128 + WTERMSIG(p->status) : WEXITSTATUS(p->status);
}

static void listen_there(struct proxy *p) {
    struct sockaddr_un address;
    p->listener = unix_socket(p->folder, p->port, &address);
    unlink(address.sun_path);
    if (bind(p->listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(p->listener, MOST_LINKS) < 0)
        give_up(address.sun_path);
}

static void start(struct proxy *p, char **command) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    p->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    p->child = fork();
    if (p->child < 0 || p->signals < 0) give_up("fork");
    if (p->child) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    setenv("PGHOST", p->folder, 1);
    execvp(*command, command);
    give_up(*command);
}

static void write_report(const struct proxy *p) {
    FILE *file = p->report ? fopen(p->report, "w") : NULL;
    if (!file) return;
    fprintf(file, "points=%ld trips=%ld commits=%ld links=%ld faults=%ld\n", p->points, p->trips, p->commits,
            p->links_made, p->faults);
    fclose(file);
}

static int among(const char *name, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0) return i;
    errno = EINVAL;
    give_up(name);
    return 0;
}

static void set(struct proxy *p, int option, const char *value) {
    static const char *const kinds[] = {"none", "before", "after", "within", NULL};
    static const char *const units[] = {"usual", "points", "trips", "commits", NULL};
    switch (option) {
    case 'l': p->folder = value; break;
    case 'f': p->kind = (enum kind)among(value, kinds); break;
    case 'b': p->unit = (enum unit)among(value, units); break;
    case 'n': p->at = atol(value); break;
    case 'k': p->again = atol(value); break;
    case 't': p->times = atol(value); break;
    case 'a': p->all = true; break;
    case 'x': p->kill = true; break;
    case 's': p->limit = atol(value); break;
    case 'r': p->report = value; break;
    case 'm': p->from = value; break;
    case 'i': p->skip = value; break;
    case 'o': p->log = fopen(value, "w"); break;
    default: exit(125);
    }
}

int main(int count, char **arguments) {
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"fault", required_argument, NULL, 'f'},
        {"by", required_argument, NULL, 'b'},     {"at", required_argument, NULL, 'n'},
        {"again", required_argument, NULL, 'k'},  {"times", required_argument, NULL, 't'},
        {"all", no_argument, NULL, 'a'},          {"kill", no_argument, NULL, 'x'},
        {"limit", required_argument, NULL, 's'},  {"report", required_argument, NULL, 'r'},
        {"from", required_argument, NULL, 'm'},   {"skip", required_argument, NULL, 'i'},
        {"log", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0}};
    struct proxy p = {.server_folder = getenv("PGHOST"), .port = getenv("PGPORT"), .times = 1, .again = 1};
    for (int o; (o = getopt_long(count, arguments, "+", options, NULL)) >= 0;) set(&p, o, optarg);
    if (!p.unit) p.unit = p.kind == KIND_BEFORE ? UNIT_POINTS : UNIT_TRIPS;
    errno = EINVAL;
    if (!p.folder || !p.server_folder || !p.port || optind >= count) give_up("--listen DIR, PGHOST, PGPORT, COMMAND");
    listen_there(&p);
    start(&p, arguments + optind);
    int code = serve(&p);
    write_report(&p);
    if (p.log) fclose(p.log);
    return code;
}
