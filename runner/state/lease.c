/* Taking, keeping and giving back the lease of a run. */
#include "state/lease.h"

#include <limits.h>
#include <pwd.h>
#include <unistd.h>

#include "sql/state/lease.sql.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

struct lease_holder *lease_look(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, "looking at the lease", &sql_look, values, 1, error);
    if (!rows || rows_count(rows) == 0) return NULL;
    struct lease_holder *holder = arena_alloc(arena, sizeof *holder);
    *holder = (struct lease_holder){rows_text(rows, 0, 0), rows_number(rows, 0, 1)};
    return holder;
}

const char *lease_ourselves(struct arena *arena) {
    char host[HOST_NAME_MAX + 1] = "?";
    gethostname(host, sizeof host - 1);
    const struct passwd *user = getpwuid(geteuid());
    return arena_printf(arena, "%s@%s pid %ld", user ? user->pw_name : "?", host, (long)getpid());
}

int64_t lease_take(const struct state *state, struct arena *arena, int64_t run, bool direct, struct error *error) {
    const char *values[] = {number(arena, run), lease_ourselves(arena), direct ? "true" : "false",
                            number(arena, LEASE_STALE_SECONDS)};
    struct rows *rows = state_ask(state, arena, "taking the lease", &sql_take, values, 4, error);
    return rows && rows_count(rows) ? rows_int(rows, 0, 0) : 0;
}

void lease_release(const struct state *state, struct arena *arena, const struct holder *holder, struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence)};
    state_ask(state, arena, "giving the lease back", &sql_release, values, 2, error);
}

static const char *expand(struct arena *arena, const char *schema, const struct sql *sql, struct error *error) {
    return sql_expand(arena, sql, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}

const char *lease_beat_text(struct arena *arena, const char *schema, struct error *error) {
    return expand(arena, schema, &sql_beat, error);
}

const char *lease_hold_text(struct arena *arena, const char *schema, struct error *error) {
    return expand(arena, schema, &sql_hold, error);
}

const char *lease_counts_text(struct arena *arena, const char *schema, struct error *error) {
    return expand(arena, schema, &sql_counts, error);
}

const char *lease_checkpoint_text(struct arena *arena, const char *schema, struct error *error) {
    return expand(arena, schema, &sql_checkpoint, error);
}
