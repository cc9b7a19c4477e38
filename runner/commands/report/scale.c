/* Round numbers for axes. */
#include "commands/report/scale.h"

#include <math.h>
#include <time.h>

#include "base/text.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

struct scale scale_numbers(double most, int about, double least) {
    double rough = (most > 0 ? most : 1) / about, power = pow(10, floor(log10(rough))), part = rough / power;
    double step = power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    if (step < least) step = least;
    int marks = (int)ceil(most / step - 1e-9);
    if (marks < 1) marks = 1;
    return (struct scale){step, step * marks, marks};
}

double scale_times(double span, int about) {
    static const double steps[] = {
        0.001,       0.002, 0.005,    0.01,     0.02,     0.05,      0.1,        0.2,        0.5,         1,
        2,           5,     10,       15,       30,       MINUTE,    2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
        30 * MINUTE, HOUR,  2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,        2 * DAY,    7 * DAY,     14 * DAY};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (span / steps[i] <= about) return steps[i];
    return ceil(span / about / DAY) * DAY;
}

static const char *shortened(struct arena *arena, double value, double step, double unit, const char *letter) {
    int digits = step < unit / 10 ? 2 : step < unit ? 1 : 0;
    return arena_printf(arena, "%.*f%s", digits, value / unit, letter);
}

const char *scale_text(struct arena *arena, double value, double step) {
    if (value == 0) return "0";
    if (step >= 1e8 || value >= 1e10) return shortened(arena, value, step, 1e9, "G");
    if (step >= 1e5) return shortened(arena, value, step, 1e6, "M");
    if (step >= 1e4) return shortened(arena, value, step, 1e3, "k");
    if (step >= 1) return text_count(arena, (long long)(value + 0.5));
    int digits = (int)ceil(-log10(step) - 1e-9);
    return arena_printf(arena, "%.*f", digits, value);
}

const char *scale_clock(struct arena *arena, double at, double step) {
    time_t whole = (time_t)floor(at + 1e-6);
    struct tm parts;
    char text[32];
    gmtime_r(&whole, &parts);
    if (step >= MINUTE && whole % DAY == 0)
        strftime(text, sizeof text, "%e %b", &parts);
    else
        strftime(text, sizeof text, step >= MINUTE ? "%H:%M" : "%H:%M:%S", &parts);
    if (step >= 1) return arena_strdup(arena, text[0] == ' ' ? text + 1 : text);
    return arena_printf(arena, "%s.%0*d", text, step >= 0.1 ? 1 : 3,
                        (int)((at - (double)whole) * (step >= 0.1 ? 10 : 1000) + 0.5));
}
