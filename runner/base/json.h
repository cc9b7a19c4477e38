/* JSON values of which the answer may be "not known": null. */
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

enum { JSON_DIGITS = JSON_REAL_PRECISION(15) }; /* a flag of dumps: 0.1 and not 0.10000000000000001 */

json_t *json_text_or_null(struct arena *, const char *text); /* NULL: null; bytes that are no UTF-8 become '?' */
json_t *json_read_or_null(struct arena *, const char *json); /* a value; NULL, or what is no JSON: null */
json_t *json_count_or_null(int64_t n);                       /* below 0: null */
json_t *json_seconds_or_null(int64_t ms);                    /* below 0: null */
json_t *json_tenths_or_null(double n);                       /* below 0: null; more digits would be noise */

/* As text in the arena; flags are jansson's. The second one takes the value along. */
const char *json_written(struct arena *, const json_t *, size_t flags);
const char *json_written_off(struct arena *, json_t *, size_t flags);

/* { "message", "detail", "hint", "sqlstate" }, those that are there, as text in the arena */
const char *json_of_error(struct arena *, const struct error *);
