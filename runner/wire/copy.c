/*
 * COPY over a slot: rows as they stream, with bounded memory on our side. There is none in pipeline mode, so the
 * connection leaves it for as long.
 */
#include <string.h>

#include "base/clock.h"
#include "wire/inside.h"

enum { COPY_TURN_MS = 50, COPY_LINES = 64 };

static void keep_loss(struct slot *slot) {
    slot->lost = true;
    fail(&slot->error, FAULT_CONNECTION, "%s: the connection was lost", slot->about[0]);
    if (!*slot->error.sqlstate) memcpy(slot->error.sqlstate, "08006", 6);
}

/* Waits for the next result, or for COPY to begin; NULL: there is no more. */
static PGresult *copy_result(struct slot *slot) {
    slot->hungry = true;
    while (!slot->lost && (PQflush(slot->connection) == 1 || PQisBusy(slot->connection)))
        slot_wait_or_cancel(slot, 1000);
    slot->hungry = false;
    return slot->lost ? NULL : PQgetResult(slot->connection);
}

/* The statement's last word; then back into the pipeline mode. */
static void copy_over(struct slot *slot, struct error *error) {
    PGresult *result;
    while ((result = copy_result(slot))) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN) PQputCopyEnd(slot->connection, "not asked for");
        if (status != PGRES_COMMAND_OK) slot_keep_server_error(slot, result);
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
    slot_finish(slot);
}

void slot_copy(struct slot *slot, const struct statement *s, struct error *error) {
    if (failed(error)) return;
    slot->results = error->arena;
    slot->error = error_new(error->arena);
    slot->at = 0;
    slot->busy = slot->copying = true;
    slot->cancelled = false;
    slot_remember(slot, s->about);
    slot_remember_stops(slot);
    if (slot->lost || !PQexitPipelineMode(slot->connection) ||
        !PQsendQueryParams(slot->connection, s->text, 0, NULL, NULL, NULL, NULL, 0))
        keep_loss(slot);
    PGresult *result = copy_result(slot);
    ExecStatusType status = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    bool began = status == PGRES_COPY_OUT || status == PGRES_COPY_IN;
    if (result && !began) slot_keep_server_error(slot, result);
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
    slot_wait_or_cancel(slot, 0);
}

/* 0: the end; lines of a COPY that was cancelled are nobody's any more. */
static int next_line(struct slot *slot) {
    int got = 0;
    do {
        PQfreemem(slot->line);
        slot->line = NULL;
        while (!slot->lost && (got = PQgetCopyData(slot->connection, &slot->line, 1)) == 0) {
            slot->hungry = true;
            slot_wait_or_cancel(slot, 1000);
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
        slot_wait_or_cancel(slot, 1000);
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
