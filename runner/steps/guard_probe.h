/* What the server would do to look a key up. */
#pragma once
#include <stdbool.h>

/* `plan`: the answer to EXPLAIN (FORMAT json). Each table in it is read by an index, and not much of it. */
bool guard_probe_serves(const char *plan);
