/* Lines by display columns. Characters are the locale's (setlocale(LC_CTYPE) before); owns no terminal. */
#include "events/line.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

struct character {
    size_t bytes, columns;
    bool shown; /* false: '?' stands for it */
};

static struct character character_at(const char *text) {
    wchar_t wide;
    mbstate_t state = {0};
    size_t bytes = mbrtowc(&wide, text, strlen(text), &state);
    if (bytes == 0 || bytes == (size_t)-1 || bytes == (size_t)-2) return (struct character){1, 1, false};
    int columns = wcwidth(wide);
    return columns < 0 ? (struct character){bytes, 1, false} : (struct character){bytes, (size_t)columns, true};
}

size_t line_columns(const char *text) {
    size_t columns = 0;
    for (struct character c; *text; text += c.bytes) {
        c = character_at(text);
        columns += c.columns;
    }
    return columns;
}

struct line line_new(struct arena *arena, size_t width, bool colour, bool unicode) {
    return (struct line){.text = text_new(arena), .width = width, .colour = colour, .unicode = unicode};
}

static void add_style(struct line *line, enum style style) {
    static const char *const codes[] = {
        [STYLE_PLAIN] = "0", [STYLE_BOLD] = "1",    [STYLE_DIM] = "2",   [STYLE_GREEN] = "32",
        [STYLE_RED] = "31",  [STYLE_YELLOW] = "33", [STYLE_CYAN] = "36",
    };
    if (line->colour) text_addf(&line->text, "\033[%sm", codes[style]);
}

static void add_characters(struct line *line, const char *text, size_t columns) {
    for (struct character c; *text; text += c.bytes) {
        c = character_at(text);
        if (line->used + c.columns > columns) return;
        line->used += c.columns;
        if (c.shown)
            text_add_n(&line->text, text, c.bytes);
        else
            text_add(&line->text, *text == '\n' || *text == '\t' ? " " : "?");
    }
}

/* A mark stands for what was cut, so that a cut word is not read as a whole one. */
void line_add(struct line *line, enum style style, const char *text) {
    if (line->cut || !*text) return;
    line->cut = line_columns(text) > line->width - line->used;
    if (line->cut && line->used == line->width) return;
    if (style) add_style(line, style);
    add_characters(line, text, line->cut ? line->width - 1 : line->width);
    if (line->cut) {
        text_add(&line->text, line->unicode ? "…" : "~");
        line->used++;
    }
    if (style) add_style(line, STYLE_PLAIN);
}

void line_addf(struct line *line, enum style style, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    line_add(line, style, arena_vprintf(line->text.arena, format, arguments));
    va_end(arguments);
}

/* 0: none begins here */
static size_t escape_length(const char *text) {
    size_t length = text[0] == '\033' && text[1] == '[' ? strcspn(text, "m") : 0;
    return length && text[length] ? length + 1 : 0;
}

static size_t coloured_columns(const char *text) {
    size_t columns = 0;
    while (*text) {
        size_t escape = escape_length(text);
        struct character c = character_at(text);
        columns += escape ? 0 : c.columns;
        text += escape ? escape : c.bytes;
    }
    return columns;
}

void line_add_coloured(struct line *line, const char *text) {
    if (line->cut || !*text) return;
    line->cut = coloured_columns(text) > line->width - line->used;
    size_t columns = line->cut ? line->width - 1 : line->width;
    while (*text) {
        size_t escape = escape_length(text), plain = escape ? 0 : 1 + strcspn(text + 1, "\033");
        if (escape && line->colour) text_add_n(&line->text, text, escape);
        if (plain) add_characters(line, arena_strndup(line->text.arena, text, plain), columns);
        text += escape + plain;
    }
    if (!line->cut || line->used == line->width) return;
    text_add(&line->text, line->unicode ? "…" : "~");
    line->used++;
}

void line_pad(struct line *line, size_t column) {
    for (; line->used < column && line->used < line->width; line->used++) text_add(&line->text, " ");
}

const char *line_wrap(struct arena *arena, const char **text, size_t width) {
    const char *start = *text, *at = start, *blank = NULL;
    size_t used = 0;
    if (!*start) return NULL;
    for (struct character c; *at && *at != '\n'; at += c.bytes) {
        c = character_at(at);
        if (used + c.columns > width && at > start) break;
        used += c.columns;
        if (*at == ' ') blank = at;
    }
    const char *end = !*at || *at == '\n' || *at == ' ' || !blank ? at : blank;
    *text = *end == ' ' || *end == '\n' ? end + 1 : end;
    return arena_strndup(arena, start, (size_t)(end - start));
}
