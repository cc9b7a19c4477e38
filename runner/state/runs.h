/*
 * Runs and their steps, as rows. Every change is made only while the lease is ours: the statement takes the lease row
 * by (run, fence) FOR KEY SHARE and changes nothing when it is not there, which fails with FAULT_HELD.
 */
#pragma once
#include <stdint.h>

#include "state/schema.h"

struct run_row {
    int64_t run;
    const char *plan, *environment, *table_name, *state, *definition, *tree, *search_path;
    const char *wanted; /* "paused", "cancelled", or NULL */
    bool hold;          /* nobody goes on with it before it is resumed */
};

struct step_row {
    const char *name, *kind, *state, *note;
    int round;
    int64_t rows, total, spared, batches, ms; /* total -1: not known */
};

struct new_run {
    const char *plan, *environment, *table_name, *definition, *tree, *search_path;
    const char *tree_shown; /* JSON: the edges by whose places batches count */
    unsigned table_oid;
};

/* Who acts: every write names it. */
struct holder {
    int64_t run, fence;
};

/* Fails with FAULT_HELD after a write that found no lease of ours and changed nothing. */
void runs_must_hold(const struct rows *, struct error *);

/* The unfinished run of a plan and environment, or NULL. */
struct run_row *runs_unfinished(const struct state *, struct arena *, const char *plan, const char *environment,
                                struct error *);
/* 0 when somebody else made one in the same moment. */
int64_t runs_create(const struct state *, struct arena *, const struct new_run *, struct error *);
/* The tree as it is shown, for a run that has none yet. */
void runs_show_tree(const struct state *, struct arena *, int64_t run, const char *tree_shown, struct error *);
/* A run that never began. */
void runs_forget(const struct state *, struct arena *, const struct holder *, struct error *);
void runs_add_step(const struct state *, struct arena *, int64_t run, size_t step, const char *name, const char *kind,
                   struct error *);

void runs_set_state(const struct state *, struct arena *, const struct holder *, const char *state,
                    const char *error_json, struct error *);
void runs_set_tree(const struct state *, struct arena *, const struct holder *, const char *fingerprint,
                   struct error *);
/* Settings that somebody changed: a JSON object of texts, null for what is taken back. Written down as an act. */
void runs_retune(const struct state *, struct arena *, int64_t run, const char *given, struct error *);
/* For who has just taken the lease, and may have looked long before: the state of a run that is over, or is being
 * undone; else NULL. */
const char *runs_ended(const struct state *, struct arena *, int64_t run, struct error *);
/* For a run that nobody holds: the lease is not asked (the caller has just taken it). */
struct step_row *runs_steps(const struct state *, struct arena *, int64_t run, size_t *count, struct error *);
void runs_set_step(const struct state *, struct arena *, const struct holder *, size_t step, const struct step_row *,
                   struct error *);
/* The sums of what the batches of a step have recorded: rows, children, spared, count. */
struct batch_sums {
    int64_t rows, children, spared, batches;
};
struct batch_sums runs_sums(const struct state *, struct arena *, int64_t run, size_t step, int round, struct error *);

/* What the run made and must drop some day; removed from the list when dropped. kind: tracking, index, sequence. */
void runs_add_object(const struct state *, struct arena *, int64_t run, const char *kind, const char *schema,
                     const char *name, struct error *);
void runs_forget_object(const struct state *, struct arena *, int64_t run, const char *kind, const char *schema,
                        const char *name, struct error *);
struct object_row {
    const char *kind, *schema, *name;
};
struct object_row *runs_objects(const struct state *, struct arena *, int64_t run, const char *kind, size_t *count,
                                struct error *);

/* Ranges of first..last of one part that no batch of the step covers, lowest first, within 1..most. */
struct gap {
    int64_t first, last;
};
struct gap *runs_gaps(const struct state *, struct arena *, int64_t run, size_t step, int round, int part, int64_t most,
                      size_t *count, struct error *);
