/* pgwinnow init: create the schema that holds the state, or print the SQL for it. */
#include <stdio.h>

#include "commands/desk.h"
#include "state/published.h"

static const struct command_option init_options[] = {
    {"print", ARGUMENT_FLAG, offsetof(struct command_line, print), NULL, "print the SQL for a DBA to run, do nothing",
     NULL},
    {"published", ARGUMENT_CHOICE, offsetof(struct command_line, published), NULL,
     "where a publication of all tables would carry those of the state: refuse (default), or accept",
     published_choices},
    {0},
};

static void tell(const struct command_line *line, const struct state *state, int before, const char *missing) {
    const char *schema = state->schema, *database = slot_database(state->slot);
    if (line->quiet) return;
    if (before == STATE_VERSION)
        printf("The state schema %s is in database %s already, version %d: nothing to do.\n", schema, database,
               STATE_VERSION);
    else if (before)
        printf("Upgraded the state schema %s in database %s from version %d to %d.\n", schema, database, before,
               STATE_VERSION);
    else
        printf("Created the state schema %s in database %s, version %d.\n", schema, database, STATE_VERSION);
    if (missing)
        printf("This role may not create roles: %s not there. They are for people who only look or steer; a DBA can\n"
               "create them, or run the output of `pgwinnow init --print`; then run init again.\n",
               missing);
}

static const char accepted[] = "--published accept";

static void create(const struct command_line *line, struct arena *arena, struct error *error) {
    struct state state = desk_open(line, arena, NULL, error);
    int before = failed(error) ? 0 : schema_version(&state, arena, error);
    if (before != STATE_VERSION && !line->published) published_refuse(&state, arena, accepted, error);
    if (!failed(error)) schema_init(&state, arena, error);
    const char *missing = failed(error) ? NULL : schema_roles(&state, arena, error);
    if (failed(error)) return;
    tell(line, &state, before, missing);
}

static void init_run(struct command_line *line, struct arena *arena, struct error *error) {
    if (!line->print) {
        create(line, arena, error);
        return;
    }
    const char *script = schema_script(arena, desk_schema(line), error);
    if (!failed(error)) fputs(script, stdout);
}

const struct command init_command = {
    .name = "init",
    .synopsis = "",
    .about = "create the schema that holds the state and its group roles, or upgrade it",
    .more =
        "`run` does this by itself where its role may create a schema. Otherwise let a DBA run what --print prints\n"
        "(no connection is made then), as the role that will run plans.",
    .options = init_options,
    .run = init_run,
};
