/* Rows of cells under headings, as wide as they need to be. Columns of numbers stand to the right; one in which no row
 * has anything is left out. */
#pragma once
#include <stdio.h>

#include "events/line.h"

enum { GRID_COLUMNS = 11 };

struct grid_cell {
    const char *text; /* NULL: empty */
    enum style style;
};

struct grid {
    struct arena *arena;
    const char *const *headings; /* NULL-terminated; a leading '>' means to the right */
    size_t columns;
    struct grid_row {
        struct grid_cell cells[GRID_COLUMNS];
    } *rows;
    size_t count;
};

struct grid grid_new(struct arena *, const char *const *headings);
struct grid_cell *grid_add(struct grid *); /* a row of cells to be filled; valid until the next */
void grid_print(const struct grid *, FILE *, const char *indent, bool colour);
