/* The frame of the page: its head, the sentences at the top, contents, and the sections in order. */
#include "commands/report/page.h"

#include <string.h>

#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

#include "report/style.h"

static const struct section sections[] = {
    {"totals", "In numbers", section_totals},
    {"steps", "Steps", section_steps},
    {"tree", "Foreign keys", section_tree},
    {"time", "Over time", section_time},
    {"timeline", "What happened", section_timeline},
    {"slowest", "Slowest batches", section_slowest},
    {"kept", "Spared and kept", section_kept},
    {"webhooks", "Webhooks", section_webhooks},
    {"plan", "The plan", section_plan},
    {"sql", "The SQL", section_sql},
    {"about", "Environment", section_about},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* No script may run and nothing is fetched, whatever the data says. A browser asks for no icon: it is in the page. */
static const char head[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath fill='%231f5fa8' d='M1 2h14l-5 6v6H6V8z'/%3E%3C/svg%3E\">\n";

static void add_head(const struct report *r, struct text *out) {
    markup_raw(out, head);
    markup(out, "<title>%s – pgwinnow</title>\n<meta name=\"description\" content=\"%s\">\n<style>\n", words_title(r),
           words_summary(r));
    markup_raw(out, style_text);
    markup_raw(out, "</style>\n</head>\n");
}

static void add_part(struct text *out, const char *name, const char *value) {
    if (value) markup(out, "<li>%s <strong>%s</strong></li>", name, value);
}

static void add_top(const struct report *r, struct text *out) {
    const char *state = fact_text(r->run, "state");
    markup(out, "<header>\n<p class=\"over\">pgwinnow · run %lld</p>\n<h1>%s <span class=\"state %s\">%s</span></h1>\n",
           (long long)fact_count(r->run, "run"), fact_text(r->run, "plan"), words_mood(state), state);
    markup(out, "<p class=\"summary\">%s</p>\n<ul class=\"parts\">", words_summary(r));
    add_part(out, "environment", fact_text(r->run, "environment"));
    add_part(out, "database", fact_text(r->run, "database"));
    add_part(out, "table", fact_text(r->run, "table"));
    if (r->start >= 0) markup(out, "<li>%s</li>", words_span(r));
    markup_raw(out, "</ul>\n");
    section_error(r, out);
    markup_raw(out, "</header>\n");
}

void report_page(const json_t *run, struct text *out) {
    struct report r = report_new(out->arena, run);
    struct text bodies[SECTIONS];
    for (size_t i = 0; i < SECTIONS; i++) {
        bodies[i] = text_new(out->arena);
        sections[i].write(&r, &bodies[i]);
    }
    add_head(&r, out);
    markup_raw(out,
               "<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<nav aria-label=\"Contents\"><ul>\n");
    for (size_t i = 0; i < SECTIONS; i++)
        if (bodies[i].length) markup(out, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id, sections[i].title);
    markup_raw(out, "</ul></nav>\n<main id=\"main\">\n");
    add_top(&r, out);
    for (size_t i = 0; i < SECTIONS; i++) {
        if (!bodies[i].length) continue;
        markup(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", sections[i].id, sections[i].id,
               sections[i].title);
        markup_raw(out, bodies[i].data);
        markup_raw(out, "</section>\n");
    }
    markup_raw(
        out,
        "</main>\n<footer><p>Made by <code>pgwinnow report</code>. Times are UTC.</p></footer>\n</body>\n</html>\n");
}
