/* Plain lines: one for each happening, fit for grep. */
#include "listening.h"

UNIT(a_run_is_told_line_by_line) {
    struct listening *l = listen_with(arena, "plain", (struct sink_request){0});
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 0, -1);
    finish_step(l, 1234567, 3100);
    l->event.step = STEPS;
    l->event.ms = 65000;
    tell(l, EVENT_RUN_FINISHED);
    assert_string_equal(heard(l, arena),
                        "run 7 started: plan dedupe-listings, environment staging, table public.listings\n"
                        "step track started\n"
                        "step track finished after 3.1 s, rows 1234567\n"
                        "run 7 finished after 1 min 5 s\n");
}

UNIT(progress_comes_every_five_seconds_at_most) {
    struct listening *l = listen_with(arena, "plain", (struct sink_request){0});
    int count = 0;
    test_time = 1000000;
    start_step(l, 1, 1000);
    for (int i = 0; i < 121; i++, test_time += 100) {
        l->steps[1].rows = i;
        tell(l, EVENT_PROGRESS);
    }
    for (const char *at = heard(l, arena); (at = strstr(at, "step delete at work")); at++) count++;
    assert_int_equal(count, 2); /* 12 s: after 5 and 10 */
}

UNIT(progress_says_why_it_waits) {
    struct listening *l = listen_with(arena, "plain", (struct sink_request){0});
    start_step(l, 1, 200);
    test_time += 6000;
    l->steps[1].rows = 50;
    l->event.rate = 12.4;
    l->event.eta_ms = 12000;
    l->event.waiting = "a lock on public.listings";
    l->event.waiting_ms = 4000;
    tell(l, EVENT_PROGRESS);
    assert_non_null(strstr(heard(l, arena), "rows 50 of 200, percent 25, 12 rows/s, 12.0 s left, "
                                            "waiting for 4.0 s: a lock on public.listings\n"));
}

UNIT(a_message_of_several_lines_stays_one_line) {
    struct listening *l = listen_with(arena, "plain", (struct sink_request){0});
    l->event.message = "first\nsecond\033[2J";
    l->event.hint = "look";
    tell(l, EVENT_NOTICE);
    assert_string_equal(heard(l, arena), "notice: first second [2J (hint: look)\n");
}

UNIT(quiet_tells_what_needs_attention) {
    struct listening *l = listen_with(arena, "plain", (struct sink_request){.quiet = true});
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 0, -1);
    test_time += 6000;
    tell(l, EVENT_PROGRESS);
    finish_step(l, 3, 10);
    l->event.message = "watch out";
    tell(l, EVENT_NOTICE);
    l->event.exit_code = 3;
    l->event.message = "no";
    tell(l, EVENT_RUN_FAILED);
    assert_string_equal(heard(l, arena), "notice: watch out\nrun 7 failed after 0 ms, exit code 3: no\n");
}

RUN(UNIT_TEST(a_run_is_told_line_by_line), UNIT_TEST(progress_comes_every_five_seconds_at_most),
    UNIT_TEST(progress_says_why_it_waits), UNIT_TEST(a_message_of_several_lines_stays_one_line),
    UNIT_TEST(quiet_tells_what_needs_attention))
