/*
 * The one file that knows curl: its multi interface with sockets and timers that are ours (CURLMOPT_SOCKETFUNCTION),
 * so that wire.c stays the only one that waits. Owns the handles and the wording of what went wrong: curl's own
 * messages name hosts, and the host may be the secret. Leaves retries and what a status means to others.
 */
#include "wire/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"

enum { CONNECT_MS = 5000, MOST_ANSWER_BYTES = 1 << 20 };

/* A socket of curl's. They are used again: a run may last for days. */
struct watched {
    struct source source;
    struct http *http;
    curl_socket_t socket; /* CURL_SOCKET_BAD: in use by nobody */
    short events;
    struct watched *next;
};

struct http {
    struct arena *arena;
    struct wire *wire;
    struct timer *timer;
    CURLM *multi;
    struct watched *watched;
};

struct transfer {
    struct http *http;
    struct arena *arena;
    CURL *easy;
    struct curl_slist *headers;
    int64_t timeout;
    size_t bytes; /* of the answer, so far */
    void (*done)(void *, const struct http_answer *);
    void *context;
};

/* As an arena does it: nothing is half done. */
static void *must(void *handle) {
    if (handle) return handle;
    fputs("pgwinnow: out of memory for a request\n", stderr);
    exit(1);
}

/* ---- what went wrong */

static const char *timed_out(const struct transfer *t) {
    curl_off_t looked_up = 0, connected = 0, asked = 0;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
    curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    const char *whole = clock_text(t->arena, t->timeout);
    const char *soon = clock_text(t->arena, t->timeout < CONNECT_MS ? t->timeout : CONNECT_MS);
    if (status) return arena_printf(t->arena, "its answer did not end within %s", whole);
    if (asked) return arena_printf(t->arena, "no answer within %s", whole);
    if (!looked_up) return arena_printf(t->arena, "its name was not resolved within %s", soon);
    if (!connected) return arena_printf(t->arena, "no connection within %s", soon);
    return arena_printf(t->arena, "TLS was not agreed on within %s", soon);
}

static const char *problem_of(const struct transfer *t, CURLcode code) {
    long number = 0, proxy = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (proxy >= 300) return arena_printf(t->arena, "the proxy answered %ld", proxy);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return timed_out(t);
    case CURLE_COULDNT_RESOLVE_HOST: return "its name cannot be resolved";
    case CURLE_COULDNT_RESOLVE_PROXY: return "the name of the proxy cannot be resolved";
    case CURLE_COULDNT_CONNECT:
        return number ? arena_printf(t->arena, "no connection: %s", strerror((int)number)) : "no connection";
    case CURLE_LOGIN_DENIED:
    case CURLE_URL_MALFORMAT: return "its url cannot be used";
    case CURLE_PEER_FAILED_VERIFICATION: return "its TLS certificate is not to be trusted, or for another name";
    case CURLE_SSL_CACERT_BADFILE: return "the certificates that this machine trusts cannot be read";
    case CURLE_SSL_CONNECT_ERROR: return "TLS could not be agreed on";
    case CURLE_GOT_NOTHING: return "it closed the connection without an answer";
    case CURLE_PARTIAL_FILE: return "its answer broke off";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return "the connection was lost";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: return "what it answered is not HTTP";
    default: return arena_printf(t->arena, "the request failed (curl error %d)", (int)code);
    }
}

static struct http_answer answer_of(const struct transfer *t, CURLcode code) {
    struct http_answer answer = {.retry_after = -1};
    long status = 0;
    curl_off_t seconds = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds);
    bool enough = code == CURLE_WRITE_ERROR && t->bytes > MOST_ANSWER_BYTES; /* it was us who hung up */
    if (status && (code == CURLE_OK || enough))
        answer.status = (int)status;
    else
        answer.problem = code == CURLE_OK ? "what it answered is not HTTP" : problem_of(t, code);
    if (seconds > 0) answer.retry_after = seconds < INT64_MAX / 1000 ? (int64_t)seconds * 1000 : INT64_MAX;
    return answer;
}

/* ---- between curl and the wire */

static void tell(CURL *easy, CURLcode code) {
    struct transfer *t = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    struct http_answer answer = answer_of(t, code);
    void (*done)(void *, const struct http_answer *) = t->done;
    void *context = t->context;
    struct arena *words = arena_new(t->http->arena);
    if (answer.problem) answer.problem = arena_strdup(words, answer.problem);
    http_cancel(t);
    done(context, &answer);
    arena_free(words);
}

/* Outside of curl's own calls, where handles may come and go. */
static void act(struct http *http, curl_socket_t socket) {
    int running, left;
    curl_multi_socket_action(http->multi, socket, 0, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));)
        if (message->msg == CURLMSG_DONE) tell(message->easy_handle, message->data.result);
}

static void tick(void *context) { act(context, CURL_SOCKET_TIMEOUT); }

static int look(void *context, short *events) {
    struct watched *w = context;
    *events = w->events;
    return w->socket == CURL_SOCKET_BAD ? -1 : w->socket;
}

/* Curl looks itself what is there to be read or written. A socket that another one's turn closed is nobody's. */
static void ready(void *context) {
    struct watched *w = context;
    if (w->socket != CURL_SOCKET_BAD) act(w->http, w->socket);
}

static struct watched *watch(struct http *http, curl_socket_t socket) {
    struct watched *w = http->watched;
    while (w && w->socket != CURL_SOCKET_BAD) w = w->next;
    if (!w) {
        w = arena_alloc(http->arena, sizeof *w);
        w->http = http;
        w->source = (struct source){look, ready, w, NULL};
        w->next = http->watched;
        http->watched = w;
        wire_add(http->wire, &w->source);
    }
    w->socket = socket;
    curl_multi_assign(http->multi, socket, w);
    return w;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned) {
    (void)easy;
    struct watched *w = assigned ? assigned : what == CURL_POLL_REMOVE ? NULL : watch(context, socket);
    if (!w) return 0;
    w->events = what == CURL_POLL_IN ? POLLIN : what == CURL_POLL_OUT ? POLLOUT : POLLIN | POLLOUT;
    if (what == CURL_POLL_REMOVE) w->socket = CURL_SOCKET_BAD;
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *context) {
    (void)multi;
    struct http *http = context;
    wire_in(http->timer, ms);
    return 0;
}

/* The last thing that is done with it: sources and timer of the wire, which may live on, point here. */
static void close_http(void *context) {
    struct http *http = context;
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, NULL);
    curl_multi_cleanup(http->multi);
    for (struct watched *w = http->watched; w; w = w->next) wire_remove(http->wire, &w->source);
    wire_forget(http->wire, http->timer);
    curl_global_cleanup();
}

struct http *http_new(struct wire *wire, struct arena *arena) {
    struct http *http = arena_alloc(arena, sizeof *http);
    *http = (struct http){.arena = arena, .wire = wire, .timer = wire_timer(wire, tick, http)};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    http->multi = must(curl_multi_init());
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    arena_defer(arena, close_http, http);
    return http;
}

/* ---- requests */

/* Also of headers: who sends without an end is hung up on. */
static size_t throw_away(char *data, size_t size, size_t count, void *context) {
    (void)data;
    struct transfer *t = context;
    t->bytes += size * count;
    return t->bytes > MOST_ANSWER_BYTES ? 0 : size * count;
}

static void only_the_web(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

#if LIBCURL_VERSION_NUM >= 0x075700
/* Reading all certificates that are trusted takes a tenth of a second on a busy machine. Curl keeps what it has read,
 * but not from a folder: where there is a file with all of them too, the folder is not asked. */
static void trust_from_file(CURL *easy) {
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    if (curl->cainfo && access(curl->cainfo, R_OK) == 0) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

/* A thread that still asks a name server is left behind. Older versions of curl wait for it. */
static void leave_behind(CURL *easy) { curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); }
#else
static void trust_from_file(CURL *easy) { (void)easy; }
static void leave_behind(CURL *easy) { (void)easy; }
#endif

static void never_wait(CURL *easy, int64_t timeout) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    leave_behind(easy);
    trust_from_file(easy);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout);
}

static void fill(struct transfer *t, const struct http_request *request) {
    CURL *easy = t->easy;
    t->headers = must(curl_slist_append(NULL, "Expect:"));
    for (const char *const *h = request->headers; h && *h; h++) t->headers = must(curl_slist_append(t->headers, *h));
    only_the_web(easy);
    never_wait(easy, request->timeout);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)t);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "pgwinnow/" PGWINNOW_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, -1L);
    if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body) != CURLE_OK) must(NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, throw_away);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
}

static void close_transfer(void *context) {
    struct transfer *t = context;
    curl_multi_remove_handle(t->http->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
}

struct transfer *http_post(struct http *http, const struct http_request *request,
                           void (*done)(void *, const struct http_answer *), void *context) {
    struct arena *arena = arena_new(http->arena);
    struct transfer *t = arena_alloc(arena, sizeof *t);
    *t = (struct transfer){.http = http, .arena = arena, .timeout = request->timeout, .done = done, .context = context};
    t->easy = must(curl_easy_init());
    arena_defer(arena, close_transfer, t);
    fill(t, request);
    curl_multi_add_handle(http->multi, t->easy);
    return t;
}

void http_cancel(struct transfer *t) { arena_free(t->arena); }
