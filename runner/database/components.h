/* Cycles among the tables that lose rows: a pure part of the tree, for policies.c. */
#pragma once
#include "database/tree.h"

/* Fills component and cyclic of nodes and cycle of edges, by the reached delete edges as they stand; turn and turns of
 * nodes by all edges whose children are looked for when rows move. */
void tree_components(struct tree *, struct arena *);
