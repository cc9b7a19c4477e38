/*
 * --output json: one JSON object a line for each event, for programs.
 *
 * Every object has the same keys; what is not known or does not apply is null:
 *   type         run.started run.resumed run.finished run.failed run.paused step.started step.finished batch.committed
 *                progress notice throttle.waiting throttle.cleared
 *   time         UTC, "2026-11-21T22:14:43.123Z"
 *   run          its number
 *   plan, environment, table
 *   step, state  the step at hand, and waiting running done skipped failed
 *   rows, total, spared, batches, seconds   of that step; seconds over all sessions
 *   rate         rows a second, smoothed
 *   eta_seconds  of that step
 *   batch_size   rows aimed at, children included
 *   doing        what the step is at, in words
 *   waiting      null, or { since, reason, until }
 *   message, detail, hint
 *   exit_code    of run.failed, run.paused (and 0 of run.finished)
 *   run_seconds  since this session of the run began
 *   steps        at run.* events: [{ name, state, rows, total, spared, batches, seconds }]
 * `progress` comes at most once a second. When the reader is behind, progress and batch.committed are left out; other
 * lines wait. Should even those have to be dropped, an object { type: "lost", lines } says how many.
 */
#include <jansson.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "events/output.h"
#include "events/sinks.h"

enum { PROGRESS_MS = 1000, DIGITS = 15 };

struct json {
    struct listener listener;
    struct sink_request request;
    struct output *output;
    struct arena *scratch; /* of one event */
    int64_t told_at;
    size_t lost; /* told so far */
};

static const char *wall_time(struct arena *arena, int64_t ms_ago) {
    struct timespec now;
    struct tm parts;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - ms_ago;
    time_t seconds = (time_t)(ms / 1000);
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    return arena_printf(arena, "%s.%03dZ", text, (int)(ms % 1000));
}

static const char *state_name(enum step_state state) {
    static const char *const names[] = {
        [STEP_WAITING] = "waiting", [STEP_RUNNING] = "running", [STEP_DONE] = "done",
        [STEP_SKIPPED] = "skipped", [STEP_FAILED] = "failed",
    };
    return names[state];
}

static json_t *step_object(struct arena *arena, const struct event_step *step) {
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "name", json_text_or_null(arena, step->name), "state",
                     state_name(step->state), "rows", json_count_or_null(step->rows), "total",
                     json_count_or_null(step->total), "spared", json_count_or_null(step->spared), "batches",
                     json_count_or_null(step->batches), "seconds", json_seconds_or_null(step->ms));
}

static json_t *all_steps(struct arena *arena, const struct event *event) {
    if (event->type > EVENT_RUN_PAUSED) return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < event->step_count; i++) json_array_append_new(list, step_object(arena, &event->steps[i]));
    return list;
}

/* The keys of the step at hand stand in the object itself, its name as `step`. */
static void add_step(struct arena *arena, json_t *object, const struct event *event) {
    static const char *const keys[] = {"state", "rows", "total", "spared", "batches", "seconds"};
    json_t *step = event->step < event->step_count ? step_object(arena, &event->steps[event->step]) : json_object();
    json_t *name = json_object_get(step, "name");
    json_object_set(object, "step", name ? name : json_null());
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(step, keys[i]);
        json_object_set(object, keys[i], value ? value : json_null());
    }
    json_decref(step);
}

static json_t *waiting(struct arena *arena, const struct event *event) {
    if (!event->waiting) return json_null();
    json_t *since = event->waiting_ms < 0 ? json_null() : json_string(wall_time(arena, event->waiting_ms));
    return json_pack("{s:o, s:o, s:o}", "since", since, "reason", json_text_or_null(arena, event->waiting), "until",
                     json_text_or_null(arena, event->until));
}

static json_t *exit_code(const struct event *event) {
    bool over = event->type == EVENT_RUN_FINISHED || event->type == EVENT_RUN_FAILED || event->type == EVENT_RUN_PAUSED;
    if (!over) return json_null();
    return json_integer(event->type == EVENT_RUN_FINISHED ? 0 : event->exit_code);
}

static json_t *event_object(struct arena *arena, const struct event *event) {
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "type", event_name(event->type), "time", wall_time(arena, 0), "run",
                  (json_int_t)event->run, "plan", json_text_or_null(arena, event->plan), "environment",
                  json_text_or_null(arena, event->environment), "table", json_text_or_null(arena, event->table));
    add_step(arena, object, event);
    json_object_set_new(object, "rate", json_tenths_or_null(event->rate));
    json_object_set_new(object, "eta_seconds", json_seconds_or_null(event->eta_ms));
    json_object_set_new(object, "batch_size", event->batch_size > 0 ? json_integer(event->batch_size) : json_null());
    json_object_set_new(object, "doing", json_text_or_null(arena, event->doing));
    json_object_set_new(object, "waiting", waiting(arena, event));
    json_object_set_new(object, "message", json_text_or_null(arena, event->message));
    json_object_set_new(object, "detail", json_text_or_null(arena, event->detail));
    json_object_set_new(object, "hint", json_text_or_null(arena, event->hint));
    json_object_set_new(object, "exit_code", exit_code(event));
    json_object_set_new(object, "run_seconds", json_seconds_or_null(event->ms));
    json_object_set_new(object, "steps", all_steps(arena, event));
    return object;
}

static int add_dump(const char *data, size_t length, void *text) {
    text_add_n(text, data, length);
    return 0;
}

static struct text one_line(struct arena *arena, json_t *object) {
    struct text text = text_new(arena);
    json_dump_callback(object, add_dump, &text, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    json_decref(object);
    text_add(&text, "\n");
    return text;
}

static void tell_lost(struct json *json) {
    size_t lost = output_lost(json->output);
    if (lost == json->lost) return;
    struct text text =
        one_line(json->scratch, json_pack("{s:s, s:I}", "type", "lost", "lines", (json_int_t)(lost - json->lost)));
    if (output_line(json->output, text.data, text.length)) json->lost = lost;
}

static bool can_be_missed(enum event_type type) { return type == EVENT_PROGRESS || type == EVENT_BATCH_COMMITTED; }

static void hear(struct listener *listener, const struct event *event) {
    struct json *json = (struct json *)listener;
    int64_t now = json->request.now();
    output_flush(json->output);
    if (event->type == EVENT_PROGRESS && now - json->told_at < PROGRESS_MS) return;
    if (can_be_missed(event->type) && output_behind(json->output)) return;
    if (event->type == EVENT_PROGRESS) json->told_at = now;
    arena_reset(json->scratch);
    tell_lost(json);
    struct text text = one_line(json->scratch, event_object(json->scratch, event));
    if (can_be_missed(event->type))
        output_frame(json->output, text.data, text.length);
    else
        output_line(json->output, text.data, text.length);
}

static struct listener *open_json(struct arena *arena, const struct sink_request *request) {
    struct json *json = arena_alloc(arena, sizeof *json);
    json->listener.hear = hear;
    json->request = *request;
    if (!json->request.now) json->request.now = clock_ms;
    json->output = output_new(arena, request->fd);
    json->scratch = arena_new(arena);
    json->told_at = -PROGRESS_MS;
    return &json->listener;
}

const struct sink json_sink = {"json", "one JSON object a line", open_json};
