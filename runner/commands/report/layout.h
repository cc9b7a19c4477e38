/*
 * The foreign-key tree as boxes and lines: which tables there are, and where each stands.
 *
 * A table is one box, by however many foreign keys it is reached; it stands in the column behind the first of its
 * parents, and has a line for each foreign key that leads into it. Of a large tree the foreign keys by which most rows
 * went are shown, with all that leads to them; each box says how many others are folded below it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/report/facts.h"

struct layout_edge {
    const json_t *fact;   /* an element of tree.edges */
    size_t parent, child; /* boxes */
    int64_t rows;         /* -1: not counted */
    bool shown;
};

struct layout_box {
    const char *name;
    size_t parent;         /* the box it hangs from; the root's is itself */
    int column;
    bool shown;
    size_t lines, folded;  /* foreign keys into it that are shown; foreign keys out of it that are not */
    double x, y, height;
};

struct layout {
    struct layout_box *boxes; /* the root first */
    size_t box_count;
    struct layout_edge *edges;
    size_t edge_count, shown;
    double width, height;
};

enum layout_sizes {
    BOX_WIDTH = 244,
    BOX_HEAD = 30,
    OWN_LINE = 22, /* of the root: what was removed from it */
    BOX_LINE = 38, /* a foreign key into it */
    FOLD_LINE = 24,
    BOX_FOOT = 7,
    COLUMN_GAP = 84,
    ROW_GAP = 18,
};

struct layout layout_new(const struct report *, size_t most); /* at most so many foreign keys, and what leads to them */
