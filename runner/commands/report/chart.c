/* The frame of a chart: heading, grid, axes, bands. */
#include "commands/report/chart.h"

#include <math.h>

#include "commands/report/markup.h"
#include "commands/report/words.h"

enum { AXIS = 26, TIMES = 7 };

double chart_percent(const struct chart *c, double seconds) {
    double percent = 100 * seconds / c->report->span;
    return percent < 0 ? 0 : percent > 100 ? 100 : percent;
}

double chart_x(const struct chart *c, double seconds) { return 100 * chart_percent(c, seconds); }

double chart_y(const struct chart *c, double value) {
    double part = value / c->scale.top;
    return 1000 * (1 - (part < 0 ? 0 : part > 1 ? 1 : part));
}

static void add_levels(const struct chart *c) {
    struct arena *arena = c->report->arena;
    for (int i = 0; i <= c->scale.marks; i++) {
        double y = CHART_ABOVE + c->height * (1 - (double)i / c->scale.marks);
        markup(c->out, "<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>", i ? "grid" : "base", y, y);
        markup(c->out, "<text class=\"level\" x=\"-8\" y=\"%.1f\">%s</text>", y + 4,
               scale_text(arena, i * c->scale.step, c->scale.step));
    }
}

/* Letters of a mark that tells seconds, or parts of them, need more room. */
static double step_of_times(double span) {
    double step = scale_times(span, TIMES);
    return step >= 60 ? step : scale_times(span, step >= 1 ? TIMES - 2 : TIMES - 3);
}

/* Marks stand at round times of the day, not of the run, so that other graphs of that day can be laid beside them. */
static void add_times(const struct chart *c) {
    const struct report *r = c->report;
    double step = step_of_times(r->span), first = ceil(r->start / step - 1e-6) * step;
    int bottom = CHART_ABOVE + c->height, i = 0;
    for (double at = first; at <= r->start + r->span + step * 1e-6; at += step, i++) {
        double x = chart_percent(c, at - r->start);
        const char *edge = x < 4 ? " first" : x > 96 ? " last" : "";
        markup(c->out, "<line class=\"tick\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%d\" y2=\"%d\"/>", x, x, bottom,
               bottom + 5);
        markup(c->out, "<text class=\"time%s%s\" x=\"%.3f%%\" y=\"%d\">%s</text>", edge, i % 2 ? " odd" : "", x,
               bottom + 19, scale_clock(r->arena, at, step));
    }
}

void chart_open(const struct chart *c, const struct chart_words *words) {
    markup(c->out, "<figure class=\"chart\"><figcaption><h3 id=\"%s\">%s <span class=\"unit\">%s</span></h3>", c->id,
           words->name, words->unit);
    if (words->note) markup(c->out, "<p>%s</p>", words->note);
    markup(c->out,
           "</figcaption>\n<div class=\"plot\"><svg role=\"img\" aria-labelledby=\"%s\" aria-describedby=\"%s-told\""
           " height=\"%d\"><desc id=\"%s-told\">%s</desc>\n",
           c->id, c->id, CHART_ABOVE + c->height + AXIS, c->id, words->description);
    if (c->scale.marks)
        add_levels(c);
    else
        markup(c->out, "<line class=\"base\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>", CHART_ABOVE + c->height,
               CHART_ABOVE + c->height);
    add_times(c);
}

void chart_close(const struct chart *c) { markup_raw(c->out, "</svg></div></figure>\n"); }

void chart_paths_open(const struct chart *c) {
    markup(c->out,
           "<svg class=\"data\" y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 10000 1000\" "
           "preserveAspectRatio=\"none\">",
           CHART_ABOVE, c->height);
}

void chart_paths_close(const struct chart *c) { markup_raw(c->out, "</svg>\n"); }

void chart_spot(const struct chart *c, double seconds, double length, const char *text) {
    chart_band(c, "spot", seconds, length, text);
}

void chart_band(const struct chart *c, const char *class, double seconds, double length, const char *text) {
    double left = chart_percent(c, seconds), right = chart_percent(c, seconds + length);
    markup(c->out, "<rect class=\"%s\" x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\">", class, left, CHART_ABOVE,
           right - left > 0.05 ? right - left : 0.05, c->height);
    if (text) markup(c->out, "<title>%s</title>", text);
    markup_raw(c->out, "</rect>");
}
