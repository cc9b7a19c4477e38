/*
 * One line for a terminal, measured in display columns: what does not fit is cut, never wrapped.
 *
 * Texts may come from a server: control characters become '?', wide characters count as two, bytes that are no
 * characters of the locale become '?'. Colours are written only where they are allowed and never split.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_RED, STYLE_YELLOW, STYLE_CYAN };

struct line {
    struct text text; /* bytes, colours included */
    size_t width;     /* columns there are */
    size_t used;      /* columns taken */
    bool colour, unicode;
    bool cut;         /* something did not fit: nothing more is taken */
};

struct line line_new(struct arena *, size_t width, bool colour, bool unicode);
void line_add(struct line *, enum style, const char *text);
void line_addf(struct line *, enum style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void line_add_coloured(struct line *, const char *text); /* one that lines made: with its colours, cut as any other */
void line_pad(struct line *, size_t column); /* blanks up to a column, at least none */

size_t line_columns(const char *text); /* display columns a text takes */

/* The next line of a text that is wrapped at blanks into `width` columns; NULL when it is used up. Moves *text on. */
const char *line_wrap(struct arena *, const char **text, size_t width);
