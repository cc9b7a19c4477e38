/* What moves need of the thorough way. For work/move*.c and closure.c only. */
#pragma once
#include "work/family_job.h"

/* Queues the search for rows that go by delete edges into the tables of a turn; inside: by edges within the turn, from
 * what the last round found. False: there is none. */
bool closure_close(struct batch *, size_t turn, bool inside);

const char *closure_parents(struct batch *, const struct edge *,
                            const char *which);                         /* what rows that go are referred to by */
const char *closure_not_in_family(struct batch *, const struct edge *); /* rows c of the child that do not go */

/* A CTE that removes a node's rows of the family, RETURNING seq; how many those are. */
const char *closure_link(struct batch *, const struct node *, const char *link);
const char *closure_expected(struct batch *, const struct node *);
const char *closure_triggers(struct batch *, const struct node *); /* " (it has ...)", or "" */
