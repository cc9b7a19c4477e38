/*
 * What the server says of a plan's SQL before the run begins: it is parsed and described, never run, and what is
 * wrong with it becomes a problem at its place in the plan.
 *
 * Behind a `sql` step, which may make what is not there yet, missing names are let pass; what depends on them stays
 * open, and the step compiles again when its turn comes.
 */
#pragma once
#include "plan/problem.h"
#include "work/run.h"

/* Describes `text`, which holds the plan's `sql`: its columns, or NULL when a problem was told or let pass. */
struct rows *trial_statement(struct run *, size_t step, const struct sql_text *sql, const char *key, const char *text,
                             struct problems *, struct error *);

/* Asks `text`, an EXPLAIN of the plan's `sql`: what a role may not read shows only now. */
struct rows *trial_plan(struct run *, size_t step, const struct sql_text *sql, const char *key, const char *text,
                        struct problems *, struct error *);

/* An expression over a table's row, under the table's own name: its type, operators and collation; NULL as above. */
struct column *trial_expression(struct run *, size_t step, const struct table *, const struct sql_text *,
                                const char *key, struct problems *, struct error *);

/* A condition over a table's row; true when there is none or the server takes it. */
bool trial_condition(struct run *, size_t step, const struct table *, const struct sql_text *, const char *key,
                     struct problems *, struct error *);

/* Settings of the server that a step wants for its session. */
void trial_settings(struct run *, size_t step, const struct entries *, struct problems *, struct error *);

/* The table that a step names, or the plan's; NULL and a problem when there is none (or let pass). */
struct table *trial_table(struct run *, size_t step, const struct name *, struct problems *, struct error *);

/* Whether the role may run `text`, which is the plan's `sql` or holds it: described, so far, is only that it is well
 * formed. For SELECT, INSERT and the like; what is not allowed is among the run's missing rights then. */
void trial_rights(struct run *, size_t step, const struct sql_text *sql, const char *key, const char *text,
                  struct problems *, struct error *);

/* The server said (42501) that something may not be read: a missing right. */
void trial_unreadable(struct run *, const char *said, const char *why, struct error *);

/* What is missing now may be made by a step before. */
bool trial_is_early(const struct run *, size_t step);

/* For run(): behind a `sql` step compiles again, in earnest now. */
void trial_again(struct run *, size_t step, struct error *);
