/*
 * What the server says of a plan's SQL before the run begins: it is parsed and described, never run, and what is
 * wrong with it becomes a problem at its place in the plan.
 *
 * Names that are not there (yet) are no problem behind a `sql` step, which may make them.
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

/* A condition over a table's row. */
void trial_condition(struct run *, size_t step, const struct table *, const struct sql_text *, const char *key,
                     struct problems *, struct error *);

/* Settings of the server that a step wants for its session. */
void trial_settings(struct run *, const struct entries *, struct problems *, struct error *);

/* The table that a step names; NULL and a problem when there is none. */
struct table *trial_table(struct run *, const struct name *, struct problems *, struct error *);
