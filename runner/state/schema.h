/*
 * The state schema: where runs, steps, checkpoints and the lease live, in the target database, beside the data they
 * speak of, so that both commit together. Documented for people in docs/operations.md: they may query all of it.
 */
#pragma once
#include "base/error.h"
#include "database/sql.h"
#include "wire/slot.h"

enum { STATE_VERSION = 4 };

struct state {
    struct slot *slot;  /* straight questions about state go here */
    const char *schema; /* raw name, default "pgwinnow" */
};

/* The SQL that init sends, for a DBA to run by hand. */
const char *schema_script(struct arena *, const char *schema, struct error *);

/* 0 when there is no state in this schema. A newer version than ours is refused (FAULT_REFUSED), and so is what
 * somebody may have put there to have his code run by us. */
int schema_version(const struct state *, struct arena *, struct error *);

/* Creates or upgrades, in one transaction; nothing to do when it is there. Group roles that are there get their
 * rights. */
void schema_init(const struct state *, struct arena *, struct error *);

/* The GRANTs that this role lacks to record runs in a state schema that is there, a line each; "": none. */
const char *schema_lacking(const struct state *, struct arena *, struct error *);

/* The group roles pgwinnow_reader (sees what runs and ran) and pgwinnow_operator (also pauses, cancels, approves and
 * retunes): creates them where this role may, and grants them what is theirs; may be called again. Neither may read
 * tables of one run: those hold rows of the application. Returns the names of those that are not there, ", " between;
 * NULL: none. */
const char *schema_roles(const struct state *, struct arena *, struct error *);

/* Expands a statement of state/ (:"state" is the schema) and asks. */
struct rows *state_ask(const struct state *, struct arena *, const char *about, const struct sql *,
                       const char *const *values, int count, struct error *);
