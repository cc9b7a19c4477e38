/*
 * A plan as the rest of the program sees it: typed, variables put in, the environment's overrides applied.
 *
 * plan_read() never stops at the first problem. Without an environment (pgwinnow check) variables that come from the
 * process environment may be missing in secrets: they are then left empty. The plan knows no database.
 */
#pragma once
#include <stdint.h>

#include "plan/option.h"
#include "plan/step.h"

struct batch_settings {
    int64_t size, min, max;    /* rows a transaction changes, children included */
    int64_t target, pause;     /* ms */
    int64_t workers;
};

struct lock_settings {
    int64_t lock_timeout, ddl_timeout, statement_timeout; /* ms */
    int64_t retries;
};

struct lag_settings {
    int64_t limit;                /* ms; -1: off */
    struct text_list ignore, expect;  /* names of standbys or of their slots */
};

struct query_settings {
    struct sql_text sql;          /* text NULL: off */
    int64_t above;
};

/* What may make a run wait. Numbers: -1 is off. */
struct throttle_settings {
    struct lag_settings replica_lag;
    int64_t slot_lag, wal_rate;   /* bytes, bytes a second */
    int64_t oldest_transaction;   /* ms */
    int64_t waiters;
    struct query_settings query;
    struct window window;
    int64_t give_up;              /* ms */
};

struct settings {
    struct batch_settings batch;
    struct lock_settings locks;
    struct throttle_settings throttle;
};

struct archive_settings {
    bool on;      /* the old image of every row that is removed or changed is kept, so that it can be undone */
    int64_t keep; /* ms: so long, counted from the end of the run */
};

struct state_settings {
    int published; /* 0 refuse, 1 accept: publications that would carry the tables of the state */
};

enum endpoint_format { ENDPOINT_WEBHOOK, ENDPOINT_SLACK };

/* Who is told of a run. Nothing of url and secrets may be stored, printed or part of an error; the name may. */
struct endpoint {
    const char *name;         /* `as`, else the beginning of the url as the plan writes it */
    const char *url;          /* NULL: a variable in it has no value (plan_request.notifies was false) */
    struct text_list secrets; /* "whsec_...", the newest first; to be made keys of by secret_key() (plan/secret.h) */
    struct text_list events;  /* never empty: "run", "run.failed", ...; see endpoint_wants() */
    int64_t every;            /* ms between two of `progress` */
    int format;               /* enum endpoint_format */
    int64_t timeout;          /* ms, for a request */
    struct place place;
};

struct when {
    struct sql_text query; /* text NULL: always */
    const char *is;
};

struct plan_step {
    const struct step *step;
    const char *name;         /* `as`, else the step's own */
    struct place place;       /* of its name in the file */
    void *options;            /* the struct that step->options filled */
    struct plan_step *inner;  /* the steps inside of it, in their order: no settings of their own */
    size_t inner_count;
    struct settings settings; /* defaults, then the plan's, the environment's, the step's own */
    struct when when;
    const char *archive_off;  /* the plan's reason to keep nothing of what this step removes; NULL: it is kept */
};

struct variable {
    const char *name, *value, *about; /* value NULL: undefined (a problem where it is used) */
    bool used;                        /* in what counts: see plan.definition */
};

struct plan {
    struct arena *arena;
    const char *file, *folder;
    const char *name, *about;
    struct name table;
    struct names search_path;           /* count 0: the role's */
    const char *lane;                   /* of the runs in it one goes at a time */
    const char *environment;            /* the one asked for; NULL: none */
    const char *database, *database_direct; /* URLs, secrets in them; may be NULL */
    bool confirm;                       /* the environment wants the plan's name typed */
    const char **environments;          /* names the plan declares */
    size_t environment_count;
    struct variable *variables;
    size_t variable_count;
    struct settings settings;
    struct archive_settings archive;
    struct state_settings state;
    struct groups notify;               /* as read; typed, and the environment's where that has its own: */
    struct endpoint *endpoints;
    size_t endpoint_count;
    struct plan_step *steps;
    size_t step_count;
    json_t *definition;                 /* what counts for "the plan was changed": table, search_path, steps with
                                           their keys (less batch, locks, throttle), variables used there; compare with
                                           json_equal, write with JSON_SORT_KEYS. No secrets. Goes with the arena */
};

struct plan_setting {
    const char *name, *value; /* --set NAME=VALUE */
};

struct plan_request {
    const char *file;                 /* "-" is standard input */
    const char *environment;          /* NULL: none */
    const struct plan_setting *set;
    size_t set_count;
    const struct step *const *steps;  /* THE table, NULL-terminated */
    bool notifies;                    /* endpoints will be told: variables in their urls and secrets must be there */
};

/* NULL or incomplete when problems were added. */
struct plan *plan_read(struct arena *, const struct plan_request *, struct problems *);

/* The same from memory: request.file only names it. */
struct plan *plan_read_text(struct arena *, const struct plan_request *, const char *text, size_t length,
                            struct problems *);

/* A plan that says nothing: only the defaults are there. */
struct plan *plan_defaults(struct arena *);

/* For the docs and checks: the tables that describe the plan itself. */
extern const struct option plan_options[], variable_options[], environment_options[], batch_options[], lock_options[],
    throttle_options[], archive_options[], state_options[], endpoint_options[], step_common_options[],
    settings_options[];

/* Does it want to hear of what event_name() calls so? */
bool endpoint_wants(const struct endpoint *, const char *event);

/* First step of that kind before `before`, or NULL: for checks of order. */
const struct plan_step *plan_step_before(const struct plan *, size_t before, const char *step_name);

/* The step of that kind inside of another, or NULL. */
const struct plan_step *plan_step_inside(const struct plan_step *, const char *step_name);
