/*
 * merge: what the survivors of a batch's groups become, computed over each group under the locks on all of its rows,
 * before anything is changed, and written when the losers are gone: a unique value of a loser can pass to the survivor.
 *
 * A group is merged whole or not at all: when a row of it that should go is held by somebody, all of it waits for the
 * last pass. Values wait in the unlogged table merge_RUN for the batch's last statement.
 */
#pragma once
#include "work/family.h"
#include "work/loop.h"

struct box;

struct merge_value {
    const struct column *column;
    const char *name; /* in merge_RUN: v1, v2, ... */
    /* SQL over a group: its rows go by the table's name, pgwinnow_rank is their place in it. NULL where a rule file
     * decides. */
    const char *expression;
};

struct merge {
    struct merge_value *values;
    size_t count;
    const char *shown;     /* names of the columns, for errors */
    struct box *box;       /* of the rule file, its columns told: those of the table, then children; NULL: none */
    const char *file;      /* its path */
    const char **children; /* SELECT items of the counts that it asks for, over the table's name */
    size_t child_count;
};

/* The rows of a group as the expressions see them: pgwinnow_rank and pgwinnow_row beside the table's columns. */
const char *merge_row(struct arena *, const struct run *);

/* Makes the table of a pass; families_drop drops it. */
void merge_make(struct run *, struct arena *, const struct merge *, struct error *);

/* Behind the locks on the rows that go: true when a round was queued. */
bool merge_collect(struct batch *);
/* Behind the removal. */
void merge_write(struct batch *);
bool merge_answer(struct batch *, const struct sql *, const struct rows *);
/* For struct part: a group alone tells which one it is that cannot be merged. */
bool merge_narrows(struct batch *);
void merge_explain(struct batch *);
