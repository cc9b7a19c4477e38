/* throttle.wal_rate: how fast the whole server writes WAL, over the last seconds. */
#include <string.h>

#include "sql/work/throttle/wal_rate.sql.h"
#include "work/throttle/limit.h"

enum { KEPT = 4 }; /* looks: three seconds */

struct written {
    int64_t at[KEPT], bytes[KEPT]; /* the newest last */
    size_t count;
};

static bool on(const struct throttle_settings *s) { return s->wal_rate >= 0; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while the server writes more than %s of WAL a second", look_size(arena, s->wal_rate));
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_wal_position.text;
}

/* A position behind the last one: another server took over, and its WAL is counted from there. */
static void keep(struct written *w, int64_t at, int64_t bytes) {
    if (w->count && bytes < w->bytes[w->count - 1]) w->count = 0;
    if (w->count == KEPT) {
        memmove(w->at, w->at + 1, (KEPT - 1) * sizeof *w->at);
        memmove(w->bytes, w->bytes + 1, (KEPT - 1) * sizeof *w->bytes);
        w->count--;
    }
    w->at[w->count] = at;
    w->bytes[w->count++] = bytes;
}

static void judge(struct look *look, const struct rows *rows) {
    struct written *w = look->own;
    keep(w, rows_int(rows, 0, 0), rows_int(rows, 0, 1));
    int64_t ms = w->at[w->count - 1] - w->at[0], limit = look->settings->wal_rate;
    if (ms <= 0) return;
    double rate = (double)(w->bytes[w->count - 1] - w->bytes[0]) * 1000 / (double)ms;
    look->near = rate / (double)limit;
    if (rate <= (double)limit) return;
    look->reason =
        arena_printf(look->arena, "the server writes %s of WAL a second", look_size(look->arena, (int64_t)rate));
    look->until = arena_printf(look->arena, "it writes no more than %s a second", look_size(look->arena, limit));
}

const struct limit wal_rate_limit = {
    .name = "wal_rate", .size = sizeof(struct written), .on = on, .about = about, .question = question, .judge = judge};
