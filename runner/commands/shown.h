/* Runs on paper: a page about one, lines about many, and both as JSON (product: status --json). */
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "commands/desk.h"

/* All there is to know about a run. `named` says how the user came to it, so that hints can be pasted. */
void shown_page(FILE *, struct arena *, const struct overview *, const struct named *, bool colour);

void shown_unfinished(FILE *, struct arena *, const struct overview *, size_t count, bool colour);
void shown_over(FILE *, struct arena *, const struct overview *, size_t count, bool colour);

json_t *shown_json(struct arena *, const struct overview *);
/* Prints the object, or a list of them when `list`, and remembers that the answer is out. */
void shown_answer(struct command_line *, struct arena *, const struct overview *, size_t count, bool list);
