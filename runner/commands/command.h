/*
 * What a sub-command is, and what a command line says once it is read.
 *
 * Each command lives in one file that ends in its descriptor; commands/table.c holds THE table. An option table fills
 * struct command_line by offset: parsing, help and docs/commands.md come from it. Common options (command_common) are
 * understood by every command, before or after its name. Absent: NULL in texts, -1 in numbers, false in flags, 0 in
 * choices.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

enum argument_kind {
    ARGUMENT_FLAG,     /* bool */
    ARGUMENT_TEXT,     /* const char * */
    ARGUMENT_SETTING,  /* struct settings_given: NAME=VALUE, repeatable */
    ARGUMENT_COUNT,    /* int64_t: a whole number from 1 */
    ARGUMENT_DURATION, /* int64_t: milliseconds, from "500ms 2s 10min 3h 7d" */
    ARGUMENT_CHOICE,   /* int: the index in `choices` */
};

struct command_option {
    const char *name; /* without the dashes: two, or one before a name of one letter */
    enum argument_kind kind;
    size_t offset;    /* in struct command_line */
    const char *value; /* what help calls its value; NULL for flags and choices */
    const char *about; /* one line */
    const char *const *choices; /* CHOICE: NULL-terminated */
};

struct command;

struct command_line {
    const struct command *command; /* NULL: none named */
    const char **arguments;        /* behind the command's name, without options */
    size_t argument_count;

    const char *environment, *database, *database_direct, *schema;
    struct settings_given {
        struct plan_setting *items;
        size_t count;
    } set;
    bool json, yes, quiet, help, version;
    int colour_choice;               /* in colour_choices */
    bool colour, colour_errors;      /* resolved: for standard output, for standard error */
    bool answered;                   /* set by a command whose JSON is out: an error then goes to standard error only */

    const char *until, *tree; /* run */
    int64_t max_rows;
    int64_t wait, max_time;   /* run, undo: ms */
    bool fresh;
    int output;               /* in sink_choices (events/sinks.h) */
    const char *metrics;      /* run, undo: a file */
    int64_t ttl;              /* lock: ms */
    int passed_on;            /* lock: the exit code when there was no error */
    bool watch;               /* status */
    int64_t every;            /* status: ms */
    int64_t older;            /* clean: ms */
    bool archive;             /* clean */
    int format;               /* report: html, markdown, json */
    const char *into;         /* report: the file, "-": standard output */
    bool hold;                /* pause */
    bool print;               /* init */
    bool test, flush;         /* notify */
    int published;            /* init, undo: refuse, accept */
    int on_conflict, triggers; /* undo: stop, skip, force; fire, off */
};

enum { ANY_NUMBER = 1000000 };
enum command_traits { COMMAND_READS = 1 /* its answer is for people or scripts: takes --json */ };

struct command {
    const char *name;
    const char *synopsis; /* its arguments: "PLAN..." */
    const char *about;    /* one line */
    const char *more;     /* a paragraph for its own help; may be NULL */
    size_t least, most;   /* arguments */
    unsigned traits;
    const struct command_option *options; /* its own, ends with a NULL name; may be NULL */
    void (*run)(struct command_line *, struct arena *, struct error *); /* error->fault is the exit code */
};

extern const struct command *const command_table[]; /* NULL-terminated, in the order of help */
extern const struct command_option command_common[];
extern const char *const published_choices[];       /* "refuse", "accept" */
extern const char *const colour_choices[];          /* "auto", "always", "never" */

const struct command *command_named(const char *name); /* NULL: none */
