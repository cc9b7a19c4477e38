/*
 * Decoding: nodes of the tree into the structs that options describe, with problems at their places.
 *
 * Besides filling the struct, each decoder gives the value back as JSON in a normal form (milliseconds, bytes, folded
 * names): what plan.definition is made of, so that 1s and 1000ms are the same plan.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "plan/option.h"
#include "plan/tree.h"
#include "plan/variables.h"

struct decoder {
    struct substitution with;
    const struct tree *tree;
    const char *folder; /* of the plan: where the paths in it begin */
    bool elsewhere; /* in an environment that was not asked for: its secrets may be missing */
    bool late;      /* the plan will run: secrets that are needed then must be there */
};

/* Options that share one map in the file: a step's own and those of every step. */
struct target {
    const struct option *options; /* NULL ends a list of targets */
    void *base;
    json_t *given; /* an object that gets what counts, as given; may be NULL */
};

/* Absent values and fallbacks, groups included. `base` must be zeroed. */
void options_fill(const struct decoder *, const struct option *, void *base);

/* `map` may be NULL (a bare name); `place` is where a missing key is told. */
void options_decode(const struct decoder *, const struct node *map, struct place place, const struct target *);

/* Texts of a node for errors: quoted, short, on one line. */
const char *value_shown(struct arena *, const char *text);
