/*
 * Slots over libpq: connecting, pipelines, answers, cancelling. Owns the PGconn and its results; leaves retries,
 * transactions and what the statements mean to others.
 *
 * The connection stays in pipeline mode: a single statement with its sync is the same bytes on the wire as without, so
 * even VACUUM can go this way as long as it is alone between two syncs.
 */
#include "wire/slot.h"

#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"

enum { CONNECT_MS = 60000, CANCEL_SECONDS = 5, COPY_TURN_MS = 50, COPY_LINES = 64 };

struct rows {
    PGresult *result;
};

struct slot {
    struct wire *wire;
    struct source source;
    struct arena *owner;   /* of the slot itself */
    struct arena *arena;   /* of the batch: reset by slot_reset */
    struct arena *results; /* where rows go: the slot's arena, or that of an ask() */
    PGconn *connection;
    const char *conninfo, *application_name;
    const char **about; /* of the statements sent since the last sync, for errors */
    size_t queued;
    int failed_at;
    int at; /* index of the statement whose answer comes next */
    bool busy, connecting, lost, cancelled, cancel_wanted;
    pid_t canceller;
    bool copying, hungry; /* in a COPY: what comes is taken only when somebody waits for it */
    char *line;           /* of a COPY, as libpq gave it */
    int lines;            /* since the clock was looked at */
    int64_t turned;       /* clock_ms: when the wire had its last turn */
    int stop_level;       /* when the statement began: what came since cancels it */
    bool stop_terminated;
    struct error error; /* of the pipeline at hand; its texts live in `results` */
    struct slot_client client;
    struct statement frame[SLOT_FRAME];
    int framed;
    void (*notice)(void *, const char *, const char *, const char *);
    void *notice_context;
};

/* --- the source: what the one wait asks of us --- */

static int look(void *context, short *events) {
    struct slot *slot = context;
    if (slot->connecting || !slot->connection || (slot->lost && !slot->busy)) return -1;
    *events = slot->copying && !slot->hungry ? 0 : POLLIN;
    if (PQflush(slot->connection) == 1) *events |= POLLOUT;
    return *events ? PQsocket(slot->connection) : -1;
}

static void keep_server_error(struct slot *slot, const PGresult *result) {
    if (failed(&slot->error)) return;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE),
               *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
               *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *where = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *about = (size_t)slot->at < slot->queued ? slot->about[slot->at] : "the connection";
    if (!primary) primary = PQerrorMessage(slot->connection);
    if (PQstatus(slot->connection) == CONNECTION_BAD) slot->lost = true;
    slot->failed_at = slot->at;
    fail(&slot->error, slot->lost ? FAULT_CONNECTION : FAULT_FAILED, "%s: %s", about, primary);
    snprintf(slot->error.sqlstate, sizeof slot->error.sqlstate, "%s", state ? state : slot->lost ? "08006" : "XX000");
    if (detail && where)
        fail_detail(&slot->error, "%s\n%s", detail, where);
    else if (detail || where)
        fail_detail(&slot->error, "%s", detail ? detail : where);
    if (hint) fail_hint(&slot->error, "%s", hint);
}

static void finish(struct slot *slot) {
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

static void lose(struct slot *slot) {
    slot->lost = true;
    if (!slot->busy) return;
    const char *about = (size_t)slot->at < slot->queued ? slot->about[slot->at] : "the connection";
    char *said = arena_strdup(slot->results, PQerrorMessage(slot->connection));
    said[strcspn(said, "\n")] = '\0';
    fail(&slot->error, FAULT_CONNECTION, "%s: the connection was lost: %s", about, *said ? said : "no reason given");
    if (!*slot->error.sqlstate) memcpy(slot->error.sqlstate, "08006", 6);
    finish(slot);
}

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
    default: keep_server_error(slot, result);
    }
    PQclear(result);
}

static void ready(void *context) {
    struct slot *slot = context;
    if (slot->canceller && waitpid(slot->canceller, NULL, WNOHANG) == slot->canceller) slot->canceller = 0;
    if (slot->lost || !slot->connection || (slot->copying && !slot->hungry)) return;
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
            finish(slot); /* may have flushed anew: then busy again, and what came goes on here */
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

/* --- connecting --- */

static void hear_notice(void *context, const PGresult *result) {
    struct slot *slot = context;
    if (!slot->notice) return;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
               *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    slot->notice(slot->notice_context, severity ? severity : "", state ? state : "", primary ? primary : "");
}

/* One turn of the connecting handshake, with its own poll: no batch runs on this slot yet, but timers must go on, so
 * the turns are short. */
static bool connect_turn(struct slot *slot, PostgresPollingStatusType *status, int64_t due) {
    struct pollfd fd = {.fd = PQsocket(slot->connection),
                        .events = *status == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    while (poll(&fd, 1, 20) <= 0) {
        wire_wait(slot->wire, 0);
        if (clock_ms() > due || stop_level() > 0) return false;
    }
    *status = PQconnectPoll(slot->connection);
    return true;
}

static bool connect_now(struct slot *slot, struct error *error) {
    /* What stands before dbname gives way to the URL, what stands behind it wins. */
    const char *keys[] = {"tcp_user_timeout", "dbname", "application_name", "client_encoding", NULL};
    const char *values[] = {"20000", slot->conninfo, slot->application_name, "UTF8", NULL};
    if (slot->connection) PQfinish(slot->connection);
    slot->connection = PQconnectStartParams(keys, values, 1);
    slot->lost = slot->busy = slot->cancelled = slot->cancel_wanted = false;
    slot->connecting = true;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    int64_t due = clock_ms() + CONNECT_MS;
    bool in_time = true;
    if (PQstatus(slot->connection) == CONNECTION_BAD) status = PGRES_POLLING_FAILED;
    while (in_time && status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
        in_time = connect_turn(slot, &status, due);
    slot->connecting = false;
    if (status == PGRES_POLLING_OK) {
        PQsetnonblocking(slot->connection, 1);
        PQenterPipelineMode(slot->connection);
        PQsetNoticeReceiver(slot->connection, hear_notice, slot);
        return true;
    }
    slot->lost = true;
    if (in_time) {
        char *said = arena_strdup(error->arena, PQerrorMessage(slot->connection));
        size_t n = strlen(said);
        while (n && said[n - 1] == '\n') said[--n] = '\0';
        fail(error, FAULT_CONNECTION, "cannot connect: %s", said);
    } else if (stop_level() > 0) {
        fail(error, FAULT_STOPPED, "stopped while connecting");
    } else {
        fail(error, FAULT_CONNECTION, "cannot connect to %s: no answer within %d s", slot_host(slot),
             CONNECT_MS / 1000);
    }
    memcpy(error->sqlstate, "08001", 6);
    fail_hint(
        error,
        "check the URL (--database, the environment's database, or PGHOST and its kind) and that the server is up");
    return false;
}

static void close_slot(void *context) {
    struct slot *slot = context;
    wire_remove(slot->wire, &slot->source);
    if (slot->connection) PQfinish(slot->connection);
    slot->connection = NULL;
    slot->lost = true;
}

struct slot *slot_open(struct wire *wire, struct arena *arena, const char *conninfo, const char *application_name,
                       struct error *error) {
    if (failed(error)) return NULL;
    struct slot *slot = arena_alloc(arena, sizeof *slot);
    slot->wire = wire;
    slot->owner = arena;
    slot->arena = slot->results = arena_new(arena);
    slot->conninfo = arena_strdup(arena, conninfo ? conninfo : "");
    slot->application_name = arena_strdup(arena, application_name);
    slot->source = (struct source){look, ready, slot, NULL};
    slot->error = error_new(slot->arena);
    wire_add(wire, &slot->source);
    arena_defer(arena, close_slot, slot);
    return connect_now(slot, error) ? slot : NULL;
}

void slot_close(struct slot *slot) {
    if (slot && slot->connection) close_slot(slot);
}

bool slot_reopen(struct slot *slot, struct error *error) { return connect_now(slot, error); }

/* --- questions about the connection --- */

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

static void remember(struct slot *slot, const char *about) {
    size_t count = slot->queued;
    slot->about = arena_grow(slot->results, slot->about, &count, sizeof *slot->about);
    slot->about[slot->queued++] = about;
}

/* A failure to send shows as a lost connection when the flush waits for its answer. */
void slot_queue(struct slot *slot, const struct statement *s) {
    remember(slot, s->about);
    if (!slot->lost && !PQsendQueryParams(slot->connection, s->text, s->count, NULL, s->values, NULL, NULL, 0))
        slot->lost = true;
}

void slot_flush(struct slot *slot, const struct slot_client *client) {
    slot->client = *client;
    slot->busy = true;
    slot->cancelled = false;
    slot->at = 0;
    slot->error = error_new(slot->results);
    if (slot->lost || !PQpipelineSync(slot->connection) || PQflush(slot->connection) < 0) lose(slot);
}

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

/* Ctrl-C twice, or SIGTERM, while one statement runs: it is cancelled. What is asked afterwards (saving) is not. */
static void remember_stops(struct slot *slot) {
    slot->stop_level = stop_level();
    slot->stop_terminated = stop_terminated();
}

static void wait_or_cancel(struct slot *slot, int64_t ms) {
    wire_wait(slot->wire, ms);
    if ((stop_level() > slot->stop_level && stop_level() >= 2) || stop_terminated() != slot->stop_terminated)
        slot_cancel(slot);
}

static struct rows *await(struct slot *slot, struct asked *asked) {
    remember_stops(slot);
    slot_flush(slot, &(struct slot_client){keep_rows, keep_error, asked});
    while (!asked->over) wait_or_cancel(slot, 1000);
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
    remember(slot, s->about);
    remember(slot, s->about);
    if (!slot->lost &&
        (!PQsendPrepare(slot->connection, "", s->text, 0, NULL) || !PQsendDescribePrepared(slot->connection, "")))
        slot->lost = true;
    return await(slot, &asked);
}

/* --- COPY: there is none in pipeline mode, so the connection leaves it for as long --- */

static void keep_loss(struct slot *slot) {
    slot->lost = true;
    fail(&slot->error, FAULT_CONNECTION, "%s: the connection was lost", slot->about[0]);
    if (!*slot->error.sqlstate) memcpy(slot->error.sqlstate, "08006", 6);
}

/* Waits for the next result, or for COPY to begin; NULL: there is no more. */
static PGresult *copy_result(struct slot *slot) {
    slot->hungry = true;
    while (!slot->lost && (PQflush(slot->connection) == 1 || PQisBusy(slot->connection))) wait_or_cancel(slot, 1000);
    slot->hungry = false;
    return slot->lost ? NULL : PQgetResult(slot->connection);
}

/* The statement's last word; then back into the pipeline mode. */
static void copy_over(struct slot *slot, struct error *error) {
    PGresult *result;
    while ((result = copy_result(slot))) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN) PQputCopyEnd(slot->connection, "not asked for");
        if (status != PGRES_COMMAND_OK) keep_server_error(slot, result);
        PQclear(result);
    }
    PQfreemem(slot->line);
    slot->line = NULL;
    if (slot->lost || PQstatus(slot->connection) == CONNECTION_BAD || !PQenterPipelineMode(slot->connection))
        keep_loss(slot);
    slot->copying = false;
    slot->results = slot->arena;
    slot->client = (struct slot_client){0};
    error_promote(error, &slot->error);
    finish(slot);
}

void slot_copy(struct slot *slot, const struct statement *s, struct error *error) {
    if (failed(error)) return;
    slot->results = error->arena;
    slot->error = error_new(error->arena);
    slot->at = 0;
    slot->busy = slot->copying = true;
    slot->cancelled = false;
    remember(slot, s->about);
    remember_stops(slot);
    if (slot->lost || !PQexitPipelineMode(slot->connection) ||
        !PQsendQueryParams(slot->connection, s->text, 0, NULL, NULL, NULL, NULL, 0))
        keep_loss(slot);
    PGresult *result = copy_result(slot);
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    bool began = status == PGRES_COPY_OUT || status == PGRES_COPY_IN;
    if (result && !began) keep_server_error(slot, result);
    PQclear(result);
    if (!began) copy_over(slot, error);
}

/* Lines that are there already come without waiting, so the clock must be asked whether timers are due. */
static void turn_wire(struct slot *slot) {
    if (++slot->lines < COPY_LINES) return;
    slot->lines = 0;
    int64_t now = clock_ms();
    if (now - slot->turned < COPY_TURN_MS) return;
    slot->turned = now;
    wait_or_cancel(slot, 0);
}

/* 0: the end; lines of a COPY that was cancelled are nobody's any more. */
static int next_line(struct slot *slot) {
    int got = 0;
    do {
        PQfreemem(slot->line);
        slot->line = NULL;
        while (!slot->lost && (got = PQgetCopyData(slot->connection, &slot->line, 1)) == 0) {
            slot->hungry = true;
            wait_or_cancel(slot, 1000);
            slot->hungry = false;
        }
    } while (got > 0 && slot->cancel_wanted);
    return slot->lost || got < 0 ? 0 : got;
}

/* All lines may have been on their way when the cancel came: it counts all the same. */
static void keep_cancel(struct slot *slot) {
    if (!slot->cancel_wanted || slot->lost) return;
    fail(&slot->error, FAULT_FAILED, "%s: cancelled", slot->about[0]);
    if (!*slot->error.sqlstate) memcpy(slot->error.sqlstate, "57014", 6);
}

bool slot_copy_next(struct slot *slot, char **line, size_t *length, struct error *error) {
    if (failed(error) || !slot->copying) return false;
    turn_wire(slot);
    int got = next_line(slot);
    if (!got) {
        keep_cancel(slot);
        copy_over(slot, error);
        return false;
    }
    if (slot->line[got - 1] == '\n') slot->line[--got] = '\0';
    *line = slot->line;
    *length = (size_t)got;
    return true;
}

void slot_copy_put(struct slot *slot, const char *text, size_t length, struct error *error) {
    if (failed(error) || !slot->copying) return;
    turn_wire(slot);
    int put = slot->lost ? -1 : PQputCopyData(slot->connection, text, (int)length), unsent = 0;
    while (put >= 0 && !slot->lost && (put == 0 || (unsent = PQflush(slot->connection)) == 1)) {
        wait_or_cancel(slot, 1000);
        if (put == 0) put = PQputCopyData(slot->connection, text, (int)length);
    }
    if (put < 0 || unsent < 0 || slot->lost) {
        keep_loss(slot);
        copy_over(slot, error);
    }
}

void slot_copy_end(struct slot *slot, struct error *error) {
    if (!slot->copying) return;
    struct error ignored = error_new(slot->owner);
    if (!slot->lost && PQputCopyEnd(slot->connection, failed(error) ? "given up" : NULL) < 0) keep_loss(slot);
    copy_over(slot, failed(error) ? &ignored : error);
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
