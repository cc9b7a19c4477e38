/*
 * Variables: ${NAME} in any value of a plan becomes the variable's value.
 *
 * A name is letters, digits and '_', not beginning with a digit. "${" before a letter or '_' (blanks between or not)
 * must be a whole ${NAME}; "${" before anything else is left as it is, so that regular expressions and $${"a": 1}$$
 * stay readable. There is no escape: "$${NAME}" is a dollar and the value. Values are not looked into again.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "plan/plan.h"
#include "plan/tree.h"

struct variables {
    struct variable *items;
    size_t count;
    bool forbidden; /* where variables are being declared */
};

/* How a text is used: decides what variables serve it, and what is said when one is missing. */
enum use {
    USE_COUNTS,
    USE_PLAIN,
    USE_SECRET,
    USE_SECRET_ELSEWHERE, /* of an environment that was not asked for, or not needed yet */
};

struct substitution {
    struct arena *arena;
    struct problems *problems;
    struct variables *variables;
};

/* The text with its variables put in; NULL when a problem was told, or when USE_SECRET_ELSEWHERE misses one. */
const char *variables_put_in(const struct substitution *, const char *text, struct place, enum use);

/* [A-Za-z_][A-Za-z0-9_]* */
bool variable_name_fits(const char *name);

/* Variable by name, or NULL; and the likeliest meant, or NULL. */
struct variable *variable_find(const struct variables *, const char *name);
const char *variable_nearest(struct arena *, const struct variables *, const char *name);
