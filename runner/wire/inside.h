/* What the files of a slot share: its state, and the functions that they are made of. */
#pragma once
#include <libpq-fe.h>
#include <sys/types.h>

#include "base/text.h"
#include "wire/slot.h"

struct rows {
    PGresult *result;
};

/* One server of several; NULL: as the URL, the environment or libpq say. */
struct way {
    const char *host, *hostaddr, *port;
};

/* How to connect, and how far it is. */
struct connecting {
    struct way *ways;
    size_t way_count, first, tried; /* first: the one that worked last */
    const char *targets[2];         /* target_session_attrs: all ways by the first, then by the second */
    size_t target_count, target;
    int64_t each_ms, due;           /* for a way */
    PostgresPollingStatusType polling;
    struct arena *arena;            /* of one try over all ways */
    struct text said;               /* why each of them failed */
    bool standby;                   /* one of them was in recovery */
    bool there;                     /* connected, and nobody has taken it yet (slot_reopened) */
};

struct slot {
    struct wire *wire;
    struct source source;
    struct arena *owner;   /* of the slot itself */
    struct arena *arena;   /* of the batch: reset by slot_reset */
    struct arena *results; /* where rows go: the slot's arena, or that of an ask() */
    PGconn *connection;    /* NULL: dropped */
    const char *conninfo, *application_name;
    bool reads; /* it may be a standby */
    struct connecting to;
    const char **about; /* of the statements sent since the last sync, for errors */
    size_t queued;
    int failed_at;
    int at; /* index of the statement whose answer comes next */
    bool busy, connecting, lost, cancelled, cancel_wanted;
    int64_t heard;    /* clock_ms: when the server was last heard, or something sent to it */
    int64_t expected; /* ms: see slot_expect */
    pid_t canceller;
    bool copying, hungry; /* in a COPY: what comes is taken only when somebody waits for it */
    char *line;           /* of a COPY, as libpq gave it */
    int lines;            /* since the clock was looked at */
    int64_t turned;       /* clock_ms: when the wire had its last turn */
    int stop_level;       /* when the statement began: what came since cancels it */
    bool stop_terminated;
    int cancels; /* the same of wire_cancel */
    struct error error; /* of the pipeline at hand; its texts live in `results` */
    struct slot_client client;
    struct statement frame[SLOT_FRAME];
    int framed;
    void (*notice)(void *, const char *, const char *, const char *);
    void *notice_context;
};

/* connect.c */
void connect_plan(struct slot *);  /* once: reads the conninfo */
void connect_begin(struct slot *); /* one try over all ways; connect_turn goes on with it until `connecting` is over */
short connect_waits_for(const struct slot *);
void connect_turn(struct slot *);
void connect_failure(const struct slot *, struct error *); /* why it failed */

/* slot.c */
void slot_keep_server_error(struct slot *, const PGresult *);
void slot_finish(struct slot *);                       /* the end of a pipeline, or of a COPY */
void slot_remember(struct slot *, const char *about);  /* what is sent next */
void slot_remember_stops(struct slot *);               /* signals and wire_cancel from now on cancel it */
void slot_wait_or_cancel(struct slot *, int64_t ms);
