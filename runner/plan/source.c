/* Reads a plan's bytes and refuses what is no plain text. Leaves YAML to tree.c. */
#include "plan/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "plan/utf8.h"

static struct place at_file(const char *file) { return (struct place){.file = file}; }

struct source_text source_read(struct arena *arena, const char *file, const char *shown_as, struct problems *problems) {
    bool standard = strcmp(file, "-") == 0;
    FILE *stream = standard ? stdin : fopen(file, "re");
    if (!stream) {
        problem_add(problems, at_file(shown_as), NULL, "cannot be opened: %s", strerror(errno));
        return (struct source_text){0};
    }
    struct text text = text_new(arena);
    char piece[8192];
    size_t n;
    while (text.length <= SOURCE_MOST_BYTES && (n = fread(piece, 1, sizeof piece, stream)) > 0)
        text_add_n(&text, piece, n);
    int wrong = ferror(stream) ? errno : 0;
    if (!standard) fclose(stream);
    if (wrong) {
        problem_add(problems, at_file(shown_as), NULL, "cannot be read: %s", strerror(wrong));
        return (struct source_text){0};
    }
    return (struct source_text){text.data, text.length};
}

/* Why a character may not stand in a plan; NULL: it may. libyaml would count the last three as ends of lines. */
static const char *refused(unsigned point, char next) {
    if (point == '\r') return next == '\n' ? NULL : "a carriage return without a line feed";
    if (point == '\t' || point == '\n') return NULL;
    if (point == 0) return "a NUL byte";
    if (point < 0x20 || (point >= 0x7F && point < 0xA0)) return "a control character";
    if (point == 0x2028 || point == 0x2029) return "a Unicode line separator";
    if (point == 0xFEFF) return "a byte order mark inside the text";
    return point == 0xFFFE || point == 0xFFFF ? "a code that is no character" : NULL;
}

void source_skip_mark(struct source_text *source) {
    if (source->length < 3 || memcmp(source->text, "\xEF\xBB\xBF", 3) != 0) return;
    source->text += 3;
    source->length -= 3;
}

bool source_check(const struct source_text *source, const char *shown_as, struct problems *problems) {
    if (source->length > SOURCE_MOST_BYTES) {
        problem_add(problems, at_file(shown_as), "a plan is a page or two: is this the right file?",
                    "is larger than %d MB", SOURCE_MOST_BYTES / (1024 * 1024));
        return false;
    }
    struct place place = {shown_as, 1, 1};
    unsigned point;
    for (size_t i = 0, n; i < source->length; i += n, place.column++) {
        n = utf8_length(source->text + i, source->length - i, &point);
        const char *why =
            n ? refused(point, i + 1 < source->length ? source->text[i + 1] : '\0') : "a byte that is no UTF-8";
        if (why) {
            problem_add(problems, place,
                        n ? "in double quotes it can be written as an escape, like \\x07 or \\u2028"
                          : "save the file as UTF-8",
                        "%s: a plan is plain UTF-8 text", why);
            return false;
        }
        if (point == '\n') place = (struct place){shown_as, place.line + 1, 0};
    }
    return true;
}
