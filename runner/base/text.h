/* A text that grows in an arena, and small questions about texts. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct text {
    struct arena *arena;
    char *data; /* always NUL-terminated */
    size_t length, room;
};

struct text text_new(struct arena *);
void text_add(struct text *, const char *);
void text_add_n(struct text *, const char *, size_t length);
void text_addf(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool text_equal(const char *, const char *); /* NULL equals NULL only */
bool text_starts(const char *text, const char *prefix);
size_t text_columns(const char *text);           /* characters of UTF-8, not bytes */
size_t text_cut(const char *text, size_t bytes); /* the longest length <= bytes that splits no character */
const char *text_nearest(const char *word, const char *const *words, size_t count); /* the likeliest meant, or NULL */
const char *text_count(struct arena *, long long number);                           /* 1234567 -> "1,234,567" */
