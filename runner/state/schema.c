/* Creating, checking and printing the state schema. */
#include "state/schema.h"

#include <stdlib.h>

#include "base/text.h"
#include "database/frame.h"
#include "sql/state/schema.sql.h"

static const struct sql *const creation[] = {
    &sql_create_schema,        &sql_create_version,         &sql_create_runs,          &sql_widen_runs_states,
    &sql_drop_runs_unfinished, &sql_create_runs_unfinished, &sql_create_lease,         &sql_create_steps,
    &sql_create_batches,       &sql_create_objects,         &sql_create_archives,      &sql_add_runs_lane,
    &sql_add_runs_waiting,     &sql_add_lease_entered,      &sql_create_lanes,         &sql_open_lanes,
    &sql_create_acts,          &sql_create_locks,           &sql_create_guards,        &sql_add_runs_uid,
    &sql_add_batches_edges,    &sql_create_events,          &sql_create_events_by_run, &sql_create_outbox,
    &sql_create_endpoints,     &sql_create_samples,         &sql_create_statements,    &sql_mark_version};
enum { CREATIONS = sizeof creation / sizeof *creation };

/* The group roles: behind the tables. A run grants, it does not create roles. */
static const struct sql *const roles[] = {&sql_state_setting, &sql_create_roles, &sql_grant_roles};
enum { ROLES = sizeof roles / sizeof *roles };

static const char *expand(struct arena *arena, const char *schema, const struct sql *sql, struct error *error) {
    return sql_expand(arena, sql, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}

struct rows *state_ask(const struct state *state, struct arena *arena, const char *about, const struct sql *sql,
                       const char *const *values, int count, struct error *error) {
    const char *text = expand(arena, state->schema, sql, error);
    return ask(state->slot, arena, &(struct statement){about, text, values, count}, error);
}

static void add_statements(struct text *script, const char *schema, const struct sql *const *list, size_t count,
                           struct error *error) {
    for (size_t i = 0; i < count; i++) {
        const char *text = expand(script->arena, schema, list[i], error);
        if (text) text_addf(script, "%s;\n", text);
    }
}

const char *schema_script(struct arena *arena, const char *schema, struct error *error) {
    struct text script = text_new(arena);
    text_addf(
        &script,
        "-- The state schema of pgwinnow, version %d. It belongs to the role that runs this: let that be the one\n"
        "-- that will run plans (SET ROLE), or grant that one what docs/security.md says.\nBEGIN;\n",
        STATE_VERSION);
    add_statements(&script, schema, creation, CREATIONS, error);
    text_add(&script, "COMMIT;\n-- Group roles: who may look, and who may steer.\nBEGIN;\n");
    add_statements(&script, schema, roles, ROLES, error);
    text_add(&script, "COMMIT;\n");
    return script.data;
}

static void refuse_planted(const struct state *state, struct arena *arena, struct error *error) {
    struct rows *rows = state_ask(state, arena, "looking at who made the state schema", &sql_planted,
                                  (const char *[]){state->schema}, 1, error);
    if (!rows || !rows_count(rows)) return;
    fail(error, FAULT_REFUSED, "%s.%s belongs to role %s and would run code of that role with the rights of this one",
         state->schema, rows_text(rows, 0, 0), rows_text(rows, 0, 1));
    fail_hint(error,
              "pgwinnow has no views, triggers, rules, policies or functions on its tables: drop them, or use another "
              "schema (--schema)");
}

int schema_version(const struct state *state, struct arena *arena, struct error *error) {
    const char *values[] = {state->schema};
    struct rows *rows = state_ask(state, arena, "looking for the state schema", &sql_has_version, values, 1, error);
    bool there = rows && rows_flag(rows, 0, 0);
    refuse_planted(state, arena, error);
    if (!there || failed(error)) return 0;
    rows = state_ask(state, arena, "reading the version of the state schema", &sql_read_version, NULL, 0, error);
    int version = rows ? (int)rows_int(rows, 0, 0) : 0;
    if (version > STATE_VERSION) {
        fail(error, FAULT_REFUSED, "the state schema %s has version %d, this program knows %d", state->schema, version,
             STATE_VERSION);
        fail_hint(error, "use the newer pgwinnow that made it");
    }
    return version;
}

/* The group roles get their rights in the same breath, if they are there. */
static void create(const struct state *state, struct arena *arena, bool there, struct error *error) {
    frame_begin(state->slot, arena, error);
    for (size_t i = there; i < CREATIONS; i++)
        state_ask(state, arena, "creating the state schema", creation[i], NULL, 0, error);
    state_ask(state, arena, "creating the state schema", &sql_state_setting, NULL, 0, error);
    state_ask(state, arena, "granting rights to the group roles", &sql_grant_roles, NULL, 0, error);
    frame_end(state->slot, arena, error);
}

static void refuse_upgrade(const struct state *state, const char *owner, const char *user, int version,
                           struct error *error) {
    if (!version || !owner) return;
    fail(error, FAULT_REFUSED, "the state schema %s has version %d and must be upgraded to %d, by its owner, %s",
         state->schema, version, STATE_VERSION, owner);
    fail_hint(error, "let %s run `pgwinnow init`, or the output of `pgwinnow init --print`; it is not for %s", owner,
              user);
}

void schema_init(const struct state *state, struct arena *arena, struct error *error) {
    int version = schema_version(state, arena, error);
    if (version == STATE_VERSION || failed(error)) return;
    const char *values[] = {state->schema};
    struct rows *rows =
        state_ask(state, arena, "looking for the right to create the state schema", &sql_may_create, values, 1, error);
    if (!rows) return;
    const char *user = rows_text(rows, 0, 1), *database = rows_text(rows, 0, 2);
    refuse_upgrade(state, rows_text(rows, 0, 4), user, version, error);
    if (!rows_flag(rows, 0, 0)) {
        fail(error, FAULT_REFUSED, "role %s may not create the state schema %s in database %s", user, state->schema,
             database);
        fail_hint(error, "let a DBA run the output of `pgwinnow init --print`, or: GRANT CREATE ON DATABASE %s TO %s;",
                  sql_identifier(arena, database), sql_identifier(arena, user));
    }
    if (failed(error)) return;
    create(state, arena, rows_flag(rows, 0, 3), error);
    struct error look = error_new(arena); /* two may begin at once: somebody else has made it in this moment */
    if (failed(error) && error->fault == FAULT_FAILED && schema_version(state, arena, &look) == STATE_VERSION)
        error_clear(error);
}

const char *schema_lacking(const struct state *state, struct arena *arena, struct error *error) {
    const char *values[] = {state->schema};
    struct text lines = text_new(arena);
    struct rows *rows =
        state_ask(state, arena, "reading privileges on the state schema", &sql_missing_on_state, values, 1, error);
    for (int i = 0; rows && i < rows_count(rows); i++) text_addf(&lines, "%s\n", rows_text(rows, i, 0));
    return lines.data;
}

const char *schema_roles(const struct state *state, struct arena *arena, struct error *error) {
    frame_begin(state->slot, arena, error);
    for (size_t i = 0; i < ROLES; i++) state_ask(state, arena, "creating the group roles", roles[i], NULL, 0, error);
    frame_end(state->slot, arena, error);
    struct rows *rows = state_ask(state, arena, "looking for the group roles", &sql_missing_roles, NULL, 0, error);
    struct text missing = text_new(arena);
    for (int i = 0; rows && i < rows_count(rows); i++)
        text_addf(&missing, "%s%s", i ? ", " : "", rows_text(rows, i, 0));
    return missing.length ? missing.data : NULL;
}
