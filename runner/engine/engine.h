/*
 * From a plan to a run: connect, compile against the catalog, walk the steps, resume, explain.
 */
#pragma once
#include "base/event.h"
#include "base/text.h"
#include "plan/plan.h"
#include "work/run.h"

struct request {
    const char *database, *schema;  /* --database, --schema; NULL: the plan's, "pgwinnow" */
    const char *database_direct;    /* --database-direct; NULL: the plan's, unless --database is given */
    bool yes, fresh, reads;         /* reads: nothing will be written, a standby will do */
    const char *tree, *until;       /* --tree, --until; may be NULL */
    int64_t max_rows;               /* 0: none */
    int64_t max_time;               /* ms; 0: as long as it takes */
    int64_t wait;                   /* ms: how long it waits for the living in its lane, for an approval, for the end
                                       of a pause, each; 0: not at all */
    struct listener *listeners;
};

/* Connects to the plan's database; the run is not recorded yet. */
struct run *engine_open(struct arena *, const struct plan *, const struct request *, struct error *);

/* Resolves table, tree and texts in a READ ONLY transaction. Problems of the plan against this database fail with
 * FAULT_USAGE; what a guard refuses with FAULT_REFUSED. */
void engine_compile(struct run *, struct problems *, struct error *);

/* Runs to the end, or as far as it comes; the error says why it ended early. */
void engine_run(struct run *, const struct request *, struct problems *, struct error *);

/* What the plan would do here. The text for people, or JSON (product: explain --json). Changes nothing: READ ONLY.
 * What a run would refuse is among the problems; then the error is set too, and `out` filled. */
void engine_explain(struct run *, struct problems *, bool json, struct text *out, struct error *);
