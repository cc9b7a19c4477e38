/* What the files of merging share about one batch. For merge.c and merge_rule.c only. */
#pragma once
#include "work/family_job.h"
#include "work/merge.h"

struct merging {
    const struct rows *rows; /* of the groups, for the rule file; in the slot's arena until the try is over */
    int next;                /* the first row of the next group */
    bool *named;             /* by value: the rule file gave it to some group; NULL: all are written */
};

static inline const struct merge *merge_of(const struct batch *batch) { return family_of(batch)->what->merge; }

struct merging *merging_of(struct batch *);    /* made at first use */
const char *merge_value_names(struct batch *); /* v1, v2 */
const char *merge_table(const struct run *, struct arena *);
void merge_bind_members(struct bindings *, struct batch *); /* :members, joined with the table, and the groups' names */

/* merge_rule.c */
void rule_queue_rows(struct batch *);
bool rule_more(struct batch *); /* asks about groups for a while; true when a round was queued */
bool rule_answer(struct batch *, const struct sql *, const struct rows *);
bool rule_failed(const struct batch *); /* at a value that its column does not take */
