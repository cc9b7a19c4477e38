/* throttle.window: outside of a time of the day nothing new begins. What time it is, is the server's to say. */
#include "work/throttle/window.h"
#include "sql/work/throttle/window.sql.h"
#include "work/throttle/limit.h"

static bool on(const struct throttle_settings *s) { return s->window.text != NULL; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "outside of %s", s->window.text);
}

static const char *question(const struct look *look, struct error *error) {
    (void)look, (void)error;
    return sql_time_of_day.text;
}

static const char *value(const struct look *look) { return look->settings->window.zone; }

bool window_open(const struct window *window, int64_t second) {
    int64_t from = (int64_t)window->from * 60, to = (int64_t)window->to * 60;
    return from < to ? second >= from && second < to : second >= from || second < to;
}

static void judge(struct look *look, const struct rows *rows) {
    const struct window *w = &look->settings->window;
    if (window_open(w, rows_int(rows, 0, 0))) return;
    const char *zone = w->zone ? arena_printf(look->arena, " %s", w->zone) : "";
    look->reason = arena_printf(look->arena, "it is %s%s, outside of %s", rows_text(rows, 0, 1), zone, w->text);
    look->until = arena_printf(look->arena, "%02d:%02d%s", w->from / 60 % 24, w->from % 60, zone);
}

const struct limit window_limit = {
    .name = "window", .on = on, .about = about, .question = question, .value = value, .judge = judge};
