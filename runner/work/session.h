/*
 * The settings of a transaction. Nothing is ever SET for the session: behind PgBouncer that leaks to other clients. So
 * every transaction begins with BEGIN, READ COMMITTED written out (a role's default of REPEATABLE READ would make
 * checks blind), and set_config(..., true) for all that a statement of ours or of the plan depends on.
 */
#pragma once
#include "work/run.h"

struct session {
    const char *application; /* "pgwinnow: 7 delete" */
    const char *search_path;
    int64_t lock_timeout, statement_timeout, idle_timeout; /* ms; 0: none */
    bool read_only;
    bool pinned;     /* index plans for batch statements: no hash join, merge join, sequential scan, parallel workers */
    bool hash_joins; /* pinned, but a child without index must be read once and not once per row */
};

enum { SESSION_STATEMENTS = 4 };

struct session session_for(struct run *, size_t step, struct arena *); /* of a step, with its lock settings */
/* BEGIN, no timeout of the role, the settings, SET CONSTRAINTS ALL IMMEDIATE: to be queued in this order. */
void session_statements(const struct session *, struct arena *, struct statement out[SESSION_STATEMENTS]);

/* From now on the slot is dropped when the server says nothing long after it should have timed out. */
void session_expect(struct slot *, const struct session *);

/* Straight code: asks the above; session_end commits, or rolls back when error is set (and on a fresh error). */
void session_begin(struct slot *, struct arena *, const struct session *, struct error *);
void session_end(struct slot *, struct arena *, struct error *);
