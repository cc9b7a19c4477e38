/* Runs as JSON. Scripts rely on the keys; what is not known is null. */
#include "base/text.h"
#include "commands/shown.h"

enum { DIGITS = 15 };

/* A server may send bytes that are no UTF-8: what is not ASCII is then replaced, since jansson takes UTF-8 only. */
static json_t *text_or_null(struct arena *arena, const char *text) {
    if (!text) return json_null();
    json_t *string = json_string(text);
    if (string) return string;
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c > 126) *c = '?';
    return json_string(copy);
}

static json_t *count_or_null(int64_t n) { return n < 0 ? json_null() : json_integer(n); }

static json_t *seconds_or_null(int64_t ms) { return ms < 0 ? json_null() : json_real((double)ms / 1000); }

static json_t *tenths_or_null(double n) {
    return n < 0 ? json_null() : json_real((double)(int64_t)(n * 10 + 0.5) / 10);
}

static json_t *steps(struct arena *arena, const struct overview *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->step_count; i++) {
        const struct overview_step *s = &o->steps[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:I, s:o, s:I, s:i, s:I, s:o, s:i, s:o}", "name",
                                        text_or_null(arena, s->name), "kind", text_or_null(arena, s->kind), "state",
                                        text_or_null(arena, s->state), "rows", (json_int_t)s->rows, "total",
                                        count_or_null(s->total), "spared", (json_int_t)s->spared, "archived", 0,
                                        "batches", (json_int_t)s->batches, "seconds", seconds_or_null(s->ms), "round",
                                        s->round, "note", text_or_null(arena, s->note)));
    }
    return list;
}

static json_t *waiting(struct arena *arena, const struct overview *o) {
    if (!o->waiting.reason) return json_null();
    return json_pack("{s:o, s:o, s:n}", "since", text_or_null(arena, o->waiting.since), "reason",
                     text_or_null(arena, o->waiting.reason), "until");
}

static json_t *why(struct arena *arena, const struct overview *o) {
    if (!o->error.message) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "message", text_or_null(arena, o->error.message), "detail",
                     text_or_null(arena, o->error.detail), "hint", text_or_null(arena, o->error.hint), "sqlstate",
                     text_or_null(arena, o->error.sqlstate));
}

json_t *shown_json(struct arena *arena, const struct overview *o) {
    json_t *run = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "run", (json_int_t)o->run, "plan",
                            text_or_null(arena, o->plan), "environment", text_or_null(arena, o->environment), "table",
                            text_or_null(arena, o->table), "state", text_or_null(arena, o->state), "steps",
                            steps(arena, o), "waiting", waiting(arena, o));
    json_object_set_new(run, "rate", tenths_or_null(o->rate));
    json_object_set_new(run, "eta_seconds", seconds_or_null(o->eta_ms));
    json_object_set_new(run, "wanted", text_or_null(arena, o->wanted));
    json_object_set_new(run, "started", text_or_null(arena, o->started));
    json_object_set_new(run, "finished", text_or_null(arena, o->finished));
    json_object_set_new(run, "seconds", seconds_or_null(o->ms));
    json_object_set_new(run, "runner", o->alive ? text_or_null(arena, o->holder) : json_null());
    json_object_set_new(run, "removed", json_integer(o->removed));
    json_object_set_new(run, "children", json_integer(o->children));
    json_object_set_new(run, "spared", json_integer(o->spared));
    json_object_set_new(run, "objects", json_integer(o->objects));
    json_object_set_new(run, "error", why(arena, o));
    return run;
}

void shown_answer(struct command_line *line, struct arena *arena, const struct overview *overviews, size_t count,
                  bool list) {
    json_t *answer = list ? json_array() : shown_json(arena, overviews);
    for (size_t i = 0; list && i < count; i++) json_array_append_new(answer, shown_json(arena, &overviews[i]));
    json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
    putchar('\n');
    json_decref(answer);
    line->answered = true;
}
