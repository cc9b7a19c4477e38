/* pgwinnow report: what a run was and did, for those who were not there. Reads only. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "base/whole.h"
#include "commands/desk.h"
#include "commands/report/page.h"
#include "state/report.h"

enum format { FORMAT_HTML, FORMAT_MARKDOWN, FORMAT_JSON };

static struct text written(struct arena *arena, const json_t *report, enum format format) {
    struct text out = text_new(arena);
    if (format == FORMAT_HTML) report_page(report, &out);
    if (format == FORMAT_MARKDOWN) report_markdown(report, &out);
    if (format == FORMAT_JSON) text_addf(&out, "%s\n", json_written(arena, report, JSON_INDENT(2) | JSON_DIGITS));
    return out;
}

/* Where it goes; NULL: standard output. Nobody reads a page's source on a terminal: it goes into a file then. */
static const char *place_of(const struct command_line *line, struct arena *arena, const struct overview *run,
                            enum format format) {
    if (line->into) return text_equal(line->into, "-") ? NULL : line->into;
    if (format != FORMAT_HTML || !isatty(STDOUT_FILENO)) return NULL;
    return arena_printf(arena, "%s-run-%lld.html", run->plan, (long long)run->run);
}

static void put(const struct command_line *line, struct arena *arena, const char *place, const struct text *text,
                struct error *error) {
    if (!place) {
        if (!whole_put(STDOUT_FILENO, text->data, text->length))
            fail(error, FAULT_FAILED, "the report could not be printed");
        return;
    }
    const char *problem = whole_write(arena, place, text->data, text->length, 0);
    if (problem) {
        fail(error, FAULT_FAILED, "the report could not be written to %s: %s", place, problem);
        fail_hint(error, "name another file with -o, or - for standard output");
    } else if (!line->quiet) {
        printf("The report is in %s\n", place);
    }
}

static void report_run(struct command_line *line, struct arena *arena, struct error *error) {
    enum format format = line->json ? FORMAT_JSON : (enum format)line->format;
    struct named named = desk_named(line, arena, error);
    struct state state = desk_open_reading(line, arena, named.url, error);
    const struct overview *found = failed(error) ? NULL : desk_find(&state, arena, &named, error);
    json_t *report = found ? report_data(&state, arena, found->run, error) : NULL;
    if (!report) return;
    struct text text = written(arena, report, format);
    const char *place = place_of(line, arena, found, format);
    line->answered = !place;
    put(line, arena, place, &text, error);
}

static const char *const formats[] = {"html", "markdown", "json", NULL};

#define AT(field) offsetof(struct command_line, field)

static const struct command_option options[] = {
    {"o", ARGUMENT_TEXT, AT(into), "FILE",
     "where to write it; else to standard output, or from a terminal to PLAN-run-RUN.html", NULL},
    {"format", ARGUMENT_CHOICE, AT(format), NULL,
     "html: a page (default); markdown: for a pull request; json: all the data", formats},
    {0},
};

const struct command report_command = {
    .name = "report",
    .synopsis = "PLAN|RUN",
    .about = "write down what a run was and did, as a page",
    .more = "PLAN is a plan's name or its file, and means its latest run; RUN is a run's number. The page is one file "
            "that\n"
            "fetches nothing: it can be sent, attached, printed, and opened years later.",
    .least = 1,
    .most = 1,
    .traits = COMMAND_READS,
    .options = options,
    .run = report_run,
};
