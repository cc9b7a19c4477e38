/* Events as JSON. Owns the shape; leaves to others where it goes. */
#include "events/event_json.h"

#include <time.h>

#include "base/json.h"
#include "base/text.h"

const char *event_time(struct arena *arena, int64_t ms_ago) {
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
    if (event->type > EVENT_RUN_CANCELLED) return json_null();
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
    json_t *since = event->waiting_ms < 0 ? json_null() : json_string(event_time(arena, event->waiting_ms));
    return json_pack("{s:o, s:o, s:o}", "since", since, "reason", json_text_or_null(arena, event->waiting), "until",
                     json_text_or_null(arena, event->until));
}

/* A runner that stays while its run is paused has none. */
static json_t *exit_code(const struct event *event) {
    bool stays = event->type == EVENT_RUN_PAUSED && event->exit_code == 0;
    if (!event_ends(event->type) || stays) return json_null();
    return json_integer(event->type == EVENT_RUN_FINISHED ? 0 : event->exit_code);
}

json_t *event_object(struct arena *arena, const struct event *event) {
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "type", event_name(event->type), "time", event_time(arena, 0),
                  "run", (json_int_t)event->run, "plan", json_text_or_null(arena, event->plan), "environment",
                  json_text_or_null(arena, event->environment), "table", json_text_or_null(arena, event->table));
    add_step(arena, object, event);
    json_object_set_new(object, "rate", json_tenths_or_null(event->rate));
    json_object_set_new(object, "eta_seconds", json_seconds_or_null(event->eta_ms));
    json_object_set_new(object, "batch_size", event->batch_size > 0 ? json_integer(event->batch_size) : json_null());
    json_object_set_new(object, "lag_seconds", json_seconds_or_null(event->lag_ms));
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
