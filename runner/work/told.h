/*
 * What a rule is told of a row: its columns as the server writes them, in the table's order, whatever the role's
 * settings are. Moments are told in UTC. The transaction keeps the role's time zone, in which conditions of the plan
 * are read.
 */
#pragma once
#include "database/catalog.h"

/* The list for a SELECT; alias: quoted. */
const char *told_columns(struct arena *, const char *alias, const struct table *, struct error *);
