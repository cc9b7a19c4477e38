/*
 * Runs as people and scripts want to see them: what was recorded, whether somebody works on it now, what it waits for,
 * and how fast it goes. For status, history and clean. Everything is read in one READ ONLY transaction, so a page is of
 * one moment and the server itself sees to it that nothing is changed.
 */
#pragma once
#include <stdbool.h>

#include "state/locks.h"
#include "state/schema.h"

struct overview_step {
    const char *name, *kind, *state; /* waiting, running, done, skipped */
    const char *note;                /* may be NULL */
    int round;
    int64_t rows, total;             /* of this round, batches that are committed included; total -1: not known */
    int64_t spared, batches, ms;     /* ms -1: it has not begun */
    int64_t archived;                /* of its rows: those whose old images were kept */
    bool kept_nothing;               /* as the plan says: undo refuses the run for it */
};

struct overview_guard {
    const char *table, *trigger, *constraint;
    const char *state;               /* armed, disarmed, missing: its trigger is not there */
    const char *since, *since_text;  /* UTC, ISO 8601; for people */
};

struct overview_act {
    const char *at, *at_text; /* UTC, ISO 8601; for people */
    const char *role, *act;   /* who asked for it; pause, resume, cancel, approve, set, undo */
    const char *detail;       /* JSON; may be NULL */
};

struct overview_webhook {
    const char *endpoint, *answer;   /* answer: the last one, or why there was none; NULL: not tried yet */
    int64_t waiting, delivered, dropped; /* events; dropped after days in vain, or because it was gone */
    const char *gone;                /* UTC, ISO 8601: it said that it wants no more; NULL: it did not */
};

struct overview {
    int64_t run;
    const char *plan, *environment, *table; /* environment may be NULL */
    const char *state;               /* as recorded, but "interrupted" when that is running and nobody is there, and
                                        "waiting" when it waits by its throttle */
    const char *wanted;              /* "paused", "cancelled": asked for and not done yet; NULL: nothing */
    bool hold;                       /* nobody goes on with it before it is resumed */
    const char *lane;                /* NULL: it never entered one */
    const char *settings;            /* JSON object, as `pgwinnow set` made it; NULL: never */
    const char *role, *program;      /* who began it, with which version */
    const char *started, *finished;  /* UTC, ISO 8601; finished NULL: it is not over */
    const char *started_text, *finished_text; /* for people, in the server's time zone */
    int64_t ms;                      /* from the start to the end, or to now */
    int64_t quiet_ms;                /* since its last sign of life */
    const char *holder;              /* who runs it now, or did last; NULL: nobody ever */
    bool alive;                      /* the holder is there */
    bool stays;                      /* and waits there, paused, to be resumed (`run --wait`) */
    struct {
        const char *message, *detail, *hint, *sqlstate; /* why it ended; message NULL: no error */
    } error;
    struct {
        const char *reason, *since;  /* reason NULL: it waits for nobody that the server can see; since UTC or NULL */
        const char *until;           /* what would end it; NULL: not known */
        int64_t ms;                  /* -1: not known */
        bool throttled;              /* by its throttle, not for a lock */
    } waiting;
    double rate;                     /* rows a second over the last minute; -1: idle */
    int64_t eta_ms;                  /* of the step at hand; -1: not known */
    int64_t removed, children, spared; /* over all rounds: tracked rows, rows below them, rows left alone */
    int64_t objects;                 /* tables, indexes, sequences and guards it left in the database */
    int64_t archives, expired;       /* archive tables that are there; those that nobody needs any more */
    const char *archive_until;       /* for people: till then `clean` leaves them alone; NULL: none, or not over */
    struct overview_step *steps;
    size_t step_count;
    struct overview_guard *guards;   /* that stand, or are still to be dropped; counted among the objects too */
    size_t guard_count;
    struct overview_act *acts;       /* the earliest first */
    size_t act_count;
    struct overview_webhook *webhooks; /* endpoints that were told something of it, or still are to be */
    size_t webhook_count;
};

enum overview_which { OVERVIEW_ALL, OVERVIEW_UNFINISHED, OVERVIEW_OVER };

struct overview_filter {
    int64_t run;                    /* 0: any */
    const char *plan, *environment; /* NULL: any */
    enum overview_which which;
    bool left;                      /* only those that left objects, or archives that are expired */
    bool archives;                  /* with left: those too whose archives are still to be kept */
    int64_t older;                  /* ms since it ended, at least; 0: any */
    int64_t most;                   /* 0: all */
};

/* The step that began and for which the plan keeps no archive, so that undo refuses the run; NULL: none. */
const char *overview_kept_nothing(const struct overview *);

bool overview_over(const struct overview *); /* finished or cancelled: `run` does not go on with it */

/* The newest first. None, without an error, when there is no state schema yet. */
struct overview *overview_read(const struct state *, struct arena *, const struct overview_filter *, size_t *count,
                               struct error *);

/* The transaction that overview_read makes, for who asks for more inside it. Ending it rolls back, after errors too. */
void overview_begin(const struct state *, struct arena *, struct error *);
struct overview *overview_read_inside(const struct state *, struct arena *, const struct overview_filter *,
                                      size_t *count, struct error *);
void overview_end(const struct state *, struct arena *, struct error *);

/* The locks of `pgwinnow lock` that are held now. */
struct lock_holder *overview_locks(const struct state *, struct arena *, size_t *count, struct error *);
