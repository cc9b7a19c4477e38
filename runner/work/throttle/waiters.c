/* throttle.waiters: sessions that wait for a lock that this run holds. Any role may see them. */
#include "sql/work/throttle/waiters.sql.h"
#include "work/throttle/limit.h"

static bool on(const struct throttle_settings *s) { return s->waiters >= 0; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while %lld session%s wait%s for locks that it holds", (long long)s->waiters,
                        s->waiters == 1 ? "" : "s or more", s->waiters == 1 ? "s" : "");
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_waiters.text;
}

static const char *value(const struct look *look) { return look->application; }

static void judge(struct look *look, const struct rows *rows) {
    int64_t count = rows_int(rows, 0, 0), limit = look->settings->waiters;
    look->near = count < limit ? 0 : 1;
    if (count < limit) return;
    const char *what = rows_text(rows, 0, 2);
    look->reason = arena_printf(look->arena, "%lld session%s wait%s for locks of this run, pid %s%s%s among them",
                                (long long)count, count == 1 ? "" : "s", count == 1 ? "s" : "", rows_text(rows, 0, 1),
                                what ? " for " : "", what ? what : "");
    look->until =
        limit == 1 ? "nobody waits any more" : arena_printf(look->arena, "there are fewer than %lld", (long long)limit);
}

const struct limit waiters_limit = {
    .name = "waiters", .on = on, .about = about, .question = question, .value = value, .judge = judge};
