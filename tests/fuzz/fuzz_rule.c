/*
 * Any bytes as a rule file, and any two texts as pattern and subject: never a crash, an end in time, and errors that
 * are FAULT_HOOK. What a rule answers is a row of the group, or nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "script/box.h"
#include "script/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 3, MEMORY = 4 * 1024 * 1024, TIME = 50, MOST_STEPS = 200 };

static void must(bool holds) {
    if (!holds) abort();
}

static void as_a_rule(struct arena *arena, const char *text, size_t length) {
    static const struct box_column columns[] = {{"id", BOX_INTEGER}, {"name", BOX_TEXT}, {"posts.id", BOX_CHILDREN}};
    struct rule rule = {.file = {.name = "r.lua", .path = "r.lua", .text = text, .length = length},
                        .memory = MEMORY,
                        .time = TIME,
                        .rows = ROWS};
    struct error error = error_new(arena);
    struct box *box = box_new(arena, &rule, &error);
    box_columns(box, columns, 3, &error);
    for (int round = 0; round < 2 && !failed(&error); round++) {
        box_group(box, "k = 1");
        for (int i = 0; i < ROWS; i++) box_row(box, (const char *[]){"7", i ? "x" : NULL, "2"}, &error);
        if (box_has(box, "keep")) must(box_keep(box, &error) <= ROWS);
        struct box_values values = {0};
        if (box_has(box, "merge")) values = box_merge(box, arena, &error);
        for (size_t i = 0; i < values.count; i++) must(values.items[i].column != NULL);
    }
    must(!failed(&error) || (error.fault == FAULT_HOOK && *error.message));
}

/* Ends the search from within, as the box does with an error. */
static void tick(void *data) {
    struct matching *m = data;
    if (m->steps / 4096 > MOST_STEPS) m->wrong = "enough";
}

/* The first line is the pattern, the rest the subject. */
static void as_a_pattern(const char *text, size_t length) {
    const char *line = memchr(text, '\n', length);
    char *pattern = strndup(text, line ? (size_t)(line - text) : length);
    char *subject = strndup(line ? line + 1 : "", line ? length - (size_t)(line + 1 - text) : 0);
    struct matching m = {.subject = subject, .tick = tick, .data = &m};
    m.subject_end = subject + strlen(subject);
    m.pattern_end = pattern + strlen(pattern);
    for (const char *at = subject; at <= m.subject_end && !m.wrong; at++) {
        const char *end = pattern_match(&m, at, pattern);
        must(!end || (end >= at && end <= m.subject_end));
        for (int i = 0; end && i < m.level; i++)
            must(m.capture[i].start >= subject && m.capture[i].start <= m.subject_end &&
                 (m.capture[i].length < 0 || m.capture[i].start + m.capture[i].length <= m.subject_end));
    }
    free(pattern);
    free(subject);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(NULL);
    const char *text = arena_strndup(arena, size ? (const char *)data : "", size);
    as_a_pattern(text, size);
    as_a_rule(arena, text, size);
    arena_free(arena);
    return 0;
}
