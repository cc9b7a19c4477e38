/*
 * A slot: one connection to PostgreSQL, driven without blocking. Only this folder knows libpq.
 *
 * Two ways to use one:
 *  - straight code (commands, catalog, steps that are one statement) calls ask(): send, wait on the one wait, return;
 *  - the batch loop queues statements into a pipeline (slot_queue, slot_flush) and hears of each answer.
 * All statements go by the extended protocol, one statement each, so a plan's text cannot smuggle in a second one.
 * Rows live in the arena given (ask) or in the slot's own until its next reset (pipeline).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/wire.h"

struct slot;
struct rows;

/* A statement that is ready to be sent. `about` names it for errors: "removing the batch 1-1000 of public.listings". */
struct statement {
    const char *about;
    const char *text;
    const char *const *values; /* $1..: text form; NULL is SQL NULL */
    int count;
};

/*
 * conninfo: URL or keyword string; "" for PG* variables. Waits until connected; names host and database when it fails
 * (FAULT_CONNECTION), never the password. `arena` owns the slot: it is closed with it.
 *
 * Of several hosts it takes the one that is no standby, each tried for connect_timeout (15 s unless given), the one
 * that worked last first. A server in recovery is refused, unless target_session_attrs in the conninfo wants one; and
 * then nobody is to write there. slot_open_reading takes a standby too, if there is nothing else.
 */
struct slot *slot_open(struct wire *, struct arena *, const char *conninfo, const char *application_name,
                       struct error *);
struct slot *slot_open_reading(struct wire *, struct arena *, const char *conninfo, const char *application_name,
                               struct error *);
void slot_close(struct slot *);

/* After a loss. One try over all hosts, waited for; or begun, to go on inside waits until slot_connecting is false, and
 * slot_reopened then says whether it succeeded, or why not. Until that was asked the slot counts as lost: nobody sends
 * anything before whoever reconnects has looked at the server. */
bool slot_reopen(struct slot *, struct error *);
void slot_reopen_begin(struct slot *);
bool slot_connecting(const struct slot *);
bool slot_reopened(struct slot *, struct error *);

struct wire *slot_wire(const struct slot *);
bool slot_lost(const struct slot *); /* the connection is gone, or not there yet */
/* Takes the connection for dead: what waits for an answer fails as if it were cut. The next try begins elsewhere. */
void slot_drop(struct slot *, const char *why);
/* An answer that takes longer than `ms` for each statement sent means that the connection is dead; 0: any time. A
 * network that was cut is noticed by the kernel, a proxy that hangs is not. */
void slot_expect(struct slot *, int64_t ms);
int64_t slot_silent(const struct slot *); /* ms since it owes an answer and says nothing; 0 in a COPY */

bool slot_pooled(struct slot *, struct error *); /* there is a pooler between: the server's pid is not the one we see */
int slot_backend(const struct slot *);           /* pid as the server or the pooler told it at start */
int slot_server_version(const struct slot *);    /* 150004 */
const char *slot_host(const struct slot *);      /* for people */
const char *slot_database(const struct slot *);
const char *slot_user(const struct slot *);
bool slot_in_transaction(const struct slot *);
void slot_on_notice(struct slot *,
                    void (*hear)(void *context, const char *severity, const char *sqlstate, const char *message),
                    void *context);

/* Sends one statement and waits (timers, signals and other slots go on). NULL and the error set when it fails. */
struct rows *ask(struct slot *, struct arena *, const struct statement *, struct error *);
/* Several in one trip, as they are: nothing is idle in between. The rows of the last. */
struct rows *ask_all(struct slot *, struct arena *, const struct statement *, int count, struct error *);

/* What ask() puts around a statement when no transaction is open: one that begins one, and others that set it up;
 * behind it comes a COMMIT, all in one trip. Texts must live as long as the slot. count 0: nothing, as at first. */
enum { SLOT_FRAME = 4 };
void slot_frame(struct slot *, const struct statement *before, int count);
/* The same for a flush: queues all of it; the index of the statement's own answer. */
int slot_queue_framed(struct slot *, const struct statement *);

/* Pipeline: queue any number, flush sends them with a sync; `answer` is called for each good result in order, `done`
 * once after the sync, with the error of the first that failed (the rest was skipped by the server) or NULL. */
struct slot_client {
    void (*answer)(void *context, int index, const struct rows *);
    void (*done)(void *context, const struct error *);
    void *context;
};
struct arena *slot_arena(struct slot *);
void slot_reset(struct slot *);                           /* empties its arena */
void slot_queue(struct slot *, const struct statement *); /* texts must live until done */
void slot_flush(struct slot *, const struct slot_client *);
int slot_queued(const struct slot *);    /* statements since the last flush was over: the index of the next */
int slot_failed_at(const struct slot *); /* index of the statement that failed last */
bool slot_busy(const struct slot *);
void slot_cancel(struct slot *);          /* asks the server to cancel what runs; never blocks us */
bool slot_cancelled(const struct slot *); /* the last 57014 was our own doing */
bool slot_cancelling(struct slot *);      /* a cancel is on its way still, and may hit what is sent next */

/*
 * COPY: rows as they stream, with bounded memory on our side: what was not taken yet waits in the server. Straight code
 * of two slots may do both at a time; timers and the other slots go on. No pipeline may be open, no $1 be in the text.
 *
 * Out: each line in COPY's text format, without its newline, is good until the next call; false: the end, or an error.
 * In: any pieces of such text; may wait until the server takes it. A refused row shows at the end. Leaving a COPY half
 * way is slot_close, or slot_copy_end with the error set: the server then takes nothing.
 */
void slot_copy(struct slot *, const struct statement *, struct error *);
bool slot_copy_next(struct slot *, char **line, size_t *length, struct error *);
void slot_copy_put(struct slot *, const char *text, size_t length, struct error *);
void slot_copy_end(struct slot *, struct error *);

int rows_count(const struct rows *);
int rows_columns(const struct rows *);
const char *rows_column_name(const struct rows *, int column);
unsigned rows_column_type(const struct rows *, int column);      /* oid */
const char *rows_text(const struct rows *, int row, int column); /* NULL for SQL NULL */
int64_t rows_int(const struct rows *, int row, int column);      /* 0 for NULL */
double rows_number(const struct rows *, int row, int column);
bool rows_flag(const struct rows *, int row, int column);
int64_t rows_affected(const struct rows *);

/* Names the result columns of a statement without running it (Parse + Describe). */
struct rows *slot_describe(struct slot *, struct arena *, const struct statement *, struct error *);
