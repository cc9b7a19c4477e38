/*
 * Texts for Slack: two or three short lines that can be read on a phone. Owns the wording and the escaping: what comes
 * from a plan, a server or a person cannot mention anybody, or make a link.
 */
#include "events/slack.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

enum { MOST_QUOTED = 600, MOST_STEPS = 12 };

/* Slack wants these three escaped, nothing else. What would draw over a line is a blank; lines begin at the left. */
static void add_escaped(struct text *out, const char *text) {
    size_t length = text_cut(text, MOST_QUOTED);
    for (size_t i = 0; i < length; i++) {
        bool begins = out->length && out->data[out->length - 1] == '\n';
        if (begins && (text[i] == ' ' || text[i] == '\n')) continue;
        switch (text[i]) {
        case '&': text_add(out, "&amp;"); break;
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '\n': text_add(out, "\n"); break;
        default: text_add_n(out, (unsigned char)text[i] < ' ' ? " " : text + i, 1);
        }
    }
    if (text[length]) text_add(out, "...");
}

/* As code: names are shown as they are, whatever stars and underscores they have. */
static void add_code(struct text *out, const char *text) {
    struct text plain = text_new(out->arena);
    for (; *text; text++) text_add_n(&plain, *text == '`' ? "'" : *text == '\n' ? " " : text, 1);
    text_add(out, "`");
    add_escaped(out, plain.data);
    text_add(out, "`");
}

static void add_line(struct text *out, const char *before, const char *text) {
    if (!text || !*text) return;
    text_add(out, "\n");
    text_add(out, before);
    add_escaped(out, text);
}

/* Hints hold what to type in backticks: those stay. Or they are it. */
static void add_hint(struct text *out, const struct event *event) {
    bool is_command = event->hint && text_starts(event->hint, "pgwinnow ");
    if (!is_command) {
        add_line(out, "", event->hint);
        return;
    }
    text_add(out, "\n");
    add_code(out, event->hint);
}

/* "dedupe-listings (production): " */
static void add_plan(struct text *out, const struct event *event) {
    text_addf(out, "*%s*", event->plan ? event->plan : "");
    if (!event->environment) return;
    text_add(out, " (");
    add_escaped(out, event->environment);
    text_add(out, ")");
}

static void add_where(struct text *out, const struct message *message) {
    text_addf(out, "\nrun %lld, table ", (long long)message->event->run);
    add_code(out, message->event->table ? message->event->table : "");
    text_add(out, " of database ");
    add_code(out, message->database);
}

static const struct event_step *step_of(const struct event *event) {
    return event->step < event->step_count ? &event->steps[event->step] : NULL;
}

/* Tenths of a second say nothing about the future. */
static const char *about(struct arena *arena, int64_t ms) {
    enum { MINUTE = 60000 };
    return ms < MINUTE ? arena_printf(arena, "%lld s", (long long)(ms + 999) / 1000) : clock_text(arena, ms);
}

/* "delete: 45,000 of 84,880 rows (53 %), 1,200 rows/s, about 33 s left" */
static void add_progress(struct text *out, const struct event *event) {
    const struct event_step *step = step_of(event);
    struct arena *arena = out->arena;
    if (!step) return;
    text_add(out, "\n");
    add_code(out, step->name);
    if (step->rows >= 0) text_addf(out, ": %s", text_count(arena, step->rows));
    if (step->rows >= 0 && step->total > 0)
        text_addf(out, " of %s rows (%.0f %%)", text_count(arena, step->total),
                  100 * (double)step->rows / (double)step->total);
    else if (step->rows >= 0)
        text_add(out, " rows");
    if (event->rate >= 1) text_addf(out, ", %s rows/s", text_count(arena, (long long)event->rate));
    if (event->eta_ms > 0) text_addf(out, ", about %s left", about(arena, event->eta_ms));
    add_line(out, "", event->doing);
}

/* "delete: 84,880 rows in 40.0 s, 3 spared" */
static void add_step(struct text *out, const struct event *event) {
    const struct event_step *step = step_of(event);
    if (!step) return;
    text_add(out, "\n");
    add_code(out, step->name);
    if (event->type == EVENT_STEP_STARTED) return;
    if (step->rows > 0) text_addf(out, ": %s rows", text_count(out->arena, step->rows));
    if (step->ms >= 0) text_addf(out, " in %s", clock_text(out->arena, step->ms));
    if (step->spared > 0) text_addf(out, ", %s spared", text_count(out->arena, step->spared));
}

static void add_waiting(struct text *out, const struct event *event) {
    if (!event->waiting) return;
    const char *waits =
        event->waiting_ms < 0
            ? ":hourglass: waits: "
            : arena_printf(out->arena, ":hourglass: has waited for %s: ", clock_text(out->arena, event->waiting_ms));
    add_line(out, waits, event->waiting);
    add_line(out, "until ", event->until);
}

/* What each step did, those that did something. */
static void add_totals(struct text *out, const struct event *event) {
    size_t told = 0;
    for (size_t i = 0; i < event->step_count && told < MOST_STEPS; i++) {
        const struct event_step *step = &event->steps[i];
        if (step->rows <= 0) continue;
        text_add(out, told++ ? ", " : "\n");
        add_code(out, step->name);
        text_addf(out, " %s", text_count(out->arena, step->rows));
        if (step->spared > 0) text_addf(out, " (%s spared)", text_count(out->arena, step->spared));
    }
}

static const char *after(struct arena *arena, const struct event *event) {
    return event->ms >= 0 ? arena_printf(arena, " after %s", clock_text(arena, event->ms)) : "";
}

static void add_at_step(struct text *out, const struct event *event) {
    const struct event_step *step = step_of(event);
    if (!step) return;
    text_add(out, " at step ");
    add_code(out, step->name);
}

/* The first line: a sign that can be seen from afar, the plan, what happened. */
static void add_head(struct text *out, const struct event *event) {
    static const struct {
        const char *sign, *what;
    } heads[EVENT_TYPES] = {
        [EVENT_RUN_STARTED] = {":broom:", " has started"},
        [EVENT_RUN_RESUMED] = {":arrow_forward:", " goes on"},
        [EVENT_RUN_FINISHED] = {":white_check_mark:", " is done"},
        [EVENT_RUN_FAILED] = {":x:", " failed"},
        [EVENT_RUN_PAUSED] = {":double_vertical_bar:", " has stopped"},
        [EVENT_RUN_CANCELLED] = {":octagonal_sign:", " was cancelled"},
        [EVENT_STEP_STARTED] = {":small_blue_diamond:", " begins a step"},
        [EVENT_STEP_FINISHED] = {":small_blue_diamond:", " ended a step"},
        [EVENT_BATCH_COMMITTED] = {":small_blue_diamond:", " committed a batch"},
        [EVENT_PROGRESS] = {":hourglass_flowing_sand:", " is under way"},
        [EVENT_NOTICE] = {":information_source:", ""},
        [EVENT_THROTTLE_WAITING] = {":hourglass:", " waits"},
        [EVENT_THROTTLE_CLEARED] = {":arrow_forward:", " goes on"},
        [EVENT_APPROVAL_NEEDED] = {":raised_hand:", " needs an approval"},
    };
    text_addf(out, "%s ", heads[event->type].sign);
    add_plan(out, event);
    bool refused = event->type == EVENT_RUN_FAILED && event->exit_code == FAULT_REFUSED;
    bool stays = event->type == EVENT_RUN_PAUSED && event->exit_code == 0;
    text_add(out, refused ? " was refused" : stays ? " is paused" : heads[event->type].what);
    if (event_ends(event->type) && !stays) text_add(out, after(out->arena, event));
    if (event->type == EVENT_RUN_PAUSED && !stays) text_add(out, ", before the end");
    if (event->type == EVENT_RUN_FAILED) add_at_step(out, event);
}

/* What the server said may quote a value of a row: the detail stays in the house. */
const char *slack_text(struct arena *arena, const struct message *message) {
    const struct event *event = message->event;
    struct text out = text_new(arena);
    add_head(&out, event);
    add_line(&out, "", event->message);
    switch (event->type) {
    case EVENT_RUN_STARTED:
    case EVENT_RUN_RESUMED: add_where(&out, message); break;
    case EVENT_RUN_FINISHED: add_totals(&out, event); break;
    case EVENT_RUN_PAUSED:
    case EVENT_RUN_CANCELLED:
        add_totals(&out, event);
        add_hint(&out, event);
        break;
    case EVENT_STEP_STARTED:
    case EVENT_STEP_FINISHED: add_step(&out, event); break;
    case EVENT_BATCH_COMMITTED: add_progress(&out, event); break;
    case EVENT_PROGRESS:
        add_progress(&out, event);
        add_waiting(&out, event);
        break;
    case EVENT_THROTTLE_WAITING: add_line(&out, "until ", event->hint); break;
    default: add_hint(&out, event);
    }
    return out.data;
}
