/*
 * Connecting again after a loss: for two minutes, with growing, jittered pauses, each try over all hosts of the URL. A
 * restart takes seconds, a failover about a minute.
 *
 * What answers then may be another server than before, or have lost its memory. It must know our lease and the steps
 * that we know to be done; if it does not, what was committed last is lost, and the run ends (FAULT_CONNECTION), to go
 * on from what is there. A standby that took over is known by its timeline, and told. A server of an older timeline is
 * one that was replaced and came back by itself: nothing is written there.
 */
#pragma once
#include "work/run.h"

/* For one slot that was lost; zero to begin with. */
struct reconnect {
    int64_t since, due; /* clock_ms; since 0: not begun */
    int tries;
    bool trying, quiet; /* quiet: the run does not wait for it */
};

/* Straight code: true at once when the slot is not lost. Waits, showing why, until it is connected; or fails. Once a
 * signal came one try is all. */
bool reconnect(struct run *, struct slot *, struct error *);

/* For those that may not wait: called again and again until true, or until it fails. Looks at the new server with a
 * question of its own. */
bool reconnect_turn(struct run *, struct slot *, struct reconnect *, struct error *);

/* The lease is just taken: what is known about the server is the measure for later ones. */
void reconnect_remember(struct run *, struct slot *, struct error *);
