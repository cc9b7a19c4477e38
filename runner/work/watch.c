/* The second connection and its timer. The timer only sends; answers come when they come, so nothing here ever
 * waits. */
#include "work/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sql/work/watch.sql.h"
#include "work/reconnect.h"

enum { LOOK_MS = 1000 };

struct watch {
    struct run *run;
    struct slot *slot;    /* NULL: it could not be opened */
    struct slot *working; /* NULL: nothing is watched */
    struct timer *timer;
    const char *doing;
    char shown[300], waiting[300];
    struct reconnect reconnect;
};

/* "building index: scanning table" is said as "scanning table": that an index is built was said before. */
static const char *phase_text(const char *phase) {
    static const char building[] = "building index: ";
    return text_starts(phase, building) ? phase + sizeof building - 1 : phase;
}

static void show_phase(struct watch *watch, const struct rows *rows) {
    const char *phase = rows_text(rows, 0, 0), *percent = rows_text(rows, 0, 1);
    if (!phase) return;
    snprintf(watch->shown, sizeof watch->shown, "%s: %s%s%s%s", watch->doing, phase_text(phase), percent ? ", " : "",
             percent ? percent : "", percent ? " %" : "");
    watch->run->progress.doing = watch->shown;
}

static void show_blocker(struct watch *watch, struct arena *arena, const struct rows *rows) {
    struct progress *progress = &watch->run->progress;
    const char *pid = rows_text(rows, 0, 2), *name = rows_text(rows, 0, 3), *user = rows_text(rows, 0, 4);
    if (!pid) {
        progress->waiting = NULL;
        return;
    }
    const char *open = rows_text(rows, 0, 5) ? clock_text(arena, rows_int(rows, 0, 5) * 1000) : NULL;
    snprintf(watch->waiting, sizeof watch->waiting, "for process %s (%s%s%s)%s%s", pid,
             name && *name ? name : "no name", user ? ", " : "", user ? user : "",
             open ? ", in its transaction for " : "", open ? open : "");
    if (!progress->waiting) progress->waiting_since = clock_ms();
    progress->waiting = watch->waiting;
}

static void hear(void *context, int index, const struct rows *rows) {
    (void)index;
    struct watch *watch = context;
    if (!watch->working || rows_count(rows) == 0) return;
    show_phase(watch, rows);
    show_blocker(watch, slot_arena(watch->slot), rows);
}

static bool unwanted(const struct run *run) { return run->lease_lost || run_cancelled(run); }

static bool connected_again(struct watch *watch) {
    struct error ignored = error_new(slot_arena(watch->slot));
    bool there = reconnect_turn(watch->run, watch->slot, &watch->reconnect, &ignored);
    if (failed(&ignored)) watch->reconnect = (struct reconnect){.quiet = true};
    return there;
}

static void tick(void *context) {
    struct watch *watch = context;
    if (!watch->working) return;
    if (unwanted(watch->run)) slot_cancel(watch->working);
    if (!watch->slot || slot_busy(watch->slot)) return;
    if (slot_lost(watch->slot) && !connected_again(watch)) return;
    slot_reset(watch->slot);
    struct arena *arena = slot_arena(watch->slot);
    const char **values = arena_alloc(arena, sizeof *values);
    *values = arena_printf(arena, "%d", slot_backend(watch->working));
    slot_queue(watch->slot, &(struct statement){"asking how far it is", sql_watch.text, values, 1});
    slot_flush(watch->slot, &(struct slot_client){.answer = hear, .context = watch});
}

struct watch *watch_open(struct run *run, struct arena *arena) {
    struct watch *watch = arena_alloc(arena, sizeof *watch);
    struct error ignored = error_new(arena);
    watch->run = run;
    watch->reconnect.quiet = true;
    watch->slot = slot_open(run->wire, arena, run->url, "pgwinnow: watch", &ignored);
    watch->timer = wire_every(run->wire, LOOK_MS, tick, watch);
    return watch;
}

void watch_begin(struct watch *watch, struct slot *working, const char *doing) {
    watch->working = working;
    watch->doing = doing;
}

void watch_end(struct watch *watch) {
    watch->working = NULL;
    watch->run->progress.doing = watch->run->progress.waiting = NULL;
}

void watch_close(struct watch *watch) {
    wire_forget(watch->run->wire, watch->timer);
    slot_close(watch->slot);
}
