/*
 * Options: what a key of a plan may hold, as data.
 *
 * A step (and the plan itself, an environment, `batch`, ...) describes its keys by a table of options that fill its own
 * struct by offset. Parsing, the reference in docs/, help and later the JSON Schema come from the same table. The kinds
 * are few and closed; there is one small decoder for each. Absent without a fallback: NULL in pointers, -1 in numbers,
 * false in flags, 0 in choices.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "plan/file.h"
#include "plan/name.h"
#include "plan/problem.h"

struct sql_text {
    const char *text; /* as the plan wrote it, variables put in; NULL: not given */
    struct place place;
};

struct sql_texts {
    struct sql_text *items;
    size_t count;
};

struct text_list {
    const char **items;
    size_t count;
};

/* A time of the day, in a time zone that the server knows; may go across midnight. */
struct window {
    int from, to;     /* minutes since midnight, 0 to 1440, never the same; to < from: across midnight */
    const char *zone; /* NULL: the server's */
    const char *text; /* as written; NULL: no window */
    struct place place;
};

struct entry {
    const char *key;
    struct place key_place;
    struct sql_text value; /* for items of kind SQL and TEXT */
    int choice;            /* for items of kind CHOICE */
    void *options;         /* for items of kind GROUP: the struct that option.group filled, of option.size bytes */
};

struct entries {
    struct entry *items;
    size_t count;
};

/* A list of maps, each in a struct of its own; the items are option.size bytes apart. */
struct groups {
    void *items;
    struct place *places;
    size_t count;
};

enum option_kind {
    OPTION_NAME,     /* struct name: a table, an index; folded as SQL folds */
    OPTION_NAMES,    /* struct names: one, or a list */
    OPTION_SQL,      /* struct sql_text: scanned for balanced parentheses and quotes and for ';' */
    OPTION_SQLS,     /* struct sql_texts: one, or a list, of columns or expressions; each scanned alike */
    OPTION_TEXT,     /* const char *: any scalar */
    OPTION_TEXTS,    /* struct text_list: one, or a list */
    OPTION_FILE,     /* struct file_text: a path relative to the plan; what the file holds counts too */
    OPTION_COUNT,    /* int64_t: a whole number from `least` to `most` */
    OPTION_SHARE,    /* double: "80%" is 0.8 */
    OPTION_DURATION, /* int64_t: milliseconds, from "500ms 2s 10min 3h 7d" */
    OPTION_SIZE,     /* int64_t: bytes, from "64MB 2GB" (kB MB GB TB, times 1024) */
    OPTION_RATE,     /* int64_t: bytes a second, from "64MB/s" */
    OPTION_WINDOW,   /* struct window: "22:00-06:00 Europe/Berlin" */
    OPTION_FLAG,     /* bool: true or false */
    OPTION_CHOICE,   /* int: the index in `choices` */
    OPTION_GROUP,    /* a nested struct at the offset, described by `group` */
    OPTION_GROUPS,   /* struct groups: a list of maps, each a struct of `size` bytes described by `group` */
    OPTION_MAP,      /* struct entries: any names to values of kind `item` (SQL, TEXT, CHOICE or GROUP; GROUP of size
                        0 only in the plan's own table, for variables and environments, which plan/ reads itself) */
    OPTION_STEPS,    /* a list of steps: the plan's own, or those inside of a step; plan_steps.c reads it */
};

enum {
    OPTION_REQUIRED = 1,
    OPTION_SECRET = 2,    /* environment variables serve undeclared names; never shown */
    OPTION_UNCOUNTED = 4, /* changing it does not make it another plan: see plan.definition */
    OPTION_OFF = 8,       /* the word `off` stands for no value, whatever an outer setting says */
    OPTION_LATE = 16,     /* a secret that is needed when the plan is run: until then its variables may be missing */
};

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;
    const char *about;              /* one line, for docs and help */
    const char *fallback;           /* the default as a plan would write it; NULL: none */
    unsigned flags;
    const char *const *choices;     /* CHOICE: NULL-terminated */
    const struct option *group;     /* GROUP: ends with a NULL name */
    const char *shorthand;          /* GROUP: the member that a lone scalar gives; NULL: it must be a map */
    enum option_kind item;          /* MAP */
    size_t size;                    /* of the struct of an item in GROUPS and in a MAP of GROUP, of a GROUP that may be
                                       off */
    int64_t least, most;            /* COUNT, DURATION, SIZE, RATE: bounds; most 0: none */
};

const char *option_kind_text(enum option_kind); /* "a duration, like 500ms or 2h": for errors and docs */
