/* SQL texts of a plan held against the catalog: what the server does not accept becomes a problem at the plan's place.
 * */
#pragma once
#include "work/run.h"

/* Types and operators of expressions over the plan's table; NULL when one was wrong (a problem was added). */
struct column *expressions_compile(struct run *, const struct sql_text *, size_t count, struct problems *,
                                   struct error *);
void expressions_check_condition(struct run *, const struct sql_text *, struct problems *,
                                 struct error *); /* a boolean */
void expressions_check_order(struct run *, const struct sql_text *, struct problems *,
                             struct error *); /* an ORDER BY list */
struct rows *expressions_describe_query(struct run *, const struct sql_text *, struct problems *, struct error *);
