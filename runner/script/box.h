/*
 * The box: a Lua state that runs the rules of one file, with nothing in reach but the rows it is given.
 *
 * Rules see no files, network, time or randomness; their memory, time and rows are bounded; the same rows give the same
 * answer in every process. One box serves one step. A group is fed whole, then asked about once:
 *
 *     box_columns(box, columns, count, error)        once
 *     box_group(box, "source = 'a', id = 7")         for each group; the key is for errors
 *     box_row(box, values, error)                    for each of its rows, in keep order
 *     box_keep(box, error) or box_merge(box, arena, error)
 *
 * All errors are FAULT_HOOK: the rule's file and line, what went wrong, the group's key; the hint names the key of
 * `lua` that raises a limit. A box that failed may be given the next group.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "plan/rule.h"

struct box;

enum box_kind { /* what a value is inside: */
    BOX_TEXT,     /* a string, PostgreSQL's text form */
    BOX_INTEGER,
    BOX_FLOAT,
    BOX_BOOLEAN,
    BOX_CHILDREN, /* an integer, not as row[name] but as row.children[name]; name is the edge's key in the plan */
};

struct box_column {
    const char *name;
    enum box_kind kind;
};

struct box_values { /* what merge wants written, in the order of the columns */
    struct box_value {
        const char *column, *text; /* text NULL: NULL */
    } *items;
    size_t count;
};

/* Runs the file once: its functions `keep` and `merge` and its list `children` are known then. Goes with the arena. */
struct box *box_new(struct arena *, const struct rule *, struct error *);
bool box_has(const struct box *, const char *function); /* "keep", "merge" */
const char *const *box_children(const struct box *);    /* edges whose counts the rules ask for; ends with NULL */

/* Can the file be run, and does it have the function? For checks of the plan alone; adds a problem. */
void box_check(const struct rule *, const char *function, struct problems *);

enum box_kind box_kind_of(unsigned type); /* by the oid of the base type: int2 4 8, float4 8, bool; else TEXT */

void box_columns(struct box *, const struct box_column *, size_t count, struct error *); /* copied */
void box_group(struct box *, const char *key);
void box_row(struct box *, const char *const *values, struct error *); /* one for each column; NULL: NULL; copied */

/* The row that stays, from 1; 0: the rule leaves this group alone. */
size_t box_keep(struct box *, struct error *);

/* The first row fed is the survivor, the others are the losers. Columns that are not named stay as they are. */
struct box_values box_merge(struct box *, struct arena *, struct error *);
