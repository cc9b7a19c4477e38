/*
 * --output plain: a line for each happening, for logs and for people who grep them.
 *
 * Lines begin with what they are about: "run 7 ", "step track ", "notice: ". Numbers are plain digits, times are as
 * people write them; there is no time of day, since what collects the lines adds its own. Progress comes at most every
 * five seconds, and is left out when the reader is behind.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "events/output.h"
#include "events/sinks.h"

enum { PROGRESS_MS = 5000 };

struct plain {
    struct listener listener;
    struct sink_request request;
    struct output *output;
    struct arena *scratch; /* of one event */
    int64_t told_at;       /* the last progress, or the start of a step */
    size_t lost;           /* told so far */
};

/* One happening is one line, whatever a server's message holds. */
static void add_message(struct text *text, const char *message) {
    for (; *message; message++) {
        unsigned char c = (unsigned char)*message;
        text_add_n(text, c < ' ' || c == 127 ? " " : message, 1);
    }
}

static void add_number(struct text *text, const char *name, int64_t number) {
    if (number >= 0) text_addf(text, ", %s %lld", name, (long long)number);
}

static void add_time(struct text *text, const char *before, int64_t ms, const char *after) {
    if (ms >= 0) text_addf(text, "%s%s%s", before, clock_text(text->arena, ms), after);
}

static void run_begins(struct text *text, const struct event *event) {
    text_addf(text, "run %lld %s: plan %s", (long long)event->run,
              event->type == EVENT_RUN_STARTED ? "started" : "resumed", event->plan);
    if (event->environment) text_addf(text, ", environment %s", event->environment);
    text_add(text, ", table ");
    add_message(text, event->table);
}

static void run_ends(struct text *text, const struct event *event) {
    text_addf(text, "run %lld %s", (long long)event->run,
              event->type == EVENT_RUN_FINISHED    ? "finished"
              : event->type == EVENT_RUN_FAILED    ? "failed"
              : event->type == EVENT_RUN_CANCELLED ? "cancelled"
                                                   : "stopped before its end");
    add_time(text, " after ", event->ms, "");
    if (event->type != EVENT_RUN_FINISHED) text_addf(text, ", exit code %d", event->exit_code);
    if (event->message) {
        text_add(text, ": ");
        add_message(text, event->message);
    }
}

static void step_ends(struct text *text, const struct event_step *step, const char *note) {
    text_addf(text, "step %s %s", step->name,
              step->state == STEP_FAILED    ? "failed"
              : step->state == STEP_SKIPPED ? "skipped"
                                            : "finished");
    add_time(text, " after ", step->ms, "");
    add_number(text, "rows", step->rows);
    if (step->spared > 0) add_number(text, "spared", step->spared);
    if (step->batches > 0) add_number(text, "batches", step->batches);
    if (!note) return;
    text_add(text, ": ");
    add_message(text, note);
}

static void step_goes_on(struct text *text, const struct event *event, const struct event_step *step) {
    text_addf(text, "step %s at work", step->name);
    add_time(text, " for ", step->ms, "");
    add_number(text, "rows", step->rows);
    if (step->total >= 0) text_addf(text, " of %lld", (long long)step->total);
    if (step->total > 0 && step->rows >= 0)
        add_number(text, "percent",
                   step->rows >= step->total ? 100 : (int64_t)((double)step->rows * 100 / (double)step->total));
    if (event->rate >= 0) text_addf(text, ", %.0f rows/s", event->rate);
    add_time(text, ", ", event->eta_ms, " left");
    if (event->batch_size > 0) add_number(text, "batch size", event->batch_size);
    if (event->doing) {
        text_add(text, ", ");
        add_message(text, event->doing);
    }
    if (!event->waiting) return;
    text_add(text, ", waiting");
    add_time(text, " for ", event->waiting_ms, "");
    text_add(text, ": ");
    add_message(text, event->waiting);
    if (!event->until) return;
    text_add(text, ", until ");
    add_message(text, event->until);
}

static void notice(struct text *text, const struct event *event) {
    text_add(text, "notice: ");
    add_message(text, event->message ? event->message : "");
    if (!event->hint) return;
    text_add(text, " (hint: ");
    add_message(text, event->hint);
    text_add(text, ")");
}

static void throttle(struct text *text, const struct event *event) {
    text_add(text, event->type == EVENT_THROTTLE_WAITING ? "throttle: waiting: " : "throttle: goes on: ");
    add_message(text, event->message);
    if (!event->hint) return;
    text_add(text, ", until ");
    add_message(text, event->hint);
}

/* What one who wants quiet still gets. */
static bool needs_attention(enum event_type type) {
    return type == EVENT_NOTICE || type == EVENT_APPROVAL_NEEDED || (event_ends(type) && type != EVENT_RUN_FINISHED);
}

static void describe(struct text *text, const struct event *event) {
    const struct event_step *step = event->step < event->step_count ? &event->steps[event->step] : NULL;
    switch (event->type) {
    case EVENT_RUN_STARTED:
    case EVENT_RUN_RESUMED: run_begins(text, event); break;
    case EVENT_RUN_FINISHED:
    case EVENT_RUN_FAILED:
    case EVENT_RUN_PAUSED:
    case EVENT_RUN_CANCELLED: run_ends(text, event); break;
    case EVENT_STEP_STARTED:
        if (step) text_addf(text, "step %s started", step->name);
        break;
    case EVENT_STEP_FINISHED:
        if (step) step_ends(text, step, event->message);
        break;
    case EVENT_PROGRESS:
        if (step) step_goes_on(text, event, step);
        break;
    case EVENT_APPROVAL_NEEDED:
    case EVENT_NOTICE: notice(text, event); break;
    case EVENT_THROTTLE_WAITING:
    case EVENT_THROTTLE_CLEARED: throttle(text, event); break;
    default: break;
    }
}

static void tell_lost(struct plain *plain) {
    size_t lost = output_lost(plain->output);
    if (lost == plain->lost) return;
    const char *line = arena_printf(plain->scratch, "notice: %zu lines are missing here, since nobody read them\n",
                                    lost - plain->lost);
    if (output_line(plain->output, line, strlen(line))) plain->lost = lost;
}

static void hear(struct listener *listener, const struct event *event) {
    struct plain *plain = (struct plain *)listener;
    int64_t now = plain->request.now();
    output_flush(plain->output);
    if (event->type == EVENT_STEP_STARTED) plain->told_at = now;
    if (plain->request.quiet && !needs_attention(event->type)) return;
    if (event->type == EVENT_PROGRESS && now - plain->told_at < PROGRESS_MS) return;
    arena_reset(plain->scratch);
    struct text text = text_new(plain->scratch);
    describe(&text, event);
    if (!text.length) return;
    text_add(&text, "\n");
    if (event->type == EVENT_PROGRESS) {
        plain->told_at = now;
        output_frame(plain->output, text.data, text.length);
        return;
    }
    tell_lost(plain);
    output_line(plain->output, text.data, text.length);
}

static struct listener *open_plain(struct arena *arena, const struct sink_request *request) {
    struct plain *plain = arena_alloc(arena, sizeof *plain);
    plain->listener.hear = hear;
    plain->request = *request;
    if (!plain->request.now) plain->request.now = clock_ms;
    plain->output = output_new(arena, request->fd);
    plain->scratch = arena_new(arena);
    return &plain->listener;
}

const struct sink plain_sink = {"plain", "a line for each happening", open_plain};
