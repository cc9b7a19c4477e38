/* Values for those who print JSON. */
#include "base/json.h"

#include <stdlib.h>

/* A server may send bytes that are no UTF-8: what is not ASCII is then replaced, since jansson takes UTF-8 only. */
json_t *json_text_or_null(struct arena *arena, const char *text) {
    if (!text) return json_null();
    json_t *string = json_string(text);
    if (string) return string;
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c > 126) *c = '?';
    return json_string(copy);
}

/* Bytes that are no UTF-8 (a database in SQL_ASCII) do not cost the whole value. */
json_t *json_read_or_null(struct arena *arena, const char *json) {
    json_t *clean = json_text_or_null(arena, json);
    json_t *value = json_is_string(clean) ? json_loads(json_string_value(clean), JSON_DECODE_ANY, NULL) : NULL;
    json_decref(clean);
    return value ? value : json_null();
}

json_t *json_count_or_null(int64_t n) { return n < 0 ? json_null() : json_integer(n); }

json_t *json_seconds_or_null(int64_t ms) { return ms < 0 ? json_null() : json_real((double)ms / 1000); }

json_t *json_tenths_or_null(double n) { return n < 0 ? json_null() : json_real((double)(int64_t)(n * 10 + 0.5) / 10); }

const char *json_written(struct arena *arena, const json_t *json, size_t flags) {
    char *text = json_dumps(json, flags | JSON_ENCODE_ANY);
    const char *copy = arena_strdup(arena, text ? text : "null");
    free(text);
    return copy;
}

const char *json_written_off(struct arena *arena, json_t *json, size_t flags) {
    const char *text = json_written(arena, json, flags);
    json_decref(json);
    return text;
}

const char *json_of_error(struct arena *arena, const struct error *error) {
    json_t *json = json_pack("{s:s, s:s*, s:s*, s:s*}", "message", error->message, "detail", error->detail, "hint",
                             error->hint, "sqlstate", *error->sqlstate ? error->sqlstate : NULL);
    return json_written_off(arena, json, JSON_COMPACT);
}
