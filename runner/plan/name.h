/* SQL names as plans write them: unquoted ones fold to lower case, "Quoted" ones stay (doubled quotes inside). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "plan/problem.h"

struct name {
    const char *schema, *name; /* schema NULL: unqualified; name NULL: not given */
    struct place place;
};

struct names {
    struct name *items;
    size_t count;
};

/* What a key of `children` names: [schema.]table.column, [schema.]table(column, column), or "*". */
struct edge_name {
    struct name table;
    const char **columns;
    size_t count;
    bool star;
};

/* All three: false with a reason (in *why) when the text is no such name. The text must be used up. */
bool name_parse(struct arena *, const char *text, struct name *, const char **why);
bool edge_name_parse(struct arena *, const char *text, struct edge_name *, const char **why);

/* As it is written in SQL: quoted only where quote_ident() would. For people, not for statements. */
const char *name_text(struct arena *, const struct name *);
const char *identifier_text(struct arena *, const char *identifier);
const char *edge_name_text(struct arena *, const char *schema, const char *table, const char *const *columns,
                           size_t count);
