/*
 * Connecting: the hosts of a conninfo one after the other, each in its time, until one is what is asked for. Owns that
 * order; what is sent afterwards is slot.c's.
 *
 * libpq's asynchronous calls know no timeout: the first of two hosts that drops packets would hold us up for ever. So
 * a list of hosts is taken apart here, and each is a try of its own.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/inside.h"

enum { EACH_SECONDS = 15, ALL_SECONDS = 60, SHORTEST_SECONDS = 2 };

/* --- what the conninfo says --- */

/* What it says itself, else the environment; NULL: neither. */
static const char *said(const struct slot *slot, const char *keyword, const char *variable) {
    const char *value = NULL;
    PQconninfoOption *options = PQconninfoParse(slot->conninfo, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val && *o->val) value = arena_strdup(slot->owner, o->val);
    PQconninfoFree(options);
    if (!value) value = getenv(variable);
    return value && *value ? value : NULL;
}

static size_t elements(const char *list) {
    size_t count = list != NULL;
    for (; list && *list; list++) count += *list == ',';
    return count;
}

/* Element `at` of a list; its only one stands for all. NULL: it is empty. */
static const char *element(struct arena *arena, const char *list, size_t at) {
    if (!list) return NULL;
    if (elements(list) == 1) at = 0;
    for (; at; at--) list = strchr(list, ',') + 1;
    size_t length = strcspn(list, ",");
    if (!length) return NULL;
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, list, length);
    return copy;
}

/* False: what only libpq understands, lists that do not match among them. */
static bool take_apart(struct slot *slot) {
    struct connecting *to = &slot->to;
    const char *host = said(slot, "host", "PGHOST"), *hostaddr = said(slot, "hostaddr", "PGHOSTADDR"),
               *port = said(slot, "port", "PGPORT");
    size_t count = elements(hostaddr ? hostaddr : host), ports = elements(port);
    if (count < 2 || said(slot, "service", "PGSERVICE")) return false;
    if ((host && elements(host) != count) || (ports > 1 && ports != count)) return false;
    to->ways = arena_alloc(slot->owner, count * sizeof *to->ways);
    for (size_t i = 0; i < count; i++) {
        struct way way = {element(slot->owner, host, i), element(slot->owner, hostaddr, i),
                          element(slot->owner, port, i)};
        if ((host && !way.host) || (hostaddr && !way.hostaddr)) return false;
        to->ways[i] = way;
    }
    to->way_count = count;
    return true;
}

/* `primary` and not `read-write`: a role whose transactions are read-only unless they say otherwise may run plans. */
static void choose_targets(struct slot *slot) {
    struct connecting *to = &slot->to;
    const char *given = said(slot, "target_session_attrs", "PGTARGETSESSIONATTRS");
    to->target_count = 1;
    if (given && strcmp(given, "prefer-standby") == 0) {
        to->targets[0] = "standby";
        to->targets[1] = "any";
        to->target_count = 2;
    } else if (given || said(slot, "service", "PGSERVICE")) {
        to->targets[0] = given;
    } else {
        to->targets[0] = slot->reads && to->way_count == 1 ? "any" : "primary";
        to->targets[1] = "any";
        to->target_count = slot->reads && to->way_count > 1 ? 2 : 1;
    }
}

void connect_plan(struct slot *slot) {
    struct connecting *to = &slot->to;
    bool apart = take_apart(slot);
    if (!apart) {
        to->ways = arena_alloc(slot->owner, sizeof *to->ways);
        *to->ways = (struct way){0};
        to->way_count = 1;
    }
    choose_targets(slot);
    const char *given = said(slot, "connect_timeout", "PGCONNECT_TIMEOUT"), *list = said(slot, "host", "PGHOST");
    bool several = !apart && (elements(list) > 1 || said(slot, "service", "PGSERVICE"));
    long seconds = given ? strtol(given, NULL, 10) : 0;
    if (seconds <= 0) seconds = several ? ALL_SECONDS : EACH_SECONDS;
    to->each_ms = 1000 * (seconds < SHORTEST_SECONDS ? SHORTEST_SECONDS : seconds);
    to->arena = arena_new(slot->owner);
}

/* --- one try --- */

static const struct way *way_at_hand(const struct connecting *to) {
    return &to->ways[(to->first + to->tried) % to->way_count];
}

static void hear_notice(void *context, const PGresult *result) {
    struct slot *slot = context;
    if (!slot->notice) return;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
               *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    slot->notice(slot->notice_context, severity ? severity : "", state ? state : "", primary ? primary : "");
}

/* What stands before dbname gives way to the conninfo, what stands behind it wins; NULL counts as not there. */
static void start(struct slot *slot) {
    struct connecting *to = &slot->to;
    const struct way *way = way_at_hand(to);
    const char *keys[] = {"tcp_user_timeout",
                          "keepalives_idle",
                          "keepalives_interval",
                          "keepalives_count",
                          "dbname",
                          "host",
                          "hostaddr",
                          "port",
                          "application_name",
                          "client_encoding",
                          "target_session_attrs",
                          NULL};
    const char *values[] = {"20000",
                            "10",
                            "5",
                            "3",
                            slot->conninfo,
                            way->host,
                            way->hostaddr,
                            way->port,
                            slot->application_name,
                            "UTF8",
                            to->targets[to->target],
                            NULL};
    if (slot->connection) PQfinish(slot->connection);
    slot->connection = PQconnectStartParams(keys, values, 1);
    if (slot->connection) PQsetNoticeReceiver(slot->connection, hear_notice, slot);
    to->polling = PQstatus(slot->connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    to->due = clock_ms() + to->each_ms;
}

static void connected(struct slot *slot) {
    struct connecting *to = &slot->to;
    to->first = (to->first + to->tried) % to->way_count;
    slot->connecting = false;
    to->there = true;
    slot->heard = clock_ms();
    PQsetnonblocking(slot->connection, 1);
    PQenterPipelineMode(slot->connection);
}

static void next_way(struct slot *slot, const char *why) {
    struct connecting *to = &slot->to;
    size_t length = strlen(why);
    while (length && why[length - 1] == '\n') length--;
    if (to->said.length) text_add(&to->said, "\n");
    text_add_n(&to->said, why, length);
    if (strstr(why, "hot standby")) to->standby = true;
    if (++to->tried == to->way_count) {
        to->tried = 0;
        to->target++;
    }
    if (to->target < to->target_count)
        start(slot);
    else
        slot->connecting = false;
}

static const char *shown(const struct slot *slot) {
    const char *host = PQhost(slot->connection), *port = PQport(slot->connection);
    return arena_printf(slot->to.arena, "%s, port %s", host && *host ? host : "-", port && *port ? port : "-");
}

/* Whoever says `any` in the URL and means to write gets to a standby that way. */
static bool in_recovery(const struct slot *slot) {
    const char *state = PQparameterStatus(slot->connection, "in_hot_standby");
    return !slot->reads && state && strcmp(state, "on") == 0;
}

/* libpq quotes what it does not understand, and that may be a password. */
static const char *why_not(const struct slot *slot) {
    const char *message = PQerrorMessage(slot->connection);
    PQconninfoOption *options = PQconninfoParse(slot->conninfo, NULL);
    bool understood = options || !strpbrk(slot->conninfo, ":=");
    PQconninfoFree(options);
    if (understood) return message;
    return "libpq does not understand the connection string (what it says is not shown: it may hold a password)";
}

static void settle(struct slot *slot) {
    struct connecting *to = &slot->to;
    while (slot->connecting && (to->polling == PGRES_POLLING_OK || to->polling == PGRES_POLLING_FAILED)) {
        if (to->polling == PGRES_POLLING_FAILED)
            next_way(slot, why_not(slot));
        else if (in_recovery(slot))
            next_way(slot,
                     arena_printf(to->arena, "the server at %s is a hot standby: it takes no writes", shown(slot)));
        else
            connected(slot);
    }
}

void connect_begin(struct slot *slot) {
    struct connecting *to = &slot->to;
    arena_reset(to->arena);
    to->said = text_new(to->arena);
    to->tried = to->target = 0;
    to->standby = to->there = false;
    slot->busy = slot->cancelled = slot->cancel_wanted = false;
    slot->connecting = slot->lost = true;
    start(slot);
    settle(slot);
}

short connect_waits_for(const struct slot *slot) {
    return slot->to.polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
}

/* PQconnectPoll must not be called before the descriptor is ready, while we are called once a second in any case. */
void connect_turn(struct slot *slot) {
    struct connecting *to = &slot->to;
    struct pollfd fd = {.fd = PQsocket(slot->connection), .events = connect_waits_for(slot)};
    if (poll(&fd, 1, 0) > 0)
        to->polling = PQconnectPoll(slot->connection);
    else if (clock_ms() >= to->due)
        next_way(slot, arena_printf(to->arena, "connection to server at %s failed: no answer within %lld s",
                                    shown(slot), (long long)to->each_ms / 1000));
    settle(slot);
}

void connect_failure(const struct slot *slot, struct error *error) {
    const struct connecting *to = &slot->to;
    fail(error, FAULT_CONNECTION, "cannot connect: %s", to->said.length ? to->said.data : "no reason given");
    if (!*error->sqlstate) memcpy(error->sqlstate, "08001", 6);
    if (to->standby && to->way_count == 1)
        fail_hint(error,
                  "a standby takes no writes: give the primary, or all servers (host=a,b), of which the one that "
                  "takes writes is found");
    else
        fail_hint(error, "check the URL (--database, the environment's database, or PGHOST and its kind) and that the "
                         "server is up");
}
