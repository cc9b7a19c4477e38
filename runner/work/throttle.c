/*
 * The connection that watches the server, and what its answers come to. One question is on its way at a time; the next
 * is chosen when it is answered, or by the timer. Owns run->hold; the judgements are the sources'.
 */
#include "work/throttle.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "sql/work/throttle.sql.h"
#include "work/announce.h"
#include "work/pause.h"
#include "work/reconnect.h"
#include "work/session.h"
#include "work/throttle/limit.h"

enum {
    TICK_MS = 50,
    DEAD_MS = 20000,    /* and then the connection is taken for dead: the server's own limit is a second */
    WRITE_MS = 2000,    /* between two versions of runs.waiting: how far a standby is behind changes all the time */
    TELL_MS = 1000,     /* shorter waits are not worth a line */
    ANSWER_MS = 1000,   /* the server's limit for a question */
    PATIENCE_MS = 5000, /* no answer for that long is too much */
    SOURCES = 16,
    TEXT_SIZE = 400,
    NAME_SIZE = 40
};

struct watched {
    const struct limit *limit;
    void *own;
    int64_t due; /* clock_ms of its next look */
    bool asked;  /* there was an answer, or an error */
    bool held;
    char reason[TEXT_SIZE], until[TEXT_SIZE];
    double near;
};

struct throttle {
    struct run *run;
    struct arena *scratch;
    struct slot *slot; /* NULL: none was wanted yet */
    struct timer *timer;
    struct watched watched[SOURCES];
    size_t count;
    struct watched *asking; /* whose question is on its way; NULL: none, or what we write */
    struct look look;
    int question; /* its index among the statements that are on their way */
    bool failed;  /* the last transaction failed, and is still open */
    int64_t sent, open_at, write_at;
    struct reconnect reconnect;
    int64_t timeline; /* of the server that the sources remember */
    char reason[TEXT_SIZE + NAME_SIZE], until[TEXT_SIZE], lost[TEXT_SIZE];
    char written[TEXT_SIZE + NAME_SIZE]; /* what runs.waiting says */
    bool told, dirty;                    /* events; runs.waiting is yet to be written */
    struct pending pending;              /* events that are written with it; last 0: none */
};

static const struct throttle_settings *settings_of(const struct throttle *t) {
    return &run_settings(t->run, t->run->step)->throttle;
}

static void keep(char *to, const char *text) { snprintf(to, TEXT_SIZE, "%s", text ? text : ""); }

/* --- what it comes to --- */

static const struct watched *first_held(const struct throttle *t) {
    for (size_t i = 0; i < t->count; i++)
        if (t->watched[i].held) return &t->watched[i];
    return NULL;
}

static double nearest(const struct throttle *t) {
    double near = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->watched[i].near > near) near = t->watched[i].near;
    return near;
}

/* The first reason in the table's order is the one that is shown. */
static void settle(struct throttle *t) {
    struct hold *hold = &t->run->hold;
    const struct watched *w = first_held(t);
    hold->near = nearest(t);
    if (*t->lost) {
        snprintf(t->reason, sizeof t->reason, "%s", t->lost);
        keep(t->until, "the server answers again");
    } else if (w) {
        snprintf(t->reason, sizeof t->reason, "%s: %s", w->limit->name, w->reason);
        keep(t->until, w->until);
    }
    bool held = *t->lost || w;
    hold->reason = held ? t->reason : NULL;
    hold->until = held && *t->until ? t->until : NULL;
}

static void tell_cleared(struct throttle *t) {
    int64_t ms = clock_ms() - t->run->hold.since;
    const char *message = arena_printf(t->scratch, "waited %s; %s", clock_text(t->scratch, ms), t->reason);
    announce_later(t->run, EVENT_THROTTLE_CLEARED, message, NULL);
    arena_reset(t->scratch);
}

/* Events and runs.waiting: when a second was waited, and when it is over. */
static void tell(struct throttle *t) {
    struct hold *hold = &t->run->hold;
    int64_t now = clock_ms(), give_up = settings_of(t)->give_up;
    if (!hold->reason) {
        if (t->told) tell_cleared(t);
        if (t->told) t->dirty = true;
        t->write_at = 0;
        t->told = hold->obeyed = false;
        return;
    }
    if (!hold->obeyed) return;
    if (give_up > 0 && now - hold->since >= give_up) hold->gave_up = now - hold->since;
    if (now - hold->since < TELL_MS) return;
    if (!text_equal(t->written, t->reason)) t->dirty = true;
    if (t->told) return;
    t->told = true;
    announce_later(t->run, EVENT_THROTTLE_WAITING, hold->reason, hold->until);
}

/* --- asking --- */

static void ask_next(struct throttle *t);

static void hear(void *context, int index, const struct rows *rows) {
    struct throttle *t = context;
    if (index != t->question || !t->asking) return;
    t->look.own = t->asking->own;
    t->asking->limit->judge(&t->look, rows);
}

/* No answer is too much. */
static void judge_error(struct throttle *t, const struct error *error) {
    t->look.reason = text_equal(error->sqlstate, "57014")
                         ? "the server took more than a second to answer"
                         : arena_printf(t->look.arena, "no answer: %s", error->message);
    t->look.until = "the server answers";
    t->look.near = 1;
}

static void answered(void *context, const struct error *error) {
    struct throttle *t = context;
    struct watched *w = t->asking;
    t->asking = NULL;
    if (slot_lost(t->slot)) return;
    t->failed = error != NULL;
    if (error) judge_error(t, error);
    w->held = t->look.reason != NULL;
    w->near = t->look.near;
    w->asked = true;
    if (w->limit->measures_lag) t->run->lag_ms = error ? -1 : t->look.lag_ms;
    w->due = clock_ms() + t->look.again;
    if (w->held) keep(w->reason, t->look.reason);
    keep(w->until, t->look.until);
    *t->lost = '\0';
    settle(t);
    ask_next(t);
}

/* After an error the last transaction is still open. */
static void begin(struct throttle *t, bool read_only) {
    slot_reset(t->slot);
    struct arena *arena = slot_arena(t->slot);
    const char *application = arena_printf(arena, "pgwinnow: %lld ", (long long)t->run->holder.run);
    struct session session = session_for(t->run, t->run->step, arena);
    struct statement statements[SESSION_STATEMENTS];
    session.application = arena_printf(arena, "%sthrottle", application);
    session.read_only = read_only;
    session.statement_timeout = session.lock_timeout = ANSWER_MS;
    session_statements(&session, arena, statements);
    t->look = (struct look){
        .arena = arena, .settings = settings_of(t), .application = application, .again = LOOK_MS, .lag_ms = -1};
    t->question = SESSION_STATEMENTS + t->failed;
    t->sent = clock_ms();
    if (t->failed) slot_queue(t->slot, &(struct statement){.about = "rolling back", .text = "ROLLBACK"});
    for (int i = 0; i < SESSION_STATEMENTS; i++) slot_queue(t->slot, &statements[i]);
}

static void ask_limit(struct throttle *t, struct watched *w) {
    begin(t, true);
    struct error error = error_new(t->look.arena);
    const char **values = arena_alloc(t->look.arena, sizeof *values);
    t->asking = w;
    t->look.held = w->held;
    *values = w->limit->value ? w->limit->value(&t->look) : NULL;
    slot_queue(t->slot,
               &(struct statement){"looking", w->limit->question(&t->look, &error), values, w->limit->value != NULL});
    slot_queue(t->slot, &(struct statement){.about = "ending a look", .text = "COMMIT"});
    slot_flush(t->slot, &(struct slot_client){hear, answered, t});
}

static void written(void *context, const struct error *error) {
    struct throttle *t = context;
    t->failed = error && !slot_lost(t->slot);
    t->dirty = error != NULL;
    t->write_at = clock_ms() + WRITE_MS;
    if (error) t->written[0] = '\0';
    if (!error && t->pending.last) announce_written(t->run, &t->pending);
}

/* runs.waiting, for status, and the events that tell it. */
static void write_waiting(struct throttle *t) {
    const struct run *run = t->run;
    snprintf(t->written, sizeof t->written, "%s", t->told ? t->reason : "");
    begin(t, false);
    struct arena *arena = t->look.arena;
    struct error error = error_new(arena);
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run),
                            arena_printf(arena, "%lld", (long long)run->holder.fence), t->told ? t->reason : NULL,
                            *t->until ? t->until : NULL,
                            arena_printf(arena, "%lld", (long long)(clock_ms() - run->hold.since))};
    const char *text =
        sql_expand(arena, &sql_say_waiting, (struct binding[]){{"state", run->state.schema}, {NULL, NULL}}, &error);
    slot_queue(t->slot, &(struct statement){"saying why it waits", text, arena_copy(arena, values, sizeof values), 5});
    if (!announce_pending(t->run, arena, &t->pending)) t->pending.last = 0;
    if (t->pending.last) slot_queue(t->slot, &t->pending.statement);
    slot_queue(t->slot, &(struct statement){.about = "saying why it waits", .text = "COMMIT"});
    slot_flush(t->slot, &(struct slot_client){NULL, written, t});
}

static void switch_off(struct throttle *t, struct watched *w) {
    if (w->limit->measures_lag) t->run->lag_ms = -1;
    w->held = false;
    w->near = 0;
    w->due = 0;
}

static void ask_next(struct throttle *t) {
    const struct throttle_settings *settings = settings_of(t);
    int64_t now = clock_ms();
    if (t->dirty && now >= t->write_at) {
        write_waiting(t);
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct watched *w = &t->watched[i];
        if (!w->limit->on(settings)) {
            switch_off(t, w);
        } else if (w->due <= now) {
            ask_limit(t, w);
            return;
        }
    }
}

/* --- the connection --- */

static bool any_on(const struct throttle *t) {
    for (size_t i = 0; i < t->count; i++)
        if (t->watched[i].limit->on(settings_of(t))) return true;
    return false;
}

static void open_slot(struct throttle *t, struct error *error) {
    struct arena *arena = arena_new(t->run->arena);
    t->slot = slot_open(t->run->wire, arena, t->run->url, "pgwinnow: throttle", error);
    if (!t->slot) arena_free(arena);
    t->open_at = clock_ms() + LOOK_MS;
}

/* A server that took over has its own standbys: those of the other one are not to be waited for. */
static void see_anew(struct throttle *t) {
    t->failed = false;
    for (size_t i = 0; i < t->count; i++) t->watched[i].due = 0;
    if (t->timeline == t->run->timeline) return;
    t->timeline = t->run->timeline;
    for (size_t i = 0; i < t->count; i++) memset(t->watched[i].own, 0, t->watched[i].limit->size);
}

/* What cannot be seen is too much. The run goes on trying as long as it lives: its own connections say when to end. */
static void connect_again(struct throttle *t) {
    bool first = !t->slot;
    t->asking = NULL;
    t->run->lag_ms = -1;
    struct arena *scratch = arena_new(t->run->arena);
    struct error error = error_new(scratch);
    if (!t->slot && clock_ms() >= t->open_at) open_slot(t, &error);
    if (!first && reconnect_turn(t->run, t->slot, &t->reconnect, &error)) see_anew(t);
    if (failed(&error)) t->reconnect = (struct reconnect){.quiet = true};
    if (!first || failed(&error)) keep(t->lost, "the connection that watches the server was lost");
    arena_free(scratch);
}

static void tick(void *context) {
    struct throttle *t = context;
    bool on = any_on(t);
    if (!on && !t->dirty) *t->lost = '\0';
    bool away =
        !t->slot || slot_lost(t->slot) || t->reconnect.since; /* since: begun, and not found to be the right one */
    if ((on || t->dirty) && away)
        connect_again(t);
    else if (!away && !slot_busy(t->slot))
        ask_next(t);
    else if (!away && clock_ms() - t->sent > PATIENCE_MS)
        keep(t->lost, "the server does not answer the questions of the throttle");
    if (!away && slot_busy(t->slot) && clock_ms() - t->sent > DEAD_MS) slot_drop(t->slot, "the throttle got no answer");
    settle(t);
    tell(t);
}

static bool all_asked(const struct throttle *t) {
    for (size_t i = 0; i < t->count; i++)
        if (t->watched[i].limit->on(settings_of(t)) && !t->watched[i].asked) return false;
    return true;
}

struct throttle *throttle_start(struct run *run, struct error *error) {
    if (failed(error)) return NULL;
    struct throttle *t = arena_alloc(run->arena, sizeof *t);
    t->run = run;
    t->reconnect.quiet = true;
    t->timeline = run->timeline;
    t->scratch = arena_new(run->arena);
    for (; limit_table[t->count]; t->count++) {
        const struct limit *limit = limit_table[t->count];
        t->watched[t->count] = (struct watched){.limit = limit, .own = arena_alloc(run->arena, limit->size + 1)};
    }
    open_slot(t, error);
    if (failed(error)) return NULL;
    t->timer = wire_every(run->wire, TICK_MS, tick, t);
    int64_t due = clock_ms() + PATIENCE_MS;
    while (!all_asked(t) && clock_ms() < due && stop_level() == 0) wire_wait(run->wire, TICK_MS);
    return t;
}

void throttle_stop(struct throttle *t) {
    if (!t) return;
    wire_forget(t->run->wire, t->timer);
    int64_t due = clock_ms() + 2 * ANSWER_MS;
    while (t->slot && slot_busy(t->slot) && clock_ms() < due) wire_wait(t->run->wire, TICK_MS);
    slot_close(t->slot);
    t->run->lag_ms = -1;
    t->run->hold = (struct hold){0};
}

/* --- those who obey --- */

bool throttle_holds(struct run *run) {
    struct hold *hold = &run->hold;
    struct progress *progress = &run->progress;
    if (!hold->reason) {
        if (hold->shown && progress->waiting == hold->shown) progress->waiting = NULL;
        hold->shown = NULL;
        return false;
    }
    if (!hold->obeyed) hold->since = clock_ms();
    hold->obeyed = true;
    progress->waiting = hold->shown = hold->reason;
    progress->until = hold->until;
    progress->waiting_since = hold->since;
    return true;
}

void throttle_wait(struct run *run, struct error *error) {
    pause_point(run, error);
    while (!failed(error) && throttle_holds(run)) {
        wire_wait(run->wire, LOOK_MS);
        pause_point(run, error);
    }
}
