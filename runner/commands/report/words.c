/* How a report speaks. */
#include "commands/report/words.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { LONG_RUN = 20 * 3600 };

const char *words_count(struct arena *arena, int64_t n) { return n < 0 ? "–" : text_count(arena, (long long)n); }

const char *words_rows(struct arena *arena, int64_t n, const char *one, const char *many) {
    return arena_printf(arena, "%s %s", words_count(arena, n), n == 1 ? one : many);
}

const char *words_seconds(struct arena *arena, double seconds) {
    return seconds < 0 ? "–" : clock_text(arena, (int64_t)(seconds * 1000 + 0.5));
}

static const char *formatted(struct arena *arena, double at, const char *format) {
    time_t whole = (time_t)at;
    struct tm parts;
    char text[64];
    if (at < 0) return "–";
    gmtime_r(&whole, &parts);
    strftime(text, sizeof text, format, &parts);
    return arena_strdup(arena, text[0] == ' ' ? text + 1 : text);
}

const char *words_when(struct arena *arena, double at) { return formatted(arena, at, "%e %b %Y, %H:%M:%S"); }
const char *words_day(struct arena *arena, double at) { return formatted(arena, at, "%e %b %Y"); }

const char *words_clock(struct arena *arena, const struct report *r, double at) {
    return formatted(arena, at, r->span > LONG_RUN ? "%e %b %H:%M:%S" : "%H:%M:%S");
}

const char *words_span(const struct report *r) {
    double from = r->start, to = fact_time(r->run, "finished");
    const char *first = words_when(r->arena, from);
    if (to < 0) return arena_printf(r->arena, "from %s UTC", first);
    bool same_day = text_equal(words_day(r->arena, from), words_day(r->arena, to));
    return arena_printf(r->arena, "%s – %s UTC", first,
                        same_day ? formatted(r->arena, to, "%H:%M:%S") : words_when(r->arena, to));
}

const char *words_policy(const char *policy) {
    static const char *const words[][2] = {{"delete", "deleted"},
                                           {"move", "moved to the survivor"},
                                           {"set-null", "set to NULL"},
                                           {"stop", "must have no rows"}};
    for (size_t i = 0; policy && i < sizeof words / sizeof *words; i++)
        if (text_equal(policy, words[i][0])) return words[i][1];
    return "no policy";
}

const char *words_mood(const char *state) {
    static const char *const moods[][2] = {{"finished", "good"}, {"done", "good"},      {"failed", "bad"},
                                           {"refused", "bad"},   {"paused", "warn"},    {"interrupted", "warn"},
                                           {"waiting", "warn"},  {"cancelled", "warn"}, {"running", "busy"},
                                           {"undoing", "busy"},  {"begun", "warn"}};
    for (size_t i = 0; state && i < sizeof moods / sizeof *moods; i++)
        if (text_equal(state, moods[i][0])) return moods[i][1];
    return "calm";
}

const char *words_title(const struct report *r) {
    return arena_printf(r->arena, "%s · run %lld", fact_text(r->run, "plan") ? fact_text(r->run, "plan") : "a plan",
                        (long long)fact_count(r->run, "run"));
}
