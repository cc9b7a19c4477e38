/*
 * Which row of a group stays, by a rule in Lua. Groups stream: neither the table nor the list of groups is ever in
 * memory, only the group at hand. For the track step.
 */
#pragma once
#include "steps/track_job.h"
#include "work/explanation.h"

/* The rule's file is run once, and what it asks for is held against the tree. */
void rule_compile(struct run *, size_t index, struct problems *, struct error *);

/* Inside the transaction that tracks, on the desk: the SELECT of the rows that go, from a table that rule_drop drops.
 * FAULT_HOOK when the rule fails or a group is too large for it. */
const char *rule_make(struct run *, size_t index, struct arena *, struct error *);
void rule_drop(struct run *, struct arena *, struct error *);

const char *rule_explain(struct run *, size_t index, struct explanation *, struct error *);
