/*
 * What the files of the guard step share. guard.c has the options and the walk of a run; guard_text.c makes the
 * trigger's function.
 */
#pragma once
#include "database/bindings.h"
#include "work/index_wish.h"
#include "work/run.h"

struct guard_job {
    struct index_wish wish;       /* the key, as if an index were wished for: elements, condition, NULL rule */
    const struct column *columns; /* types and operators of the elements; NULL: a step before has yet to make them */
    int until;                    /* the step of the unique index it stands for; -1: none, it goes with the run */
    const char *constraint;       /* what its errors name; NULL: the trigger's name, when there is one */
    bool unproven;                /* no index that finds the key yet; a step before may build it */
};

/* The key in SQL: as the plan wrote it, or as the server resolved it. */
struct guard_key {
    const char **expressions; /* with collation */
    const char **equal;       /* operators */
    const char *condition;
};

struct guard_key guard_key_written(struct arena *, const struct guard_job *);

/* Asks the server, in a transaction that is rolled back: every name is qualified. FAULT_REFUSED for a key that a
 * trigger with a fixed path cannot compute. */
struct guard_key guard_key_resolved(struct run *, size_t step, struct arena *, const struct guard_job *,
                                    struct error *);

/* Lists over a key. The first: each element equals pgwinnow_key.pgwinnow_k1.., NULLs by the rule. */
const char *guard_equal(struct arena *, const struct guard_job *, const struct guard_key *);
const char *guard_list(struct arena *, const struct guard_key *, size_t count); /* the expressions, comma-joined */
const char *guard_nulls(struct arena *, const struct guard_job *);              /* NULL::text AS pgwinnow_k1, .. */

/* "pgwinnow"."guard_7": function and claims. */
const char *guard_qualified(const struct run *, struct arena *);
const char *guard_name(const struct run *, struct arena *);         /* guard_7 */
const char *guard_trigger_name(const struct run *, struct arena *); /* pgwinnow_guard_7 */

/* What create_claims, create_function, revoke_function and create_trigger take. */
struct bindings guard_bindings(const struct run *, struct arena *, const struct guard_job *, const struct guard_key *,
                               struct error *);
