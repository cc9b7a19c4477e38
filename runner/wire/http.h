/*
 * Posting to a URL, beside everything else: requests go on while the one wait (wire.h) is waited in, and nothing here
 * ever waits itself, not for a name server either.
 *
 * Only http and https; redirects are not followed, certificates are checked, what the other side answers is thrown away
 * but for its status. Proxies are taken from the process environment (https_proxy, no_proxy), as by curl. Connections
 * are kept for the next request to the same place. Needs SIGPIPE ignored (stop_install).
 */
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "wire/wire.h"

struct http;
struct transfer;

struct http_request {
    const char *url, *body;
    const char *const *headers; /* "name: value", NULL-terminated */
    int64_t timeout;            /* ms, for all of it; a connection must be there after 5 s */
};

struct http_answer {
    int status;          /* of HTTP; 0: none came, or it broke off */
    int64_t retry_after; /* ms, as the other side asked; -1: it did not */
    const char *problem; /* status 0: why, in words of ours; never the url, or a part of it */
};

/* Closed by the arena; what is in flight is dropped then, and not told. */
struct http *http_new(struct wire *, struct arena *);

/* Copies what it is given. `done` is called once, from inside a wait, never from in here: it must not wait itself; it
 * may post and cancel. The answer lives only during the call, and the transfer is gone when it begins. */
struct transfer *http_post(struct http *, const struct http_request *,
                           void (*done)(void *context, const struct http_answer *), void *context);

void http_cancel(struct transfer *); /* done is not called */
