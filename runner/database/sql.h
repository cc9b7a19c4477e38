/*
 * Whole statements from .sql files, expanded as psql would: :"name" an identifier, :'name' a literal, :name verbatim.
 *
 * tools turn runner/FLOOR/FILE.sql into build/sql/FLOOR/FILE.sql.h, which holds `static const struct sql sql_NAME` for
 * each `-- name: NAME`. Verbatim values come only from options of kind SQL and from lists made by lists.h, which
 * quotes.
 */
#pragma once
#include <stddef.h>

#include "base/error.h"

struct sql {
    const char *name, *file; /* "runner/steps/delete.sql" */
    int line;                /* of its first line of text */
    const char *text;
};

struct binding {
    const char *name, *value;
};

/* bindings end with a NULL name. A placeholder without a binding is a fault of ours and fails. Placeholders inside
 * quotes and comments are left alone; `::type` is a cast; `:=` and a[1:2] are no placeholders. */
const char *sql_expand(struct arena *, const struct sql *, const struct binding *, struct error *);

const char *sql_identifier(struct arena *, const char *name); /* "na""me" */
const char *sql_qualified(struct arena *, const char *schema, const char *name);
const char *sql_literal(struct arena *, const char *text); /* 'it''s', E'' when there is a backslash; NULL -> NULL */
