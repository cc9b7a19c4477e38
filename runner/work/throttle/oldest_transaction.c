/*
 * throttle.oldest_transaction: what keeps dead rows from being vacuumed, so that every batch would only add to them.
 * For standbys and slots the server knows a transaction's number and no time: samples of our own tell the least age.
 */
#include "base/clock.h"
#include "sql/work/throttle/oldest_transaction.sql.h"
#include "work/throttle/limit.h"
#include "work/throttle/samples.h"

static bool on(const struct throttle_settings *s) { return s->oldest_transaction >= 0; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while something keeps rows from being vacuumed for more than %s",
                        clock_text(arena, s->oldest_transaction));
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_holders.text;
}

static const char *value(const struct look *look) { return look->application; }

static int64_t age_of(const struct samples *samples, const struct rows *rows, int i) {
    bool passed;
    if (rows_text(rows, i, 3)) return rows_int(rows, i, 3);
    return samples_age(samples, rows_int(rows, i, 4), rows_int(rows, i, 0), &passed);
}

static void judge(struct look *look, const struct rows *rows) {
    struct samples *samples = look->own;
    int64_t limit = look->settings->oldest_transaction, oldest = 0;
    const char *what = NULL;
    samples_add(samples, rows_int(rows, 0, 0), rows_int(rows, 0, 1));
    for (int i = 0; i < rows_count(rows); i++) {
        int64_t age = rows_text(rows, i, 2) ? age_of(samples, rows, i) : 0;
        if (age <= oldest) continue;
        oldest = age;
        what = rows_text(rows, i, 2);
    }
    if (oldest <= limit) return;
    look->near = 1;
    look->reason =
        arena_printf(look->arena, "%s has kept rows from being vacuumed for %s", what, clock_text(look->arena, oldest));
    look->until =
        arena_printf(look->arena, "it ends, or nothing older than %s is left", clock_text(look->arena, limit));
}

const struct limit oldest_transaction_limit = {.name = "oldest_transaction",
                                               .size = sizeof(struct samples),
                                               .on = on,
                                               .about = about,
                                               .question = question,
                                               .value = value,
                                               .judge = judge,
                                               .needs_stats = true};
