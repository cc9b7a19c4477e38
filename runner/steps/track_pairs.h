/*
 * Keys with their survivors, from a query of the plan: the SELECT of the rows that go, each with the survivor at the
 * end of its chain. For the track step.
 */
#pragma once
#include "steps/track_job.h"
#include "work/explanation.h"

/* survivor_id: what the query calls the survivor's column; cut as the server cuts names. */
const char *pairs_column(struct arena *, const struct column *);

/* The rows that go with the survivors that the query itself gives: for counting, in a READ ONLY transaction. */
const char *pairs_estimate(struct run *, struct error *);

/* Inside the transaction that tracks: makes the table of pairs and follows them; FAULT_REFUSED for a key with two
 * survivors, or none, for circles, for survivors that are not there. The SELECT reads that table. */
const char *pairs_make(struct run *, struct arena *, struct error *);
void pairs_drop(struct run *, struct arena *, struct error *);

const char *pairs_explain(struct run *, struct explanation *, struct error *); /* shows the above; the same SELECT */
