/* Numbers, times and states as people read them, and the sentences at the top of a report. */
#pragma once
#include "base/text.h"
#include "commands/report/facts.h"

const char *words_count(struct arena *, int64_t);                       /* "1,234"; not known: "–" */
const char *words_rows(struct arena *, int64_t, const char *one, const char *many); /* "1 row", "1,234 rows" */
const char *words_seconds(struct arena *, double seconds);              /* "3 min 12 s"; not known: "–" */
const char *words_when(struct arena *, double at);                      /* "22 Nov 2026, 07:28:49"; not known: "–" */
const char *words_day(struct arena *, double at);                       /* "22 Nov 2026" */
const char *words_span(const struct report *);                          /* "22 Nov 2026, 07:28:49 – 08:10:12 UTC" */
const char *words_clock(struct arena *, const struct report *, double at); /* "07:28:49", with its day in long runs */
const char *words_policy(const char *policy);                           /* "move" -> "moved to the survivor" */

/* What the run did and how it ended, for somebody who knows neither. Plain text. */
const char *words_summary(const struct report *);
const char *words_title(const struct report *);                         /* "dedupe-listings · run 7" */

/* "good", "bad", "warn", "busy" or "calm": which colour a state has */
const char *words_mood(const char *state);
