/*
 * Undo: a run taken back from its archive, batch by batch, the last one first.
 *
 * One transaction of the run is taken back by one transaction, its statements in reverse, all tables of a statement at
 * once: every state in between satisfied the constraints then, so it does now, unless the application changed
 * something. That is a conflict. It is found before anything is changed (UNDO_STOP), or left row by row (UNDO_SKIP,
 * UNDO_FORCE). The undo is a step of the run: it takes the lease, writes checkpoints, and goes on after any kill.
 */
#pragma once
#include "base/event.h"
#include "state/overview.h"

enum undo_conflicts { UNDO_STOP, UNDO_SKIP, UNDO_FORCE };

struct undo_request {
    const char *database, *database_direct, *schema; /* as in struct request */
    enum undo_conflicts on_conflict;
    bool triggers_off, published; /* published: where a publication carries all tables, that is accepted */
    int64_t wait, max_time;       /* as in struct request */
    bool (*agrees)(void *context, const char *what); /* may the index go? Asked before anything is changed */
    void *context;
    struct listener *listeners;
};

struct undo_left {
    const char *table, *key, *reason;
};

struct undo_outcome {
    bool already;         /* it was undone before: nothing was done */
    bool nothing;         /* the run changed no row */
    bool conflicts;       /* `left` was found before anything was changed, and nothing was */
    int64_t restored;     /* rows, in all sessions */
    int64_t left_count;   /* rows that are not as they were */
    struct undo_left *left; /* the first of them */
    size_t left_shown;
    const char **indexes; /* that were dropped */
    size_t index_count;
    const char **not_undone; /* a line each: what an undo does not bring back */
    size_t not_undone_count;
};

void engine_undo(struct arena *, const struct overview *, const struct undo_request *, struct undo_outcome *,
                 struct error *);
