/*
 * A chart over the time of a run, as SVG that needs no script and fits any width.
 *
 * Places along the time are percentages, so the drawing follows the width of the page while its letters keep their
 * size; what cannot be in percentages (paths) is in an inner drawing that is stretched. Colours are classes of
 * style.css. In a path a unit is 1/10000 of the time and 1/1000 of the height.
 */
#pragma once
#include "base/text.h"
#include "commands/report/facts.h"
#include "commands/report/scale.h"

enum { CHART_ABOVE = 10 /* pixels over the plot, for the upper half of its highest mark's letters */ };

struct chart {
    const struct report *report;
    struct text *out;
    const char *id;    /* of its heading, unique in the page */
    struct scale scale;
    int height;        /* of the plot, pixels */
};

struct chart_words {
    const char *name, *unit;   /* "Throughput", "rows a second" */
    const char *note;          /* a sentence beside it; may be NULL */
    const char *description;   /* what a drawing shows, for those who do not see it */
};

void chart_open(const struct chart *, const struct chart_words *); /* heading, grid and the marks of both axes */
void chart_close(const struct chart *);

/* Stretched drawings in between: paths by these coordinates. */
void chart_paths_open(const struct chart *);
void chart_paths_close(const struct chart *);
double chart_x(const struct chart *, double seconds);
double chart_y(const struct chart *, double value);

/* A place along the time that shows a text when pointed at. */
void chart_spot(const struct chart *, double seconds, double length, const char *text);
/* A band over the whole height, `class` says what it means. */
void chart_band(const struct chart *, const char *class, double seconds, double length, const char *text);
double chart_percent(const struct chart *, double seconds); /* 0 to 100 */
