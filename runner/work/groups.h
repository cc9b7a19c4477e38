/*
 * How large the groups of tracked rows are. Where a group must go in one transaction, one that is larger than a
 * transaction may be is found before anything is changed.
 */
#pragma once
#include "work/run.h"

/*
 * FAULT_REFUSED, with the group's key, its size and the limit, when a group is over `most` rows: its tracked rows, its
 * survivor, and what points at the tracked rows and is removed, changed or moved with them (rows that are reached in
 * two ways count twice; circles are followed once around). For a grouped tracking table that is analysed.
 */
void groups_refuse_large(struct run *, struct arena *, int round, int64_t most, struct error *);
