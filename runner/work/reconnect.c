/* Tries, pauses, and what is asked of a server before it is written to again. */
#include "work/reconnect.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/stop.h"
#include "sql/work/reconnect.sql.h"

enum { PATIENCE_MS = 120000, FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000, TURN_MS = 50, TIMELINE_BASE = 16 };

/* --- which server is it? --- */

/* 0: not known. */
static int64_t timeline(struct slot *slot, struct arena *arena) {
    struct error ignored = error_new(arena);
    struct rows *rows =
        ask(slot, arena, &(struct statement){.about = "asking for the timeline", .text = sql_timeline.text}, &ignored);
    const char *text = rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    return text ? strtoll(text, NULL, TIMELINE_BASE) : 0;
}

static int64_t steps_done(const struct run *run) {
    int64_t done = 0;
    for (size_t i = 0; i < run->plan->step_count; i++) done += run->shown[i].state == STEP_DONE;
    return done;
}

/* It may lack even the tables of the state. */
static bool knows(struct run *run, struct slot *slot, struct arena *arena, struct error *error) {
    struct error asking = error_new(arena);
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run),
                            arena_printf(arena, "%zu", run->plan->step_count)};
    const char *text =
        sql_expand(arena, &sql_known, (struct binding[]){{"state", run->state.schema}, {NULL, NULL}}, &asking);
    struct rows *rows =
        ask(slot, arena, &(struct statement){"looking at what the server knows of the run", text, values, 2}, &asking);
    if (asking.fault == FAULT_CONNECTION) error_promote(error, &asking);
    return rows && rows_int(rows, 0, 0) >= run->holder.fence && rows_int(rows, 0, 1) >= steps_done(run);
}

static void check_known(struct run *run, struct slot *slot, struct arena *arena, struct error *error) {
    if (knows(run, slot, arena, error) || failed(error) || slot_lost(slot)) return;
    run->lost_history = arena_printf(run->arena, "the server at %s lacks what run %lld had committed last",
                                     slot_host(slot), (long long)run->holder.run);
    run_check_stop(run, error);
}

/* False: this server is not to be used. */
static bool right_server(struct run *run, struct slot *slot, struct error *error) {
    if (!run->holder.fence) return true;
    struct arena *arena = arena_new(run->arena);
    int64_t now = run->timeline ? timeline(slot, arena) : 0;
    if (now && now < run->timeline) slot_drop(slot, "it is a server that was replaced");
    if (now > run->timeline) {
        run->timeline = now;
        run_tell(run, EVENT_NOTICE,
                 arena_printf(run->arena, "the server at %s took over (timeline %lld); going on there", slot_host(slot),
                              (long long)now),
                 NULL);
    }
    if (!slot_lost(slot)) check_known(run, slot, arena, error);
    arena_free(arena);
    return !failed(error) && !slot_lost(slot);
}

void reconnect_remember(struct run *run, struct slot *slot, struct error *error) {
    if (failed(error)) return;
    struct arena *arena = arena_new(run->arena);
    run->timeline = timeline(slot, arena);
    arena_free(arena);
}

/* --- tries --- */

static void show(struct run *run, const struct reconnect *r, const char *why) {
    struct progress *p = &run->progress;
    if (r->quiet) return;
    if (!p->waiting) p->waiting_since = r->since;
    p->waiting = why ? arena_printf(run->arena, "the connection is lost; trying again (%s)", why)
                     : "the connection is lost; trying again";
}

static void rest(struct reconnect *r) {
    int64_t pause = FIRST_PAUSE_MS;
    for (int i = 0; i < r->tries && pause < LONGEST_PAUSE_MS; i++) pause *= 2;
    r->tries++;
    r->due = clock_ms() + clock_jitter(pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS, 0.2);
}

/* `why` is not set when it was the wrong server. */
static void tried_in_vain(struct run *run, struct reconnect *r, const struct error *why, struct error *error) {
    rest(r);
    show(run, r, why->message);
    if (clock_ms() - r->since < PATIENCE_MS && stop_level() == 0) return;
    if (stop_level() > 0) run_check_stop(run, error);
    error_promote(error, why);
    fail(error, FAULT_CONNECTION, "the server that answers is one that was replaced; the one that took over does not");
    error->final = true;
}

static bool try_over(struct run *run, struct slot *slot, struct reconnect *r, struct error *error) {
    struct error why = error_new(error->arena);
    r->trying = false;
    if (slot_reopened(slot, &why) && right_server(run, slot, error)) {
        if (!r->quiet) run->progress.waiting = NULL;
        *r = (struct reconnect){.quiet = r->quiet};
        return true;
    }
    if (!failed(error)) tried_in_vain(run, r, &why, error);
    return false;
}

bool reconnect_turn(struct run *run, struct slot *slot, struct reconnect *r, struct error *error) {
    if (failed(error)) return false;
    if (!r->since) r->since = r->due = clock_ms();
    if (!r->trying) {
        if (clock_ms() < r->due) return false;
        show(run, r, NULL);
        r->trying = true;
        slot_reopen_begin(slot);
    }
    return !slot_connecting(slot) && try_over(run, slot, r, error);
}

bool reconnect(struct run *run, struct slot *slot, struct error *error) {
    struct reconnect r = {0};
    if (!slot_lost(slot)) return !failed(error);
    while (!failed(error) && !reconnect_turn(run, slot, &r, error)) wire_wait(run->wire, TURN_MS);
    run->progress.waiting = NULL;
    return !failed(error);
}
