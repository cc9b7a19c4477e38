/*
 * The courier: delivers what the outbox holds for the endpoints of the plan while the run goes on, on the one wait. One
 * request at a time for each endpoint, in the order of what happened, what earlier runs left first. Nothing waits for
 * it, and nothing that goes wrong with it stops the run; what it could not deliver stays in the outbox.
 *
 * It writes `progress` for those who want it, each `every`.
 */
#pragma once
#include "work/run.h"

struct courier;

/* Behind announce_open. NULL when the plan has no endpoints. */
struct courier *courier_start(struct run *);

/* The run is over, and its last event written: waits for what is still under way, 5 s at most, and tells what is left.
 * NULL is fine. */
void courier_stop(struct courier *);
