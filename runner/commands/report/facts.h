/*
 * Reading what a report tells about: the object of report_data(), and objects inside it.
 *
 * A key that is not there is as one that is null: runs of older programs know less.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct report {
    struct arena *arena;
    const json_t *run;     /* all of it */
    const char *table;     /* that it cleans */
    double start, span;    /* when it began, as seconds since 1970; how many seconds its charts cover, above 0 */
};

struct report report_new(struct arena *, const json_t *run);

const char *fact_text(const json_t *, const char *key);             /* NULL: not known */
int64_t fact_count(const json_t *, const char *key);                /* -1: not known */
double fact_number(const json_t *, const char *key);                /* -1: not known */
const json_t *fact_list(const json_t *, const char *key);           /* NULL: not known, which jansson takes for empty */
bool fact_is(const json_t *, const char *key, const char *value);

/* Seconds since 1970 of "2026-11-22T07:28:49.123Z"; -1: not known. */
double fact_time(const json_t *, const char *key);

bool report_over(const struct report *);  /* nothing will change any more */
bool report_lives(const struct report *); /* somebody works on it */
