/* What moves bring with them: a pure part of the tree, for policies.c. */
#pragma once
#include "database/tree.h"

/*
 * Works out, from policies and what they reach: which columns moves change, which tables can lose rows to conflicts,
 * which edges are reached through those rows (without a policy they move, as the edge above), and which rows are
 * carried because what they refer to changes. Adds problems for moves that cannot work.
 */
void tree_moves(struct tree *, struct arena *, struct problems *);
