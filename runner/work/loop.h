/*
 * The batch loop: a step describes a batch, the loop drives it over one or more slots.
 *
 *   cut      which range comes next (may ask the server first)
 *   round 1  BEGIN, settings, hold (fence and checkpoint in one statement), what fill() queued: one trip
 *   round 2+ what more() queues, one trip each
 *   last     counts into the checkpoint row; COMMIT
 *
 * Callbacks queue statements, they never wait. An error rolls back and is judged by retry.h: again later, halved,
 * thorough, over a new connection, or the end of the step. A batch owns its error and its arena for one try.
 */
#pragma once
#include "database/bindings.h"
#include "work/pace.h"
#include "work/rate.h"
#include "work/reconnect.h"
#include "work/run.h"

struct batch;
struct loop;
struct explanation;

struct range {
    int64_t first, last; /* of seq, both included; last < first: empty */
    int part, pass;      /* key of the checkpoint with first; part 0 is the tracking table */
    int mode;            /* the part's own: how to do it */
    int by;              /* the part's own: whence it came */
    bool alone;          /* narrowed down to what a batch failed for */
    bool waits;          /* the last pass: rows that were contested before, now waited for */
    int tries, races, large; /* failed tries; those lost to races; times a single row was found too large */
    int64_t due;         /* clock_ms: not before */
};

enum cut {
    CUT_RANGE, /* batch->range is set */
    CUT_ASKED, /* a question was queued: cut_answer hears it */
    CUT_WAIT,  /* nothing now: other batches must end first */
    CUT_DONE,  /* nothing is left */
};

struct part {
    enum cut (*cut)(struct batch *);
    /* Sets range; left empty: cut is asked again. */
    void (*cut_answer)(struct batch *, const struct sql *, const struct rows *);
    void (*fill)(struct batch *);
    void (*answer)(struct batch *, const struct sql *, const struct rows *); /* each good result, in order */
    bool (*more)(struct batch *);      /* queue another round, or false: commit. May be NULL */
    /* The range is done, now or, when batch->found, by an earlier try. May be NULL. */
    void (*committed)(struct batch *);
    /* One row alone is over the bounds, or its tries are used up: change range.mode to go on differently, or false to
     * fail. */
    bool (*stuck)(struct batch *, bool too_large);
    /* It failed for good at batch->failed_sql: true when a part of the range alone would tell more; when it is a
     * single one already (range.alone), adds to the error what it is. May be NULL. */
    bool (*narrows)(struct batch *);
    bool (*ready)(const struct loop *, const struct range *); /* may a waiting range be taken now? NULL: always */
    bool given; /* what a batch does is not ours to size: pauses follow the time that it takes */
};

enum phase { PHASE_IDLE, PHASE_CUT, PHASE_ROUND, PHASE_COMMIT, PHASE_ROLLBACK,
             PHASE_CHECKPOINT, PHASE_REST, PHASE_LOST };

struct counts {
    int64_t rows, children, spared, contested; /* rows: of the tracking table, removed or settled; the others by name */
    int64_t *edges; /* the children by place of their edge in the tree as it is shown; NULL: none */
    size_t edge_count;
};

struct batch {
    struct loop *loop;
    struct slot *slot;      /* NULL when an explanation is recorded */
    struct arena *arena;    /* reset after each try */
    struct error error;     /* of this try */
    struct range range;
    struct counts counts;   /* of this try */
    enum phase phase;
    bool cancelled;         /* by ourselves: Ctrl-C twice */
    bool too_large;         /* set by the part: over the bounds, roll back and take less */
    bool compares;          /* the last trip began with a look at the tables */
    bool again;             /* set by the part: once committed, the range goes again, with the next pass */
    int64_t found;          /* an earlier try had gone through up to here, its answer was lost: only its counts are
                               known; 0: none */
    int round;              /* 1, 2, ... */
    void *own;              /* the part's, in the arena, NULL at the start of each try */
    const struct sql *failed_sql; /* where this try failed; NULL: elsewhere */
    const struct sql **sent;/* by index in the flush at hand */
    size_t sent_count;
    int64_t began, due;
    int64_t ended;                /* from when on its pause counts */
    struct reconnect reconnect;   /* in PHASE_LOST */
    struct explanation *explanation; /* record instead of send */
};

struct loop {
    struct run *run;
    size_t step;
    const struct part *part;
    void *job;              /* the part's own, for the whole loop */
    struct pace pace;
    bool hash_joins;
    struct batch *batches;  /* one a worker */
    size_t batch_count;
    struct arena *arena;
    struct range *retries;
    size_t retry_count, retry_room;
    char reason[300];       /* why it waits, for the display */
    bool cutting, done;
    struct error *error;
    int64_t batch_total, tried, failed;
    int barred;             /* tries in a row that met a lock: then it is not this batch's rows, but the table */
    int64_t barred_until;   /* clock_ms: nothing begins before */
    struct rate rate;
    int64_t recorded;       /* batches of the step in the database when the loop began */
};

/* Runs until nothing is left; sets the error (FAULT_STOPPED too) otherwise. */
void loop_run(struct run *, size_t step, const struct part *, void *job, bool hash_joins, struct error *);

/* For a part's callbacks. Texts are expanded in the batch's arena; values must live there too. */
void batch_queue(struct batch *, const char *about, const struct sql *, const struct bindings *,
                 const char *const *values, int count);
/* In cut(): the question, in a read-only transaction of its own; return CUT_ASKED then. */
void batch_question(struct batch *, const char *about, const struct sql *, const struct bindings *,
                    const char *const *values, int count);
const char *batch_number(struct batch *, int64_t);
/* Some other batch is at such a range. */
bool loop_others_busy(const struct loop *, const struct batch *self, bool (*which)(const struct range *));

/* The statements of one batch, recorded: what explain shows is what run sends. */
void loop_explain(struct run *, size_t step, const struct part *, void *job, const struct range *,
                  struct explanation *, struct error *);
