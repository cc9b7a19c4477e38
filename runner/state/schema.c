/* Creating, checking and printing the state schema. */
#include "state/schema.h"

#include <stdlib.h>

#include "base/text.h"
#include "database/frame.h"
#include "sql/state/schema.sql.h"

static const struct sql *const creation[] = {
    &sql_create_schema,        &sql_create_version,         &sql_create_runs,     &sql_widen_runs_states,
    &sql_drop_runs_unfinished, &sql_create_runs_unfinished, &sql_create_lease,    &sql_create_steps,
    &sql_create_batches,       &sql_create_objects,         &sql_create_archives, &sql_add_runs_lane,
    &sql_add_runs_waiting,     &sql_add_lease_entered,      &sql_create_lanes,    &sql_open_lanes,
    &sql_create_acts,          &sql_create_locks,           &sql_mark_version};
enum { CREATIONS = sizeof creation / sizeof *creation };

static const char *expand(struct arena *arena, const char *schema, const struct sql *sql, struct error *error) {
    return sql_expand(arena, sql, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}

struct rows *state_ask(const struct state *state, struct arena *arena, const char *about, const struct sql *sql,
                       const char *const *values, int count, struct error *error) {
    const char *text = expand(arena, state->schema, sql, error);
    return ask(state->slot, arena, &(struct statement){about, text, values, count}, error);
}

const char *schema_script(struct arena *arena, const char *schema, struct error *error) {
    struct text script = text_new(arena);
    text_addf(&script,
              "-- The state schema of pgwinnow, version %d. Run it as the role that will run plans, or grant that\n"
              "-- role ALL on the schema and its tables afterwards.\nBEGIN;\n",
              STATE_VERSION);
    for (size_t i = 0; i < CREATIONS; i++) {
        const char *text = expand(arena, schema, creation[i], error);
        if (text) text_addf(&script, "%s;\n", text);
    }
    text_add(&script, "COMMIT;\n");
    return script.data;
}

int schema_version(const struct state *state, struct arena *arena, struct error *error) {
    const char *values[] = {state->schema};
    struct rows *rows = state_ask(state, arena, "looking for the state schema", &sql_has_version, values, 1, error);
    if (!rows || !rows_flag(rows, 0, 0)) return 0;
    rows = state_ask(state, arena, "reading the version of the state schema", &sql_read_version, NULL, 0, error);
    int version = rows ? (int)rows_int(rows, 0, 0) : 0;
    if (version > STATE_VERSION) {
        fail(error, FAULT_REFUSED, "the state schema %s has version %d, this program knows %d", state->schema, version,
             STATE_VERSION);
        fail_hint(error, "use the newer pgwinnow that made it");
    }
    return version;
}

static void create(const struct state *state, struct arena *arena, struct error *error) {
    frame_begin(state->slot, arena, error);
    for (size_t i = 0; i < CREATIONS; i++)
        state_ask(state, arena, "creating the state schema", creation[i], NULL, 0, error);
    frame_end(state->slot, arena, error);
}

void schema_init(const struct state *state, struct arena *arena, struct error *error) {
    if (schema_version(state, arena, error) == STATE_VERSION || failed(error)) return;
    const char *values[] = {state->schema};
    struct rows *rows =
        state_ask(state, arena, "looking for the right to create the state schema", &sql_may_create, values, 1, error);
    if (rows && !rows_flag(rows, 0, 0)) {
        fail(error, FAULT_REFUSED, "role %s may not create the state schema %s in database %s", rows_text(rows, 0, 1),
             state->schema, rows_text(rows, 0, 2));
        fail_hint(error, "let a DBA run the output of `pgwinnow init --print`, or: GRANT CREATE ON DATABASE %s TO %s;",
                  sql_identifier(arena, rows_text(rows, 0, 2)), sql_identifier(arena, rows_text(rows, 0, 1)));
    }
    if (!failed(error)) create(state, arena, error);
}
