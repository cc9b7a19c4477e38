/* Runs on paper: a page about one, lines about many, and both as JSON (product: status --json). */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "commands/desk.h"

/* All there is to know about a run, wrapped into `width` columns (0: as usual). `named` says how the user came to it,
 * so that hints can be pasted. */
void shown_page(FILE *, struct arena *, const struct overview *, const struct named *, bool colour, size_t width);

/* What to type to go on with it, with this option of run or with "". */
const char *shown_go_on(struct arena *, const struct overview *, const struct named *, const char *option);

void shown_unfinished(FILE *, struct arena *, const struct overview *, size_t count, bool colour);
void shown_over(FILE *, struct arena *, const struct overview *, size_t count, bool colour);

/* The object, or a list of them when `list`. */
json_t *shown_json(struct arena *, const struct overview *, size_t count, bool list);
const char *shown_line(struct arena *, const json_t *); /* without a newline */
/* Prints it, and remembers that the answer is out. */
void shown_answer(struct command_line *, struct arena *, const struct overview *, size_t count, bool list);
