/* Before anything is removed: rows below tracked ones that a `stop` edge must not lose. What comes later is found by
 * the batch that meets it; this is for the ordinary case, where refusing early saves a half-done run. */
#pragma once
#include "work/run.h"

void precheck_stops(struct run *, size_t step, struct error *);
