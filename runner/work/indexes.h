/*
 * Indexes as steps want them: on plain and partitioned tables, concurrently, and the temporary ones under which
 * children are found while a run removes rows.
 *
 * On a partitioned table: the parent's index ON ONLY (nothing is built then), each leaf's concurrently, then ATTACH,
 * level by level. It goes on where it was cut.
 */
#pragma once
#include "work/index_build.h"

/* There already, valid: sets *name. Fails when the name is taken by something else. */
bool indexes_stand(struct direct *, const struct index_wish *, const char **name, struct error *);

/* Builds it, whatever is missing of it. */
struct index_result indexes_build(struct direct *, const struct index_wish *, struct error *);

/* Drops it, concurrently where that can be: that of a partitioned table is dropped in short tries. Nothing to do
 * when it is not an index of this table. */
void indexes_drop(struct direct *, const struct table *, const char *name, struct error *);

/* What explain shows of a build. */
void indexes_explain(const struct index_wish *, struct explanation *, struct error *);

/* Indexes that the edges of run->tree lack, when run->missing_index says create: recorded as objects of the run
 * before they are built, and dropped by the second. Both may be called again after any kill. */
void indexes_ensure_temporary(struct run *, struct error *);
void indexes_drop_temporary(struct run *, struct error *);
