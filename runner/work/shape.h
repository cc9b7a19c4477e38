/*
 * What batches rely on of the tables that they change: names, columns, the foreign keys that refer to them, a unique
 * key. A plan was compiled against it, and a run may take days in which somebody alters a table: a column that came
 * would be missing from the archive, an edge that came would be followed by the database's own action. Each batch looks
 * again before it commits.
 */
#pragma once
#include "work/run.h"

struct shape {
    const char *values[3]; /* of shape_same: tables, key, digest */
    const char *same;      /* its text */
    const char **lines;
    size_t count;
};

/* In a transaction. Of all tables of the run's tree. */
struct shape *shape_read(struct run *, struct arena *, struct error *);

/* FAULT_REFUSED with what is gone and what is new; no-op when nothing is. Asks in a transaction of its own. */
void shape_refuse_changed(struct run *, struct error *);

/* The error of shape_same, whose SQLSTATE tells it from a lock or a lost connection. */
bool shape_is_changed(const struct error *);
