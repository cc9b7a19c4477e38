/*
 * Files of tests for rules, as `pgwinnow hooks test` runs them: one returns a table, name to function, and a test
 * passes when its function raises nothing. They run in a box like rules do, but may `require` the rule files beside
 * them, and `check`, which raises what was expected and what came.
 */
#pragma once
#include "script/box.h"

struct box_tests {
    struct box *box;
    const char **names; /* in the order of the file */
    size_t count;
};

/* Runs the file once. What tests print goes to `print`, a line a call. Goes with the arena. */
struct box_tests box_tests_load(struct arena *, const struct rule *, const char *folder,
                                void (*print)(void *data, const char *line), void *data, struct error *);

/* Runs the n-th test, from 0, with the limits of a rule's call. */
void box_tests_run(const struct box_tests *, size_t n, struct error *);
