/* status --watch: when it looks, what it shows when it cannot, and when it stops. What is shown is the caller's. */
#include "commands/watch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "events/event_json.h"
#include "events/screen.h"
#include "events/sinks.h"
#include "work/retry.h"

enum { SILENCE_MS = 20000, LOOK_FOR_STOP_MS = 100, RETRY_MS = 1000, LEAST_REST = 9, MOST_FOOT = 3 };

struct watching {
    const struct watched *watched;
    struct arena *arena, *scratch; /* scratch: of what is drawn now */
    struct wire *wire;
    struct screen screen;
    bool terminal;
    struct arena *seen; /* holds the view */
    struct view view;   /* the last that was read; page NULL: none yet */
    struct arena *told;
    const char *essence; /* of the last that was printed, in `told`; NULL: none, or there was trouble since */
    struct arena *troubled;
    const char *trouble;   /* why nothing is read now, in `troubled`; NULL: it is */
    int64_t trouble_since; /* clock_ms */
    bool alone;            /* the reader is gone */
};

/* ---- on a terminal ---- */

static void add_line(struct watching *w, struct lines *lines, enum style style, const char *text, size_t length) {
    lines->items = arena_grow(w->scratch, lines->items, &lines->count, sizeof *lines->items);
    struct line *line = &lines->items[lines->count - 1];
    *line = line_new(w->scratch, w->screen.width - 1, w->watched->colour, sink_unicode());
    const char *copy = arena_strndup(w->scratch, text, length);
    if (style)
        line_add(line, style, copy);
    else
        line_add_coloured(line, copy);
}

static struct lines page_lines(struct watching *w) {
    struct lines lines = {0};
    for (const char *text = w->view.page; text && *text;) {
        size_t length = strcspn(text, "\n");
        add_line(w, &lines, STYLE_PLAIN, text, length);
        text += length + (text[length] == '\n');
    }
    return lines;
}

static struct lines foot_lines(struct watching *w) {
    int64_t every = w->watched->every;
    struct lines lines = {0};
    add_line(w, &lines, STYLE_PLAIN, "", 0);
    const char *text = arena_printf(w->scratch, "every %s; Ctrl-C ends looking, not the run",
                                    every % 1000 ? clock_text(w->scratch, every)
                                                 : arena_printf(w->scratch, "%lld s", (long long)every / 1000));
    if (w->trouble) {
        const char *since = clock_text(w->scratch, clock_ms() - w->trouble_since);
        text = arena_printf(w->scratch, "as it was %s ago; trying again: %s", since, w->trouble);
    }
    for (const char *part; lines.count <= MOST_FOOT && (part = line_wrap(w->scratch, &text, w->screen.width - 1));)
        add_line(w, &lines, w->trouble ? STYLE_YELLOW : STYLE_DIM, part, strlen(part));
    return lines;
}

/* The foot stays in sight: of a page that is too high the last lines are left out, and that is said. */
static void cut_to_screen(struct watching *w, struct lines *lines, size_t foot) {
    size_t most = w->screen.height - 1 < MOST_LIVE_LINES ? w->screen.height - 1 : MOST_LIVE_LINES;
    if (lines->count + foot <= most || most < foot + 2) return;
    size_t left_out = lines->count + foot + 1 - most;
    lines->count -= left_out;
    const char *text = arena_printf(w->scratch, "  (and %zu lines more)", left_out);
    add_line(w, lines, STYLE_DIM, text, strlen(text));
}

static void draw(struct watching *w) {
    screen_measure(&w->screen);
    struct lines live = page_lines(w), foot = foot_lines(w), none = {0};
    cut_to_screen(w, &live, foot.count);
    for (size_t i = 0; i < foot.count; i++) {
        live.items = arena_grow(w->scratch, live.items, &live.count, sizeof *live.items);
        live.items[live.count - 1] = foot.items[i];
    }
    screen_draw(&w->screen, w->scratch, &none, &live);
}

static void leave_last_page(struct watching *w) {
    if (!w->terminal) return;
    arena_reset(w->scratch);
    screen_measure(&w->screen);
    struct lines stay = page_lines(w), none = {0};
    if (stay.count) screen_draw(&w->screen, w->scratch, &stay, &none);
}

/* ---- elsewhere ---- */

static void print(struct watching *w) {
    if (text_equal(w->essence, w->view.essence)) return;
    arena_reset(w->told);
    w->essence = arena_strdup(w->told, w->view.essence);
    if (w->watched->json)
        printf("%s\n", w->view.answer);
    else
        printf("%s\n%s\n", event_time(w->scratch, 0), w->view.page);
    if (fflush(stdout) != 0) w->alone = true;
}

static void show(struct watching *w) {
    arena_reset(w->scratch);
    if (w->terminal)
        draw(w);
    else if (!w->trouble)
        print(w);
}

/* ---- trouble ---- */

static bool passes(const struct watching *w, const struct error *error) {
    enum verdict verdict = retry_verdict(error, false);
    return slot_lost(w->watched->slot) || verdict == VERDICT_CONNECT || verdict == VERDICT_LATER ||
           verdict == VERDICT_SMALLER;
}

static void take_trouble(struct watching *w, const struct error *error) {
    bool anew = !w->trouble;
    arena_reset(w->troubled);
    w->trouble = arena_strndup(w->troubled, error->message, strcspn(error->message, "\n"));
    w->essence = NULL; /* what comes after it is shown in any case */
    if (!anew) return;
    w->trouble_since = clock_ms();
    if (!w->terminal) fprintf(stderr, "pgwinnow: %s; trying again\n", w->trouble);
}

static void reconnect(struct watching *w) {
    struct slot *slot = w->watched->slot;
    slot_reopen_begin(slot);
    for (int64_t shown = clock_ms(); slot_connecting(slot) && !stop_level();) {
        wire_wait(w->wire, LOOK_FOR_STOP_MS);
        if (clock_ms() - shown < RETRY_MS) continue;
        shown = clock_ms();
        show(w);
    }
    struct error error = error_new(w->scratch);
    if (slot_connecting(slot) || slot_reopened(slot, &error)) return;
    take_trouble(w, &error);
    show(w);
    wire_sleep(w->wire, RETRY_MS);
}

/* ---- the loop ---- */

static size_t width_for(struct watching *w) {
    if (!w->terminal) return 0;
    screen_measure(&w->screen);
    return w->screen.width - 1;
}

/* A signal is obeyed at once, whatever the server does: it only reads for us. */
static void look_for_stop(void *context) {
    struct watching *w = context;
    if (stop_level() && !slot_lost(w->watched->slot)) slot_drop(w->watched->slot, "stopped by a signal");
}

static void look(struct watching *w, struct error *error) {
    struct arena *next = arena_new(w->arena);
    struct error tried = error_new(next);
    struct view view = w->watched->look(w->watched->context, next, width_for(w), &tried);
    if (failed(&tried)) {
        if (w->view.page && passes(w, &tried))
            take_trouble(w, &tried);
        else
            error_promote(error, &tried);
        arena_free(next);
        return;
    }
    arena_free(w->seen);
    w->seen = next;
    w->view = view;
    w->trouble = NULL;
}

/* Looking into millions of batches takes a while: no more than a tenth of the time goes into it. */
static int64_t until_next(const struct watching *w, int64_t took) {
    return w->watched->every > LEAST_REST * took ? w->watched->every : LEAST_REST * took;
}

static void turns(struct watching *w, struct error *error) {
    while (!stop_level()) {
        if (slot_lost(w->watched->slot)) {
            reconnect(w);
            continue;
        }
        int64_t began = clock_ms();
        look(w, error);
        int64_t took = clock_ms() - began;
        if (failed(error) || stop_level()) return;
        show(w);
        if (w->alone || w->view.over) return;
        if (slot_lost(w->watched->slot)) continue;
        wire_sleep(w->wire, until_next(w, took));
    }
}

void watch(const struct watched *watched, struct arena *arena, struct error *error) {
    if (failed(error)) return;
    bool terminal = !watched->json && isatty(STDOUT_FILENO);
    struct watching w = {.watched = watched,
                         .arena = arena,
                         .scratch = arena_new(arena),
                         .wire = slot_wire(watched->slot),
                         .terminal = terminal,
                         .seen = arena_new(arena),
                         .told = arena_new(arena),
                         .troubled = arena_new(arena)};
    stop_install();
    fflush(stdout);
    if (terminal) w.screen = (struct screen){.output = output_new(arena, STDOUT_FILENO), .fd = STDOUT_FILENO};
    slot_expect(watched->slot, SILENCE_MS);
    struct timer *timer = wire_every(w.wire, LOOK_FOR_STOP_MS, look_for_stop, &w);
    turns(&w, error);
    wire_forget(w.wire, timer);
    leave_last_page(&w);
    if (stop_level()) error_clear(error);
}
