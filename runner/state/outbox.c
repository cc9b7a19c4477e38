/* Events and the outbox as statements. Leaves what is in them to work/announce.c. */
#include "state/outbox.h"

#include "sql/state/outbox.sql.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

const char *outbox_uid(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, "reading the run's name for events", &sql_run_uid, values, 1, error);
    return rows && rows_count(rows) ? arena_strdup(arena, rows_text(rows, 0, 0)) : NULL;
}

const char *outbox_put_text(struct arena *arena, const char *schema, struct error *error) {
    return sql_expand(arena, &sql_put, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}
