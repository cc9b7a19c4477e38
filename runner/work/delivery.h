/* What an endpoint's answer means: whether it took the message, and when it is tried again. */
#pragma once
#include "wire/http.h"

enum delivery { DELIVERED, UNDELIVERED, DELIVERY_GONE };

struct outcome {
    enum delivery what;
    char answer[160]; /* for people: "HTTP 503", "it did not answer within 10 s" */
    int64_t again;    /* UNDELIVERED: in so many ms */
};

/* How long a row is somebody's who sends it: no longer than a request may take, and a little for writing down how it
 * went. */
int64_t delivery_ahead(int64_t timeout);

/* `tries`: with this one. Pauses grow from a second to ten hours, jittered; Retry-After counts when it is longer, up to
 * a day. 410 is the end. Redirects are failures like all that is not 2xx. */
struct outcome delivery_judge(const struct http_answer *, int tries);
