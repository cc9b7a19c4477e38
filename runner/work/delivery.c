/* Judging answers. Leaves sending to courier.c and those who flush, and recording to state/outbox. */
#include "work/delivery.h"

#include <stdio.h>

#include "base/clock.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WRITING_MS = 5 * SECOND };

int64_t delivery_ahead(int64_t timeout) { return timeout + WRITING_MS; }

static int64_t pause_of(int tries) {
    static const int64_t pauses[] = {SECOND,      5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE,
                                     30 * MINUTE, HOUR,       2 * HOUR,    5 * HOUR,   10 * HOUR};
    enum { COUNT = sizeof pauses / sizeof *pauses };
    int at = tries < 1 ? 0 : tries > COUNT ? COUNT - 1 : tries - 1;
    return clock_jitter(pauses[at], 0.2);
}

struct outcome delivery_judge(const struct http_answer *answer, int tries) {
    struct outcome outcome = {.what = UNDELIVERED, .again = pause_of(tries)};
    int64_t asked = answer->retry_after > DAY ? DAY : answer->retry_after;
    if (asked > outcome.again) outcome.again = asked;
    if (answer->status / 100 == 2) outcome.what = DELIVERED;
    if (answer->status == 410) outcome.what = DELIVERY_GONE;
    if (answer->status)
        snprintf(outcome.answer, sizeof outcome.answer, "HTTP %d", answer->status);
    else
        snprintf(outcome.answer, sizeof outcome.answer, "%s", answer->problem ? answer->problem : "no answer");
    return outcome;
}
