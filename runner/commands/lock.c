/* pgwinnow lock: run a command only while holding a lease in the database. One leader at a time. */
#include <stdio.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "commands/desk.h"
#include "commands/guarded.h"
#include "state/locks.h"
#include "state/published.h"

#define AT(field) offsetof(struct command_line, field)

static const struct command_option lock_command_options[] = {
    {"ttl", ARGUMENT_DURATION, AT(ttl), "TIME",
     "so long after our last sign of life somebody else may take the lock (60s); it is beaten five times as often",
     NULL},
    {"wait", ARGUMENT_DURATION, AT(wait), "TIME", "wait so long while somebody else has it; else exit code 4", NULL},
    {0},
};

enum { TTL_MS = 60000, LEAST_TTL_MS = 1000, MOST_BEAT_MS = 5000, MOST_GRACE_MS = 10000, LOOK_MS = 500, TURN_MS = 1000 };

struct holding {
    struct arena *arena;
    struct state state;
    const char *name, *command;
    int64_t ttl, fence;
    const char *beat; /* its text */
    const char *values[2];
    int answer;            /* its index in the flush */
    int64_t sent, renewed; /* clock_ms: of the beat on its way; of the last that came through, when it was sent */
    struct guarded guarded;
    bool refused; /* a beat found somebody else, or nothing */
};

/* --- taking --- */

static void told_held(const struct holding *h, struct error *error) {
    size_t count;
    struct lock_holder *held = locks_held(&h->state, h->arena, h->name, &count, error);
    fail(error, FAULT_HELD, "lock %s is held%s%s", h->name, count ? " by " : "", count ? held->holder : "");
    if (count)
        fail_detail(error, "for %s, running: %s\nits last sign of life was %s ago; it lasts %s",
                    clock_text(error->arena, held->held_ms), held->command, clock_text(error->arena, held->quiet_ms),
                    clock_text(error->arena, held->ttl_ms));
    fail_hint(error, "--wait 10min waits for it");
}

static void take(struct holding *h, int64_t wait, struct error *error) {
    int64_t began = clock_ms();
    while (!failed(error)) {
        struct arena *scratch = arena_new(h->arena);
        h->renewed = clock_ms();
        h->fence = locks_take(&h->state, scratch, h->name, h->command, h->ttl, error);
        arena_free(scratch);
        if (h->fence || failed(error)) return;
        if (clock_ms() - began >= wait)
            told_held(h, error);
        else
            wire_sleep(slot_wire(h->state.slot), clock_jitter(LOOK_MS, 0.5));
        if (stop_level() > 0) fail(error, FAULT_STOPPED, "stopped while waiting for lock %s", h->name);
    }
}

/* --- keeping --- */

/* The command has to be gone when somebody else may take the lock, and gets a while before that to end by itself. What
 * counts is when the beat was sent: the server heard it later. */
static struct guarded_time until(const struct holding *h) {
    int64_t grace = h->ttl / 4 < MOST_GRACE_MS ? h->ttl / 4 : MOST_GRACE_MS;
    int64_t kill = h->renewed + h->ttl - h->ttl / 20;
    return (struct guarded_time){kill - grace, kill};
}

static void hear(void *context, int index, const struct rows *rows) {
    struct holding *h = context;
    if (index != h->answer || h->refused) return;
    h->refused = rows_affected(rows) == 0;
    int64_t now = clock_ms(), grace = h->ttl / 4 < MOST_GRACE_MS ? h->ttl / 4 : MOST_GRACE_MS;
    if (!h->refused) h->renewed = h->sent;
    guarded_until(&h->guarded, h->refused ? (struct guarded_time){now, now + grace} : until(h));
}

static void beat(void *context) {
    struct holding *h = context;
    struct slot *slot = h->state.slot;
    if (slot_busy(slot) || h->refused) return;
    slot_reset(slot);
    struct error ignored = error_new(slot_arena(slot));
    if (slot_lost(slot) && !slot_reopen(slot, &ignored)) return;
    h->sent = clock_ms();
    h->answer = slot_queue_framed(slot, &(struct statement){"beating the lock", h->beat, h->values, 2});
    slot_flush(slot, &(struct slot_client){hear, NULL, h});
}

static void pass_signals_on(const struct holding *h) {
    for (int signal; (signal = stop_next_signal());) guarded_signal(&h->guarded, signal);
}

static int keep(struct holding *h) {
    struct wire *wire = slot_wire(h->state.slot);
    int64_t every = h->ttl / 5 < MOST_BEAT_MS ? h->ttl / 5 : MOST_BEAT_MS;
    struct timer *timer = wire_every(wire, every, beat, h);
    int code;
    while (!guarded_ended(&h->guarded, &code)) {
        wire_wait(wire, TURN_MS);
        pass_signals_on(h);
    }
    wire_forget(wire, timer);
    return code;
}

/* --- the end --- */

static void give_back(struct holding *h, struct error *error) {
    struct slot *slot = h->state.slot;
    int64_t due = clock_ms() + TURN_MS;
    while (slot_busy(slot) && clock_ms() < due) wire_wait(slot_wire(slot), LOOK_MS);
    if (slot_lost(slot)) slot_reopen(slot, error);
    if (!slot_busy(slot)) locks_release(&h->state, h->arena, h->name, h->fence, error);
}

static void say_lost(const struct holding *h, int code, struct error *error) {
    if (h->refused)
        fail(error, FAULT_HELD, "lock %s was lost to somebody else", h->name);
    else
        fail(error, FAULT_CONNECTION, "lock %s could not be kept: no sign of life came through for %s", h->name,
             clock_text(error->arena, clock_ms() - h->renewed));
    fail_detail(error, "the command was told to end before that, and ended with %d", code);
    fail_hint(error, "`pgwinnow status` shows who has the lock now");
}

static const char *joined(struct arena *arena, const char *const *words, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%s", i ? " " : "", words[i]);
    return text.data;
}

static char **arguments_of(struct arena *arena, const struct command_line *line) {
    char **argv = arena_alloc(arena, line->argument_count * sizeof *argv);
    for (size_t i = 1; i < line->argument_count; i++) argv[i - 1] = arena_strdup(arena, line->arguments[i]);
    return argv;
}

static void run_command(struct command_line *line, struct holding *h, struct error *error) {
    const char *fence = arena_printf(h->arena, "%lld", (long long)h->fence);
    h->beat = locks_beat_text(h->arena, h->state.schema, error);
    h->values[0] = h->name;
    h->values[1] = fence;
    h->guarded = guarded_start(arguments_of(h->arena, line), "PGWINNOW_LOCK_FENCE", fence, until(h), error);
    int code = failed(error) ? 0 : keep(h);
    bool lost = h->refused || clock_ms() >= until(h).end;
    struct error ignored = error_new(h->arena);
    if (!h->refused) give_back(h, &ignored);
    if (lost && !failed(error)) say_lost(h, code, error);
    line->passed_on = code;
}

static void lock_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct holding h = {.arena = arena, .name = line->arguments[0], .ttl = line->ttl > 0 ? line->ttl : TTL_MS};
    if (h.ttl < LEAST_TTL_MS) fail(error, FAULT_USAGE, "--ttl is one second at least");
    h.command = joined(arena, line->arguments + 1, line->argument_count - 1);
    stop_install();
    stop_hear_children();
    h.state = desk_open(line, arena, NULL, error);
    if (failed(error)) return;
    if (schema_version(&h.state, arena, error) != STATE_VERSION)
        published_refuse(&h.state, arena, "`pgwinnow init --published accept`", error);
    if (!failed(error)) schema_init(&h.state, arena, error);
    take(&h, line->wait > 0 ? line->wait : 0, error);
    if (!failed(error)) run_command(line, &h, error);
}

const struct command lock_command = {
    .name = "lock",
    .synopsis = "NAME -- COMMAND...",
    .about = "run a command only while holding a lease in the database: one leader at a time",
    .more =
        "The command's exit code is passed on; 4 when somebody else has the lock. When the lock is lost the command\n"
        "and all it has started get SIGTERM, and SIGKILL a while later, before anybody else can take it. It finds a\n"
        "number that grows with each holder in PGWINNOW_LOCK_FENCE. Signals are passed on to it.",
    .least = 2,
    .most = ANY_NUMBER,
    .options = lock_command_options,
    .run = lock_run,
};
