/* throttle.slot_lag: WAL that a replication slot holds back fills the disk. */
#include "sql/work/throttle/slot_lag.sql.h"
#include "work/throttle/limit.h"

static bool on(const struct throttle_settings *s) { return s->slot_lag >= 0; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while a replication slot holds back more than %s of WAL",
                        look_size(arena, s->slot_lag));
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_slot_lag.text;
}

static void judge(struct look *look, const struct rows *rows) {
    if (rows_count(rows) == 0) return;
    int64_t bytes = rows_int(rows, 0, 1), limit = look->settings->slot_lag;
    look->near = (double)bytes / (double)limit;
    if (bytes <= limit) return;
    look->reason = arena_printf(look->arena, "the %s replication slot %s holds back %s of WAL",
                                rows_flag(rows, 0, 2) ? "active" : "inactive", rows_text(rows, 0, 0),
                                look_size(look->arena, bytes));
    look->until = arena_printf(look->arena, "it holds back no more than %s", look_size(look->arena, limit));
}

const struct limit slot_lag_limit = {
    .name = "slot_lag", .on = on, .about = about, .question = question, .judge = judge};
