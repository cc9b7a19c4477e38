/*
 * What is wrong with a plan: a list, since `check` tells all problems and not only the first.
 *
 * A place is a file, a line and a column, both from 1, the column in characters. The list keeps the sources of the
 * files read, so a problem can be shown with its line and a caret.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"

struct place {
    const char *file; /* NULL: no place known */
    int line, column;
};

struct problem {
    struct place place;
    const char *message, *hint; /* hint may be NULL */
};

struct problems {
    struct arena *arena;
    struct problem *items; /* in the order found; problems_sort() puts them in the order of the file */
    size_t count;
    size_t of_rules; /* how many of them are errors in rule files */
    struct source *sources;
};

struct problems problems_new(struct arena *);
void problems_source(struct problems *, const char *file, const char *text, size_t length); /* for excerpts; copied */
void problem_add(struct problems *, struct place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void problems_sort(struct problems *);

/* "plan.yaml:3:7: unknown key 'tabel'", the line, a caret under the column, "hint: did you mean 'table'?" */
const char *problem_text(struct arena *, const struct problems *, const struct problem *, bool colour);
json_t *problems_json(const struct problems *); /* [{ file, line, column, message, hint }] (product: check --json) */
enum fault problems_fault(const struct problems *, enum fault); /* FAULT_HOOK when all are of rules */
void problems_fail(struct problems *, struct error *, enum fault); /* one error with them all; nothing when empty */
