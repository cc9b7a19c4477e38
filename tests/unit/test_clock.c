/* The clock: durations as people write them, jitter within its bounds. */
#include "base/clock.h"
#include "unit.h"

#include <unistd.h>

UNIT(durations_read_as_people_write_them) {
    assert_string_equal(clock_text(arena, 0), "0 ms");
    assert_string_equal(clock_text(arena, 450), "450 ms");
    assert_string_equal(clock_text(arena, 999), "999 ms");
    assert_string_equal(clock_text(arena, 1000), "1.0 s");
    assert_string_equal(clock_text(arena, 12345), "12.3 s");
    assert_string_equal(clock_text(arena, 192000), "3 min 12 s");
    assert_string_equal(clock_text(arena, 7500000), "2 h 5 min");
}

UNIT(the_clock_goes_on) {
    int64_t before = clock_ms();
    usleep(20000);
    int64_t passed = clock_ms() - before;
    assert_true(passed >= 19 && passed < 20000);
}

UNIT(jitter_stays_within_its_spread_and_differs) {
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t ms = clock_jitter(1000, 0.25);
        assert_true(ms >= 750 && ms <= 1250);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_true(most - least > 250); /* half of the range: a thousand even draws miss that less than once in 10^200 */
    assert_int_equal(clock_jitter(1000, 0), 1000);
    assert_int_equal(clock_jitter(0, 0.5), 0);
}

RUN(UNIT_TEST(durations_read_as_people_write_them), UNIT_TEST(the_clock_goes_on),
    UNIT_TEST(jitter_stays_within_its_spread_and_differs))
