/*
 * The archive: the old image of every row that a run removes or changes, written by the very statement that does it, so
 * both commit together. One table per run and source table, archive_RUN_OID in the state schema, listed in
 * state.archives; its columns are the source's under their names (domains as their base type, nothing checked), then
 * four of ours, under underscored names where the source has such a column:
 *
 *   pgwinnow_seq     order of the change within the run; an old image and what became of it share it
 *   pgwinnow_batch   xid of the transaction, one batch
 *   pgwinnow_order   number of the statement within it
 *   pgwinnow_action  delete, set-null, move, merge: the image before; after: what the run made of it
 *
 * What triggers do to other rows is not archived. The fragments are empty where nothing is to be kept, so a statement
 * has one text for both.
 */
#pragma once
#include "work/loop.h"

struct node;

/* Whether this step's rows are kept. */
bool archive_on(const struct run *, size_t step);

/* Makes the tables of all nodes whose rows may go or change; adds columns that the source got since. Idempotent. */
void archive_make(struct run *, size_t step, struct error *);

/* A DELETE: RETURNING something :returning, then :kept behind the CTE `source` that has it. */
const char *archive_removed(struct batch *, const struct node *, const char *alias);
const char *archive_keep_removed(struct batch *, const struct node *, const char *source);

/* An UPDATE of alias c: FROM ... :beside (the same row as o, joined by :same_row), RETURNING something :returning, then
 * :kept behind the CTE `source`. The rows must be locked before, or their foreign keys object to what is missed. */
const char *archive_beside(struct batch *, const char *from);
const char *archive_same_row(struct batch *);
const char *archive_changed(struct batch *, const struct node *);
const char *archive_keep_changed(struct batch *, const struct node *, const char *source, const char *action);

/* Behind the changes of a batch: the tables still have the columns that were kept. Fails the batch when not. */
void archive_check(struct batch *);
bool archive_answer(struct batch *, const struct sql *, const struct rows *);
