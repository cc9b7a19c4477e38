/*
 * Slots over libpq: pipelines, answers, cancelling, questions. Owns the PGconn and its results; leaves connecting to
 * connect.c, COPY to copy.c, and retries, transactions and what the statements mean to others.
 *
 * The connection stays in pipeline mode: a single statement with its sync is the same bytes on the wire as without, so
 * even VACUUM can go this way as long as it is alone between two syncs.
 */
#include "wire/slot.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "wire/inside.h"

enum { CANCEL_SECONDS = 5, STOPPING_MS = 5000 };

/* --- the source: what the one wait asks of us --- */

static int look(void *context, short *events) {
    struct slot *slot = context;
    if (slot->connecting) {
        *events = connect_waits_for(slot);
        return PQsocket(slot->connection);
    }
    if (!slot->connection || (slot->lost && !slot->busy)) return -1;
    *events = slot->copying && !slot->hungry ? 0 : POLLIN;
    if (PQflush(slot->connection) == 1) *events |= POLLOUT;
    return *events ? PQsocket(slot->connection) : -1;
}

void slot_keep_server_error(struct slot *slot, const PGresult *result) {
    if (failed(&slot->error)) return;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE),
               *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
               *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *where = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *about = (size_t)slot->at < slot->queued ? slot->about[slot->at] : "the connection";
    if (!primary) primary = PQerrorMessage(slot->connection);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    /* FATAL ends the session, whether the socket is known to be closed or not. */
    if (PQstatus(slot->connection) == CONNECTION_BAD || text_equal(severity, "FATAL") || text_equal(severity, "PANIC"))
        slot->lost = true;
    slot->failed_at = slot->at;
    fail(&slot->error, slot->lost ? FAULT_CONNECTION : FAULT_FAILED, "%s: %s", about, primary);
    snprintf(slot->error.sqlstate, sizeof slot->error.sqlstate, "%s", state ? state : slot->lost ? "08006" : "XX000");
    if (detail && where)
        fail_detail(&slot->error, "%s\n%s", detail, where);
    else if (detail || where)
        fail_detail(&slot->error, "%s", detail ? detail : where);
    if (hint) fail_hint(&slot->error, "%s", hint);
}

void slot_finish(struct slot *slot) {
    struct slot_client client = slot->client;
    struct error error = slot->error;
    slot->busy = false;
    slot->queued = 0;
    slot->about = NULL;
    slot->error = error_new(slot->results);
    if (slot->cancel_wanted && strcmp(error.sqlstate, "57014") == 0) slot->cancelled = true;
    slot->cancel_wanted = false;
    if (client.done) client.done(client.context, failed(&error) ? &error : NULL);
}

/* Whoever waits for an answer hears of it. */
static void lose_for(struct slot *slot, const char *why) {
    slot->lost = true;
    if (!slot->busy || slot->copying) return;
    const char *about = (size_t)slot->at < slot->queued ? slot->about[slot->at] : "the connection";
    char *said = arena_strdup(slot->results, why);
    said[strcspn(said, "\n")] = '\0';
    fail(&slot->error, FAULT_CONNECTION, "%s: the connection was lost: %s", about, *said ? said : "no reason given");
    if (!*slot->error.sqlstate) memcpy(slot->error.sqlstate, "08006", 6);
    slot_finish(slot);
}

static void lose(struct slot *slot) { lose_for(slot, PQerrorMessage(slot->connection)); }

static void clear_result(void *result) { PQclear(result); }

static void hear_result(struct slot *slot, PGresult *result) {
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK: {
        struct rows *rows = arena_alloc(slot->results, sizeof *rows);
        rows->result = result;
        arena_defer(slot->results, clear_result, result);
        if (slot->client.answer && !failed(&slot->error)) slot->client.answer(slot->client.context, slot->at, rows);
        return;
    }
    case PGRES_PIPELINE_ABORTED: break;
    default: slot_keep_server_error(slot, result);
    }
    PQclear(result);
}

static bool readable(const struct slot *slot) {
    struct pollfd fd = {.fd = PQsocket(slot->connection), .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static bool silent_too_long(struct slot *slot) {
    int64_t now = clock_ms(), most = slot->expected * (int64_t)(slot->queued ? slot->queued : 1);
    if (readable(slot)) slot->heard = now;
    if (!most || now - slot->heard <= most) return false;
    slot_drop(slot, arena_printf(slot->results, "no answer for %lld s", (long long)(now - slot->heard) / 1000));
    return true;
}

bool slot_cancelling(struct slot *slot) {
    if (slot->canceller && waitpid(slot->canceller, NULL, WNOHANG) == slot->canceller) slot->canceller = 0;
    return slot->canceller != 0;
}

static void ready(void *context) {
    struct slot *slot = context;
    slot_cancelling(slot);
    if (slot->connecting) {
        connect_turn(slot);
        return;
    }
    if (slot->lost || !slot->connection || (slot->copying && !slot->hungry)) return;
    if (slot->busy && !slot->copying && silent_too_long(slot)) return;
    if (slot->copying) {
        if (!PQconsumeInput(slot->connection)) slot->lost = true;
        return;
    }
    if (!PQconsumeInput(slot->connection)) {
        lose(slot);
        return;
    }
    while (slot->busy && !PQisBusy(slot->connection)) {
        PGresult *result = PQgetResult(slot->connection);
        if (!result) {
            if (PQstatus(slot->connection) == CONNECTION_BAD) {
                lose(slot);
                return;
            }
            slot->at++;
            continue;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            slot_finish(slot); /* may have flushed anew: then busy again, and what came goes on here */
            continue;
        }
        hear_result(slot, result);
        if (slot->lost) {
            lose(slot);
            return;
        }
    }
    if (PQstatus(slot->connection) == CONNECTION_BAD) lose(slot);
}

/* --- opening and closing --- */

static void close_slot(void *context) {
    struct slot *slot = context;
    wire_remove(slot->wire, &slot->source);
    if (slot->connection) PQfinish(slot->connection);
    slot->connection = NULL;
    slot->lost = true;
    slot->connecting = false;
}

/* Waits for the end of a try. A signal that comes meanwhile ends it; one that came before leaves it a moment: what was
 * done is to be written down. */
static bool connected_now(struct slot *slot, struct error *error) {
    int level = stop_level();
    int64_t due = clock_ms() + STOPPING_MS;
    while (slot->connecting && stop_level() == level && (!level || clock_ms() < due)) wire_wait(slot->wire, 100);
    if (slot->connecting) {
        fail(error, FAULT_STOPPED, "stopped while connecting");
        slot->connecting = false;
    }
    return slot_reopened(slot, error);
}

static struct slot *open_slot(struct wire *wire, struct arena *arena, const char *conninfo,
                              const char *application_name, bool reads, struct error *error) {
    if (failed(error)) return NULL;
    struct slot *slot = arena_alloc(arena, sizeof *slot);
    slot->wire = wire;
    slot->owner = arena;
    slot->arena = slot->results = arena_new(arena);
    slot->conninfo = arena_strdup(arena, conninfo ? conninfo : "");
    slot->application_name = arena_strdup(arena, application_name);
    slot->reads = reads;
    slot->source = (struct source){look, ready, slot, NULL};
    slot->error = error_new(slot->arena);
    wire_add(wire, &slot->source);
    arena_defer(arena, close_slot, slot);
    connect_plan(slot);
    return slot_reopen(slot, error) ? slot : NULL;
}

struct slot *slot_open(struct wire *wire, struct arena *arena, const char *conninfo, const char *application_name,
                       struct error *error) {
    return open_slot(wire, arena, conninfo, application_name, false, error);
}

struct slot *slot_open_reading(struct wire *wire, struct arena *arena, const char *conninfo,
                               const char *application_name, struct error *error) {
    return open_slot(wire, arena, conninfo, application_name, true, error);
}

void slot_close(struct slot *slot) {
    if (slot && slot->connection) close_slot(slot);
}

void slot_reopen_begin(struct slot *slot) { connect_begin(slot); }

bool slot_connecting(const struct slot *slot) { return slot->connecting; }

bool slot_reopened(struct slot *slot, struct error *error) {
    if (slot->to.there) slot->lost = slot->to.there = false;
    if (!slot->lost) return true;
    if (!failed(error)) connect_failure(slot, error);
    return false;
}

bool slot_reopen(struct slot *slot, struct error *error) {
    connect_begin(slot);
    return connected_now(slot, error);
}

void slot_drop(struct slot *slot, const char *why) {
    if (slot->lost || !slot->connection) return;
    slot->to.first = (slot->to.first + 1) % slot->to.way_count;
    lose_for(slot, why);
}

void slot_expect(struct slot *slot, int64_t ms) { slot->expected = ms; }

int64_t slot_silent(const struct slot *slot) {
    return slot->busy && !slot->lost && !slot->copying ? clock_ms() - slot->heard : 0;
}

/* --- questions about the connection --- */

struct wire *slot_wire(const struct slot *slot) {
    return slot->wire;
}

bool slot_lost(const struct slot *slot) { return slot->lost; }

int slot_backend(const struct slot *slot) { return PQbackendPID(slot->connection); }

int slot_server_version(const struct slot *slot) { return PQserverVersion(slot->connection); }

static const char *or_dash(const char *text) { return text && *text ? text : "-"; }

const char *slot_host(const struct slot *slot) { return or_dash(PQhost(slot->connection)); }

const char *slot_database(const struct slot *slot) { return or_dash(PQdb(slot->connection)); }

const char *slot_user(const struct slot *slot) { return or_dash(PQuser(slot->connection)); }

bool slot_in_transaction(const struct slot *slot) {
    PGTransactionStatusType status = PQtransactionStatus(slot->connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void slot_on_notice(struct slot *slot, void (*hear)(void *, const char *, const char *, const char *), void *context) {
    slot->notice = hear;
    slot->notice_context = context;
}

bool slot_pooled(struct slot *slot, struct error *error) {
    struct arena *arena = arena_new(slot->owner);
    struct rows *rows = ask(
        slot, arena,
        &(struct statement){.about = "asking for the server's process", .text = "SELECT pg_catalog.pg_backend_pid()"},
        error);
    bool pooled = rows && rows_int(rows, 0, 0) != PQbackendPID(slot->connection);
    arena_free(arena);
    return pooled;
}

/* --- pipelines --- */

struct arena *slot_arena(struct slot *slot) {
    return slot->arena;
}

void slot_reset(struct slot *slot) {
    arena_reset(slot->arena);
    slot->error = error_new(slot->arena);
}

void slot_remember(struct slot *slot, const char *about) {
    size_t count = slot->queued;
    slot->about = arena_grow(slot->results, slot->about, &count, sizeof *slot->about);
    slot->about[slot->queued++] = about;
}

/* A failure to send shows as a lost connection when the flush waits for its answer. */
void slot_queue(struct slot *slot, const struct statement *s) {
    slot_remember(slot, s->about);
    if (!slot->lost && !PQsendQueryParams(slot->connection, s->text, s->count, NULL, s->values, NULL, NULL, 0))
        slot->lost = true;
}

void slot_flush(struct slot *slot, const struct slot_client *client) {
    slot->client = *client;
    slot->busy = true;
    slot->heard = clock_ms();
    slot->cancelled = false;
    slot->at = 0;
    slot->error = error_new(slot->results);
    if (slot->lost || !PQpipelineSync(slot->connection) || PQflush(slot->connection) < 0) lose(slot);
}

int slot_queued(const struct slot *slot) { return (int)slot->queued; }

int slot_failed_at(const struct slot *slot) { return slot->failed_at; }

bool slot_busy(const struct slot *slot) { return slot->busy; }

/* PQcancel blocks (it connects anew), so a child does it; over a pooler or TLS it is the only way that is right. */
void slot_cancel(struct slot *slot) {
    if (!slot->busy || slot->cancel_wanted || slot->lost) return;
    slot->cancel_wanted = true;
    PGcancel *cancel = PQgetCancel(slot->connection);
    if (!cancel) return;
    pid_t child = fork();
    if (child == 0) {
        char said[256];
        signal(SIGALRM, SIG_DFL);
        alarm(CANCEL_SECONDS);
        PQcancel(cancel, said, sizeof said);
        _exit(0);
    }
    if (child > 0) slot->canceller = child;
    PQfreeCancel(cancel);
}

bool slot_cancelled(const struct slot *slot) { return slot->cancelled; }

/* --- straight code --- */

struct asked {
    struct rows *rows;
    struct error *error;
    int wanted; /* index of the answer */
    bool over;
};

static void keep_rows(void *context, int index, const struct rows *rows) {
    struct asked *asked = context;
    if (index == asked->wanted) asked->rows = (struct rows *)rows;
}

static void keep_error(void *context, const struct error *error) {
    struct asked *asked = context;
    if (error) error_promote(asked->error, error);
    asked->over = true;
}

/* Ctrl-C twice, SIGTERM, or a run that is cancelled while one statement runs: so is the statement. What is asked
 * afterwards (saving) is not. */
void slot_remember_stops(struct slot *slot) {
    slot->stop_level = stop_level();
    slot->stop_terminated = stop_terminated();
    slot->cancels = wire_cancels(slot->wire);
}

void slot_wait_or_cancel(struct slot *slot, int64_t ms) {
    wire_wait(slot->wire, ms);
    if ((stop_level() > slot->stop_level && stop_level() >= 2) || stop_terminated() != slot->stop_terminated ||
        wire_cancels(slot->wire) != slot->cancels)
        slot_cancel(slot);
}

static struct rows *await(struct slot *slot, struct asked *asked) {
    slot_remember_stops(slot);
    slot_flush(slot, &(struct slot_client){keep_rows, keep_error, asked});
    while (!asked->over) slot_wait_or_cancel(slot, 1000);
    slot->results = slot->arena;
    slot->error = error_new(slot->arena);
    return failed(asked->error) ? NULL : asked->rows;
}

void slot_frame(struct slot *slot, const struct statement *before, int count) {
    if (count) memcpy(slot->frame, before, (size_t)count * sizeof *before);
    slot->framed = count;
}

int slot_queue_framed(struct slot *slot, const struct statement *statement) {
    bool left = slot_in_transaction(slot); /* by one that failed: nothing else leaves a transaction open here */
    if (left) slot_queue(slot, &(struct statement){.about = statement->about, .text = "ROLLBACK"});
    for (int i = 0; i < slot->framed; i++) slot_queue(slot, &slot->frame[i]);
    slot_queue(slot, statement);
    if (slot->framed) slot_queue(slot, &(struct statement){.about = statement->about, .text = "COMMIT"});
    return left + slot->framed;
}

struct rows *ask_all(struct slot *slot, struct arena *arena, const struct statement *statements, int count,
                     struct error *error) {
    if (failed(error)) return NULL;
    struct asked asked = {.error = error, .wanted = count - 1};
    slot->results = arena;
    for (int i = 0; i < count; i++) slot_queue(slot, &statements[i]);
    return await(slot, &asked);
}

struct rows *ask(struct slot *slot, struct arena *arena, const struct statement *statement, struct error *error) {
    if (failed(error)) return NULL;
    if (!slot->framed || slot_in_transaction(slot)) return ask_all(slot, arena, statement, 1, error);
    struct asked asked = {.error = error};
    slot->results = arena;
    asked.wanted = slot_queue_framed(slot, statement);
    struct rows *rows = await(slot, &asked);
    struct error ignored = error_new(arena);
    if (failed(error) && !slot->lost && slot_in_transaction(slot))
        ask_all(slot, arena, &(struct statement){.about = "rolling back", .text = "ROLLBACK"}, 1, &ignored);
    return rows;
}

struct rows *slot_describe(struct slot *slot, struct arena *arena, const struct statement *s, struct error *error) {
    if (failed(error)) return NULL;
    struct asked asked = {.error = error, .wanted = 1};
    slot->results = arena;
    slot_remember(slot, s->about);
    slot_remember(slot, s->about);
    if (!slot->lost &&
        (!PQsendPrepare(slot->connection, "", s->text, 0, NULL) || !PQsendDescribePrepared(slot->connection, "")))
        slot->lost = true;
    return await(slot, &asked);
}

/* --- rows --- */

int rows_count(const struct rows *rows) { return PQntuples(rows->result); }

int rows_columns(const struct rows *rows) { return PQnfields(rows->result); }

const char *rows_column_name(const struct rows *rows, int column) { return PQfname(rows->result, column); }

unsigned rows_column_type(const struct rows *rows, int column) { return PQftype(rows->result, column); }

const char *rows_text(const struct rows *rows, int row, int column) {
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

int64_t rows_int(const struct rows *rows, int row, int column) {
    return strtoll(PQgetvalue(rows->result, row, column), NULL, 10);
}

double rows_number(const struct rows *rows, int row, int column) {
    return strtod(PQgetvalue(rows->result, row, column), NULL);
}

bool rows_flag(const struct rows *rows, int row, int column) { return PQgetvalue(rows->result, row, column)[0] == 't'; }

int64_t rows_affected(const struct rows *rows) { return strtoll(PQcmdTuples(rows->result), NULL, 10); }
