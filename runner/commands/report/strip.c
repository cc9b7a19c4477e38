/* The strip of steps over the charts: which step worked when, in all rounds and sessions. */
#include "commands/report/chart.h"
#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum { STRIP = 28, LANES = 4 };

/* Colours go by what a step does to the tables. */
static const char *kind_of(const json_t *step) {
    static const char *const kinds[][2] = {{"discover", "reads"}, {"track", "reads"},   {"check", "reads"},
                                           {"approve", "waits"},  {"index", "builds"},  {"guard", "builds"},
                                           {"vacuum", "builds"},  {"reindex", "builds"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (fact_is(step, "kind", kinds[i][0])) return kinds[i][1];
    return "changes";
}

struct bar {
    const char *name;
    const json_t *step;
    double from, to; /* seconds since the run began */
    int lane;
};

struct bars {
    struct bar *items;
    size_t count;
    int lanes;
};

/* --- when each step worked --- */

static size_t place_of(const json_t *steps, const char *name) {
    size_t i;
    const json_t *step;
    json_array_foreach(steps, i, step) {
        if (fact_is(step, "name", name)) return i;
    }
    return json_array_size(steps);
}

/* Steps that work together overlap: each of them then has a lane of its own. */
static void add_span(const struct report *r, struct bars *bars, const char *name, double from, double to) {
    const json_t *steps = fact_list(r->run, "steps");
    bool taken[LANES] = {false};
    int lane = 0;
    for (size_t i = 0; i < bars->count; i++)
        if (bars->items[i].to > from + (to - from) / 100) taken[bars->items[i].lane] = true;
    while (lane < LANES - 1 && taken[lane]) lane++;
    if (lane >= bars->lanes) bars->lanes = lane + 1;
    bars->items = arena_grow(r->arena, bars->items, &bars->count, sizeof *bars->items);
    bars->items[bars->count - 1] = (struct bar){name, json_array_get(steps, place_of(steps, name)), from, to, lane};
}

static bool ends_session(const json_t *event) {
    return fact_is(event, "type", "run.paused") || fact_is(event, "type", "run.failed") ||
           fact_is(event, "type", "run.cancelled") || fact_is(event, "type", "run.finished");
}

/*
 * What began at this place of the timeline lasted until it was done, or until the run went back to a step before it for
 * another round; else to the end of the last session, if that ended.
 */
static double end_of(const struct report *r, const json_t *timeline, size_t began) {
    const json_t *steps = fact_list(r->run, "steps"), *event;
    const char *name = fact_text(json_array_get(timeline, began), "step");
    double stopped = -1;
    for (size_t i = began + 1; (event = json_array_get(timeline, i)); i++) {
        const char *step = fact_text(event, "step");
        if (fact_is(event, "type", "step.finished") && text_equal(step, name)) return fact_number(event, "seconds");
        if (ends_session(event) && stopped < 0) stopped = fact_number(event, "seconds");
        if (fact_is(event, "type", "run.resumed")) stopped = -1;
        if (!fact_is(event, "type", "step.started") || !step) continue;
        if (place_of(steps, step) <= place_of(steps, name)) return fact_number(event, "seconds");
    }
    return stopped >= 0 ? stopped : r->span;
}

/* The timeline knows all rounds of a step, and begins anew with each session. */
static void read_timeline(const struct report *r, struct bars *bars) {
    const json_t *timeline = fact_list(r->run, "timeline"), *event;
    size_t i;
    json_array_foreach(timeline, i, event) {
        const char *name = fact_text(event, "step");
        if (name && fact_is(event, "type", "step.started"))
            add_span(r, bars, name, fact_number(event, "seconds"), end_of(r, timeline, i));
    }
}

/* Runs of older programs, and steps whose beginning was too long ago for the timeline. */
static void read_steps(const struct report *r, struct bars *bars) {
    size_t i, told = bars->count;
    const json_t *step;
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        double from = fact_time(step, "started"), to = fact_time(step, "finished");
        bool known = false;
        for (size_t k = 0; k < told; k++) known = known || text_equal(bars->items[k].name, fact_text(step, "name"));
        if (known || from < 0) continue;
        add_span(r, bars, fact_text(step, "name"), from - r->start, to < 0 ? r->span : to - r->start);
    }
}

/* --- drawing --- */

static void add_bar(const struct chart *c, const struct bar *bar) {
    double left = chart_percent(c, bar->from), width = chart_percent(c, bar->to) - left;
    const char *name = bar->name ? bar->name : "";
    double columns = (double)text_columns(name);
    markup(c->out, "<svg x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"><title>%s: %s</title>", left,
           CHART_ABOVE + bar->lane * STRIP, width > 0.1 ? width : 0.1, STRIP, name,
           words_seconds(c->report->arena, bar->to - bar->from));
    markup(c->out, "<rect class=\"step %s\" width=\"100%%\" height=\"100%%\"/>", kind_of(bar->step));
    if (width > 0.9 * columns + 1)
        markup(c->out, "<text class=\"inside%s\" x=\"6\" y=\"18\">%s</text>", width > 3 * columns + 4 ? "" : " wide",
               name);
    markup_raw(c->out, "</svg>\n");
}

void chart_steps(const struct report *r, struct text *out) {
    struct bars bars = {0};
    read_timeline(r, &bars);
    read_steps(r, &bars);
    struct chart c = {.report = r, .out = out, .id = "chart-steps", .height = bars.lanes * STRIP};
    if (!bars.count) return;
    chart_open(&c, &(struct chart_words){"Steps", "what it was at", NULL,
                                         "A bar for each time that a step worked, from its beginning to its end. "
                                         "What happened is told in words below."});
    for (size_t i = 0; i < bars.count; i++) add_bar(&c, &bars.items[i]);
    chart_breaks(&c);
    chart_close(&c);
    markup_raw(out, "<p class=\"legend\"><span><span class=\"key reads\"></span>reads</span>"
                    "<span><span class=\"key rows\"></span>changes rows</span>"
                    "<span><span class=\"key builds\"></span>builds or tidies</span></p>\n");
}
