/* Beginning and ending transactions with all their settings. */
#include "work/session.h"

#include "database/frame.h"
#include "sql/work/session.sql.h"

enum { LATE_MS = 60000 }; /* an answer that comes so long after its statement_timeout does not come any more */
enum { IDLE_MS = 15000 }; /* a suspended runner with an open batch blocks a takeover for no longer than this */

struct session session_for(struct run *run, size_t step, struct arena *arena) {
    const struct lock_settings *locks = &run_settings(run, step)->locks;
    const char *name = step < run->plan->step_count ? run->plan->steps[step].name : "compile";
    return (struct session){.application = arena_printf(arena, "pgwinnow: %lld %s", (long long)run->holder.run, name),
                            .search_path = run->search_path,
                            .lock_timeout = locks->lock_timeout,
                            .statement_timeout = locks->statement_timeout,
                            .idle_timeout = IDLE_MS};
}

static const char *ms(struct arena *arena, int64_t n) { return arena_printf(arena, "%lldms", (long long)n); }

void session_statements(const struct session *s, struct arena *arena, struct statement out[SESSION_STATEMENTS]) {
    const char *values[] = {s->search_path,
                            s->application,
                            ms(arena, s->lock_timeout),
                            ms(arena, s->statement_timeout),
                            ms(arena, s->idle_timeout),
                            s->pinned && !s->hash_joins ? "off" : "on",
                            s->pinned ? "off" : "on"};
    enum { COUNT = sizeof values / sizeof *values };
    out[0] = (struct statement){.about = "beginning a transaction",
                                .text = s->read_only ? sql_begin_read.text : sql_begin_write.text};
    out[1] = (struct statement){.about = "setting up a transaction", .text = sql_no_timeout.text};
    out[2] = (struct statement){"setting up a transaction", sql_settings.text, arena_copy(arena, values, sizeof values),
                                COUNT};
    out[3] = (struct statement){.about = "making constraints immediate", .text = sql_immediate.text};
}

void session_expect(struct slot *slot, const struct session *session) {
    slot_expect(slot, session->statement_timeout ? session->statement_timeout + LATE_MS : 0);
}

void session_begin(struct slot *slot, struct arena *arena, const struct session *session, struct error *error) {
    if (failed(error)) return; /* there may be no slot */
    struct statement statements[SESSION_STATEMENTS];
    session_statements(session, arena, statements);
    session_expect(slot, session);
    ask_all(slot, arena, statements, SESSION_STATEMENTS, error); /* in one trip: never idle under the role's limit */
}

/* A lost connection has rolled back by itself. */
void session_end(struct slot *slot, struct arena *arena, struct error *error) {
    frame_end(slot, arena, error);
    slot_expect(slot, 0);
}
