/*
 * Statements of ours that stand alone: what is asked and written about runs. Each goes in a transaction of its own that
 * says all that it depends on, since a role or a database may have defaults under which they would fail or see wrongly:
 * REPEATABLE READ, READ ONLY, a statement_timeout of a second. Never SET for the session: a pooler would hand that on.
 */
#pragma once
#include "base/error.h"
#include "wire/slot.h"

/* From now on ask() on this slot does so where no transaction is open. search_path NULL: pg_catalog
 * alone, whatever the role's is: somebody may have put operators there that would take the place of the server's. */
void frame_set(struct slot *, struct arena *, const char *search_path);
void frame_set_reading(struct slot *, struct arena *); /* READ ONLY, so on a standby too */

/* Several of them in one transaction; frame_end commits, or rolls back when the error is set. */
void frame_begin(struct slot *, struct arena *, struct error *);
void frame_end(struct slot *, struct arena *, struct error *);
