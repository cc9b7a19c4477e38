/* docs/events: a schema for each type of event and none beside them, with the very keys of the objects; docs/events.md
 * has them all. Run where docs/ is, as make does. */
#include "unit.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "events/event_json.h"

static json_t *schema_of(struct arena *arena, const char *type) {
    json_error_t why;
    json_t *schema = json_load_file(arena_printf(arena, "docs/events/%s.schema.json", type), 0, &why);
    if (!schema) print_error("%s: %s\n", type, why.text);
    assert_non_null(schema);
    return schema;
}

static const char *page(struct arena *arena) {
    struct text text = text_new(arena);
    char piece[4096];
    size_t n;
    FILE *file = fopen("docs/events.md", "r");
    assert_non_null(file);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) text_add_n(&text, piece, n);
    fclose(file);
    return text.data;
}

static json_t *object_of(struct arena *arena, enum event_type type) {
    struct event_step steps[] = {{"delete", STEP_RUNNING, 1, 2, 0, 1, 5}};
    struct event event = {.type = type, .run = 1, .plan = "p", .table = "t", .steps = steps, .step_count = 1};
    return event_object(arena, &event);
}

UNIT(every_type_has_a_schema_with_the_keys_of_its_object) {
    for (int type = 0; type < EVENT_TYPES; type++) {
        const char *name = event_name((enum event_type)type), *key;
        json_t *schema = schema_of(arena, name), *object = object_of(arena, (enum event_type)type), *value;
        json_t *properties = json_object_get(schema, "properties");
        const json_t *is = json_object_get(json_object_get(properties, "type"), "const");
        assert_string_equal(json_string_value(is), name);
        assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
        json_object_foreach(object, key, value) {
            if (!json_object_get(properties, key)) print_error("%s has no %s\n", name, key);
            assert_non_null(json_object_get(properties, key));
        }
        assert_int_equal(json_object_size(properties), json_object_size(object));
        assert_int_equal(json_array_size(json_object_get(schema, "required")), json_object_size(object));
        json_decref(schema);
        json_decref(object);
    }
}

static bool is_type(const char *name) {
    for (int type = 0; type < EVENT_TYPES; type++)
        if (text_equal(name, event_name((enum event_type)type))) return true;
    return text_equal(name, "common") || text_equal(name, "lost");
}

UNIT(every_schema_is_of_a_type) {
    struct dirent *entry;
    DIR *folder = opendir("docs/events");
    size_t count = 0;
    assert_non_null(folder);
    for (; (entry = readdir(folder)); count += *entry->d_name != '.') {
        const char *end = strstr(entry->d_name, ".schema.json");
        if (*entry->d_name == '.') continue;
        assert_non_null(end);
        const char *name = arena_strndup(arena, entry->d_name, (size_t)(end - entry->d_name));
        if (!is_type(name)) print_error("no event is called %s\n", name);
        assert_true(is_type(name));
    }
    closedir(folder);
    assert_int_equal(count, EVENT_TYPES + 2);
}

UNIT(the_page_has_every_type_and_key) {
    const char *text = page(arena), *key;
    json_t *object = object_of(arena, EVENT_PROGRESS), *value;
    for (int type = 0; type < EVENT_TYPES; type++) {
        const char *name = event_name((enum event_type)type);
        assert_non_null(strstr(text, arena_printf(arena, "\n| [`%s`](events/%s.schema.json) |", name, name)));
    }
    json_object_foreach(object, key, value) {
        if (!strstr(text, arena_printf(arena, "`%s`", key))) print_error("docs/events.md does not have %s\n", key);
        assert_non_null(strstr(text, arena_printf(arena, "`%s`", key)));
    }
    json_decref(object);
}

RUN(UNIT_TEST(every_type_has_a_schema_with_the_keys_of_its_object), UNIT_TEST(every_schema_is_of_a_type),
    UNIT_TEST(the_page_has_every_type_and_key))
