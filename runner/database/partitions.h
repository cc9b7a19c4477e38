/* Which table is a partition of which, of the whole database, as oids. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "wire/slot.h"

struct partitions;

struct partitions *partitions_read(struct slot *, struct arena *, struct error *);

unsigned partitions_parent(const struct partitions *, unsigned oid); /* 0: it is no partition */
unsigned partitions_top(const struct partitions *, unsigned oid);    /* itself when it is no partition */
bool partitions_below(const struct partitions *, unsigned oid, unsigned top); /* in its tree; a table is below itself */

/* A table and all below it, parents first, else by oid. Leaves alone: of a table that is not partitioned itself. */
unsigned *partitions_members(const struct partitions *, struct arena *, unsigned top, size_t *count);
unsigned *partitions_leaves(const struct partitions *, struct arena *, unsigned top, bool partitioned, size_t *count);
