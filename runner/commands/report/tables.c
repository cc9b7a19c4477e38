/* The parts of a page that are figures and tables: totals, steps, slowest batches, what stayed, webhooks, versions. */
#include <string.h>

#include "base/json.h"
#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum { SLOWEST = 10, LONG_FIGURE = 11 };

/* --- why it stopped --- */

void section_error(const struct report *r, struct text *out) {
    const json_t *error = json_object_get(r->run, "error");
    const char *message = fact_text(error, "message"), *detail = fact_text(error, "detail"),
               *hint = fact_text(error, "hint");
    const char *code = fact_text(error, "sqlstate");
    if (!message) return;
    const char *mood = words_mood(fact_text(r->run, "state"));
    markup(out, "<div class=\"callout %s\"><p class=\"message\">%s", text_equal(mood, "bad") ? "bad" : "warn", message);
    if (code && *code) markup(out, " <span class=\"code\">SQLSTATE %s</span>", code);
    markup_raw(out, "</p>\n");
    if (detail) markup(out, "<pre class=\"detail\">%s</pre>\n", detail);
    if (hint) {
        markup_raw(out, "<p class=\"hint\"><strong>What to do:</strong> ");
        markup_sentence(out, hint);
        markup_raw(out, "</p>\n");
    }
    markup_raw(out, "</div>\n");
}

/* --- figures --- */

static void add_figure(struct text *out, const char *name, const char *value, const char *note) {
    markup(out, "<div><dt>%s</dt><dd%s>%s", name, text_columns(value) > LONG_FIGURE ? " class=long" : "", value);
    if (note) markup(out, "<small>%s</small>", note);
    markup_raw(out, "</dd></div>\n");
}

/* Of all rounds: a step knows those of its last one. */
static int64_t batches(const struct report *r) {
    int64_t sum = 0;
    size_t i;
    const json_t *bucket;
    json_array_foreach(fact_list(json_object_get(r->run, "series"), "throughput"), i, bucket) {
        int64_t count = fact_count(bucket, "batches");
        sum += count > 0 ? count : 0;
    }
    return sum;
}

void section_totals(const struct report *r, struct text *out) {
    struct arena *arena = r->arena;
    const json_t *totals = json_object_get(r->run, "totals"), *archive = json_object_get(r->run, "archive");
    int64_t held = fact_count(totals, "held"), archived = fact_count(totals, "archived");
    markup_raw(out, "<dl class=\"figures\">\n");
    add_figure(out, "rows removed", words_count(arena, fact_count(totals, "removed")),
               arena_printf(arena, "from %s", r->table));
    add_figure(out, "rows settled below", words_count(arena, fact_count(totals, "children")),
               "deleted, moved or set to NULL");
    add_figure(out, "rows spared", words_count(arena, fact_count(totals, "spared")),
               held > 0 ? arena_printf(arena, "and %s held back by hand", words_count(arena, held))
                        : "they no longer qualified");
    add_figure(out, report_lives(r) ? "time so far" : "time it took",
               words_seconds(arena, fact_number(r->run, "seconds")), words_rows(arena, batches(r), "batch", "batches"));
    double until = fact_time(archive, "until");
    if (archived > 0)
        add_figure(out, "rows archived", words_count(arena, archived),
                   fact_text(archive, "without") ? "a step kept nothing"
                   : until > 0                   ? arena_printf(arena, "kept until %s", words_day(arena, until))
                                                 : "so it can be taken back");
    markup_raw(out, "</dl>\n");
}

/* --- steps --- */

static double longest_step(const struct report *r) {
    double longest = 0;
    size_t i;
    const json_t *step;
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        if (fact_number(step, "seconds") > longest) longest = fact_number(step, "seconds");
    }
    return longest;
}

static const char *rows_of(const struct report *r, const json_t *step) {
    int64_t rows = fact_count(step, "rows"), total = fact_count(step, "total");
    if (total >= 0 && total != rows)
        return arena_printf(r->arena, "%s of %s", words_count(r->arena, rows < 0 ? 0 : rows),
                            words_count(r->arena, total));
    return rows > 0 || total >= 0 ? words_count(r->arena, rows) : NULL;
}

static void add_cell(struct text *out, const char *label, const char *value) {
    markup(out, "<td role=\"cell\" class=\"n%s\" data-label=\"%s\">%s</td>", value ? "" : " nothing", label, value);
}

static const char *count_or_nothing(const struct report *r, const json_t *step, const char *key) {
    return fact_count(step, key) > 0 ? words_count(r->arena, fact_count(step, key)) : NULL;
}

static void add_step(const struct report *r, struct text *out, const json_t *step, double longest) {
    const char *name = fact_text(step, "name"), *kind = fact_text(step, "kind"), *state = fact_text(step, "state");
    const char *note = fact_text(step, "note");
    int64_t round = fact_count(step, "round");
    double seconds = fact_number(step, "seconds");
    markup(out, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">%s", name);
    if (kind && !text_equal(kind, name)) markup(out, " <small>%s</small>", kind);
    if (round > 1) markup(out, " <small>round %lld</small>", (long long)round);
    if (text_equal(state, "running") && !report_lives(r)) state = "begun";
    markup(out, "</th><td role=\"cell\"><span class=\"state %s\">%s</span></td>",
           text_equal(state, "waiting") ? "calm" : words_mood(state), state);
    add_cell(out, "rows", rows_of(r, step));
    add_cell(out, "spared", count_or_nothing(r, step, "spared"));
    add_cell(out, "batches", count_or_nothing(r, step, "batches"));
    markup(out, "<td role=\"cell\" class=\"n took%s\" data-label=\"time\">", seconds < 0 ? " nothing" : "");
    if (seconds >= 0)
        markup(out,
               "%s<svg class=\"share\" aria-hidden=\"true\" width=\"100%%\" height=\"4\"><rect width=\"%.1f%%\" "
               "height=\"4\" rx=\"2\"/></svg>",
               words_seconds(r->arena, seconds), longest > 0 ? 100 * seconds / longest : 0);
    markup(out, "</td><td role=\"cell\" class=\"text%s\">%s</td></tr>\n", note ? "" : " nothing", note);
}

void section_steps(const struct report *r, struct text *out) {
    const json_t *steps = fact_list(r->run, "steps");
    size_t i;
    const json_t *step;
    if (!json_array_size(steps)) return;
    markup_raw(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Steps\"><table class=\"steps\" "
                    "role=\"table\"><thead role=\"rowgroup\">"
                    "<tr role=\"row\"><th role=\"columnheader\" scope=\"col\">step</th><th role=\"columnheader\" "
                    "scope=\"col\">state</th>"
                    "<th role=\"columnheader\" scope=\"col\" class=\"n\">rows</th><th role=\"columnheader\" "
                    "scope=\"col\" class=\"n\">spared</th>"
                    "<th role=\"columnheader\" scope=\"col\" class=\"n\">batches</th><th role=\"columnheader\" "
                    "scope=\"col\" class=\"n\">time</th>"
                    "<th role=\"columnheader\" scope=\"col\">note</th></tr></thead><tbody role=\"rowgroup\">\n");
    json_array_foreach(steps, i, step) { add_step(r, out, step, longest_step(r)); }
    markup_raw(out, "</tbody></table></div>\n");
}

/* --- slowest batches --- */

static const char *range_of(const struct report *r, const json_t *batch) {
    int64_t first = fact_count(batch, "first"), last = fact_count(batch, "last");
    if (first < 0 || last < 0) return NULL;
    return arena_printf(r->arena, "%s–%s", words_count(r->arena, first), words_count(r->arena, last));
}

void section_slowest(const struct report *r, struct text *out) {
    size_t i;
    const json_t *batch;
    if (!json_array_size(fact_list(r->run, "slowest"))) return;
    markup_raw(
        out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Slowest "
             "batches\"><table><thead><tr><th scope=\"col\">at (UTC)</th>"
             "<th scope=\"col\">step</th><th scope=\"col\" class=\"n\">took</th><th scope=\"col\" class=\"n\">rows</th>"
             "<th scope=\"col\" class=\"n\">below</th><th scope=\"col\" class=\"n\">its range of the tracking "
             "table</th></tr></thead><tbody>\n");
    json_array_foreach(fact_list(r->run, "slowest"), i, batch) {
        if (i == SLOWEST) break;
        double ms = fact_number(batch, "ms");
        markup(out,
               "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
               "class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
               words_clock(r->arena, r, fact_time(batch, "at")), fact_text(batch, "step"),
               words_seconds(r->arena, ms / 1000), words_count(r->arena, fact_count(batch, "rows")),
               words_count(r->arena, fact_count(batch, "children")), range_of(r, batch));
    }
    markup_raw(out, "</tbody></table></div>\n");
}

/* --- rows that stayed --- */

static void add_examples(struct text *out, const json_t *examples) {
    size_t i;
    const json_t *one;
    json_array_foreach(examples, i, one) { markup(out, "%s<code>%s</code>", i ? " " : "", json_string_value(one)); }
}

static void add_kept(const struct report *r, struct text *out, const char *key, const char *one, const char *many,
                     const char *why) {
    int64_t count = fact_count(json_object_get(r->run, "kept"), key);
    if (count <= 0) return;
    markup(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td></td></tr>\n",
           arena_printf(r->arena, "%s%s", count == 1 ? one : many, why), words_count(r->arena, count));
}

void section_kept(const struct report *r, struct text *out) {
    const json_t *kept = json_object_get(r->run, "kept");
    size_t i;
    const json_t *reason;
    if (!json_array_size(fact_list(r->run, "spared")) && fact_count(kept, "held") <= 0 &&
        fact_count(kept, "survivors") <= 0 && fact_count(kept, "contested") <= 0)
        return;
    markup_raw(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Spared and kept "
        "rows\"><table><thead><tr><th scope=\"col\">why they stayed</th>"
        "<th scope=\"col\" class=\"n\">rows</th><th scope=\"col\">some of them, by key</th></tr></thead><tbody>\n");
    json_array_foreach(fact_list(r->run, "spared"), i, reason) {
        markup(out, "<tr><th scope=\"row\">spared: %s</th><td class=\"n\">%s</td><td class=\"keys\">",
               fact_text(reason, "reason"), words_count(r->arena, fact_count(reason, "rows")));
        add_examples(out, fact_list(reason, "examples"));
        markup_raw(out, "</td></tr>\n");
    }
    add_kept(r, out, "held", "held back", "held back", " by hand");
    add_kept(r, out, "contested", "left", "left", ", since somebody held a lock on it to the end");
    add_kept(r, out, "survivors", "survivor", "survivors", " of a group");
    markup_raw(out, "</tbody></table></div>\n");
}

/* --- webhooks --- */

void section_webhooks(const struct report *r, struct text *out) {
    size_t i;
    const json_t *one;
    if (!json_array_size(fact_list(r->run, "endpoints"))) return;
    markup_raw(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                    "aria-label=\"Webhooks\"><table><thead><tr><th scope=\"col\">endpoint</th>"
                    "<th scope=\"col\" class=\"n\">delivered</th><th scope=\"col\" class=\"n\">waiting</th><th "
                    "scope=\"col\" class=\"n\">dropped</th>"
                    "<th scope=\"col\">last answer</th></tr></thead><tbody>\n");
    json_array_foreach(fact_list(r->run, "endpoints"), i, one) {
        double gone = fact_time(one, "gone");
        markup(out,
               "<tr><th scope=\"row\"><code>%s</code></th><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
               "class=\"n\">%s</td><td>%s%s</td></tr>\n",
               fact_text(one, "endpoint"), words_count(r->arena, fact_count(one, "delivered")),
               words_count(r->arena, fact_count(one, "waiting")), words_count(r->arena, fact_count(one, "dropped")),
               fact_text(one, "answer"),
               gone > 0 ? arena_printf(r->arena, " (told to stop at %s)", words_when(r->arena, gone)) : "");
    }
    markup_raw(out, "</tbody></table></div>\n");
}

/* --- environment and versions --- */

static void add_fact(struct text *out, const char *name, const char *value) {
    if (value) markup(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static const char *settings_of(const struct report *r) {
    struct text out = text_new(r->arena);
    const json_t *settings = json_object_get(r->run, "settings"), *value;
    const char *key;
    json_object_foreach((json_t *)settings, key, value) {
        const char *text = json_is_string(value) ? json_string_value(value) : json_written(r->arena, value, 0);
        text_addf(&out, "%s%s=%s", out.length ? ", " : "", key, text);
    }
    return out.length ? out.data : NULL;
}

void section_about(const struct report *r, struct text *out) {
    struct arena *arena = r->arena;
    const char *program = fact_text(r->run, "program"), *server = fact_text(r->run, "server");
    markup_raw(out, "<dl class=\"facts\">\n");
    add_fact(out, "plan", fact_text(r->run, "plan"));
    add_fact(out, "environment", fact_text(r->run, "environment"));
    add_fact(out, "database", fact_text(r->run, "database"));
    add_fact(out, "table", fact_text(r->run, "table"));
    add_fact(out, "role", fact_text(r->run, "role"));
    add_fact(out, "server", server ? arena_printf(arena, "PostgreSQL %s", server) : NULL);
    add_fact(out, "program", program ? arena_printf(arena, "pgwinnow %s", program) : NULL);
    add_fact(out, "state schema", fact_text(r->run, "schema"));
    add_fact(out, "search_path", fact_text(r->run, "search_path"));
    add_fact(out, "lane", fact_text(r->run, "lane"));
    add_fact(out, "changed under way", settings_of(r));
    add_fact(out, "began (UTC)", words_when(arena, fact_time(r->run, "started")));
    add_fact(out, "ended (UTC)", words_when(arena, fact_time(r->run, "finished")));
    markup_raw(out, "</dl>\n");
}
