/* Numbers with units as plans write them: "10min", "64MB", "80%". Each false with a reason when the text is none. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "plan/option.h"

bool quantity_count(const char *text, int64_t *, const char **why);
bool quantity_duration(const char *text, int64_t *ms, const char **why); /* ms s min h d; "0" needs no unit */
bool quantity_size(const char *text, int64_t *bytes, const char **why);  /* kB MB GB TB; "0" needs no unit */
bool quantity_rate(const char *text, int64_t *bytes, const char **why);  /* a size and "/s" */
/* "22:00-06:00", then perhaps a blank and a zone, which points into the text. Does not set text and place. */
bool quantity_window(const char *text, struct window *, const char **why);
bool quantity_share(const char *text, double *share, const char **why);  /* 0% to 100%, as 0 to 1 */
