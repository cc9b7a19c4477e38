/* The smoothed rate: even work has its own speed at once, another one shows within two minutes, waiting is no work. */
#include "unit.h"
#include "work/rate.h"

/* Batches of so many rows, one each `every` ms, for so long. */
static int64_t works(struct rate *rate, int64_t now, int64_t rows, int64_t every, int64_t ms) {
    for (int64_t end = now + ms; now < end;) rate_add(rate, rows, now += every);
    return now;
}

static void assert_about(double got, double expected, double share) {
    assert_true(got >= expected * (1 - share));
    assert_true(got <= expected * (1 + share));
}

UNIT(nothing_was_done_yet) {
    struct rate rate = rate_new(1000);
    assert_true(rate_of(&rate) == 0);
    rate_add(&rate, 5, 1000);
    assert_true(rate_of(&rate) == 0);
}

UNIT(even_work_has_its_speed_from_the_first_batch_on) {
    struct rate rate = rate_new(0);
    int64_t now = works(&rate, 0, 100, 200, 200);
    assert_about(rate_of(&rate), 500, 0.001);
    works(&rate, now, 100, 200, 600000);
    assert_about(rate_of(&rate), 500, 0.02);
}

UNIT(another_speed_shows_within_two_minutes) {
    struct rate rate = rate_new(0);
    int64_t now = works(&rate, 0, 100, 1000, 600000);
    works(&rate, now, 1000, 1000, 120000);
    assert_about(rate_of(&rate), 1000, 0.1);
}

UNIT(an_hour_of_waiting_is_a_few_seconds) {
    struct rate rate = rate_new(0);
    int64_t now = works(&rate, 0, 100, 1000, 600000);
    works(&rate, now + 3600000, 100, 1000, 10000);
    assert_about(rate_of(&rate), 100, 0.2);
}

RUN(UNIT_TEST(nothing_was_done_yet), UNIT_TEST(even_work_has_its_speed_from_the_first_batch_on),
    UNIT_TEST(another_speed_shows_within_two_minutes), UNIT_TEST(an_hour_of_waiting_is_a_few_seconds))
