/*
 * What endpoints are sent: the body of a request, made once for an event and stored, and its headers, made at each try.
 *
 * A webhook is a CloudEvents 1.0 object in structured JSON, signed as Standard Webhooks says; Slack gets a text.
 * docs/webhooks.md says it once more, for receivers.
 */
#pragma once
#include <jansson.h>
#include <stdint.h>

#include "base/event.h"
#include "plan/plan.h"

struct arena;

struct message {
    const char *id;            /* "evt_...", the same at every try */
    const char *database;      /* its name */
    const struct event *event;
    const json_t *data;        /* event_object() of it, made once: so that all who are told hear the same */
};

bool message_wanted(const struct endpoint *, enum event_type);

/* The body, in the arena. */
const char *message_body(struct arena *, const struct endpoint *, const struct message *);

/* For http_post(), in the arena. `now`: seconds since 1970, of this try. */
const char *const *message_headers(struct arena *, const struct endpoint *, const char *id, const char *body,
                                   int64_t now);
