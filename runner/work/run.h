/*
 * A run: everything a step may touch. Made by the engine, filled by compile, alive until the command ends.
 */
#pragma once
#include "base/event.h"
#include "database/tree.h"
#include "plan/plan.h"
#include "state/lease.h"

struct tracking;
struct shape;
struct announcer;

struct run_step {
    struct event_step *shown; /* its row in run->shown */
    int round;                /* 1; one more each time an index step sends the run back to track */
    void *own;                /* what the step's compile() left for its run() */
    bool joined;              /* its work is done by the step behind it, and ends with that */
    const char *note;         /* a line kept with the step: what was held, built, skipped */
    int64_t began;            /* clock_ms: since when its time is not yet in shown->ms */
};

/* What the display shows of the step at hand; steps write, the progress timer reads. */
struct progress {
    double rate;
    int64_t batch_size;
    const char *doing, *waiting; /* waiting NULL: it does not */
    const char *until;           /* what would end the waiting; may be NULL */
    int64_t waiting_since;       /* clock_ms */
};

/* Whether new work may begin: work/throttle.c writes it, the batch loop and the walk obey. */
struct hold {
    const char *reason, *until; /* reason NULL: go on */
    double near;                /* how near the nearest source is to its limit: 0 to 1, more while held */
    bool obeyed;                /* something waits because of it */
    int64_t since;              /* clock_ms: since when it is obeyed */
    const char *shown;          /* what progress->waiting was set to */
    int64_t gave_up;            /* ms it waited in vain; 0: it did not give up */
};

struct run {
    struct arena *arena;
    bool explaining; /* nothing is changed; what would be refused is kept in refusals, and compile goes on */
    struct error *refusals;
    size_t refusal_count;
    const char *missing_rights; /* GRANTs that the role lacks for the plan, a line each; NULL: none known */
    struct wire *wire;
    const struct plan *plan;
    const char *url, *direct_url;
    struct state state;    /* its slot is the desk */
    struct slot *desk;     /* straight questions, and the first worker of a batch loop */
    struct slot **workers; /* [0] is the desk; the others open when a loop wants them */
    size_t worker_count;
    struct slot *outside; /* the direct connection while there is one; else NULL */
    struct holder holder; /* run 0 in explain: nothing is recorded */
    const char *search_path;
    bool yes;                  /* --yes */
    const char *accepted_tree; /* --tree, or what an earlier session of this run accepted */
    struct table *table;
    struct tree *tree; /* empty tree (node 0 only) without a discover step */
    enum missing_index missing_index;
    unsigned *changes; /* oids of tables that steps change besides those of the tree */
    size_t change_count;
    struct shape *shape;   /* of the tables, as compiled; NULL: batches do not compare it */
    struct tracking *tracking; /* NULL without a track step */
    struct listener *listeners;
    struct announcer *announcer; /* work/announce.h; NULL: nothing is recorded */
    struct recorder *recorder;   /* work/record.h; NULL: the same */
    struct run_step *steps;
    struct settings *live; /* by step, and the plan's own behind them: what it goes by now; see run_settings() */
    const char *overrides; /* what of it was set under way, as JSON; NULL: nothing */
    struct event_step *shown;
    size_t step; /* at hand */
    struct progress progress;
    struct hold hold;
    int64_t lag_ms; /* of the standby furthest behind that counts; -1: none, or nobody looks */
    int64_t began;
    int64_t max_rows, removed; /* max_rows 0: no canary */
    int64_t max_time;          /* ms after `began`; 0: no end */
    int64_t wait;              /* ms: so long it stays when it is paused or waits for an approval; 0: it ends then */
    const char *wanted;        /* "paused", "cancelled": asked for through the runs table */
    const char *wanted_by;     /* the role; NULL: not known, or nothing is wanted */
    bool tidying;              /* it ends: what is wanted was heard, and stops nothing of what is left to do */
    bool lease_lost;
    int64_t timeline;         /* of the server (reconnect.h); 0: not known */
    const char *lost_history; /* the server lacks what we had committed: nothing more is begun */
    bool stop_told;             /* that a signal came */
    const char *restart_reason; /* set by an index step: go back to track */
};

/* The settings of a step as they are now; of the plan for what belongs to no step. Made from the plan when the run is
 * opened, may change under way: read them anew for each use. */
const struct settings *run_settings(const struct run *, size_t step);
void run_take_settings(struct run *); /* from run->plan */
/* What `pgwinnow set` asked for, as a JSON object or NULL, over what the plan says; told when it is not as before. */
void run_retune(struct run *, const char *overrides);

/* Fails with FAULT_STOPPED, or FAULT_HELD, when no new work may begin: a signal, the table's switch, a lost lease, the
 * canary, the time that is over. A pause that is waited out (work/pause.h) is none of that. */
void run_check_stop(struct run *, struct error *);
bool run_cancelled(const struct run *); /* nobody wants what runs now */

/* A step says while it compiles that it changes this table, which is not of the tree: no other run may meanwhile. */
void run_changes(struct run *, unsigned oid);

/* A guard has spoken: a run ends with that, explain lists it. No-op when the guard's error is not set. */
void run_refuse(struct run *, const struct error *guard, struct error *);

/* Row security would hide rows from the role. The server would say so too, later: sessions have row_security off. */
void run_refuse_hidden(const struct table *, struct error *);

/* A right that the role lacks: `grant` mends it ("GRANT SELECT ON t TO r;"), `why` tells what for, or is NULL. All are
 * listed at once: by explain, or by the refusal of a run. The same grant is listed once. */
void run_lacks(struct run *, const char *grant, const char *why);
void run_lacks_all(struct run *, const char *lines); /* the same of many, a line each */
void run_refuse_lacking(struct run *, struct error *); /* fails when a right is missing; explain goes on */

/* An event of the run as it is now. Its steps are run->shown. */
struct event run_event(const struct run *, enum event_type);
/* Tells it to whoever listens, and writes nothing: for what is recorded nowhere, or was just now (work/announce.h). */
void run_tell(struct run *, enum event_type, const char *message, const char *hint);
