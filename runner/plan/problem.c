/* The list of problems and how they are shown. Owns copies of the sources for the excerpts. */
#include "plan/problem.h"

#include <string.h>

#include "base/text.h"
#include "plan/utf8.h"

/* A broken generator can make a million; nobody reads past the first screens. */
enum { MOST_PROBLEMS = 500, EXCERPT_WIDTH = 100, EXCERPT_BEFORE = 60 };

struct source {
    struct source *next;
    const char *file, *text;
    size_t length;
};

struct problems problems_new(struct arena *arena) {
    return (struct problems){.arena = arena};
}

void problems_source(struct problems *problems, const char *file, const char *text, size_t length) {
    struct source **link = &problems->sources;
    while (*link) link = &(*link)->next;
    *link = arena_alloc(problems->arena, sizeof **link);
    (*link)->file = arena_strdup(problems->arena, file);
    (*link)->text = arena_strndup(problems->arena, text, length);
    (*link)->length = length;
}

static struct problem *append(struct problems *problems) {
    problems->items = arena_grow(problems->arena, problems->items, &problems->count, sizeof *problems->items);
    return &problems->items[problems->count - 1];
}

void problem_add(struct problems *problems, struct place place, const char *hint, const char *format, ...) {
    if (problems->count >= MOST_PROBLEMS) return;
    struct problem *problem = append(problems);
    if (problems->count == MOST_PROBLEMS) {
        *problem = (struct problem){place, "too many problems: the rest is left out", NULL};
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(problems->arena, format, arguments);
    va_end(arguments);
    *problem = (struct problem){place, message, hint ? arena_strdup(problems->arena, hint) : NULL};
}

/* Files in the order they were read; what has no place comes first. */
static size_t file_rank(const struct problems *problems, const char *file) {
    size_t rank = 1;
    if (!file) return 0;
    for (const struct source *s = problems->sources; s && !text_equal(s->file, file); s = s->next) rank++;
    return rank;
}

static bool comes_after(const struct problems *problems, const struct problem *a, const struct problem *b) {
    size_t file_a = file_rank(problems, a->place.file), file_b = file_rank(problems, b->place.file);
    if (file_a != file_b) return file_a > file_b;
    if (a->place.line != b->place.line) return a->place.line > b->place.line;
    return a->place.column > b->place.column;
}

/* By insertion: stable, and the list is short and nearly in order. */
void problems_sort(struct problems *problems) {
    for (size_t i = 1; i < problems->count; i++) {
        struct problem problem = problems->items[i];
        size_t j = i;
        for (; j && comes_after(problems, &problems->items[j - 1], &problem); j--)
            problems->items[j] = problems->items[j - 1];
        problems->items[j] = problem;
    }
}

struct line {
    const char *text;
    size_t length;
};

static struct line find_line(const struct problems *problems, struct place place) {
    const struct source *source = problems->sources;
    while (source && !text_equal(source->file, place.file)) source = source->next;
    if (!source || place.line < 1) return (struct line){0};
    const char *at = source->text, *end = source->text + source->length;
    for (int line = 1; line < place.line; line++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        if (!feed) return (struct line){0};
        at = feed + 1;
    }
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((feed ? feed : end) - at);
    if (length && at[length - 1] == '\r') length--;
    return (struct line){at, length};
}

/* Cells a terminal gives a character: good enough for the scripts people write names in. */
static int cells(unsigned point) {
    if ((point >= 0x300 && point <= 0x36F) || point == 0x200B || point == 0x200D ||
        (point >= 0xFE00 && point <= 0xFE0F))
        return 0;
    bool wide = (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
                (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
                (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
                (point >= 0xFFE0 && point <= 0xFFE6) || (point >= 0x1F300 && point <= 0x1F64F) ||
                (point >= 0x1F900 && point <= 0x1F9FF) || (point >= 0x20000 && point <= 0x3FFFD);
    return wide ? 2 : 1;
}

/* What a terminal could take as a command is shown as '?', and so is a byte that is no UTF-8. */
static size_t shown(struct text *text, const char *at, size_t left, unsigned *point) {
    size_t n = utf8_length(at, left, point);
    bool harmless = n && (*point == '\t' || (*point >= 0x20 && *point != 0x7F && !(*point >= 0x80 && *point < 0xA0)));
    if (!harmless) *point = '?';
    if (text && harmless) text_add_n(text, at, n);
    if (text && !harmless) text_add(text, "?");
    return n ? n : 1;
}

/* Tabs go into the padding as they are, so that the caret stands right at any width of a tab. */
static void pad(struct text *caret, unsigned point) {
    if (point == '\t')
        text_add(caret, "\t");
    else
        for (int i = cells(point); i > 0; i--) text_add(caret, " ");
}

static void add_excerpt(struct text *out, struct line line, int column, bool colour) {
    struct text excerpt = text_new(out->arena), caret = text_new(out->arena);
    int first = column > EXCERPT_WIDTH ? column - EXCERPT_BEFORE : 1, at = 1;
    if (first > 1) {
        text_add(&excerpt, "...");
        text_add(&caret, "   ");
    }
    size_t i = 0;
    for (size_t n; i < line.length && at < first + EXCERPT_WIDTH; i += n, at++) {
        unsigned point;
        n = shown(at < first ? NULL : &excerpt, line.text + i, line.length - i, &point);
        if (at >= first && at < column) pad(&caret, point);
    }
    if (i < line.length) text_add(&excerpt, "...");
    text_addf(out, "\n  %s\n  %s%s^%s", excerpt.data, caret.data, colour ? "\033[1;31m" : "", colour ? "\033[0m" : "");
}

const char *problem_text(struct arena *arena, const struct problems *problems, const struct problem *problem,
                         bool colour) {
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    struct text out = text_new(arena);
    struct place place = problem->place;
    if (place.file && place.line > 0)
        text_addf(&out, "%s%s:%d:%d:%s ", bold, place.file, place.line, place.column, plain);
    else if (place.file)
        text_addf(&out, "%s%s:%s ", bold, place.file, plain);
    text_add(&out, problem->message);
    struct line line = find_line(problems, place);
    if (line.text) add_excerpt(&out, line, place.column, colour);
    if (problem->hint) text_addf(&out, "\nhint: %s", problem->hint);
    return out.data;
}

/* JSON must be UTF-8, names of files need not. */
static json_t *json_text(struct arena *arena, const char *text) {
    if (!text) return json_null();
    struct text clean = text_new(arena);
    unsigned point;
    for (size_t left = strlen(text), n; left; text += n, left -= n) {
        n = utf8_length(text, left, &point);
        if (n)
            text_add_n(&clean, text, n);
        else
            text_add(&clean, "?");
        if (!n) n = 1;
    }
    return json_string(clean.data);
}

json_t *problems_json(const struct problems *problems) {
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *p = &problems->items[i];
        json_t *item = json_object();
        json_object_set_new(item, "file", json_text(problems->arena, p->place.file));
        json_object_set_new(item, "line", p->place.line > 0 ? json_integer(p->place.line) : json_null());
        json_object_set_new(item, "column", p->place.line > 0 ? json_integer(p->place.column) : json_null());
        json_object_set_new(item, "message", json_text(problems->arena, p->message));
        json_object_set_new(item, "hint", json_text(problems->arena, p->hint));
        json_array_append_new(list, item);
    }
    return list;
}

enum fault problems_fault(const struct problems *problems, enum fault fault) {
    return problems->of_rules && problems->of_rules == problems->count ? FAULT_HOOK : fault;
}

void problems_fail(struct problems *problems, struct error *error, enum fault fault) {
    if (!problems->count) return;
    problems_sort(problems);
    fault = problems_fault(problems, fault);
    struct text all = text_new(problems->arena);
    for (size_t i = 0; i < problems->count; i++)
        text_addf(&all, "%s%s", i ? "\n" : "", problem_text(problems->arena, problems, &problems->items[i], false));
    if (problems->count == 1)
        fail(error, fault, "the plan has a problem");
    else
        fail(error, fault, "the plan has %zu problems", problems->count);
    fail_detail(error, "%s", all.data);
}
