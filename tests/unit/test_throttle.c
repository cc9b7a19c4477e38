/* What needs no server of the throttle: times of the day, the age of a value by samples, and its keys in a plan. */
#include "plan/quantity.h"
#include "reading_plans.h"
#include "unit.h"
#include "work/throttle/samples.h"
#include "work/throttle/window.h"

enum { HOUR = 3600, MINUTE = 60 };

static bool open_at(const char *text, int64_t second) {
    struct window window;
    const char *why;
    assert_true(quantity_window(text, &window, &why));
    return window_open(&window, second);
}

UNIT(a_window_begins_with_its_first_second_and_ends_before_its_last) {
    assert_false(open_at("09:00-17:30", 9 * HOUR - 1));
    assert_true(open_at("09:00-17:30", 9 * HOUR));
    assert_true(open_at("09:00-17:30", 17 * HOUR + 30 * MINUTE - 1));
    assert_false(open_at("09:00-17:30", 17 * HOUR + 30 * MINUTE));
    assert_true(open_at("09:00-24:00", 24 * HOUR - 1));
}

UNIT(a_window_may_go_across_midnight) {
    assert_true(open_at("22:00-06:00", 22 * HOUR));
    assert_true(open_at("22:00-06:00", 0));
    assert_true(open_at("22:00-6:00", 6 * HOUR - 1));
    assert_false(open_at("22:00-06:00", 6 * HOUR));
    assert_false(open_at("22:00-06:00", 22 * HOUR - 1));
    assert_true(open_at("22:00-00:00", 23 * HOUR));
    assert_false(open_at("22:00-00:00", 0));
}

UNIT(what_is_no_window_is_refused_with_a_reason) {
    static const char *const texts[] = {"",           "22:00",       "22-06",        "22:00-25:00", "22:60-06:00",
                                        "22:0-06:00", "22:00-24:01", "22:00-06:00x", "08:00-08:00", "00:00-24:00",
                                        "22:00--6:00"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct window window;
        const char *why = NULL;
        assert_false(quantity_window(texts[i], &window, &why));
        assert_non_null(why);
    }
}

UNIT(the_age_of_a_value_is_that_of_the_newest_sample_it_has_passed) {
    static struct samples s;
    bool passed;
    s.count = 0;
    for (int i = 0; i < 10; i++) samples_add(&s, 1000 * i, 100 * i);
    assert_int_equal(samples_age(&s, 900, 9000, &passed), 0);
    assert_int_equal(samples_age(&s, 899, 9000, &passed), 1000);
    assert_int_equal(samples_age(&s, 450, 9500, &passed), 5500);
    assert_true(passed);
    assert_int_equal(samples_age(&s, -1, 9500, &passed), 9500);
    assert_false(passed);
}

/* Nothing was written for a while: all samples are alike, and the newest counts. */
UNIT(a_value_that_stands_still_does_not_age) {
    static struct samples s;
    bool passed;
    s.count = 0;
    for (int i = 0; i < 3; i++) samples_add(&s, 1000 * i, 77);
    assert_int_equal(samples_age(&s, 77, 2000, &passed), 0);
}

UNIT(old_samples_get_sparser_and_none_is_told_younger_than_it_is) {
    static struct samples s;
    bool passed;
    s.count = 0;
    for (int64_t i = 0; i < 20000; i++) samples_add(&s, i, i);
    assert_true(s.count <= SAMPLES);
    for (int64_t value = 0; value < 20000; value += 777) {
        int64_t age = samples_age(&s, value, 19999, &passed);
        assert_true(passed && age >= 19999 - value);
    }
    assert_int_equal(samples_age(&s, 19990, 19999, &passed), 9);
}

UNIT(a_server_that_took_over_begins_anew) {
    static struct samples s;
    bool passed;
    s.count = 0;
    samples_add(&s, 0, 5000);
    samples_add(&s, 1000, 3000);
    assert_int_equal(samples_age(&s, 3000, 1500, &passed), 500);
    assert_int_equal(samples_age(&s, 2999, 1500, &passed), 500);
    assert_false(passed);
}

#define HEAD "plan: p\ntable: t\n"
#define STEPS "steps:\n- discover\n"

UNIT(nothing_is_on_but_replica_lag) {
    const struct throttle_settings *s = &read_plan(arena, HEAD STEPS).plan->settings.throttle;
    assert_int_equal(s->replica_lag.limit, 1500);
    assert_true(s->slot_lag == -1 && s->wal_rate == -1 && s->oldest_transaction == -1 && s->waiters == -1);
    assert_true(!s->query.sql.text && !s->window.text && s->give_up == -1);
}

UNIT(every_key_is_read) {
    struct outcome o = read_plan(
        arena, HEAD "throttle:\n  replica_lag: { limit: 5s, ignore: [a-b, c], expect: d }\n  slot_lag: 4GB\n"
                    "  wal_rate: 64MB/s\n  oldest_transaction: 30min\n  waiters: 2\n"
                    "  query: { sql: SELECT 1, above: 0 }\n  window: 22:00-06:00 Europe/Berlin\n  give_up: 2h\n" STEPS);
    expect_none(&o);
    const struct throttle_settings *s = &o.plan->settings.throttle;
    assert_int_equal(s->replica_lag.limit, 5000);
    assert_int_equal(s->replica_lag.ignore.count, 2);
    assert_string_equal(s->replica_lag.ignore.items[0], "a-b");
    assert_string_equal(s->replica_lag.expect.items[0], "d");
    assert_int_equal(s->slot_lag, INT64_C(4) << 30);
    assert_int_equal(s->wal_rate, INT64_C(64) << 20);
    assert_int_equal(s->oldest_transaction, 30 * 60 * 1000);
    assert_int_equal(s->waiters, 2);
    assert_string_equal(s->query.sql.text, "SELECT 1");
    assert_int_equal(s->query.above, 0);
    assert_int_equal(s->window.from, 22 * 60);
    assert_int_equal(s->window.to, 6 * 60);
    assert_string_equal(s->window.zone, "Europe/Berlin");
    assert_int_equal(s->give_up, 2 * 3600 * 1000);
}

UNIT(off_takes_back_what_an_outer_setting_says) {
    struct outcome o = read_plan(
        arena, HEAD "throttle: { slot_lag: 4GB, waiters: 1, query: { sql: SELECT 1, above: 7 }, window: 1:00-2:00 }\n"
                    "steps:\n- discover: { throttle: { replica_lag: off, slot_lag: off, waiters: off, query: off,\n"
                    "    window: off } }\n");
    expect_none(&o);
    const struct throttle_settings *s = &o.plan->steps[0].settings.throttle;
    assert_true(s->replica_lag.limit == -1 && s->slot_lag == -1 && s->waiters == -1);
    assert_true(!s->query.sql.text && s->query.above == -1 && !s->window.text);
    assert_int_equal(o.plan->settings.throttle.waiters, 1);
}

UNIT(a_step_changes_what_it_names_and_keeps_the_rest) {
    struct outcome o = read_plan(arena, HEAD "throttle: { replica_lag: { limit: 3s, ignore: a }, slot_lag: 1GB }\n"
                                             "steps:\n- discover: { throttle: { replica_lag: 9s } }\n");
    expect_none(&o);
    const struct throttle_settings *s = &o.plan->steps[0].settings.throttle;
    assert_int_equal(s->replica_lag.limit, 9000);
    assert_int_equal(s->replica_lag.ignore.count, 1);
    assert_int_equal(s->slot_lag, INT64_C(1) << 30);
}

UNIT(it_does_not_make_it_another_plan) {
    struct outcome o = read_plan(arena, HEAD STEPS),
                   other = read_plan(arena, HEAD "throttle: { waiters: 1 }\nsteps:\n"
                                                 "- discover: { throttle: { slot_lag: 1GB } }\n");
    expect_none(&other);
    assert_true(json_equal(o.plan->definition, other.plan->definition));
}

UNIT(wrong_values_are_told_at_their_place) {
    struct outcome o = read_plan(arena, HEAD "throttle: { wal_rate: 64MB }\n" STEPS);
    expect_only(&o, 3, 23, "'wal_rate' takes a size a second, like 64MB/s, or off, not '64MB'", "/s");
    o = read_plan(arena, HEAD "throttle: { window: 22:00 }\n" STEPS);
    expect_only(&o, 3, 21, "'window' takes a time of the day", "two times");
    o = read_plan(arena, HEAD "throttle: { waiters: 0 }\n" STEPS);
    expect_only(&o, 3, 22, "at least 1, or off", NULL);
    o = read_plan(arena, HEAD "throttle: { replica_lag: 10ms }\n" STEPS);
    expect_only(&o, 3, 26, "from 250ms to 1d, or off", NULL);
    o = read_plan(arena, HEAD "throttle: { query: { sql: SELECT 1 } }\n" STEPS);
    expect_only(&o, 3, 20, "the key 'above' is missing", NULL);
    o = read_plan(arena, HEAD "throttle: { lag: 1s }\n" STEPS);
    expect_only(&o, 3, 13, "unknown key 'lag'", "slot_lag");
    o = read_plan(arena, HEAD "batch: { size: off }\n" STEPS);
    expect_only(&o, 3, 16, "'size' takes a whole number, not 'off'", NULL);
}

RUN(UNIT_TEST(a_window_begins_with_its_first_second_and_ends_before_its_last),
    UNIT_TEST(a_window_may_go_across_midnight), UNIT_TEST(what_is_no_window_is_refused_with_a_reason),
    UNIT_TEST(the_age_of_a_value_is_that_of_the_newest_sample_it_has_passed),
    UNIT_TEST(a_value_that_stands_still_does_not_age),
    UNIT_TEST(old_samples_get_sparser_and_none_is_told_younger_than_it_is),
    UNIT_TEST(a_server_that_took_over_begins_anew), UNIT_TEST(nothing_is_on_but_replica_lag),
    UNIT_TEST(every_key_is_read), UNIT_TEST(off_takes_back_what_an_outer_setting_says),
    UNIT_TEST(a_step_changes_what_it_names_and_keeps_the_rest), UNIT_TEST(it_does_not_make_it_another_plan),
    UNIT_TEST(wrong_values_are_told_at_their_place))
