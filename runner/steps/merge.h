/* merge, inside `together`: its rules held against the catalog. */
#pragma once
#include "plan/plan.h"
#include "work/merge.h"

/* The expressions of its rules; NULL when a problem was told. */
struct merge *merge_compile(struct run *, size_t index, const struct plan_step *inside, struct problems *,
                            struct error *);
