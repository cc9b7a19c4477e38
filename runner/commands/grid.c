/* Measuring and printing rows of cells. Server texts are cleaned by the lines they are put into. */
#include "commands/grid.h"

enum { GAP = 2, WIDEST = 4000 };

struct grid grid_new(struct arena *arena, const char *const *headings) {
    struct grid grid = {.arena = arena, .headings = headings};
    while (headings[grid.columns]) grid.columns++;
    return grid;
}

struct grid_cell *grid_add(struct grid *grid) {
    grid->rows = arena_grow(grid->arena, grid->rows, &grid->count, sizeof *grid->rows);
    return grid->rows[grid->count - 1].cells;
}

static bool to_the_right(const struct grid *grid, size_t column) { return grid->headings[column][0] == '>'; }

static const char *heading(const struct grid *grid, size_t column) {
    return grid->headings[column] + to_the_right(grid, column);
}

static size_t width_of(const struct grid *grid, size_t column) {
    size_t width = line_columns(heading(grid, column));
    for (size_t i = 0; i < grid->count; i++) {
        const char *text = grid->rows[i].cells[column].text;
        size_t columns = text ? line_columns(text) : 0;
        if (columns > width) width = columns;
    }
    return width;
}

static void add_cell(struct line *line, const struct grid *grid, size_t column, size_t start, size_t width,
                     const struct grid_cell *cell) {
    const char *text = cell->text ? cell->text : "";
    if (!*text) return;
    line_pad(line, to_the_right(grid, column) ? start + width - line_columns(text) : start);
    line_add(line, cell->style, text);
}

static bool is_empty(const struct grid *grid, size_t column) {
    for (size_t i = 0; i < grid->count; i++)
        if (grid->rows[i].cells[column].text) return false;
    return true;
}

/* Width 0: the column is left out. */
static void print_row(const struct grid *grid, FILE *out, const char *indent, bool colour, const size_t *widths,
                      const struct grid_cell *cells) {
    struct line line = line_new(grid->arena, WIDEST, colour, true);
    for (size_t column = 0, start = 0; column < grid->columns; column++) {
        if (!widths[column]) continue;
        add_cell(&line, grid, column, start, widths[column], &cells[column]);
        start += widths[column] + GAP;
    }
    fprintf(out, "%s%s\n", indent, line.text.data);
}

void grid_print(const struct grid *grid, FILE *out, const char *indent, bool colour) {
    size_t widths[GRID_COLUMNS];
    struct grid_cell headings[GRID_COLUMNS];
    for (size_t column = 0; column < grid->columns; column++) {
        widths[column] = is_empty(grid, column) ? 0 : width_of(grid, column);
        headings[column] = (struct grid_cell){heading(grid, column), STYLE_DIM};
    }
    print_row(grid, out, indent, colour, widths, headings);
    for (size_t i = 0; i < grid->count; i++) print_row(grid, out, indent, colour, widths, grid->rows[i].cells);
}
