/* What an endpoint's answer means, and when it is tried again. */
#include "unit.h"
#include "work/delivery.h"

static struct outcome judge(int status, int64_t retry_after, int tries) {
    return delivery_judge(&(struct http_answer){.status = status, .retry_after = retry_after}, tries);
}

UNIT(only_2xx_is_delivered) {
    (void)arena;
    assert_int_equal(judge(200, -1, 1).what, DELIVERED);
    assert_int_equal(judge(204, -1, 1).what, DELIVERED);
    assert_int_equal(judge(302, -1, 1).what, UNDELIVERED);
    assert_int_equal(judge(404, -1, 1).what, UNDELIVERED);
    assert_int_equal(judge(500, -1, 1).what, UNDELIVERED);
    assert_int_equal(judge(410, -1, 1).what, DELIVERY_GONE);
    assert_string_equal(judge(503, -1, 1).answer, "HTTP 503");
}

UNIT(why_no_answer_came_is_kept) {
    (void)arena;
    struct http_answer none = {.problem = "the connection was refused", .retry_after = -1};
    assert_int_equal(delivery_judge(&none, 1).what, UNDELIVERED);
    assert_string_equal(delivery_judge(&none, 1).answer, "the connection was refused");
}

/* 1 s 5 s 30 s 2 min 10 min 30 min 1 h 2 h 5 h 10 h, and 10 h from then on; a fifth more or less. */
UNIT(pauses_grow_and_are_jittered) {
    static const int64_t seconds[] = {1, 5, 30, 120, 600, 1800, 3600, 7200, 18000, 36000, 36000, 36000};
    (void)arena;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        int64_t least = INT64_MAX, most = 0;
        for (int n = 0; n < 300; n++) {
            int64_t again = judge(500, -1, (int)i + 1).again;
            least = again < least ? again : least;
            most = again > most ? again : most;
        }
        assert_in_range(least, seconds[i] * 800, seconds[i] * 900);
        assert_in_range(most, seconds[i] * 1100, seconds[i] * 1200);
    }
}

UNIT(retry_after_counts_when_it_is_longer) {
    (void)arena;
    assert_int_equal(judge(429, 17000, 1).again, 17000);
    assert_int_equal(judge(503, 17000, 2).again, 17000);
    assert_in_range(judge(429, 100, 1).again, 800, 1200);
    assert_int_equal(judge(429, 30LL * 24 * 3600 * 1000, 1).again, 24 * 3600 * 1000);
}

RUN(UNIT_TEST(only_2xx_is_delivered), UNIT_TEST(why_no_answer_came_is_kept), UNIT_TEST(pauses_grow_and_are_jittered),
    UNIT_TEST(retry_after_counts_when_it_is_longer))
