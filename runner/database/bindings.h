/* A list of bindings under construction, for statements with many placeholders. Ends with a NULL name, as sql_expand
 * wants. */
#pragma once
#include <assert.h>

#include "database/sql.h"

enum { MOST_BINDINGS = 40 };

struct bindings {
    struct binding items[MOST_BINDINGS + 1];
    size_t count;
};

static inline void bind(struct bindings *list, const char *name, const char *value) {
    assert(list->count < MOST_BINDINGS);
    list->items[list->count++] = (struct binding){name, value};
}
