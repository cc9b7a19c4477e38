/* Settings that change under way: the plan's own keys, bounds and words, with dots. */
#include "base/error.h"
#include "plan/retune.h"
#include "unit.h"

#include <string.h>

static struct settings defaults(struct arena *arena) { return plan_defaults(arena)->settings; }

static void refused(struct arena *arena, const char *key, const char *value, const char *message, const char *hint) {
    struct error error = error_new(arena);
    struct settings settings = defaults(arena);
    retune_one(arena, &settings, key, value, &error);
    assert_int_equal(error.fault, FAULT_USAGE);
    assert_non_null(strstr(error.message, message));
    if (hint) assert_non_null(strstr(error.hint, hint));
}

UNIT(keys_are_those_of_a_plan) {
    struct error error = error_new(arena);
    struct settings settings = defaults(arena);
    retune_one(arena, &settings, "batch.size", "250", &error);
    retune_one(arena, &settings, "batch.pause", "2s", &error);
    retune_one(arena, &settings, "locks.ddl_timeout", "300ms", &error);
    assert_false(failed(&error));
    assert_int_equal(settings.batch.size, 250);
    assert_int_equal(settings.batch.pause, 2000);
    assert_int_equal(settings.locks.ddl_timeout, 300);
    assert_int_equal(settings.batch.max, 50000);
    retune_one(arena, &settings, "throttle.replica_lag", "5s", &error);
    retune_one(arena, &settings, "throttle.replica_lag.ignore", "[delayed, far]", &error);
    assert_false(failed(&error));
    assert_int_equal(settings.throttle.replica_lag.limit, 5000);
    assert_int_equal(settings.throttle.replica_lag.ignore.count, 2);
    retune_one(arena, &settings, "throttle.replica_lag", "off", &error);
    retune_one(arena, &settings, "throttle.wal_rate", "64MB/s", &error);
    assert_false(failed(&error));
    assert_int_equal(settings.throttle.replica_lag.limit, -1);
    assert_int_equal(settings.throttle.wal_rate, 64 << 20);
}

UNIT(what_a_plan_refuses_is_refused_in_its_words) {
    refused(arena, "batch.siez", "1", "unknown key 'siez'", "did you mean 'size'?");
    refused(arena, "size", "1", "unknown key 'size'", NULL);
    refused(arena, "batch.size", "many", "'size' takes a whole number", NULL);
    refused(arena, "batch.size", "0", "from 1 to 1000000", NULL);
    refused(arena, "batch", "5", "'batch' takes a map of keys", NULL);
    refused(arena, "batch.size.x", "5", "'size' takes", NULL);
    refused(arena, "batch..size", "5", "unknown key ''", NULL);
    refused(arena, "archive.on", "false", "unknown key 'archive'", NULL);
    refused(arena, "batch\"}.x: [", "5", "unknown key", NULL);
    refused(arena, "batch.size", "\n- x", "takes a whole number", NULL);
    refused(arena, "batch.size", "[1", "batch.size=[1", NULL);
    refused(arena, "batch.size", "${N}", "N", NULL);
    refused(arena, "throttle.query.sql", "SELECT 1", "rights of the plan's author", NULL);
    refused(arena, "throttle.query", "{sql: SELECT 1, above: 0}", "takes a map", NULL);
}

static void laid(struct arena *arena, struct settings *settings, const char *overrides) {
    json_t *json = json_loads(overrides, 0, NULL);
    assert_non_null(json);
    retune_all(arena, settings, json);
    json_decref(json);
}

UNIT(what_was_set_wins_over_the_plan) {
    struct settings s = defaults(arena);
    s.batch = (struct batch_settings){.size = 100, .min = 50, .max = 200, .target = 500, .pause = 50, .workers = 1};
    struct settings larger = s, smaller = s, narrower = s, slower = s, unknown = s;
    laid(arena, &larger, "{\"batch.size\": \"300\"}");
    assert_int_equal(larger.batch.size, 300);
    assert_int_equal(larger.batch.max, 300);
    laid(arena, &smaller, "{\"batch.size\": \"10\"}");
    assert_int_equal(smaller.batch.size, 10);
    assert_int_equal(smaller.batch.min, 10);
    laid(arena, &narrower, "{\"batch.max\": \"20\"}");
    assert_int_equal(narrower.batch.max, 20);
    assert_int_equal(narrower.batch.size, 20);
    assert_int_equal(narrower.batch.min, 20);
    laid(arena, &slower, "{\"locks.lock_timeout\": \"10min\", \"locks.statement_timeout\": \"1min\"}");
    assert_int_equal(slower.locks.lock_timeout, 60000);
    laid(arena, &unknown, "{\"batch.later\": \"20\", \"batch.pause\": \"0ms\"}");
    assert_int_equal(unknown.batch.pause, 0);
}

static enum fault together(struct arena *arena, const char *overrides) {
    struct error error = error_new(arena);
    json_t *json = json_loads(overrides, 0, NULL);
    retune_check(arena, json, &error);
    json_decref(json);
    return error.fault;
}

UNIT(what_cannot_hold_together_is_refused) {
    assert_int_equal(together(arena, "{\"batch.size\": \"300\"}"), FAULT_NONE);
    assert_int_equal(together(arena, "{\"batch.size\": \"300\", \"batch.max\": \"300\"}"), FAULT_NONE);
    assert_int_equal(together(arena, "{\"batch.size\": \"300\", \"batch.max\": \"200\"}"), FAULT_USAGE);
    assert_int_equal(together(arena, "{\"batch.min\": \"300\", \"batch.max\": \"200\"}"), FAULT_USAGE);
    assert_int_equal(together(arena, "{\"batch.min\": \"300\", \"batch.size\": \"200\"}"), FAULT_USAGE);
    assert_int_equal(together(arena, "{\"locks.lock_timeout\": \"2s\", \"locks.statement_timeout\": \"1s\"}"),
                     FAULT_USAGE);
}

/* An operator may set, and may write runs.settings by hand; SQL would run with the rights of the runner. */
UNIT(sql_comes_in_by_no_value) {
    static const char *const values[] = {
        "[a]}, \"query\": {\"sql\": \"SELECT 1\", \"above\": \"0\"",
        "[a]}, query: {sql: SELECT 1, above: 0",
        "[a]}, \"query\": {\"sql\": \"SELECT 1\", \"above\": \"0\", \"x\": []",
        "[a, 'b]'}, query: {sql: SELECT 1, above: 0, x: [a]",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct error error = error_new(arena);
        struct settings settings = defaults(arena);
        retune_one(arena, &settings, "throttle.replica_lag.ignore", values[i], &error);
        assert_true(failed(&error) || settings.throttle.replica_lag.ignore.count == 1);
        assert_null(settings.throttle.query.sql.text);
    }
    refused(arena, "throttle.query.sql", "SELECT 1", "cannot be set", "into the plan");
}

RUN(UNIT_TEST(sql_comes_in_by_no_value), UNIT_TEST(keys_are_those_of_a_plan),
    UNIT_TEST(what_a_plan_refuses_is_refused_in_its_words), UNIT_TEST(what_was_set_wins_over_the_plan),
    UNIT_TEST(what_cannot_hold_together_is_refused))
