/* Connecting to the state without running a plan, and finding the run that an argument names. */
#pragma once
#include "commands/command.h"
#include "state/overview.h"

/* The state of --database (else `url`, else PG*) and --schema. The slot goes with the arena. The second one for what
 * only reads: a standby will do. */
struct state desk_open(const struct command_line *, struct arena *, const char *url, struct error *);
struct state desk_open_reading(const struct command_line *, struct arena *, const char *url, struct error *);

/* "pgwinnow", or what --schema says. */
const char *desk_schema(const struct command_line *);

/* What [PLAN|RUN] names: a run's number, a plan's name, or a plan file, whose environment then says where it runs. */
struct named {
    int64_t run;       /* 0: none */
    const char *plan;  /* NULL: none */
    const char *file;  /* of the plan, when it was given; NULL: not */
    const char *environment;
    const char *url;   /* the plan's database; NULL: not known */
    const char *direct_url; /* past its pooler; NULL: none, or not known */
};
struct named desk_named(const struct command_line *, struct arena *, struct error *);

/* Past the pooler, for what cannot go through one; NULL: not known. */
const char *desk_direct(const struct command_line *, const struct named *);

/* The run that is named: of a plan its latest. FAULT_USAGE, saying what there is, when there is none. */
struct overview *desk_find(const struct state *, struct arena *, const struct named *, struct error *);
