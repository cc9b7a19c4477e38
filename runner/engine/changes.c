/* Comparing two plan definitions, leaf by leaf. */
#include "engine/changes.h"

#include "base/json.h"
#include "base/text.h"

static void free_json(void *json) { json_decref(json); }

static const char *shown(struct arena *arena, const json_t *value) {
    return value ? json_written(arena, value, JSON_COMPACT | JSON_SORT_KEYS) : "nothing";
}

static void compare(struct arena *arena, struct text *lines, const char *path, json_t *before, json_t *after) {
    if (before && after && json_equal(before, after)) return;
    if (json_is_object(before) && json_is_object(after)) {
        const char *key;
        json_t *value;
        json_object_foreach(before, key, value)
            compare(arena, lines, arena_printf(arena, "%s%s%s", path, *path ? "." : "", key), value,
                    json_object_get(after, key));
        json_object_foreach(after, key, value) if (!json_object_get(before, key))
            compare(arena, lines, arena_printf(arena, "%s%s%s", path, *path ? "." : "", key), NULL, value);
        return;
    }
    if (json_is_array(before) && json_is_array(after)) {
        size_t most =
            json_array_size(before) > json_array_size(after) ? json_array_size(before) : json_array_size(after);
        for (size_t i = 0; i < most; i++)
            compare(arena, lines, arena_printf(arena, "%s[%zu]", path, i + 1), json_array_get(before, i),
                    json_array_get(after, i));
        return;
    }
    text_addf(lines, "%s: %s is now %s\n", path, shown(arena, before), shown(arena, after));
}

const char *changes_text(struct arena *arena, const char *recorded, const json_t *now) {
    json_error_t ignored;
    json_t *before = json_loads(recorded, 0, &ignored);
    if (!before) return "the recorded plan cannot be read\n";
    arena_defer(arena, free_json, before);
    struct text lines = text_new(arena);
    compare(arena, &lines, "", before, (json_t *)now);
    return lines.length ? lines.data : NULL;
}
