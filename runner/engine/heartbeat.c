/*
 * Taking the lease and keeping it. Nothing slow ever goes over this connection: while it is direct, its being there is
 * our sign of life for the next runner.
 */
#include "engine/heartbeat.h"

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "database/frame.h"
#include "sql/engine/heartbeat.sql.h"
#include "work/reconnect.h"
#include "work/record.h"

enum { LOOK_MS = 1000, PATIENCE_MS = 2000, POLL_MS = 100, ANSWER_MS = 15000, MOMENT_MS = 300, SILENT_MS = 5000 };

struct heartbeat {
    struct run *run;
    struct slot *slot;
    struct timer *timer;
    struct state state;
    bool direct;
    int answer;       /* index of the beat's own answer in its flush */
    int through;      /* of the answer about silent connections; -1: not asked */
    const char *text; /* of the beat */
    const char *values[3];
    struct recording recording; /* that goes along with the beat */
    struct reconnect reconnect;
    struct arena *scratch; /* of a try to connect again */
};

/* --- taking --- */

static void held(const struct run *run, const struct lease_holder *holder, struct error *error) {
    fail(error, FAULT_HELD, "run %lld of plan %s is held by %s", (long long)run->holder.run, run->plan->name,
         holder->holder);
    fail_detail(error, "its last sign of life was %.0f s ago", holder->age < 0 ? 0 : holder->age);
    fail_hint(error, "wait until it ends; `pgwinnow status` shows how far it is");
}

/* Told once: whoever started us wonders why nothing happens. */
static void tell_waiting(struct run *run, const struct lease_holder *holder) {
    if (run->progress.waiting) return;
    run->progress.waiting =
        arena_printf(run->arena, "%s may still hold the run; its lease ends %d s after its last beat", holder->holder,
                     LEASE_STALE_SECONDS);
    run->progress.waiting_since = clock_ms();
    run_tell(run, EVENT_NOTICE, run->progress.waiting, NULL);
}

/* A beat that comes while we look tells the living from the dead. A runner that was killed is gone as soon as its
 * server process has noticed, which takes a moment on a busy machine; one that is suspended, or behind a pooler where
 * we cannot see it, when its lease is stale. */
static int64_t take(struct heartbeat *h, struct arena *arena, struct error *error) {
    struct run *run = h->run;
    int64_t began = clock_ms(), fence = 0;
    double age = -1;
    while (!failed(error) && !(fence = lease_take(&h->state, arena, run->holder.run, h->direct, error))) {
        struct lease_holder *holder = lease_look(&h->state, arena, run->holder.run, error);
        if (!holder) break;
        if (age >= 0 && holder->age < age) held(run, holder, error);
        age = holder->age;
        if (clock_ms() - began > PATIENCE_MS) tell_waiting(run, holder);
        wire_sleep(run->wire, POLL_MS);
        if (stop_level() > 0) fail(error, FAULT_STOPPED, "stopped while waiting for the lease");
        run_check_stop(run, error);
    }
    run->progress.waiting = NULL;
    return fence;
}

/* --- keeping --- */

static bool silent(const struct slot *slot) { return slot && !slot_lost(slot) && slot_silent(slot) > SILENT_MS; }

/* Behind a pooler the process that we know is not the server's. */
static const char *silent_processes(const struct heartbeat *h) {
    const struct run *run = h->run;
    struct text pids = text_new(slot_arena(h->slot));
    for (size_t i = 0; h->direct && i < run->worker_count; i++)
        if (silent(run->workers[i])) text_addf(&pids, "%s%d", pids.length ? "," : "{", slot_backend(run->workers[i]));
    if (silent(run->outside)) text_addf(&pids, "%s%d", pids.length ? "," : "{", slot_backend(run->outside));
    if (pids.length) text_add(&pids, "}");
    return pids.length ? pids.data : NULL;
}

static void drop_silent(struct slot *slot, int pid) {
    if (silent(slot) && slot_backend(slot) == pid)
        slot_drop(slot, "the server has answered, and the answer did not come");
}

static void drop_through(const struct heartbeat *h, const struct rows *rows) {
    for (int i = 0; i < rows_count(rows); i++) {
        int pid = (int)rows_int(rows, i, 0);
        for (size_t w = 0; h->direct && w < h->run->worker_count; w++) drop_silent(h->run->workers[w], pid);
        drop_silent(h->run->outside, pid);
    }
}

/* Whoever sleeps shall hear of it at once; and nobody wants the result of what runs when all of it is cancelled. */
static void take_wish(struct run *run, const char *wanted, const char *role) {
    const char *wish = !wanted ? NULL : text_equal(wanted, "cancelled") ? "cancelled" : "paused";
    if (text_equal(wish, run->wanted)) return;
    run->wanted = wish;
    run->wanted_by = role ? arena_strdup(run->arena, role) : NULL;
    wire_wake(run->wire);
    if (run_cancelled(run)) wire_cancel(run->wire);
}

static void hear(void *context, int index, const struct rows *rows) {
    struct heartbeat *h = context;
    if (index == h->through) drop_through(h, rows);
    if (index != h->answer) return;
    if (rows_count(rows) == 0) {
        h->run->lease_lost = true;
        return;
    }
    take_wish(h->run, rows_text(rows, 0, 0), rows_text(rows, 0, 2));
    run_retune(h->run, rows_text(rows, 0, 1));
}

/* The settings of a run that is gone on with, and a pause that holds, count from its first statement on. */
static void first_beat(struct heartbeat *h, struct arena *arena, struct error *error) {
    struct rows *rows = ask(h->slot, arena, &(struct statement){"beating the lease", h->text, h->values, 3}, error);
    if (!rows || !rows_count(rows)) return;
    take_wish(h->run, rows_text(rows, 0, 0), rows_text(rows, 0, 2));
    run_retune(h->run, rows_text(rows, 0, 1));
}

/* Batches go on meanwhile, the fence protects them. It is tried for as long as the run lives; a server that is there
 * answers within a moment, and until it does we look dead to other runners. */
static void connect_again(struct heartbeat *h) {
    arena_reset(h->scratch);
    struct error error = error_new(h->scratch);
    int64_t began = clock_ms();
    while (!reconnect_turn(h->run, h->slot, &h->reconnect, &error) && h->reconnect.trying &&
           clock_ms() - began < MOMENT_MS)
        wire_wait(h->run->wire, MOMENT_MS / 10);
    if (failed(&error)) h->reconnect = (struct reconnect){.quiet = true};
}

static void ask_silent(struct heartbeat *h) {
    const char *pids = silent_processes(h);
    h->through = -1;
    if (!pids) return;
    const char *const *values = arena_copy(slot_arena(h->slot), &pids, sizeof pids);
    h->through = slot_queued(h->slot);
    slot_queue(h->slot, &(struct statement){"asking about connections that say nothing", sql_through.text, values, 1});
}

/* Behind the beat, which is committed by then: what cannot be written down costs the lease nothing. */
static void queue_recording(struct heartbeat *h) {
    h->recording = record_due(h->run, slot_arena(h->slot));
    for (int i = 0; i < h->recording.count; i++) slot_queue_framed(h->slot, &h->recording.statements[i]);
}

static void beaten(void *context, const struct error *error) {
    struct heartbeat *h = context;
    if (!error) record_written(h->run, &h->recording);
}

static void beat(void *context) {
    struct heartbeat *h = context;
    if (slot_busy(h->slot)) return;
    if (slot_lost(h->slot) || h->reconnect.trying) {
        connect_again(h);
        if (slot_lost(h->slot)) return;
    }
    slot_reset(h->slot);
    h->answer = slot_queue_framed(h->slot, &(struct statement){"beating the lease", h->text, h->values, 3});
    ask_silent(h);
    queue_recording(h);
    slot_flush(h->slot, &(struct slot_client){hear, beaten, h});
}

struct heartbeat *heartbeat_start(struct run *run, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    struct heartbeat *h = arena_alloc(run->arena, sizeof *h);
    h->run = run;
    h->slot = slot_open(run->wire, run->arena, run->url, "pgwinnow: lease", error);
    if (failed(error)) return NULL;
    frame_set(h->slot, run->arena, NULL);
    h->direct = !slot_pooled(h->slot, error);
    h->state = (struct state){h->slot, run->state.schema};
    run->holder.fence = take(h, scratch, error);
    h->text = lease_beat_text(run->arena, run->state.schema, error);
    h->values[0] = arena_printf(run->arena, "%lld", (long long)run->holder.run);
    h->values[1] = arena_printf(run->arena, "%lld", (long long)run->holder.fence);
    h->values[2] = h->direct ? "true" : "false";
    first_beat(h, scratch, error);
    arena_free(scratch);
    if (failed(error)) {
        slot_close(h->slot);
        return NULL;
    }
    reconnect_remember(run, h->slot, error);
    h->scratch = arena_new(run->arena);
    h->reconnect.quiet = true;
    slot_expect(h->slot, ANSWER_MS);
    h->timer = wire_every(run->wire, LOOK_MS, beat, h);
    return h;
}

void heartbeat_stop(struct heartbeat *h, struct error *error) {
    if (!h) return;
    wire_forget(h->run->wire, h->timer);
    while (slot_busy(h->slot)) wire_wait(h->run->wire, POLL_MS);
    struct arena *scratch = arena_new(h->run->arena);
    if (!slot_lost(h->slot) && !h->run->lease_lost) lease_release(&h->state, scratch, &h->run->holder, error);
    arena_free(scratch);
    slot_close(h->slot);
}
