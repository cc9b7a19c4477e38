/*
 * Which columns of a backfill's SELECT give the same value when the SELECT is computed again? now(), random(),
 * nextval() and their kind do not, so a row cannot be found again by them.
 */
#pragma once
#include "work/run.h"

/* `plan` is the answer to EXPLAIN (VERBOSE, FORMAT json) of the SELECT; its first `count` columns. */
bool *steady_columns(struct run *, const struct rows *plan, size_t count, struct error *);
