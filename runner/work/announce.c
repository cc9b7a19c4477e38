/* Events as rows: their ids, their texts, and those that wait for a transaction. The statement is state/outbox's. */
#include "work/announce.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "database/frame.h"
#include "events/event_json.h"
#include "events/message.h"
#include "state/outbox.h"

enum { ID_BYTES = 16, MOST_QUEUED = 256 };

/* What is written of events: items of two JSON arrays. */
struct news {
    struct text events, messages;
};

/* One that waits for a transaction. */
struct queued {
    struct arena *arena;
    const char *event, *messages;
};

struct announcer {
    const char *uid;
    const char *put; /* the statement's text */
    int64_t turn;    /* run.* events that are committed */
    bool turns;      /* the open transaction has another one */
    struct queued queue[MOST_QUEUED];
    size_t count;
    int64_t last;     /* number of the last that was queued, from 1 on */
    int64_t included; /* of the last that the open transaction writes */
    int64_t progress; /* how often it was told */
    int64_t news;
};

/* --- what an event is written as --- */

static bool is_of_run(enum event_type type) { return type <= EVENT_RUN_CANCELLED; }

static bool has_row(enum event_type type) {
    return type != EVENT_PROGRESS && type != EVENT_BATCH_COMMITTED && type != EVENT_NOTICE;
}

static const char *id_of(struct arena *arena, const char *key) {
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    struct text id = text_new(arena);
    EVP_Digest(key, strlen(key), digest, NULL, EVP_sha256(), NULL);
    text_add(&id, "evt_");
    for (size_t i = 0; i < ID_BYTES; i++) text_addf(&id, "%02x", digest[i]);
    return id.data;
}

/* `key` tells those apart that have all else in common. */
static const char *event_id(const struct run *run, struct arena *arena, const struct event *event, const char *key) {
    bool step = !is_of_run(event->type) && event->step < event->step_count;
    return id_of(arena, arena_printf(arena, "%s %lld %s %lld %d %s", run->announcer->uid, (long long)run->holder.fence,
                                     event_name(event->type), step ? (long long)event->step : -1,
                                     step ? run->steps[event->step].round : 0, key));
}

static const char *nth(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static void add_item(struct text *list, json_t *item) {
    const char *text = json_written_off(list->arena, item, JSON_COMPACT | JSON_DIGITS);
    text_addf(list, "%s%s", list->length ? "," : "", text);
}

static struct news news_new(struct arena *arena) { return (struct news){text_new(arena), text_new(arena)}; }

/* Progress that a chat could not be told does not pile up there. */
static void add_message(struct news *news, const struct endpoint *endpoint, const struct message *message) {
    enum event_type type = message->event->type;
    bool alone = endpoint->format == ENDPOINT_SLACK && type == EVENT_PROGRESS;
    add_item(&news->messages,
             json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "endpoint", endpoint->name, "id", message->id, "type",
                       event_name(type), "body", message_body(news->messages.arena, endpoint, message), "stored",
                       has_row(type), "alone", alone));
}

/* For one endpoint, or (NULL) all that want it. */
static void add_event(struct news *news, const struct run *run, const struct event *event, const char *key,
                      const struct endpoint *only) {
    struct arena *arena = news->events.arena;
    const struct plan *plan = run->plan;
    const char *id = event_id(run, arena, event, key);
    json_t *data = event_object(arena, event);
    struct message message = {id, slot_database(run->desk), event, data};
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        const struct endpoint *endpoint = &plan->endpoints[i];
        if ((!only || only == endpoint) && message_wanted(endpoint, event->type)) add_message(news, endpoint, &message);
    }
    if (has_row(event->type))
        add_item(&news->events, json_pack("{s:s, s:s, s:O}", "id", id, "type", event_name(event->type), "body", data));
    json_decref(data);
}

/* --- the statement --- */

static void add_text(struct text *list, const char *items) {
    if (*items) text_addf(list, "%s%s", list->length ? "," : "", items);
}

static struct news queued_news(const struct announcer *a, struct arena *arena) {
    struct news news = news_new(arena);
    for (size_t i = 0; i < a->count; i++) {
        add_text(&news.events, a->queue[i].event);
        add_text(&news.messages, a->queue[i].messages);
    }
    return news;
}

static struct statement put(const struct run *run, struct arena *arena, const struct news *news) {
    const char *values[] = {nth(arena, run->holder.run), nth(arena, run->holder.fence),
                            arena_printf(arena, "[%s]", news->events.data),
                            arena_printf(arena, "[%s]", news->messages.data)};
    return (struct statement){"recording what happened", run->announcer->put, arena_copy(arena, values, sizeof values),
                              4};
}

/* Those up to `last` are committed. */
static void leave_queue(struct announcer *a, int64_t last) {
    int64_t first = a->last - (int64_t)a->count + 1;
    size_t gone = last < first ? 0 : (size_t)(last - first + 1);
    for (size_t i = 0; i < gone; i++) arena_free(a->queue[i].arena);
    a->count -= gone;
    memmove(a->queue, a->queue + gone, a->count * sizeof *a->queue);
}

/* --- in a transaction --- */

void announce_open(struct run *run, struct error *error) {
    if (failed(error)) return;
    struct announcer *a = arena_alloc(run->arena, sizeof *a);
    a->uid = outbox_uid(&run->state, run->arena, run->holder.run, error);
    a->put = outbox_put_text(run->arena, run->state.schema, error);
    if (!failed(error)) run->announcer = a;
}

void announce_begin(struct run *run, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    if (!failed(error)) frame_begin(run->desk, scratch, error);
    if (run->announcer) {
        run->announcer->turns = false;
        run->announcer->included = 0;
    }
    arena_free(scratch);
}

/* What waited longer comes first. */
void announce(struct run *run, const struct event *event, struct error *error) {
    struct announcer *a = run->announcer;
    if (!a || failed(error)) return;
    struct arena *scratch = arena_new(run->arena);
    struct news news = queued_news(a, scratch);
    a->turns = is_of_run(event->type);
    a->included = a->last;
    add_event(&news, run, event, nth(scratch, a->turns ? a->turn : 0), NULL);
    struct statement statement = put(run, scratch, &news);
    struct rows *rows = ask(run->desk, scratch, &statement, error);
    if (rows && !rows_count(rows)) {
        run->lease_lost = true;
        run_check_stop(run, error);
    }
    arena_free(scratch);
}

void announce_step(struct run *run, enum event_type type, enum step_state state, const char *message,
                   struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    struct event event = run_event(run, type);
    struct event_step *steps = arena_copy(scratch, event.steps, event.step_count * sizeof *steps);
    steps[event.step].state = state;
    event.steps = steps;
    event.message = message;
    announce(run, &event, error);
    arena_free(scratch);
}

void announce_end(struct run *run, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    struct announcer *a = run->announcer;
    frame_end(run->desk, scratch, error);
    if (a && !failed(error)) {
        a->turn += a->turns;
        leave_queue(a, a->included);
        a->news++;
    }
    arena_free(scratch);
}

/* --- without one --- */

/* Of more than can be kept the oldest go: a server that was away for so long has other news. */
void announce_later(struct run *run, enum event_type type, const char *message, const char *hint) {
    struct announcer *a = run->announcer;
    struct event event = run_event(run, type);
    event.message = message;
    event.hint = hint;
    if (a) {
        if (a->count == MOST_QUEUED) leave_queue(a, a->last - (int64_t)a->count + 1);
        struct arena *arena = arena_new(run->arena);
        struct news news = news_new(arena);
        add_event(&news, run, &event, nth(arena, ++a->last), NULL);
        a->queue[a->count++] = (struct queued){arena, news.events.data, news.messages.data};
    }
    event_tell(run->listeners, &event);
}

bool announce_pending(struct run *run, struct arena *arena, struct pending *pending) {
    struct announcer *a = run->announcer;
    if (!a || !a->count) return false;
    struct news news = queued_news(a, arena);
    *pending = (struct pending){put(run, arena, &news), a->last};
    return true;
}

void announce_written(struct run *run, const struct pending *pending) {
    leave_queue(run->announcer, pending->last);
    run->announcer->news++;
}

/* --- for endpoints alone --- */

static bool wanted(const struct run *run, enum event_type type) {
    for (size_t i = 0; i < run->plan->endpoint_count; i++)
        if (message_wanted(&run->plan->endpoints[i], type)) return true;
    return false;
}

bool announce_batch(struct run *run, struct arena *arena, size_t step, const struct event_step *after, const char *key,
                    struct statement *statement) {
    if (!run->announcer || !wanted(run, EVENT_BATCH_COMMITTED)) return false;
    struct event event = run_event(run, EVENT_BATCH_COMMITTED);
    struct event_step *steps = arena_copy(arena, event.steps, event.step_count * sizeof *steps);
    struct news news = news_new(arena);
    steps[step] = *after;
    event.steps = steps;
    event.step = step;
    add_event(&news, run, &event, key, NULL);
    *statement = put(run, arena, &news);
    return true;
}

struct statement announce_progress(struct run *run, struct arena *arena, const struct endpoint *endpoint) {
    struct event event = run_event(run, EVENT_PROGRESS);
    struct news news = news_new(arena);
    add_event(&news, run, &event, nth(arena, ++run->announcer->progress), endpoint);
    return put(run, arena, &news);
}

int64_t announce_news(const struct run *run) { return run->announcer ? run->announcer->news : 0; }

void announce_is_news(struct run *run) {
    if (run->announcer) run->announcer->news++;
}
