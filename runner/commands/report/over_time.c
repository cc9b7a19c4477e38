/* Charts over the time of the run: its steps, throughput, batch size, replica lag, and when it waited for what. */
#include <stdlib.h>
#include <string.h>

#include "commands/report/chart.h"
#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum { HEIGHT = 150, STRIP = 28, LEVELS = 4, LONGEST_WAITS = 10 };

static const json_t *series(const struct report *r, const char *key) {
    return fact_list(json_object_get(r->run, "series"), key);
}

static double most(const json_t *list, double (*value)(const json_t *)) {
    double most = -1;
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        double v = value(one);
        if (v > most) most = v;
    }
    return most;
}

static size_t known(const json_t *list, double (*value)(const json_t *)) {
    size_t i, count = 0;
    const json_t *one;
    json_array_foreach(list, i, one) { count += value(one) >= 0; }
    return count;
}

/* --- what all charts show behind their lines --- */

/* When nobody worked: from an event that ends a session to the next that resumes. */
void chart_breaks(const struct chart *c) {
    double since = -1;
    size_t i;
    const json_t *event;
    json_array_foreach(fact_list(c->report->run, "timeline"), i, event) {
        bool resumes = fact_is(event, "type", "run.resumed");
        if (since >= 0 && resumes) {
            double length = fact_number(event, "seconds") - since;
            chart_band(
                c, "break", since, length,
                arena_printf(c->report->arena, "nobody worked on it for %s", words_seconds(c->report->arena, length)));
        }
        if (fact_is(event, "type", "run.paused") || fact_is(event, "type", "run.failed"))
            since = fact_number(event, "seconds");
        else if (resumes)
            since = -1;
    }
}

static double length_of(const struct report *r, const json_t *wait) {
    double ms = fact_number(wait, "ms");
    return ms >= 0 ? ms / 1000 : r->span - fact_number(wait, "seconds");
}

static const char *wait_text(const struct report *r, const json_t *wait) {
    return arena_printf(r->arena, "%s: waited for %s: %s", words_clock(r->arena, r, fact_time(wait, "at")),
                        words_seconds(r->arena, length_of(r, wait)), fact_text(wait, "reason"));
}

static void add_waits(const struct chart *c, const char *class) {
    size_t i;
    const json_t *wait;
    json_array_foreach(fact_list(c->report->run, "waits"), i, wait) {
        chart_band(c, class, fact_number(wait, "seconds"), length_of(c->report, wait), wait_text(c->report, wait));
    }
}

static void add_acts(const struct chart *c) {
    struct arena *arena = c->report->arena;
    size_t i;
    const json_t *act;
    json_array_foreach(fact_list(c->report->run, "timeline"), i, act) {
        if (!fact_is(act, "what", "act")) continue;
        const char *role = fact_text(act, "role"), *message = fact_text(act, "message");
        chart_band(c, "act", fact_number(act, "seconds"), 0,
                   arena_printf(arena, "%s: %s by %s%s%s", words_clock(arena, c->report, fact_time(act, "at")),
                                fact_text(act, "type"), role ? role : "somebody", message ? ", " : "",
                                message ? message : ""));
    }
}

static void add_background(const struct chart *c) {
    chart_breaks(c);
    add_waits(c, "wait");
    add_acts(c);
}

/* --- throughput --- */

static double rate_of(const json_t *bucket, const char *key) {
    double rows = fact_number(bucket, key), width = fact_number(bucket, "width");
    return rows <= 0 || width <= 0 ? 0 : rows / width;
}

static double whole_rate(const json_t *bucket) { return rate_of(bucket, "rows") + rate_of(bucket, "children"); }
static double own_rate(const json_t *bucket) { return rate_of(bucket, "rows"); }

/* Steps of a staircase from the axis up; what is 0 is left out. */
static void add_area(const struct chart *c, const json_t *list, const char *class, double (*value)(const json_t *)) {
    bool open = false;
    size_t i;
    const json_t *one;
    markup(c->out, "<path class=\"%s\" d=\"", class);
    json_array_foreach(list, i, one) {
        double from = fact_number(one, "seconds"), v = value(one);
        if (v <= 0 && open) markup_raw(c->out, "V1000Z");
        if (v > 0 && !open) markup(c->out, "M%.1f 1000", chart_x(c, from));
        open = v > 0;
        if (open) markup(c->out, "V%.1fH%.1f", chart_y(c, v), chart_x(c, from + fact_number(one, "width")));
    }
    markup(c->out, "%s\"/>", open ? "V1000Z" : "");
}

static void add_bucket_spots(const struct chart *c, const json_t *list) {
    const struct report *r = c->report;
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        const char *step = fact_text(one, "step");
        if (fact_count(one, "batches") <= 0) continue;
        chart_spot(c, fact_number(one, "seconds"), fact_number(one, "width"),
                   arena_printf(r->arena, "%s%s%s: %s rows a second, %s",
                                words_clock(r->arena, r, fact_time(one, "at")), step ? ", " : "", step ? step : "",
                                words_count(r->arena, (int64_t)(whole_rate(one) + 0.5)),
                                words_rows(r->arena, fact_count(one, "batches"), "batch", "batches")));
    }
}

static void add_bucket_table(const struct report *r, struct text *out, const json_t *list) {
    size_t i;
    const json_t *one;
    markup_raw(
        out,
        "<details class=\"numbers\"><summary>These numbers as a table</summary><div class=\"scroll\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Throughput as a table\"><table><thead><tr><th scope=\"col\">from (UTC)</th>"
        "<th scope=\"col\">step</th><th scope=\"col\" class=\"n\">rows</th><th scope=\"col\" class=\"n\">below</th>"
        "<th scope=\"col\" class=\"n\">batches</th><th scope=\"col\" class=\"n\">rows/s</th></tr></thead><tbody>\n");
    json_array_foreach(list, i, one) {
        if (fact_count(one, "batches") <= 0) continue;
        markup(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
               words_clock(r->arena, r, fact_time(one, "at")), fact_text(one, "step"),
               words_count(r->arena, fact_count(one, "rows")), words_count(r->arena, fact_count(one, "children")));
        markup(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
               words_count(r->arena, fact_count(one, "batches")),
               words_count(r->arena, (int64_t)(whole_rate(one) + 0.5)));
    }
    markup_raw(out, "</tbody></table></div></details>\n");
}

static void add_key(struct text *out, const char *class, const char *text) {
    markup(out, "<span><span class=\"key %s\"></span>%s</span>", class, text);
}

static bool happened(const struct report *r, const char *key, const char *value) {
    size_t i;
    const json_t *event;
    json_array_foreach(fact_list(r->run, "timeline"), i, event) {
        if (fact_is(event, key, value)) return true;
    }
    return false;
}

static void add_throughput_legend(const struct report *r, struct text *out, bool below) {
    markup_raw(out, "<p class=\"legend\">");
    if (below) add_key(out, "rows", arena_printf(r->arena, "rows of %s", r->table));
    if (below) add_key(out, "below", "rows below it");
    if (json_array_size(fact_list(r->run, "waits"))) add_key(out, "waited", "it waited");
    if (happened(r, "type", "run.resumed")) add_key(out, "break", "nobody worked on it");
    if (happened(r, "what", "act")) add_key(out, "act", "somebody stepped in");
    markup_raw(out, "</p>\n");
}

static void add_throughput(const struct report *r, struct text *out) {
    const json_t *list = series(r, "throughput");
    double peak = most(list, whole_rate);
    if (peak <= 0) return;
    bool below = false;
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) { below = below || fact_count(one, "children") > 0; }
    struct chart c = {
        .report = r, .out = out, .id = "chart-throughput", .scale = scale_numbers(peak, LEVELS, 0), .height = HEIGHT};
    const char *highest = scale_text(r->arena, peak, peak >= 100 ? 1 : 0.1);
    chart_open(&c, &(struct chart_words){"Throughput", "rows a second",
                                         arena_printf(r->arena, "At most %s rows a second.", highest),
                                         arena_printf(r->arena,
                                                      "Rows a second over the time of the run, at most %s. The table "
                                                      "below has the numbers.",
                                                      highest)});
    add_background(&c);
    chart_paths_open(&c);
    add_area(&c, list, below ? "area below" : "area rows", whole_rate);
    if (below) add_area(&c, list, "area rows", own_rate);
    chart_paths_close(&c);
    add_bucket_spots(&c, list);
    chart_close(&c);
    add_throughput_legend(r, out, below);
    add_bucket_table(r, out, list);
}

/* --- lines through samples --- */

static double batch_size(const json_t *sample) { return fact_number(sample, "batch_size"); }
static double lag(const json_t *sample) { return fact_number(sample, "lag_seconds"); }

/* A line is broken where nothing was known, and where samples are much farther apart than is usual. */
static void add_line(const struct chart *c, const json_t *list, const char *class, double (*value)(const json_t *)) {
    double before = -1, gap = 5 * c->report->span / (double)(json_array_size(list) + 1) + 3;
    size_t i;
    const json_t *one;
    markup(c->out, "<path class=\"line %s\" d=\"", class);
    json_array_foreach(list, i, one) {
        double at = fact_number(one, "seconds"), v = value(one);
        if (v >= 0) {
            bool on = before >= 0 && at - before < gap;
            markup(c->out, on ? "L%.1f %.1f" : "M%.1f %.1fh0", chart_x(c, at), chart_y(c, v));
        }
        before = v >= 0 ? at : -1;
    }
    markup_raw(c->out, "\"/>");
}

static void add_sample_spots(const struct chart *c, const json_t *list, double (*value)(const json_t *),
                             const char *unit) {
    const struct report *r = c->report;
    double width = r->span / (double)(json_array_size(list) + 1);
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        double v = value(one);
        if (v < 0) continue;
        chart_spot(c, fact_number(one, "seconds") - width / 2, width,
                   arena_printf(r->arena, "%s: %s%s", words_clock(r->arena, r, fact_time(one, "at")),
                                scale_text(r->arena, v, c->scale.step < 1 ? 0.01 : 1), unit));
    }
}

struct sampled {
    const char *id, *name, *unit, *class, *short_unit, *highest;
    double (*value)(const json_t *);
    double least;
};

static void add_samples(const struct report *r, struct text *out, const struct sampled *s) {
    const json_t *list = series(r, "samples");
    double peak = most(list, s->value);
    if (known(list, s->value) < 2) return;
    struct chart c = {
        .report = r, .out = out, .id = s->id, .scale = scale_numbers(peak, LEVELS, s->least), .height = 2 * HEIGHT / 3};
    const char *highest = arena_printf(r->arena, "%s %s%s.", s->highest,
                                       scale_text(r->arena, peak,
                                                  s->least >= 1 ? 1
                                                  : peak < 10   ? 0.01
                                                                : 0.1),
                                       s->short_unit);
    chart_open(&c, &(struct chart_words){s->name, s->unit, highest,
                                         arena_printf(r->arena, "A line over the time of the run. %s", highest)});
    add_background(&c);
    chart_paths_open(&c);
    add_line(&c, list, s->class, s->value);
    chart_paths_close(&c);
    add_sample_spots(&c, list, s->value, s->short_unit);
    chart_close(&c);
}

static void add_sample_table(const struct report *r, struct text *out) {
    size_t i;
    const json_t *one;
    if (!json_array_size(series(r, "samples"))) return;
    markup_raw(
        out,
        "<details class=\"numbers\"><summary>Batch size and lag as a table</summary><div class=\"scroll\" "
        "tabindex=\"0\" "
        "role=\"region\" aria-label=\"Batch size and lag as a table\"><table><thead><tr><th scope=\"col\">at (UTC)</th>"
        "<th scope=\"col\" class=\"n\">rows/s</th><th scope=\"col\" class=\"n\">batch size</th>"
        "<th scope=\"col\" class=\"n\">lag, s</th><th scope=\"col\">waiting for</th></tr></thead><tbody>\n");
    json_array_foreach(series(r, "samples"), i, one) {
        double behind = lag(one);
        markup(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td class=\"n\">%s</td>",
               words_clock(r->arena, r, fact_time(one, "at")), words_count(r->arena, fact_count(one, "rate")),
               words_count(r->arena, fact_count(one, "batch_size")));
        markup(out, "<td class=\"n\">%s</td><td>%s</td></tr>\n",
               behind < 0 ? "–" : arena_printf(r->arena, "%.2f", behind), fact_text(one, "waiting"));
    }
    markup_raw(out, "</tbody></table></div></details>\n");
}

/* --- waiting --- */

static int longer_first(const void *a, const void *b) {
    double x = fact_number(*(const json_t *const *)a, "ms"), y = fact_number(*(const json_t *const *)b, "ms");
    return x < 0 || y < 0 ? (x >= 0) - (y >= 0) : (x < y) - (x > y);
}

static double waited(const struct report *r) {
    double sum = 0;
    size_t i;
    const json_t *wait;
    json_array_foreach(fact_list(r->run, "waits"), i, wait) { sum += length_of(r, wait); }
    return sum;
}

static void add_longest_waits(const struct report *r, struct text *out, const json_t *waits) {
    size_t count = json_array_size(waits);
    const json_t **sorted = arena_alloc(r->arena, count * sizeof *sorted);
    for (size_t i = 0; i < count; i++) sorted[i] = json_array_get(waits, i);
    qsort(sorted, count, sizeof *sorted, longer_first);
    markup_raw(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The longest "
                    "waits\"><table><caption>The longest waits</caption>"
                    "<thead><tr><th scope=\"col\">from (UTC)</th><th scope=\"col\" class=\"n\">waited</th>"
                    "<th scope=\"col\">for</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count && i < LONGEST_WAITS; i++)
        markup(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td class=\"text\">%s</td></tr>\n",
               words_clock(r->arena, r, fact_time(sorted[i], "at")), words_seconds(r->arena, length_of(r, sorted[i])),
               fact_text(sorted[i], "reason"));
    markup_raw(out, "</tbody></table></div>\n");
}

static void add_waiting(const struct report *r, struct text *out) {
    const json_t *waits = fact_list(r->run, "waits");
    if (!json_array_size(waits)) return;
    struct chart c = {.report = r, .out = out, .id = "chart-waiting", .height = STRIP};
    const char *sum =
        arena_printf(r->arena, "%s, %s in all.", words_rows(r->arena, (int64_t)json_array_size(waits), "wait", "waits"),
                     words_seconds(r->arena, waited(r)));
    chart_open(&c, &(struct chart_words){
                       "Waiting", "when it gave way", sum,
                       arena_printf(r->arena, "A bar for each wait. %s The table below has the longest.", sum)});
    add_waits(&c, "waited");
    chart_close(&c);
    add_longest_waits(r, out, waits);
}

void section_time(const struct report *r, struct text *out) {
    static const struct sampled lines[] = {
        {"chart-batch", "Batch size", "rows a transaction", "size", " rows", "At most", batch_size, 1},
        {"chart-lag", "Replica lag", "seconds the last standby is behind", "lag", " s", "At most", lag, 0},
    };
    if (r->start < 0) return;
    chart_steps(r, out);
    add_throughput(r, out);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) add_samples(r, out, &lines[i]);
    add_sample_table(r, out);
    add_waiting(r, out);
}
