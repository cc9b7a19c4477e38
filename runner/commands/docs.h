/*
 * The parts of docs/ that are printed from the tables of the program, so that they cannot drift from what it does.
 *
 * A page holds pairs of markers; what stands between them is printed, the rest is written by hand:
 *   <!-- printed: step track -->
 *   <!-- end -->
 * Topics: exit-codes, commands, common-options, command NAME, steps, step NAME, keys plan|environments|variables|batch|
 * locks|step, outputs.
 */
#pragma once
#include "base/error.h"

/* The page with its printed parts made anew; NULL and an error (naming `file`) when a marker is wrong. */
const char *docs_fill(struct arena *, const char *file, const char *page, struct error *);

/* Topics that some page must have, NULL-terminated: one for each command and each step. */
const char *const *docs_topics(struct arena *);
