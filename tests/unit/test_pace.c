/* The pace: how large the next batch is, and how long the pause before it. */
#include "unit.h"
#include "work/pace.h"

static struct pace pace_of(int64_t size) {
    static struct batch_settings settings;
    settings = (struct batch_settings){.size = size, .min = 50, .max = 1000, .target = 500, .pause = 50};
    return pace_new(&settings);
}

UNIT(a_batch_as_slow_as_wanted_keeps_its_size) {
    struct pace pace = pace_of(300);
    for (int i = 0; i < 10; i++) pace_done(&pace, 300, 500);
    assert_int_equal(pace_size(&pace), 300);
}

UNIT(it_grows_by_a_fifth_a_step_and_stays_within_its_bounds) {
    struct pace pace = pace_of(300);
    pace_done(&pace, 300, 1);
    assert_int_equal(pace_size(&pace), 360);
    for (int i = 0; i < 20; i++) pace_done(&pace, pace_size(&pace), 1);
    assert_int_equal(pace_size(&pace), 1000);
    for (int i = 0; i < 20; i++) pace_done(&pace, pace_size(&pace), 60000);
    assert_int_equal(pace_size(&pace), 50);
}

UNIT(the_end_of_a_table_says_nothing_about_the_size) {
    struct pace pace = pace_of(300);
    pace_done(&pace, 3, 400);
    assert_int_equal(pace_size(&pace), 300);
}

UNIT(settings_may_change_under_way) {
    static struct batch_settings settings;
    settings = (struct batch_settings){.size = 300, .min = 50, .max = 1000, .target = 500, .pause = 60000};
    struct pace pace = pace_new(&settings);
    for (int i = 0; i < 3; i++) pace_done(&pace, pace_size(&pace), 1);
    settings.size = 100;
    assert_int_equal(pace_size(&pace), 100);
    pace_done(&pace, 100, 1);
    assert_int_equal(pace_size(&pace), 120);
    settings.max = 90;
    assert_int_equal(pace_size(&pace), 90);
    assert_false(pace_rested(&pace, 60000));
    settings.pause = 100;
    assert_true(pace_rested(&pace, 60000));
}

UNIT(a_timeout_halves_it) {
    struct pace pace = pace_of(300);
    pace_halve(&pace);
    assert_int_equal(pace_size(&pace), 150);
    pace_halve(&pace);
    pace_halve(&pace);
    assert_int_equal(pace_size(&pace), 50);
}

/* A fifth of jitter on either side. */
static void is_about(int64_t ms, int64_t wanted) { assert_true(ms * 5 >= wanted * 4 && ms * 5 <= wanted * 6); }

UNIT(pauses_that_follow_the_batch_take_the_same_share_of_the_time) {
    struct pace pace = pace_of(300);
    is_about(pace_pause(&pace), 50);
    is_about(pace_share(&pace, 500), 50);
    is_about(pace_share(&pace, 60000), 50);
    is_about(pace_share(&pace, 200), 20);
    assert_int_equal(pace_share(&pace, 5), 0);
    assert_int_equal(pace_share(&pace, 0), 0);
}

UNIT(near_a_limit_pauses_get_longer_and_batches_smaller) {
    struct pace pace = pace_of(300);
    pace.near = 0.5;
    assert_int_equal(pace_ease(&pace, 400), 0);
    pace.near = 0.75;
    assert_int_equal(pace_ease(&pace, 400), 400);
    pace.near = 0.99;
    assert_int_equal(pace_ease(&pace, 400), 4000);
    pace.near = 7;
    assert_int_equal(pace_ease(&pace, 400), 4000);
    pace.near = 0.75; /* half of the target is left: 150 rows fit, and the size goes two fifths of the way */
    pace_done(&pace, 300, 500);
    assert_int_equal(pace_size(&pace), 240);
}

RUN(UNIT_TEST(a_batch_as_slow_as_wanted_keeps_its_size),
    UNIT_TEST(it_grows_by_a_fifth_a_step_and_stays_within_its_bounds),
    UNIT_TEST(the_end_of_a_table_says_nothing_about_the_size), UNIT_TEST(settings_may_change_under_way),
    UNIT_TEST(a_timeout_halves_it), UNIT_TEST(pauses_that_follow_the_batch_take_the_same_share_of_the_time),
    UNIT_TEST(near_a_limit_pauses_get_longer_and_batches_smaller))
