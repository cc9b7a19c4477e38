/* Axes: which round numbers and which times of the day to mark. */
#pragma once
#include "base/arena.h"

struct scale {
    double step;  /* between two marks: 1, 2 or 5 times a power of ten */
    double top;   /* the last mark, at or above the largest value; above 0 */
    int marks;    /* above 0 */
};

/* Marks from 0 up to `most`, about so many. `least` is the smallest step: 1 for what can only be whole. */
struct scale scale_numbers(double most, int about, double least);

/* Seconds between two marks of a time axis of so many seconds: a round part of a minute, an hour or a day. */
double scale_times(double span, int about);

/* "0", "2,500", "25k", "1.2M": short, and told apart from its neighbours a step away */
const char *scale_text(struct arena *, double value, double step);
/* "14:30", "14:30:15", at midnight "22 Nov", of a time in seconds since 1970, UTC */
const char *scale_clock(struct arena *, double at, double step);
