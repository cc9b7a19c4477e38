/*
 * The tree as JSON, in one shape for explain and for what a run writes down (runs.tree_shown), where an edge is known
 * by its place among those that are shown.
 */
#pragma once
#include <jansson.h>

#include "database/tree.h"

/* Rows go or change by it: it is reached through rows that go, or refers to columns that moves change. */
bool tree_shows(const struct edge *);
json_t *tree_edge_json(const struct edge *); /* without counts */
/* By index of the edge: its place among those that are shown, or -1. */
int *tree_places(struct arena *, const struct tree *, size_t *shown);
const char *tree_json_text(struct arena *, const struct tree *); /* an array of all that are shown */
