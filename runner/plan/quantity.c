/* Digits and units. No locale, no rounding, no overflow. */
#include "plan/quantity.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit sizes[] = {
    {"kB", INT64_C(1) << 10}, {"MB", INT64_C(1) << 20}, {"GB", INT64_C(1) << 30}, {"TB", INT64_C(1) << 40}, {0}};

static bool digits(const char **at, int64_t *number, const char **why) {
    *number = 0;
    if (**at < '0' || **at > '9') return false;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, **at - '0', number)) {
            *why = "it is far too large";
            return false;
        }
    return true;
}

bool quantity_count(const char *text, int64_t *number, const char **why) {
    *why = NULL;
    bool negative = *text == '-';
    text += negative;
    if (!digits(&text, number, why) || *text) return false;
    if (negative) *number = -*number;
    return true;
}

static bool with_unit(const char *text, const struct unit *units, int64_t *number, const char **why) {
    *why = NULL;
    if (!digits(&text, number, why)) return false;
    if (!*text && *number == 0) return true;
    while (units->name && strcmp(units->name, text) != 0) units++;
    if (!units->name)
        *why = *text ? "there is no such unit" : "the unit is missing";
    else if (__builtin_mul_overflow(*number, units->factor, number))
        *why = "it is far too large";
    return !*why;
}

bool quantity_duration(const char *text, int64_t *ms, const char **why) { return with_unit(text, durations, ms, why); }

bool quantity_size(const char *text, int64_t *bytes, const char **why) { return with_unit(text, sizes, bytes, why); }

bool quantity_rate(const char *text, int64_t *bytes, const char **why) {
    enum { MOST = 32 };
    char size[MOST];
    size_t length = strlen(text);
    *why = "it ends with /s";
    if (length < 3 || length - 2 >= MOST || strcmp(text + length - 2, "/s") != 0) return false;
    memcpy(size, text, length - 2);
    size[length - 2] = '\0';
    return with_unit(size, sizes, bytes, why);
}

/* "22:00": one or two digits, two digits; 24:00 is the end of a day. */
static bool clock_time(const char **at, int *minutes) {
    const char *c = *at;
    int hour = 0, minute = 0, count = 0;
    for (; *c >= '0' && *c <= '9' && count < 2; count++) hour = hour * 10 + (*c++ - '0');
    if (!count || *c++ != ':') return false;
    for (count = 0; *c >= '0' && *c <= '9' && count < 2; count++) minute = minute * 10 + (*c++ - '0');
    *at = c;
    *minutes = hour * 60 + minute;
    return count == 2 && minute < 60 && *minutes <= 24 * 60;
}

bool quantity_window(const char *text, struct window *window, const char **why) {
    *why = "two times of the day with a '-' between them, then perhaps a time zone";
    if (!clock_time(&text, &window->from) || *text++ != '-' || !clock_time(&text, &window->to)) return false;
    if (*text && *text != ' ') return false;
    while (*text == ' ') text++;
    window->zone = *text ? text : NULL;
    if (window->from % (24 * 60) != window->to % (24 * 60)) return true;
    *why = window->from == window->to ? "it begins when it ends" : "that is the whole day: leave it out";
    return false;
}

bool quantity_share(const char *text, double *share, const char **why) {
    *why = NULL;
    int64_t whole;
    if (!digits(&text, &whole, why)) return false;
    double value = (double)whole, scale = 0.1;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10) value += (*text - '0') * scale;
    if (strcmp(text, "%") != 0)
        *why = "the % is missing";
    else if (value > 100)
        *why = "it is more than 100%";
    *share = value / 100;
    return !*why;
}
