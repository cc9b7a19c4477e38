/*
 * What a run writes down about itself while it works, for its report: the SQL that it sends, each statement once for a
 * step, and samples of how it goes, once a second at first and seldomer in long runs.
 *
 * No batch waits for it: both go along with a beat of the lease, and statements with the record of a step too. What is
 * not written yet is lost with a runner that is killed; the next one sends the same.
 */
#pragma once
#include "work/run.h"

struct recorder;
struct sql;

void record_open(struct run *); /* before this, and without it (explain, undo), all of the below does nothing */

/* A statement of the step at hand, as it is sent: the first of its name counts. */
void record_sent(struct run *, const struct sql *, const char *text);
void record_text(struct run *, const char *name, struct place, const char *text); /* the plan's own */

/* announce_end(), behind the SQL that was sent and is not yet written. */
void record_end(struct run *, struct error *);

/* What is to be written with a beat: the SQL, and a sample when it is time. Statements live in the arena given; `sent`
 * says how far the SQL is in it. */
struct recording {
    struct statement statements[2];
    int count;
    size_t sent;
};
struct recording record_due(struct run *, struct arena *);
void record_written(struct run *, const struct recording *);      /* it is committed */
