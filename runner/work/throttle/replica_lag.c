/*
 * throttle.replica_lag: how far the standbys are behind.
 *
 * Lag is the age of the newest of our own samples of the end of the WAL that a standby has replayed. So an idle
 * standby has none, a stopped or delayed one has more every second, and one that is gone counts as too much: expected
 * is every standby that was ever seen, that has a slot, or that the plan names.
 *
 * A standby that replays slower than the server writes falls behind by what is on its way when we stop, too. So the
 * time that it needs for what it has not replayed yet, at the speed seen so far, counts as lag in advance.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sql/work/throttle/replica_lag.sql.h"
#include "work/throttle/limit.h"
#include "work/throttle/samples.h"

enum { MOST_STANDBYS = 64, NAME_SIZE = 128, BUSY_BYTES = 1 << 20, LEAST_LOOK_MS = 50 };
static const double smoothing = 0.3, enough = 0.75; /* of the limit: it goes on again */

struct standby {
    char slot[NAME_SIZE], application[NAME_SIZE], address[NAME_SIZE];
    bool there;
    int64_t replayed, at; /* at the last look */
    int64_t backlog;
    double speed; /* bytes a ms while it was busy; 0: not known */
};

struct lag {
    struct samples samples; /* of the end of the WAL, by the server's clock */
    struct standby standbys[MOST_STANDBYS];
    size_t count;
};

static bool on(const struct throttle_settings *s) { return s->replica_lag.limit >= 0; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while a standby is more than %s behind or gone",
                        clock_text(arena, s->replica_lag.limit));
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_standbys.text;
}

/* --- who is there --- */

static bool named(const struct text_list *names, const char *name) {
    for (size_t i = 0; name && i < names->count; i++)
        if (text_equal(names->items[i], name)) return true;
    return false;
}

static const char *or_empty(const char *text) { return text ? text : ""; }

/* A slot is a name that stays; else the application's name at its address. */
static struct standby *find(struct lag *lag, const char *slot, const char *application, const char *address) {
    for (size_t i = 0; i < lag->count; i++) {
        struct standby *s = &lag->standbys[i];
        bool same = slot ? text_equal(s->slot, slot)
                         : !*s->slot && text_equal(s->application, application) && text_equal(s->address, address);
        if (same) return s;
    }
    if (lag->count == MOST_STANDBYS) return NULL;
    struct standby *s = &lag->standbys[lag->count++];
    *s = (struct standby){.at = 0};
    snprintf(s->slot, sizeof s->slot, "%s", or_empty(slot));
    snprintf(s->application, sizeof s->application, "%s", application);
    snprintf(s->address, sizeof s->address, "%s", address);
    return s;
}

static const char *name_of(struct arena *arena, const struct standby *s) {
    const char *name = *s->application ? s->application : s->slot;
    return *s->address ? arena_printf(arena, "%s (%s)", name, s->address) : name;
}

static bool ignored(const struct look *look, const struct standby *s) {
    const struct text_list *ignore = &look->settings->replica_lag.ignore;
    return named(ignore, s->application) || named(ignore, s->slot);
}

/* --- how far --- */

/* Its speed is known from times in which it had more to replay than it could. */
static void measure_speed(struct standby *s, int64_t replayed, int64_t now) {
    if (s->backlog < BUSY_BYTES || now <= s->at || replayed <= s->replayed) return;
    double speed = (double)(replayed - s->replayed) / (double)(now - s->at);
    s->speed = s->speed > 0 ? s->speed * (1 - smoothing) + speed * smoothing : speed;
}

static int64_t lag_of(const struct lag *lag, const struct standby *s, int64_t replayed, int64_t now, int64_t known) {
    bool passed;
    int64_t ms = samples_age(&lag->samples, replayed, now, &passed);
    if (!passed && known > ms) ms = known;
    int64_t ahead = s->backlog > BUSY_BYTES && s->speed > 0 ? (int64_t)((double)s->backlog / s->speed) : 0;
    return ahead > ms ? ahead : ms;
}

static void say_behind(struct look *look, const struct standby *s, int64_t ms) {
    int64_t limit = look->settings->replica_lag.limit;
    if (ms > look->lag_ms) look->lag_ms = ms;
    double near = (double)ms / (double)limit;
    if (near > look->near) look->near = near;
    if (near <= (look->held ? enough : 1) || look->reason) return;
    look->reason =
        arena_printf(look->arena, "standby %s is %s behind", name_of(look->arena, s), clock_text(look->arena, ms));
    look->until = arena_printf(look->arena, "that is less than %s", clock_text(look->arena, limit));
}

static void look_at(struct look *look, struct lag *lag, const struct rows *rows, int i) {
    struct standby *s =
        find(lag, rows_text(rows, i, 2), or_empty(rows_text(rows, i, 3)), or_empty(rows_text(rows, i, 4)));
    if (!s || rows_int(rows, i, 5) == 0) return;
    int64_t now = rows_int(rows, i, 0), end = rows_int(rows, i, 1), replayed = rows_int(rows, i, 6);
    snprintf(s->application, sizeof s->application, "%s", or_empty(rows_text(rows, i, 3)));
    s->there = true;
    measure_speed(s, replayed, now);
    s->backlog = end > replayed ? end - replayed : 0;
    s->replayed = replayed;
    s->at = now;
    if (!ignored(look, s)) say_behind(look, s, lag_of(lag, s, replayed, now, rows_int(rows, i, 7)));
}

/* --- who is missing --- */

static void say_gone(struct look *look, const char *name) {
    look->near = 1;
    if (look->reason) return;
    look->reason = arena_printf(look->arena, "standby %s is gone", name);
    look->until =
        "it is back, or named under `ignore` of `replica_lag`, or its slot is dropped and the run begun again";
}

static bool is_there(const struct lag *lag, const char *name) {
    for (size_t i = 0; i < lag->count; i++) {
        const struct standby *s = &lag->standbys[i];
        if (s->there && (text_equal(s->slot, name) || text_equal(s->application, name))) return true;
    }
    return false;
}

static void look_for_missing(struct look *look, const struct lag *lag) {
    const struct text_list *expect = &look->settings->replica_lag.expect;
    for (size_t i = 0; i < lag->count; i++)
        if (!lag->standbys[i].there && !ignored(look, &lag->standbys[i]))
            say_gone(look, name_of(look->arena, &lag->standbys[i]));
    for (size_t i = 0; i < expect->count; i++)
        if (!is_there(lag, expect->items[i])) say_gone(look, expect->items[i]);
}

/* Often enough to stop in time; where there is no standby, as often as the others. */
static int64_t next_look(const struct look *look, const struct lag *lag) {
    int64_t ms = look->settings->replica_lag.limit / 5;
    if (!lag->count || ms > LOOK_MS) return LOOK_MS;
    return ms < LEAST_LOOK_MS ? LEAST_LOOK_MS : ms;
}

static void judge(struct look *look, const struct rows *rows) {
    struct lag *lag = look->own;
    samples_add(&lag->samples, rows_int(rows, 0, 0), rows_int(rows, 0, 1));
    for (size_t i = 0; i < lag->count; i++) lag->standbys[i].there = false;
    for (int i = 0; i < rows_count(rows); i++)
        if (rows_text(rows, i, 5)) look_at(look, lag, rows, i);
    look_for_missing(look, lag);
    look->again = next_look(look, lag);
}

const struct limit replica_lag_limit = {.name = "replica_lag",
                                        .size = sizeof(struct lag),
                                        .on = on,
                                        .about = about,
                                        .question = question,
                                        .judge = judge,
                                        .measures_lag = true,
                                        .needs_stats = true};
