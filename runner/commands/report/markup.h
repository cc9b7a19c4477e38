/* HTML that cannot be broken out of: in a format what %s stands for is escaped, the format itself is not. */
#pragma once
#include "base/text.h"

/* Of printf's conversions it takes %s, %d, %lld, %zu, %.Nf and %%. NULL is an empty text. */
void markup(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Made of markup already; NULL: nothing. */
void markup_raw(struct text *, const char *);

/* The text alone, for content and for attributes in double quotes. Control characters become pictures of
 * themselves, marks that turn the direction of what follows are spelled out. */
void markup_escape(struct text *, const char *, size_t length);

/* A sentence in which `backticks` hold what is to be typed. */
void markup_sentence(struct text *, const char *);

/* The mark at this place that turns the direction of what follows, as its code point; 0: none. It takes three bytes. */
unsigned markup_turning(const char *);
