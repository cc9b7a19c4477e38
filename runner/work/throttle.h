/*
 * The throttle: the least important client of a database waits when anything that the plan names is too much.
 *
 * A connection of its own asks the sources (work/throttle/limit.h), each about once a second, and never waits: answers
 * come when they come, from inside the one wait. No answer, or a lost connection, is too much as well. While a source
 * says so no new batch and no new step begins; what is open ends. The settings are those of the step at hand, as they
 * are now (run_settings()).
 *
 * Why it waits is in run->progress, and once that has lasted for a second it is told (EVENT_THROTTLE_WAITING, _CLEARED)
 * and written to runs.waiting.
 */
#pragma once
#include "work/run.h"

struct throttle;

/* Opens the connection and asks every source once, so that nothing begins unasked. NULL after an error. */
struct throttle *throttle_start(struct run *, struct error *);
void throttle_stop(struct throttle *); /* NULL is fine */

/* May no new work begin now? Says in run->progress why. Always false without a throttle. */
bool throttle_holds(struct run *);

/* Before a step: until it may begin, or until there is a reason to stop (pause_point). */
void throttle_wait(struct run *, struct error *);
