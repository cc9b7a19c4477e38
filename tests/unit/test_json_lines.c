/* JSON lines: the same keys in every object, null for what is not known. */
#include "listening.h"

#include <jansson.h>

static const char *const keys[] = {
    "type",    "time",    "run",     "plan",    "environment", "table",       "step",       "state",       "rows",
    "total",   "spared",  "batches", "seconds", "rate",        "eta_seconds", "batch_size", "lag_seconds", "doing",
    "waiting", "message", "detail",  "hint",    "exit_code",   "run_seconds", "steps"};
enum { KEYS = sizeof keys / sizeof *keys };

/* The lines as an array of objects; every line must be one. */
static json_t *objects(struct listening *l, struct arena *arena) {
    json_t *list = json_array();
    char *rest = heard(l, arena), *line;
    while ((line = strtok_r(rest, "\n", &rest))) {
        json_t *object = json_loads(line, 0, NULL);
        assert_true(json_is_object(object));
        json_array_append_new(list, object);
    }
    return list;
}

static const json_t *at(const json_t *list, size_t index, const char *key) {
    return json_object_get(json_array_get(list, index), key);
}

UNIT(every_event_has_the_same_keys) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    l->event.environment = NULL;
    for (int type = 0; type < EVENT_TYPES; type++, test_time += 2000) {
        l->event.step = type % (STEPS + 1);
        tell(l, (enum event_type)type);
    }
    json_t *list = objects(l, arena);
    assert_int_equal(json_array_size(list), EVENT_TYPES);
    for (size_t i = 0; i < EVENT_TYPES; i++) {
        assert_string_equal(json_string_value(at(list, i, "type")), event_name((enum event_type)i));
        assert_int_equal(json_object_size(json_array_get(list, i)), KEYS);
        for (size_t k = 0; k < KEYS; k++) assert_non_null(at(list, i, keys[k]));
        assert_true(json_is_null(at(list, i, "environment")));
    }
    json_decref(list);
}

UNIT(values_are_the_events) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    start_step(l, 1, 200);
    l->steps[1].rows = 50;
    l->steps[1].ms = 2500;
    l->event.rate = 20;
    l->event.waiting = "a lock";
    l->event.waiting_ms = 100;
    test_time += 2000;
    tell(l, EVENT_PROGRESS);
    json_t *list = objects(l, arena);
    assert_string_equal(json_string_value(at(list, 1, "step")), "delete");
    assert_string_equal(json_string_value(at(list, 1, "state")), "running");
    assert_int_equal(json_integer_value(at(list, 1, "rows")), 50);
    assert_int_equal(json_integer_value(at(list, 1, "total")), 200);
    assert_true(json_number_value(at(list, 1, "seconds")) == 2.5);
    assert_true(json_number_value(at(list, 1, "rate")) == 20);
    assert_true(json_is_null(at(list, 1, "eta_seconds")));
    assert_string_equal(json_string_value(json_object_get(at(list, 1, "waiting"), "reason")), "a lock");
    const char *since = json_string_value(json_object_get(at(list, 1, "waiting"), "since"));
    const char *time = json_string_value(at(list, 1, "time"));
    assert_int_equal(strlen(time), strlen("2026-11-21T22:14:43.123Z"));
    assert_int_equal(time[10], 'T');
    assert_int_equal(time[23], 'Z');
    assert_true(strcmp(since, time) < 0);
    json_decref(list);
}

UNIT(a_run_carries_all_steps_and_its_exit_code) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    l->event.exit_code = 3;
    l->event.message = "refused";
    tell(l, EVENT_RUN_FAILED);
    tell(l, EVENT_RUN_FINISHED);
    json_t *list = objects(l, arena);
    assert_int_equal(json_array_size(at(list, 0, "steps")), STEPS);
    assert_int_equal(json_integer_value(at(list, 0, "exit_code")), 3);
    assert_string_equal(json_string_value(at(list, 0, "message")), "refused");
    assert_int_equal(json_integer_value(at(list, 1, "exit_code")), 0);
    json_decref(list);
}

UNIT(bytes_that_are_no_utf8_do_not_lose_the_line) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    l->event.message = "caf\xe9 \"x\"\n";
    tell(l, EVENT_NOTICE);
    json_t *list = objects(l, arena);
    assert_string_equal(json_string_value(at(list, 0, "message")), "caf? \"x\"\n");
    json_decref(list);
}

UNIT(progress_comes_once_a_second_at_most) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    test_time = 500000;
    for (int i = 0; i < 31; i++, test_time += 100) tell(l, EVENT_PROGRESS);
    json_t *list = objects(l, arena);
    assert_int_equal(json_array_size(list), 4); /* at 0, 1, 2 and 3 s */
    json_decref(list);
}

RUN(UNIT_TEST(every_event_has_the_same_keys), UNIT_TEST(values_are_the_events),
    UNIT_TEST(a_run_carries_all_steps_and_its_exit_code), UNIT_TEST(bytes_that_are_no_utf8_do_not_lose_the_line),
    UNIT_TEST(progress_comes_once_a_second_at_most))
