/*
 * Posting beside everything else: what is sent, what is understood of an answer, and that nothing ever waits. The other
 * side is a thread of this program; a name server that hangs is a getaddrinfo() of ours, which takes the place of the
 * library's.
 */
#include "wire/http.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

enum { HUNG_MS = 3000 };

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node && strstr(node, "hung-name-server")) {
        usleep(HUNG_MS * 1000);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}

/* ---- the other side: a thread for each connection */

static int port;
static atomic_int connections, requests;
static char last_request[4096]; /* written before the answer */

/* /hang answers nothing, /429/seconds and /429/date say when to come again. */
static void answer(int fd, const char *path) {
    char after[128] = "";
    time_t later = time(NULL) + 3600;
    while (strncmp(path, "/hang", 5) == 0 && read(fd, after, sizeof after) > 0) continue;
    if (strcmp(path, "/429/seconds") == 0) strcpy(after, "Retry-After: 7\r\n");
    if (strcmp(path, "/429/date") == 0)
        strftime(after, sizeof after, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&later));
    dprintf(fd, "HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n",
            strncmp(path, "/429", 4) == 0 ? "429 Too Many Requests" : "204 No Content", after);
}

/* A request is whole when its body is: all of them end in "}". */
static bool read_request(int fd, char *text, size_t size) {
    size_t length = 0;
    for (ssize_t n; length + 1 < size && (n = read(fd, text + length, size - length - 1)) > 0;) {
        length += (size_t)n;
        text[length] = '\0';
        if (strstr(text, "\r\n\r\n") && text[length - 1] == '}') return true;
    }
    return false;
}

static void *serve(void *context) {
    int fd = (int)(intptr_t)context;
    char text[4096], path[256];
    while (read_request(fd, text, sizeof text)) {
        memcpy(last_request, text, sizeof text);
        requests++;
        if (sscanf(text, "POST %255s", path) == 1) answer(fd, path);
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *context) {
    int listening = (int)(intptr_t)context;
    for (int fd; (fd = accept(listening, NULL, NULL)) >= 0;) {
        pthread_t thread;
        connections++;
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
    return NULL;
}

static int start_server(void **state) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    if (bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 64) != 0) return 1;
    getsockname(fd, (struct sockaddr *)&at, &size);
    port = ntohs(at.sin_port);
    return pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)fd);
}

/* ---- requests */

struct heard {
    int times, status;
    int64_t retry_after, at;
    char problem[200];
    struct arena *arena; /* for those that go on */
    struct http *http;
    struct transfer *another; /* to be cancelled */
    struct heard *next;
};

static void hear(void *context, const struct http_answer *answer) {
    struct heard *heard = context;
    heard->times++;
    heard->status = answer->status;
    heard->retry_after = answer->retry_after;
    heard->at = clock_ms();
    snprintf(heard->problem, sizeof heard->problem, "%s", answer->problem ? answer->problem : "");
}

static struct transfer *post_to(struct arena *arena, struct http *http, const char *host, const char *path,
                                int64_t timeout, struct heard *heard) {
    static const char *const headers[] = {"content-type: application/json", "webhook-id: evt_1", NULL};
    struct http_request request = {arena_printf(arena, "http://%s:%d%s", host, port, path), "{\"a\":1}", headers,
                                   timeout};
    return http_post(http, &request, hear, heard);
}

static struct transfer *post(struct arena *arena, struct http *http, const char *path, int64_t timeout,
                             struct heard *heard) {
    return post_to(arena, http, "127.0.0.1", path, timeout, heard);
}

static void wait_for(struct wire *wire, const struct heard *heard) {
    for (int64_t until = clock_ms() + 10000; !heard->times && clock_ms() < until;) wire_wait(wire, 100);
    assert_int_equal(heard->times, 1);
}

UNIT(what_is_given_is_sent) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    struct heard heard = {0};
    post(arena, http, "/ok", 5000, &heard);
    assert_int_equal(heard.times, 0); /* never from within */
    wait_for(wire, &heard);
    assert_int_equal(heard.status, 204);
    assert_int_equal(heard.retry_after, -1);
    assert_non_null(strstr(last_request, "POST /ok HTTP/1.1\r\n"));
    assert_non_null(strstr(last_request, "\r\ncontent-type: application/json\r\n"));
    assert_non_null(strstr(last_request, "\r\nwebhook-id: evt_1\r\n"));
    assert_non_null(strstr(last_request, "\r\nUser-Agent: pgwinnow/"));
    assert_non_null(strstr(last_request, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(last_request, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(last_request, "Expect"));
}

UNIT(retry_after_is_in_seconds_or_a_date) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    struct heard seconds = {0}, date = {0}, none = {0};
    post(arena, http, "/429/seconds", 5000, &seconds);
    post(arena, http, "/429/date", 5000, &date);
    post(arena, http, "/429/none", 5000, &none);
    wait_for(wire, &seconds);
    wait_for(wire, &date);
    wait_for(wire, &none);
    assert_int_equal(seconds.status, 429);
    assert_int_equal(seconds.retry_after, 7000);
    assert_in_range(date.retry_after, 3590000, 3600000);
    assert_int_equal(none.status, 429);
    assert_int_equal(none.retry_after, -1);
}

UNIT(connections_are_used_again) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    int before = connections, asked = requests;
    for (int i = 0; i < 20; i++) {
        struct heard heard = {0};
        post(arena, http, "/ok", 5000, &heard);
        wait_for(wire, &heard);
        assert_int_equal(heard.status, 204);
    }
    assert_int_equal(requests - asked, 20);
    assert_int_equal(connections - before, 1);
}

struct ticks {
    int64_t last, longest;
};

static void tick(void *context) {
    struct ticks *ticks = context;
    int64_t now = clock_ms();
    if (ticks->last && now - ticks->last > ticks->longest) ticks->longest = now - ticks->last;
    ticks->last = now;
}

/* A receiver that hangs, and a name server that says nothing for longer than the request may take: a timer of 10 ms
 * goes on beside them. Measured: 15 ms. */
UNIT(nothing_ever_waits) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    struct ticks ticks = {0};
    struct heard hung = {0}, silent = {0}, nowhere = {0};
    wire_every(wire, 10, tick, &ticks);
    int64_t begun = clock_ms();
    post(arena, http, "/hang", 1000, &hung);
    post_to(arena, http, "hung-name-server.invalid", "/x", 1000, &nowhere);
    post(arena, http, "/hang/too", 1200, &silent);
    wait_for(wire, &hung);
    wait_for(wire, &silent);
    wait_for(wire, &nowhere);
    assert_int_equal(hung.status, 0);
    assert_string_equal(hung.problem, "no answer within 1.0 s");
    assert_string_equal(nowhere.problem, "its name was not resolved within 1.0 s");
    assert_in_range(hung.at - begun, 900, 2500);
    assert_in_range(nowhere.at - begun, 900, 2500);
    print_message("# the longest that a timer of 10 ms had to wait: %d ms\n", (int)ticks.longest);
    assert_in_range(ticks.longest, 10, 500);
}

UNIT(what_is_cancelled_is_not_told) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    struct heard cancelled = {0}, resolved = {0}, other = {0};
    int64_t begun = clock_ms();
    http_cancel(post(arena, http, "/ok", 5000, &cancelled)); /* before it has begun */
    struct transfer *late = post(arena, http, "/hang", 5000, &cancelled);
    struct transfer *nowhere = post_to(arena, http, "hung-name-server.invalid", "/x", 5000, &resolved);
    post(arena, http, "/ok", 5000, &other);
    wait_for(wire, &other);
    http_cancel(late);
    http_cancel(nowhere);
    for (int i = 0; i < 20; i++) wire_wait(wire, 10);
    assert_int_equal(cancelled.times, 0);
    assert_int_equal(resolved.times, 0);
    assert_true(clock_ms() - begun < HUNG_MS);
}

static void go_on(void *context, const struct http_answer *answer) {
    struct heard *heard = context;
    hear(heard, answer);
    http_cancel(heard->another);
    post(heard->arena, heard->http, "/ok", 5000, heard->next);
}

UNIT(who_is_told_may_post_and_cancel) {
    struct wire *wire = wire_new(arena);
    struct http *http = http_new(wire, arena);
    struct heard cancelled = {0}, second = {0}, first = {.arena = arena, .http = http, .next = &second};
    struct http_request request = {arena_printf(arena, "http://127.0.0.1:%d/ok", port), "{}", NULL, 5000};
    first.another = post(arena, http, "/hang", 5000, &cancelled);
    http_post(http, &request, go_on, &first);
    wait_for(wire, &second);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.status, 204);
    assert_int_equal(cancelled.times, 0);
}

/* The wire lives on: nothing of the requests may be left in it. */
UNIT(the_arena_ends_what_is_in_flight_at_once) {
    struct wire *wire = wire_new(arena);
    struct arena *inner = arena_new(arena);
    struct http *http = http_new(wire, inner);
    struct heard heard = {0};
    int64_t begun = clock_ms();
    post(inner, http, "/hang", 5000, &heard);
    post_to(inner, http, "hung-name-server.invalid", "/x", 5000, &heard);
    for (int i = 0; i < 20; i++) wire_wait(wire, 10);
    arena_free(inner);
    for (int i = 0; i < 20; i++) wire_wait(wire, 10);
    assert_int_equal(heard.times, 0);
    assert_true(clock_ms() - begun < HUNG_MS);
}

static void count(void *context) { ++*(int *)context; }

UNIT(a_timer_rests_until_it_is_told) {
    struct wire *wire = wire_new(arena);
    int ticks = 0;
    struct timer *timer = wire_timer(wire, count, &ticks);
    for (int i = 0; i < 3; i++) wire_wait(wire, 10);
    assert_int_equal(ticks, 0);
    wire_in(timer, 10);
    for (int i = 0; i < 10; i++) wire_wait(wire, 10);
    assert_int_equal(ticks, 1);
    wire_in(timer, 0);
    wire_wait(wire, 1000);
    assert_int_equal(ticks, 2);
    wire_in(timer, 5);
    wire_in(timer, -1);
    for (int i = 0; i < 5; i++) wire_wait(wire, 10);
    assert_int_equal(ticks, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {UNIT_TEST(what_is_given_is_sent),
                                       UNIT_TEST(retry_after_is_in_seconds_or_a_date),
                                       UNIT_TEST(connections_are_used_again),
                                       UNIT_TEST(nothing_ever_waits),
                                       UNIT_TEST(what_is_cancelled_is_not_told),
                                       UNIT_TEST(who_is_told_may_post_and_cancel),
                                       UNIT_TEST(the_arena_ends_what_is_in_flight_at_once),
                                       UNIT_TEST(a_timer_rests_until_it_is_told)};
    return cmocka_run_group_tests(tests, start_server, NULL);
}
