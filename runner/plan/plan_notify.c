/*
 * Endpoints: their names, their defaults, and what can be wrong with them. What a url or a secret holds is never part
 * of a problem: it may come from the process environment.
 */
#include <string.h>
#include <strings.h>

#include "base/event.h"
#include "base/text.h"
#include "plan/reading.h"
#include "plan/secret.h"

enum { EVERY_WEBHOOK = 30000, EVERY_SLACK = 600000, MOST_URL = 2000 };

/* Words for events: all types that begin with one, up to the dot. A notice is for who looks, and no event of theirs. */
static const char *const families[] = {"run", "step", "progress", "throttle", "approval", "batch"};
static const char *const by_default[] = {"run", "step", "progress", "throttle", "approval"};
static const char *const for_slack[] = {"run", "progress", "throttle", "approval"};
enum { FAMILIES = sizeof families / sizeof *families };

bool endpoint_wants(const struct endpoint *endpoint, const char *event) {
    for (size_t i = 0; i < endpoint->events.count; i++) {
        const char *word = endpoint->events.items[i];
        size_t length = strlen(word);
        if (strncmp(event, word, length) == 0 && (!event[length] || event[length] == '.')) return true;
    }
    return false;
}

/* ---- urls */

/* "https://" and what is up to the path; 0: it is no such url. */
static size_t scheme_length(const char *url) {
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) return strlen(schemes[i]);
    return 0;
}

/* "hooks.acme.com", "hooks.acme.com:8443", "[::1]:80" */
static bool host_fits(const char *host, size_t length) {
    const char *end = host + length, *port = end;
    while (port > host && port[-1] >= '0' && port[-1] <= '9') port--;
    bool has_port = port > host && port[-1] == ':' && port < end;
    if (has_port) length = (size_t)(port - 1 - host);
    if (end > host && end[-1] == ':') return false;
    if (*host == '[') return length > 2 && host[length - 1] == ']';
    return length && !memchr(host, ':', length) && !memchr(host, '@', length);
}

static const char *flaw_of_url(const char *url) {
    size_t scheme = scheme_length(url);
    if (!*url) return "is empty";
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 127) return "has blanks or control characters in it";
    if (!scheme) return "begins neither with https:// nor with http://";
    size_t length = strcspn(url + scheme, "/?#\\");
    if (memchr(url + scheme, '@', length)) return "has a user or password in it";
    if (!host_fits(url + scheme, length)) return "names no host";
    return strlen(url) > MOST_URL ? "is longer than any url of a webhook" : NULL;
}

static void check_url(struct reading *r, const struct endpoint *endpoint, const struct node *map) {
    const struct node *node = node_get(map, "url");
    const char *flaw = endpoint->url ? flaw_of_url(endpoint->url) : NULL;
    if (flaw)
        problem_add(r->problems, node->place, "like https://hooks.example.com/pgwinnow, its secrets in the path",
                    "the url of %s %s", endpoint->name, flaw);
}

/* ---- secrets, events, names */

/* Of one item of what takes a text, or a list of them. */
static struct place item_place(const struct node *node, const struct text_list *texts, size_t index) {
    bool list = node->kind == NODE_LIST && node->count == texts->count;
    return list ? node->items[index]->place : node->place;
}

static void check_secrets(struct reading *r, const struct endpoint *endpoint, const struct node *map) {
    const struct node *node = node_get(map, "secret");
    struct secret_key key;
    for (size_t i = 0; i < endpoint->secrets.count; i++)
        if (!secret_key(endpoint->secrets.items[i], &key))
            problem_add(r->problems, item_place(node, &endpoint->secrets, i),
                        "`whsec_` and base64 of 24 to 64 bytes: echo \"whsec_$(openssl rand -base64 32)\" makes one",
                        "%s of %s is no secret of Standard Webhooks",
                        endpoint->secrets.count == 1 ? "the secret" : "one of the secrets", endpoint->name);
    memset(&key, 0, sizeof key);
}

static bool is_event(const char *word) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (text_equal(word, families[i])) return true;
    for (int type = 0; type < EVENT_TYPES; type++)
        if (type != EVENT_NOTICE && text_equal(word, event_name((enum event_type)type))) return true;
    return false;
}

static const char *nearest_event(const char *word) {
    const char *words[FAMILIES + EVENT_TYPES];
    size_t count = 0;
    for (size_t i = 0; i < FAMILIES; i++) words[count++] = families[i];
    for (int type = 0; type < EVENT_TYPES; type++)
        if (type != EVENT_NOTICE) words[count++] = event_name((enum event_type)type);
    return text_nearest(word, words, count);
}

static void check_events(struct reading *r, const struct endpoint *endpoint, const struct node *map) {
    for (size_t i = 0; i < endpoint->events.count; i++) {
        const char *word = endpoint->events.items[i], *near = is_event(word) ? NULL : nearest_event(word);
        if (is_event(word)) continue;
        problem_add(r->problems, item_place(node_get(map, "events"), &endpoint->events, i),
                    near ? arena_printf(r->arena, "did you mean '%s'?", near)
                         : "run, step, progress, throttle, approval, batch, or a type like run.failed",
                    "there is no event %s", value_shown(r->arena, word));
    }
}

static void fill_events(struct reading *r, struct endpoint *endpoint) {
    bool slack = endpoint->format == ENDPOINT_SLACK;
    if (endpoint->every < 0) endpoint->every = slack ? EVERY_SLACK : EVERY_WEBHOOK;
    if (endpoint->events.count) return;
    endpoint->events = slack ? (struct text_list){arena_copy(r->arena, for_slack, sizeof for_slack),
                                                  sizeof for_slack / sizeof *for_slack}
                             : (struct text_list){arena_copy(r->arena, by_default, sizeof by_default),
                                                  sizeof by_default / sizeof *by_default};
}

/* The path is where urls of webhooks have their secrets. */
static const char *name_of(struct reading *r, const char *written) {
    const char *user = NULL, *slashes = strstr(written, "://");
    bool has_scheme = slashes && strcspn(written, "/?#\\$") > (size_t)(slashes - written);
    size_t scheme = has_scheme ? (size_t)(slashes + 3 - written) : 0;
    size_t length = scheme + strcspn(written + scheme, "/?#\\");
    for (const char *c = written + scheme; c < written + length; c++)
        if (*c == '@') user = c;
    if (user) return arena_printf(r->arena, "%.*s...", (int)scheme, written);
    return arena_strndup(r->arena, written, length);
}

static void name_it(struct reading *r, struct endpoint *endpoint, const struct node *map, size_t index) {
    const struct node *url = node_get(map, "url"), *as = node_get(map, "as");
    if (endpoint->name && !plain_name_fits(endpoint->name, "_"))
        problem_add(r->problems, as->place, "small letters, digits, '-' and '_', beginning with a letter",
                    "%s cannot be an endpoint's name", value_shown(r->arena, endpoint->name));
    if (endpoint->name) return;
    endpoint->name = url && url->text ? name_of(r, url->text) : arena_printf(r->arena, "endpoint %zu", index + 1);
}

static void names_differ(struct reading *r, const struct groups *given) {
    const struct endpoint *all = given->items;
    for (size_t i = 0; i < given->count; i++)
        for (size_t j = 0; j < i; j++) {
            if (!text_equal(all[i].name, all[j].name)) continue;
            problem_add(r->problems, all[i].place, "give one of them a name: as: other-name",
                        "two endpoints go by the name %s", value_shown(r->arena, all[i].name));
            break;
        }
}

void notify_read(struct reading *r, const struct node *map, const struct groups *given) {
    const struct node *list = node_get(map, "notify");
    struct endpoint *all = given->items;
    for (size_t i = 0; i < given->count; i++) {
        const struct node *item = list->items[i];
        all[i].place = given->places[i];
        name_it(r, &all[i], item, i);
        check_url(r, &all[i], item);
        check_secrets(r, &all[i], item);
        check_events(r, &all[i], item);
        fill_events(r, &all[i]);
    }
    names_differ(r, given);
}
