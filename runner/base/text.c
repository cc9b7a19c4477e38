/* Growing texts. The room doubles; the old piece stays in the arena until that goes. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_new(struct arena *arena) {
    struct text text = {.arena = arena, .room = 64};
    text.data = arena_alloc(arena, text.room);
    return text;
}

static void make_room(struct text *text, size_t more) {
    if (text->length + more < text->room) return;
    size_t room = text->room * 2;
    while (text->length + more >= room) room *= 2;
    char *data = arena_alloc(text->arena, room);
    memcpy(data, text->data, text->length + 1);
    text->data = data;
    text->room = room;
}

void text_add_n(struct text *text, const char *more, size_t length) {
    make_room(text, length);
    memcpy(text->data + text->length, more, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *more) { text_add_n(text, more, strlen(more)); }

void text_addf(struct text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    make_room(text, (size_t)length);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    va_end(again);
    text->length += (size_t)length;
}

bool text_equal(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

bool text_starts(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

size_t text_columns(const char *text) {
    size_t columns = 0;
    for (; *text; text++) columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

size_t text_cut(const char *text, size_t bytes) {
    size_t length = strlen(text);
    if (length <= bytes) return length;
    while (bytes && ((unsigned char)text[bytes] & 0xC0) == 0x80) bytes--;
    return bytes;
}

/* Levenshtein distance over short words; longer ones are cut, which cannot matter for option names. */
static size_t distance(const char *a, const char *b) {
    enum { LONGEST = 40 };
    size_t row[LONGEST + 1], n = strlen(b) < LONGEST ? strlen(b) : LONGEST,
                             m = strlen(a) < LONGEST ? strlen(a) : LONGEST;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]), best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[n];
}

const char *text_nearest(const char *word, const char *const *words, size_t count) {
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2; /* a third of the letters wrong is still a slip, more is another word */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

const char *text_count(struct arena *arena, long long number) {
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", number < 0 ? -number : number);
    struct text text = text_new(arena);
    if (number < 0) text_add(&text, "-");
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) text_add(&text, ",");
        text_add_n(&text, digits + i, 1);
    }
    return text.data;
}
