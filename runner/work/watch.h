/*
 * Watches one long statement from a second connection: once a second it asks how far the server is and whom it waits
 * for, and puts that into run->progress. Nothing depends on it: without that connection the statement goes on
 * unwatched.
 *
 * It also cancels the statement when the lease was lost or the run was cancelled: nobody wants its result any more.
 */
#pragma once
#include "work/run.h"

struct watch;

struct watch *watch_open(struct run *, struct arena *);
/* `doing` begins what the display shows: "building the index ix_a". Must live until watch_end. */
void watch_begin(struct watch *, struct slot *working, const char *doing);
void watch_end(struct watch *);
void watch_close(struct watch *);
