/* The one error as people and scripts get it. Control characters of server messages never reach the terminal. */
#include "commands/tell.h"

#include <jansson.h>
#include <string.h>

static void put_clean(FILE *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        fputc((c < ' ' && c != '\t') || c == 127 ? '?' : c, out);
    }
}

/* Lines behind the first are indented as deep as the label is long, so that they stand below it. */
static void put_lines(FILE *out, const char *text, const char *first, int indent) {
    fputs(first, out);
    for (;;) {
        size_t length = strcspn(text, "\n");
        put_clean(out, text, length);
        fputc('\n', out);
        text += length;
        if (!*text || !*++text) return;
        fprintf(out, "%*s", indent, "");
    }
}

static void tell_people(FILE *out, const struct error *error, bool colour) {
    const char *bold = colour ? "\033[1;31m" : "", *dim = colour ? "\033[36m" : "", *off = colour ? "\033[0m" : "";
    fprintf(out, "%spgwinnow:%s ", bold, off);
    put_lines(out, error->message ? error->message : "failed", "", 2);
    if (error->detail && *error->detail) put_lines(out, error->detail, "  ", 2);
    if (*error->sqlstate) fprintf(out, "  (SQLSTATE %s)\n", error->sqlstate);
    if (error->hint && *error->hint) {
        fprintf(out, "%shint:%s ", dim, off);
        put_lines(out, error->hint, "", 6);
    }
}

/* A server may send bytes that are no UTF-8; jansson then gives no string. */
static json_t *json_text(const char *text) {
    json_t *string = text && *text ? json_string(text) : NULL;
    return string ? string : json_null();
}

static void tell_scripts(FILE *out, const struct error *error) {
    json_t *answer =
        json_pack("{s:{s:i, s:s, s:o, s:o, s:o, s:o}}", "error", "exit_code", (int)error->fault, "meaning",
                  fault_about((int)error->fault), "sqlstate", json_text(error->sqlstate), "message",
                  json_text(error->message), "detail", json_text(error->detail), "hint", json_text(error->hint));
    json_dumpf(answer, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(answer);
}

void tell_error(FILE *errors, FILE *answers, const struct command_line *line, const struct error *error) {
    if (!failed(error)) return;
    fflush(answers);
    tell_people(errors, error, line->colour_errors);
    if (line->json && !line->answered && line->command && line->command->traits & COMMAND_READS)
        tell_scripts(answers, error);
}
