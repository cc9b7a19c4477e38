/* Runs as JSON. Scripts rely on the keys; what is not known is null. */

#include "base/json.h"
#include "base/text.h"
#include "commands/shown.h"

static json_t *steps(struct arena *arena, const struct overview *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->step_count; i++) {
        const struct overview_step *s = &o->steps[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:i, s:o}", "name",
                            json_text_or_null(arena, s->name), "kind", json_text_or_null(arena, s->kind), "state",
                            json_text_or_null(arena, s->state), "rows", (json_int_t)s->rows, "total",
                            json_count_or_null(s->total), "spared", (json_int_t)s->spared, "archived",
                            (json_int_t)s->archived, "batches", (json_int_t)s->batches, "seconds",
                            json_seconds_or_null(s->ms), "round", s->round, "note", json_text_or_null(arena, s->note)));
    }
    return list;
}

static json_t *guards(struct arena *arena, const struct overview *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->guard_count; i++) {
        const struct overview_guard *g = &o->guards[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "table", json_text_or_null(arena, g->table), "trigger",
                            json_text_or_null(arena, g->trigger), "constraint", json_text_or_null(arena, g->constraint),
                            "state", json_text_or_null(arena, g->state), "since", json_text_or_null(arena, g->since)));
    }
    return list;
}

static json_t *acts(struct arena *arena, const struct overview *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->act_count; i++) {
        const struct overview_act *a = &o->acts[i];
        json_t *detail = a->detail ? json_loads(a->detail, JSON_DECODE_ANY, NULL) : NULL;
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o}", "at", json_text_or_null(arena, a->at), "role",
                                        json_text_or_null(arena, a->role), "act", json_text_or_null(arena, a->act),
                                        "detail", detail ? detail : json_null()));
    }
    return list;
}

static json_t *webhooks(struct arena *arena, const struct overview *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->webhook_count; i++) {
        const struct overview_webhook *w = &o->webhooks[i];
        json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:I, s:o, s:o}", "endpoint",
                                              json_text_or_null(arena, w->endpoint), "waiting", (json_int_t)w->waiting,
                                              "delivered", (json_int_t)w->delivered, "dropped", (json_int_t)w->dropped,
                                              "gone", json_text_or_null(arena, w->gone), "answer",
                                              json_text_or_null(arena, w->answer)));
    }
    return list;
}

static json_t *waiting(struct arena *arena, const struct overview *o) {
    if (!o->waiting.reason) return json_null();
    return json_pack("{s:o, s:o, s:o}", "since", json_text_or_null(arena, o->waiting.since), "reason",
                     json_text_or_null(arena, o->waiting.reason), "until", json_text_or_null(arena, o->waiting.until));
}

static json_t *why(struct arena *arena, const struct overview *o) {
    if (!o->error.message) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "message", json_text_or_null(arena, o->error.message), "detail",
                     json_text_or_null(arena, o->error.detail), "hint", json_text_or_null(arena, o->error.hint),
                     "sqlstate", json_text_or_null(arena, o->error.sqlstate));
}

static json_t *one(struct arena *arena, const struct overview *o) {
    json_t *run = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "run", (json_int_t)o->run, "plan",
                            json_text_or_null(arena, o->plan), "environment", json_text_or_null(arena, o->environment),
                            "table", json_text_or_null(arena, o->table), "state", json_text_or_null(arena, o->state),
                            "steps", steps(arena, o), "waiting", waiting(arena, o));
    json_object_set_new(run, "rate", json_tenths_or_null(o->rate));
    json_object_set_new(run, "eta_seconds", json_seconds_or_null(o->eta_ms));
    json_object_set_new(run, "wanted", json_text_or_null(arena, o->wanted));
    json_object_set_new(run, "role", json_text_or_null(arena, o->role));
    json_object_set_new(run, "program", json_text_or_null(arena, o->program));
    json_object_set_new(run, "started", json_text_or_null(arena, o->started));
    json_object_set_new(run, "finished", json_text_or_null(arena, o->finished));
    json_object_set_new(run, "seconds", json_seconds_or_null(o->ms));
    json_object_set_new(run, "runner", o->alive ? json_text_or_null(arena, o->holder) : json_null());
    json_object_set_new(run, "removed", json_integer(o->removed));
    json_object_set_new(run, "children", json_integer(o->children));
    json_object_set_new(run, "spared", json_integer(o->spared));
    json_object_set_new(run, "objects", json_integer(o->objects));
    json_object_set_new(run, "archives", json_integer(o->archives));
    json_object_set_new(run, "guards", guards(arena, o));
    json_object_set_new(run, "webhooks", webhooks(arena, o));
    json_object_set_new(run, "lane", json_text_or_null(arena, o->lane));
    json_object_set_new(run, "settings", o->settings ? json_loads(o->settings, 0, NULL) : json_null());
    json_object_set_new(run, "hold", json_boolean(o->hold));
    json_object_set_new(run, "acts", acts(arena, o));
    json_object_set_new(run, "error", why(arena, o));
    return run;
}

json_t *shown_json(struct arena *arena, const struct overview *overviews, size_t count, bool list) {
    if (!list) return one(arena, overviews);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, one(arena, &overviews[i]));
    return all;
}

const char *shown_line(struct arena *arena, const json_t *json) {
    return json_written(arena, json, JSON_COMPACT | JSON_DIGITS);
}

void shown_answer(struct command_line *line, struct arena *arena, const struct overview *overviews, size_t count,
                  bool list) {
    json_t *answer = shown_json(arena, overviews, count, list);
    json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_DIGITS);
    putchar('\n');
    json_decref(answer);
    line->answered = true;
}
