/* What happened when, and who asked for what. */
#include <string.h>

#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum { ALL_AT_ONCE = 24, SHOWN = 10 };

/* How the types of events and acts are told. */
static const char *told(const char *type) {
    static const char *const words[][2] = {
        {"run.started", "started"},  {"run.resumed", "resumed"}, {"run.finished", "finished"},
        {"run.failed", "stopped"},   {"run.paused", "paused"},   {"run.cancelled", "cancelled"},
        {"step.started", "began"},   {"step.finished", "done"},  {"approval.needed", "needs an approval"},
        {"pause", "asked to pause"}, {"resume", "let go on"},    {"cancel", "asked to cancel"},
        {"approve", "approved"},     {"undo", "took it back"},   {"set", "changed settings"},
    };
    for (size_t i = 0; type && i < sizeof words / sizeof *words; i++)
        if (text_equal(type, words[i][0])) return words[i][1];
    return type;
}

static const char *mood_of(const json_t *event) {
    static const char *const moods[][2] = {{"run.failed", "bad"},
                                           {"run.finished", "good"},
                                           {"run.paused", "warn"},
                                           {"run.cancelled", "warn"},
                                           {"approval.needed", "warn"}};
    if (fact_is(event, "what", "act")) return "act";
    for (size_t i = 0; i < sizeof moods / sizeof *moods; i++)
        if (fact_is(event, "type", moods[i][0])) return moods[i][1];
    return text_starts(fact_text(event, "type") ? fact_text(event, "type") : "", "run.") ? "busy" : "calm";
}

static void add_hint(struct text *out, const char *hint) {
    markup_raw(out, "<p class=\"hint\">");
    markup_sentence(out, hint);
    markup_raw(out, "</p>");
}

static void add_happening(const struct report *r, struct text *out, const json_t *event) {
    const char *step = fact_text(event, "step"), *role = fact_text(event, "role"),
               *message = fact_text(event, "message");
    const char *hint = fact_text(event, "hint"), *at = fact_text(event, "at");
    markup(out, "<li class=\"%s\"><time datetime=\"%s\" title=\"%s after it began\">%s</time><div><p>", mood_of(event),
           at, words_seconds(r->arena, fact_number(event, "seconds")),
           words_clock(r->arena, r, fact_time(event, "at")));
    if (role)
        markup(out, "<strong>%s</strong> %s", role, told(fact_text(event, "type")));
    else if (step)
        markup(out, "step <strong>%s</strong> %s", step, told(fact_text(event, "type")));
    else
        markup(out, "<strong>%s</strong>", told(fact_text(event, "type")));
    if (text_equal(message, told(fact_text(event, "type")))) message = NULL;
    markup(out, "%s%s</p>", message ? ": " : "", message);
    if (hint) add_hint(out, hint);
    markup_raw(out, "</div></li>\n");
}

/* A step that is done is one line, with the time it took. */
static bool ends_later(const json_t *list, size_t place) {
    const json_t *event = json_array_get(list, place), *later;
    if (!fact_is(event, "type", "step.started")) return false;
    for (size_t i = place + 1; (later = json_array_get(list, i)); i++)
        if (fact_is(later, "type", "step.finished") && fact_is(later, "step", fact_text(event, "step"))) return true;
    return false;
}

static json_t *chosen(const json_t *list) {
    json_t *few = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!ends_later(list, i)) json_array_append(few, json_array_get(list, i));
    return few;
}

static void add_happenings(const struct report *r, struct text *out, const json_t *list, size_t from, size_t to) {
    markup_raw(out, "<ol class=\"timeline\">\n");
    for (size_t i = from; i < to; i++) add_happening(r, out, json_array_get(list, i));
    markup_raw(out, "</ol>\n");
}

/* Of a long list the first and the last are open to see, the rest a click away. */
static void add_all(const struct report *r, struct text *out, const json_t *list) {
    size_t count = json_array_size(list);
    if (count <= ALL_AT_ONCE) {
        if (count) add_happenings(r, out, list, 0, count);
        return;
    }
    add_happenings(r, out, list, 0, SHOWN);
    markup(out, "<details class=\"more\"><summary>%zu more</summary>\n", count - 2 * SHOWN);
    add_happenings(r, out, list, SHOWN, count - SHOWN);
    markup_raw(out, "</details>\n");
    add_happenings(r, out, list, count - SHOWN, count);
}

void section_timeline(const struct report *r, struct text *out) {
    json_t *list = chosen(fact_list(r->run, "timeline"));
    add_all(r, out, list);
    json_decref(list);
}
