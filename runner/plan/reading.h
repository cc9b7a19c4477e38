/* What the files that read a plan share while they read it: one plan at a time, from the tree to the typed struct. */
#pragma once
#include "plan/decode.h"
#include "plan/plan.h"

struct reading {
    struct arena *arena;
    const struct plan_request *request;
    struct problems *problems;
    struct tree tree;
    struct variables variables;
    struct decoder decoder;
    struct plan *plan;
    json_t *definition;
};

/* What the tables of plan_options.c fill, besides struct plan itself. */
struct variable_keys {
    const char *fallback, *about;
    bool env;
};

struct environment_keys {
    const char *database, *database_direct;
    bool confirm;
    struct settings settings;
    struct groups notify;
};

struct step_keys {
    const char *as;
    struct settings settings;
    struct when when;
    const char *archive_off;
};

/* Declarations under `variables`, then --set, the process environment and defaults. */
void variables_read(struct reading *, const struct node *variables);

/* All of them are checked; the one asked for is laid over the plan. */
void environments_read(struct reading *, const struct node *environments);

/* Names, defaults and checks of the endpoints that `notify` of this map gave; to be called when they are decoded. */
void notify_read(struct reading *, const struct node *map, const struct groups *);

/* The bounds among the keys of `batch` and `locks`, told where this map gives them. */
void settings_check(struct reading *, const struct settings *, const struct node *map);

/* Steps, their order, and their own checks. */
void steps_read(struct reading *, const struct node *steps);

/* [a-z][a-z0-9-]*, `also` letters more (or ""), at most 63: names go into statements' comments and lock keys. */
bool plain_name_fits(const char *name, const char *also);
