/*
 * Publications that carry whatever is created: a subscriber that lacks our tables stops at the first row in one of
 * them. So nothing is created where there is such a publication, unless somebody has said that this is taken care of.
 */
#pragma once
#include "state/schema.h"

/* Refuses (FAULT_REFUSED), naming the publications. `way_on` is how to accept it: "state: { published: accept } in the
 * plan". */
void published_refuse(const struct state *, struct arena *, const char *way_on, struct error *);
