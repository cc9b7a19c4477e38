/*
 * How a run begins: the plan is compiled, an unfinished run of it is found and gone on with, or gives way to a new one.
 * Nothing is written before all that can be refused was refused.
 */
#pragma once
#include "engine/engine.h"
#include "state/runs.h"

/* What there is to go on with. NULL: nothing, or the error is set. */
struct run_row *begin_prepare(struct run *, const struct request *, struct problems *, struct arena *, struct error *);

int64_t begin_create(struct run *, struct arena *, struct error *); /* the number of a new run */

/* The lease is ours: the rows of its steps, and what an earlier session wrote into them. */
void begin_add_steps(struct run *, struct arena *, struct error *);
void begin_load_steps(struct run *, struct arena *, struct error *);

/* Steps that do something to rows show how many; an index or a vacuum has none. */
bool begin_counts_rows(const struct plan_step *);
