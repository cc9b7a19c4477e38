/* The sign of life of a run, on a connection of its own: beats the lease every 5 s, looks at the table's switch every
 * second. */
#pragma once
#include "work/run.h"

struct heartbeat;

/* Opens the connection, takes the lease of run->holder.run (fills the fence) and starts beating. Somebody else alive:
 * FAULT_HELD, saying who. */
struct heartbeat *heartbeat_start(struct run *, struct error *);
void heartbeat_stop(struct heartbeat *, struct error *); /* gives the lease back */
