/* Taking rights back that nobody meant to give. */
#include "state/private.h"

#include "sql/state/private.sql.h"

void private_keep(const struct state *state, struct arena *arena, struct error *error) {
    static const char about[] = "keeping tables of a run to their owner";
    if (failed(error)) return;
    const char *values[] = {state->schema};
    struct rows *rows = state_ask(state, arena, about, &sql_shared_tables, values, 1, error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        const struct binding bindings[] = {
            {"table", rows_text(rows, i, 0)}, {"grantees", rows_text(rows, i, 1)}, {NULL, NULL}};
        const char *text = sql_expand(arena, &sql_revoke_shared, bindings, error);
        ask(state->slot, arena, &(struct statement){.about = about, .text = text}, error);
    }
}
