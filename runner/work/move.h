/*
 * Policy move, in the thorough way of a batch: rows that point at a row that goes get the key of the row that stays.
 *
 * The tree is gone through once, parents first, a turn (node.turn) at a time, and nothing is changed meanwhile: what
 * goes by delete edges is closed, what moves is collected into move tables with its new values, collisions by the
 * table's rules are resolved on the new images, and what is dropped by them goes with a row that stays in its place:
 * its own children are looked for in later turns. A row whose key changes takes along what points at it. Then all
 * changes are one statement.
 *
 * A collision is settled in order of preference. Rows that are neither moved nor going stay, whosever they are. Of the
 * moved ones the first by key stays, or by the groups' keep order; a row is dropped only for one that stays.
 */
#pragma once
#include "work/family_job.h"

/* Queues the next statements of the walk; false: it is done. Rows that go are counted in try->closed, as those that
 * move. */
bool move_walk(struct batch *);
size_t move_checks(struct batch *); /* queued before anything is changed */
void move_settle(struct batch *);
bool move_answer(struct batch *, const struct sql *, const struct rows *);
bool move_going(struct batch *, const struct node *); /* it has rows in its family table */
void move_heard_close(struct batch *, const struct node *child, int64_t found);
void move_explain(struct batch *); /* the statements of the walk, each once */

/* Rows without a key that point at a heavy group move in pieces: smaller ones from now on; false: there are none. */
bool move_less(struct batch *);

/* For steps that settle children, once tracking is known: moves need rows that stay. */
void move_check(const struct run *, struct problems *);

void move_tables_make(struct family *, struct error *);

/* Columns of a family table that say which row stays: ", rank bigint, s1 ...", ", rank, s1 ..." */
const char *move_stay_definitions(const struct family *, struct arena *, const struct node *);
const char *move_stay_columns(const struct batch *);
const char *move_stay_values(const struct batch *); /* of a tracked row: of FROM item pgwinnow_k */
