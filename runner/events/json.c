/*
 * --output json: one JSON object a line for each event, for programs.
 *
 * events/event_json.h says what is in it.
 * `progress` comes at most once a second. When the reader is behind, progress and batch.committed are left out; other
 * lines wait. Should even those have to be dropped, an object { type: "lost", lines } says how many.
 */
#include "base/json.h"
#include "base/clock.h"
#include "base/text.h"
#include "events/event_json.h"
#include "events/output.h"
#include "events/sinks.h"

enum { PROGRESS_MS = 1000 };

struct json {
    struct listener listener;
    struct sink_request request;
    struct output *output;
    struct arena *scratch; /* of one event */
    int64_t told_at;
    size_t lost; /* told so far */
};

static struct text one_line(struct arena *arena, json_t *object) {
    struct text text = text_new(arena);
    text_add(&text, json_written_off(arena, object, JSON_COMPACT | JSON_DIGITS));
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
