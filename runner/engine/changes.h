/* What changed between the plan a run was started with and the plan at hand; NULL when nothing that counts. */
#pragma once
#include <jansson.h>

#include "base/arena.h"

/* Lines such as "steps[2].track.duplicates: [\"a\"] is now [\"a\",\"b\"]". */
const char *changes_text(struct arena *, const char *recorded, const json_t *now);
