/* Webhooks: who wants what, the CloudEvent, its headers and signatures. The words for Slack are slack.c's. */
#include "events/message.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "events/slack.h"
#include "plan/secret.h"

bool message_wanted(const struct endpoint *endpoint, enum event_type type) {
    return type != EVENT_NOTICE && endpoint_wants(endpoint, event_name(type));
}

/* ---- the body */

/* `source` is a URI reference: a database may be called anything. */
static const char *in_a_uri(struct arena *arena, const char *name) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct text text = text_new(arena);
    for (; *name; name++)
        if (strchr(plain, *name))
            text_add_n(&text, name, 1);
        else
            text_addf(&text, "%%%02X", (unsigned char)*name);
    return text.data;
}

/* With as many digits as in --output json. */
static const char *dumped(struct arena *arena, json_t *object) {
    return json_written_off(arena, object, JSON_COMPACT | JSON_DIGITS);
}

/* `timestamp` is what Standard Webhooks calls the time. */
static json_t *cloud_event(struct arena *arena, const struct message *message) {
    const struct event *event = message->event;
    const char *type = arena_printf(arena, "pgwinnow.%s", event_name(event->type));
    const char *source =
        arena_printf(arena, "pgwinnow/%s/%lld", in_a_uri(arena, message->database), (long long)event->run);
    json_t *time = json_object_get(message->data, "time");
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:O, s:O, s:s, s:O}", "specversion", "1.0", "id", message->id, "source",
                     source, "type", type, "subject", json_text_or_null(arena, event->plan), "time", time, "timestamp",
                     time, "datacontenttype", "application/json", "data", (json_t *)message->data);
}

const char *message_body(struct arena *arena, const struct endpoint *endpoint, const struct message *message) {
    if (endpoint->format == ENDPOINT_WEBHOOK) return dumped(arena, cloud_event(arena, message));
    return dumped(arena, json_pack("{s:o}", "text", json_text_or_null(arena, slack_text(arena, message))));
}

/* ---- the headers */

static const char *signature(struct arena *arena, const char *secret, const char *signed_text) {
    struct secret_key key;
    unsigned char digest[EVP_MAX_MD_SIZE], letters[2 * EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!secret_key(secret, &key)) return NULL;
    HMAC(EVP_sha256(), key.bytes, (int)key.length, (const unsigned char *)signed_text, strlen(signed_text), digest,
         &length);
    EVP_EncodeBlock(letters, digest, (int)length);
    memset(&key, 0, sizeof key);
    return arena_printf(arena, "v1,%s", (const char *)letters);
}

/* One for each secret, so that a receiver that knows any of them can check it. */
static const char *signatures(struct arena *arena, const struct endpoint *endpoint, const char *id, const char *body,
                              int64_t now) {
    const char *signed_text = arena_printf(arena, "%s.%lld.%s", id, (long long)now, body);
    struct text all = text_new(arena);
    for (size_t i = 0; i < endpoint->secrets.count; i++) {
        const char *one = signature(arena, endpoint->secrets.items[i], signed_text);
        if (one) text_addf(&all, "%s%s", all.length ? " " : "", one);
    }
    return all.length ? all.data : NULL;
}

const char *const *message_headers(struct arena *arena, const struct endpoint *endpoint, const char *id,
                                   const char *body, int64_t now) {
    enum { MOST = 5 };
    const char **headers = arena_alloc(arena, MOST * sizeof *headers);
    const char *signed_by = signatures(arena, endpoint, id, body, now);
    const char *type = endpoint->format == ENDPOINT_SLACK ? "application/json" : "application/cloudevents+json";
    size_t count = 0;
    headers[count++] = arena_printf(arena, "content-type: %s; charset=utf-8", type);
    headers[count++] = arena_printf(arena, "webhook-id: %s", id);
    headers[count++] = arena_printf(arena, "webhook-timestamp: %lld", (long long)now);
    if (signed_by) headers[count++] = arena_printf(arena, "webhook-signature: %s", signed_by);
    return headers;
}
