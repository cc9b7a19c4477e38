/* Events as rows: their ids, their texts, and those that wait for a transaction. The statement is state/outbox's. */
#include "work/announce.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/frame.h"
#include "events/event_json.h"
#include "state/outbox.h"

enum { ID_BYTES = 16, MOST_QUEUED = 256, DIGITS = 15 };

/* One that waits for a transaction, as JSON. */
struct queued {
    struct arena *arena;
    const char *event;
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

/* `nth` tells those apart that have all else in common. */
static const char *event_id(const struct run *run, struct arena *arena, const struct event *event, int64_t nth) {
    bool step = !is_of_run(event->type) && event->step < event->step_count;
    return id_of(arena,
                 arena_printf(arena, "%s %lld %s %lld %d %lld", run->announcer->uid, (long long)run->holder.fence,
                              event_name(event->type), step ? (long long)event->step : -1,
                              step ? run->steps[event->step].round : 0, (long long)nth));
}

static const char *dump(struct arena *arena, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    const char *kept = arena_strdup(arena, text ? text : "null");
    free(text);
    json_decref(json);
    return kept;
}

static const char *event_row(struct arena *arena, const struct event *event, const char *id) {
    return dump(arena, json_pack("{s:s, s:s, s:o}", "id", id, "type", event_name(event->type), "body",
                                 event_object(arena, event)));
}

static void add_item(struct text *list, const char *item) {
    text_addf(list, "%s%s", list->length > 1 ? "," : "", item);
}

/* --- the statement --- */

static struct text queued_events(const struct announcer *a, struct arena *arena) {
    struct text events = text_new(arena);
    text_add(&events, "[");
    for (size_t i = 0; i < a->count; i++) add_item(&events, a->queue[i].event);
    return events;
}

static struct statement put(const struct run *run, struct arena *arena, struct text *events) {
    text_add(events, "]");
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run),
                            arena_printf(arena, "%lld", (long long)run->holder.fence), events->data, "[]"};
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
    struct text events = queued_events(a, scratch);
    a->turns = is_of_run(event->type);
    a->included = a->last;
    if (has_row(event->type))
        add_item(&events, event_row(scratch, event, event_id(run, scratch, event, a->turns ? a->turn : 0)));
    struct statement statement = put(run, scratch, &events);
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
        const char *id = event_id(run, arena, &event, ++a->last);
        a->queue[a->count++] = (struct queued){arena, event_row(arena, &event, id)};
    }
    event_tell(run->listeners, &event);
}

bool announce_pending(struct run *run, struct arena *arena, struct pending *pending) {
    struct announcer *a = run->announcer;
    if (!a || !a->count) return false;
    struct text events = queued_events(a, arena);
    *pending = (struct pending){put(run, arena, &events), a->last};
    return true;
}

void announce_written(struct run *run, const struct pending *pending) { leave_queue(run->announcer, pending->last); }
