/*
 * Events: every happening of a run, told from one place to whoever listens (terminal, JSON lines, later more).
 *
 * An event and all it points at live only during the call. Numbers that are not known are -1.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_type {
    EVENT_RUN_STARTED,
    EVENT_RUN_RESUMED,
    EVENT_RUN_FINISHED,
    EVENT_RUN_FAILED, /* failed or refused: message, detail, hint say why */
    EVENT_RUN_PAUSED, /* stopped before the end, can be resumed; exit_code 0: its runner stays, and waits for that */
    EVENT_RUN_CANCELLED,
    EVENT_STEP_STARTED,
    EVENT_STEP_FINISHED,
    EVENT_BATCH_COMMITTED,
    EVENT_PROGRESS, /* several times a second while a step works */
    EVENT_NOTICE,   /* something worth a line: message, hint */
    EVENT_THROTTLE_WAITING, /* message: why; hint: what ends it. Told when it has waited for a second */
    EVENT_THROTTLE_CLEARED, /* it goes on; message: how long it waited, and why */
    EVENT_APPROVAL_NEEDED,  /* message: the plan's; hint: the command that approves */
    EVENT_TYPES
};

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_SKIPPED, STEP_FAILED };

struct event_step {
    const char *name;
    enum step_state state;
    int64_t rows, total;      /* total -1: not known */
    int64_t spared, batches;
    int64_t ms;               /* time it has taken, in all sessions */
};

struct event {
    enum event_type type;
    int64_t run;
    const char *plan, *environment, *table; /* environment may be NULL */
    const struct event_step *steps;         /* all steps of the plan, as they are now */
    size_t step_count, step;                /* step: index of the one at hand; == step_count: none */
    double rate;                            /* rows a second, smoothed */
    int64_t eta_ms;
    int64_t batch_size;                     /* rows aimed at, children included */
    int64_t lag_ms;                         /* of the standby furthest behind; -1: none, or nobody looks */
    const char *doing;                      /* "building the index: scanning, 40 %"; may be NULL */
    const char *waiting;                    /* why it waits; NULL when it does not */
    int64_t waiting_ms;
    const char *until;                      /* what would end it; may be NULL */
    const char *message, *detail, *hint;
    int exit_code;                          /* for RUN_FAILED, RUN_PAUSED and RUN_CANCELLED */
    int64_t ms;                             /* of the run in this session */
};

struct listener {
    void (*hear)(struct listener *, const struct event *);
    struct listener *next;
};

void event_tell(struct listener *first, const struct event *);
const char *event_name(enum event_type); /* "run.started" */
bool event_ends(enum event_type);        /* nothing of this session comes behind it */
