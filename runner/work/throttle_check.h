/* The throttle of a plan against this database, before anything is written; and in words, for explain. */
#pragma once
#include "plan/problem.h"
#include "work/run.h"

/* In the transaction that compiles the plan: does the server know the zones, take the queries? Rights that the sources
 * need and the role lacks are refused (run_refuse), with the GRANT. */
void throttle_check(struct run *, struct problems *, struct error *);

/* A line for each source that is on: "replica_lag: while a standby is more than 1.5 s behind". The count in *count. */
const char **throttle_told(struct arena *, const struct throttle_settings *, size_t *count);
