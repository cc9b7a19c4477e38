/*
 * Deliveries during a run, over a connection of its own: each trip writes down how requests went and takes what is sent
 * next, in one transaction; only when that is committed are requests begun. Whoever is killed in between has sent
 * nothing, or what he sent is sent again.
 */
#include "work/courier.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "database/frame.h"
#include "events/message.h"
#include "state/outbox.h"
#include "wire/http.h"
#include "work/announce.h"
#include "work/delivery.h"
#include "work/reconnect.h"
#include "work/session.h"

enum {
    TICK_MS = 50,
    IDLE_MS = 5000,   /* between two looks at an empty queue: rows of ours are known at once */
    AGAIN_MS = 1000,  /* after a trip that failed */
    ANSWER_MS = 5000, /* the server's limit for a trip */
    DEAD_MS = 20000,  /* and then the connection is taken for dead */
    OPEN_MS = 10000,  /* between two tries to connect at all */
    EXPIRE_MS = 3600000,
    END_MS = 5000,  /* the run's end waits for no longer */
    LAST_MS = 1000, /* and for the last trip */
};

enum phase_of_post { POST_IDLE, POST_SENDING, POST_ANSWERED };

/* What goes on with an endpoint. */
struct post {
    struct courier *courier;
    const struct endpoint *endpoint;
    struct outbox_queue queue;
    enum phase_of_post phase;
    struct transfer *transfer; /* POST_SENDING */
    struct outbox_row row;     /* at hand; its texts live until the next trip */
    struct outcome outcome;    /* POST_ANSWERED: how it went, yet to be written down */
    int question;              /* of the trip that is under way, for the next row; -1: none */
    bool written;              /* the trip has the outcome */
    bool found;                /* what the question found: there is a first row */
    bool empty;                /* the queue was, when it was looked at last */
    bool tried;                /* something was sent in this session */
    int64_t look;              /* clock_ms: not before */
    int64_t progress;          /* clock_ms of the next */
    bool gone_told;
};

struct courier {
    struct run *run;
    struct arena *arena;
    struct slot *slot; /* NULL: could not be opened so far */
    struct http *http;
    struct timer *timer;
    struct post *posts;
    size_t count;
    struct reconnect reconnect;
    bool failed;       /* the last transaction failed, and is still open */
    bool ending, over; /* nothing new for the outbox; nothing new is sent */
    int64_t sent, open_at, expire_at, heard;
};

/* --- requests --- */

static void take_turn(struct courier *);

static void answered(void *context, const struct http_answer *answer) {
    struct post *post = context;
    post->transfer = NULL;
    post->phase = POST_ANSWERED;
    post->look = 0;
    post->outcome = delivery_judge(answer, post->row.tries);
    take_turn(post->courier);
}

static void send(struct post *post) {
    const struct endpoint *endpoint = post->endpoint;
    struct arena *arena = slot_arena(post->courier->slot);
    const struct outbox_row *row = &post->row;
    struct http_request request = {
        .url = endpoint->url,
        .body = row->body,
        .headers = message_headers(arena, endpoint, row->id, row->body, (int64_t)time(NULL)),
        .timeout = endpoint->timeout,
    };
    post->phase = POST_SENDING;
    post->tried = true;
    post->transfer = http_post(post->courier->http, &request, answered, post);
}

/* --- a trip to the server --- */

static void tell_gone(struct post *post) {
    struct run *run = post->courier->run;
    if (post->gone_told) return;
    post->gone_told = true;
    run_tell(run, EVENT_NOTICE,
             arena_printf(post->courier->arena, "webhooks: %s wants to hear no more (%s)", post->endpoint->name,
                          post->outcome.answer),
             "this run tells it nothing more; take it out of the plan, or the next run tries again");
}

static void settle_outcome(struct post *post, int64_t now) {
    if (post->outcome.what == DELIVERY_GONE) tell_gone(post);
    post->phase = POST_IDLE;
    post->empty = false;
    post->look = post->outcome.what == UNDELIVERED ? now + post->outcome.again : now;
}

static void settle_question(struct post *post, int64_t now) {
    post->empty = !post->found;
    if (!post->found)
        post->look = now + IDLE_MS;
    else if (!post->row.seq)
        post->look = now + post->row.wait + TICK_MS;
    else if (post->gone_told)
        post->phase = POST_ANSWERED; /* it came in between, and goes the same way */
    else
        send(post);
}

static void hear(void *context, int index, const struct rows *rows) {
    struct courier *c = context;
    for (size_t i = 0; i < c->count; i++)
        if (c->posts[i].question == index)
            c->posts[i].found = outbox_taken(slot_arena(c->slot), rows, &c->posts[i].row);
}

/* A trip that failed changed nothing, or nobody heard that it did: then rows are taken until their time is over. */
static void trip_over(void *context, const struct error *error) {
    struct courier *c = context;
    int64_t now = clock_ms();
    c->failed = error && !slot_lost(c->slot);
    for (size_t i = 0; i < c->count; i++) {
        struct post *post = &c->posts[i];
        bool asked = post->question >= 0, wrote = post->written;
        post->question = -1;
        post->written = false;
        if (error && (asked || wrote)) post->look = now + AGAIN_MS;
        if (error) continue;
        if (wrote) settle_outcome(post, now);
        if (asked) settle_question(post, now);
    }
    if (!error) take_turn(c);
}

static void begin(struct courier *c) {
    slot_reset(c->slot);
    struct arena *arena = slot_arena(c->slot);
    struct session session = session_for(c->run, c->run->step, arena);
    struct statement statements[SESSION_STATEMENTS];
    session.application = arena_printf(arena, "pgwinnow: %lld notify", (long long)c->run->holder.run);
    session.statement_timeout = session.lock_timeout = ANSWER_MS;
    session_statements(&session, arena, statements);
    c->sent = clock_ms();
    if (c->failed) slot_queue(c->slot, &(struct statement){.about = "rolling back", .text = "ROLLBACK"});
    for (int i = 0; i < SESSION_STATEMENTS; i++) slot_queue(c->slot, &statements[i]);
}

static bool progress_due(const struct post *post, int64_t now) {
    const struct run *run = post->courier->run;
    return now >= post->progress && !post->courier->ending && message_wanted(post->endpoint, EVENT_PROGRESS) &&
           run->step < run->plan->step_count && run->shown[run->step].state == STEP_RUNNING;
}

static bool result_due(const struct post *post, int64_t now) {
    return post->phase == POST_ANSWERED && now >= post->look;
}

static bool question_due(const struct post *post, int64_t now) {
    return post->phase == POST_IDLE && now >= post->look && !post->courier->over;
}

static void queue_result(struct post *post, struct error *error) {
    struct arena *arena = slot_arena(post->courier->slot);
    const struct outbox_queue *queue = &post->queue;
    const struct outcome *o = &post->outcome;
    struct statement statement = o->what == DELIVERED ? outbox_delivered(arena, queue, post->row.seq, o->answer, error)
                                 : o->what == DELIVERY_GONE
                                     ? outbox_gone(arena, queue, post->courier->run->holder.run, o->answer, error)
                                     : outbox_undelivered(arena, queue, post->row.seq, o->answer, o->again, error);
    slot_queue(post->courier->slot, &statement);
    post->written = true;
}

static void queue_progress(struct post *post, int64_t now) {
    struct courier *c = post->courier;
    struct statement statement = announce_progress(c->run, slot_arena(c->slot), post->endpoint);
    slot_queue(c->slot, &statement);
    post->progress = now + post->endpoint->every;
    if (post->empty) post->look = now;
}

/* What an earlier session could not deliver may be due in hours, the endpoint well again: each session tries once. */
static void queue_question(struct post *post, struct error *error) {
    struct slot *slot = post->courier->slot;
    struct statement statement =
        outbox_next(slot_arena(slot), &post->queue, delivery_ahead(post->endpoint->timeout), !post->tried, error);
    post->question = slot_queued(slot);
    slot_queue(slot, &statement);
}

static void queue_post(struct post *post, int64_t now, struct error *error) {
    bool more = false;
    if (result_due(post, now)) {
        queue_result(post, error);
        more = post->outcome.what == DELIVERED && !post->courier->over;
    }
    if (progress_due(post, now)) queue_progress(post, now);
    if (more || question_due(post, now)) queue_question(post, error);
}

static bool anything_due(const struct courier *c, int64_t now) {
    if (now >= c->expire_at && !c->ending) return true;
    for (size_t i = 0; i < c->count; i++) {
        const struct post *post = &c->posts[i];
        if (result_due(post, now) || progress_due(post, now) || question_due(post, now)) return true;
    }
    return false;
}

static void trip(struct courier *c, int64_t now) {
    begin(c);
    struct arena *arena = slot_arena(c->slot);
    struct error error = error_new(arena);
    if (now >= c->expire_at) {
        struct statement statement = outbox_expire(arena, &c->posts[0].queue, &error);
        slot_queue(c->slot, &statement);
        c->expire_at = now + EXPIRE_MS;
    }
    for (size_t i = 0; i < c->count; i++) queue_post(&c->posts[i], now, &error);
    slot_queue(c->slot, &(struct statement){.about = "recording deliveries", .text = "COMMIT"});
    slot_flush(c->slot, &(struct slot_client){hear, trip_over, c});
}

/* --- the connection --- */

static bool away(const struct courier *c) { return !c->slot || slot_lost(c->slot) || c->reconnect.since; }

static void open_slot(struct courier *c, struct error *error) {
    struct arena *arena = arena_new(c->arena);
    c->slot = slot_open(c->run->wire, arena, c->run->url, "pgwinnow: notify", error);
    if (!c->slot) arena_free(arena);
    c->open_at = clock_ms() + OPEN_MS;
}

static void connect_again(struct courier *c) {
    bool first = !c->slot;
    struct arena *scratch = arena_new(c->arena);
    struct error error = error_new(scratch);
    if (first && clock_ms() >= c->open_at) open_slot(c, &error);
    if (!first && reconnect_turn(c->run, c->slot, &c->reconnect, &error)) c->failed = false;
    if (failed(&error)) c->reconnect = (struct reconnect){.quiet = true};
    arena_free(scratch);
}

/* Nothing here waits: it is called from inside answers too. */
static void take_turn(struct courier *c) {
    int64_t now = clock_ms();
    if (away(c) || slot_busy(c->slot)) return;
    if (c->heard != announce_news(c->run)) {
        c->heard = announce_news(c->run);
        for (size_t i = 0; i < c->count; i++)
            if (c->posts[i].empty) c->posts[i].look = now;
    }
    if (anything_due(c, now)) trip(c, now);
}

static void tick(void *context) {
    struct courier *c = context;
    if (away(c)) connect_again(c);
    if (!away(c) && slot_busy(c->slot) && clock_ms() - c->sent > DEAD_MS)
        slot_drop(c->slot, "the courier got no answer");
    take_turn(c);
}

struct courier *courier_start(struct run *run) {
    const struct plan *plan = run->plan;
    if (!plan->endpoint_count || !run->announcer) return NULL;
    struct arena *arena = arena_new(run->arena);
    struct courier *c = arena_alloc(arena, sizeof *c);
    *c =
        (struct courier){.run = run, .arena = arena, .http = http_new(run->wire, arena), .count = plan->endpoint_count};
    c->reconnect.quiet = true;
    c->posts = arena_alloc(arena, c->count * sizeof *c->posts);
    for (size_t i = 0; i < c->count; i++) {
        const struct endpoint *endpoint = &plan->endpoints[i];
        c->posts[i] = (struct post){.courier = c,
                                    .endpoint = endpoint,
                                    .queue = {run->state.schema, plan->name, plan->environment, endpoint->name},
                                    .question = -1,
                                    .progress = clock_ms() + endpoint->every};
    }
    struct error error = error_new(arena);
    open_slot(c, &error);
    c->timer = wire_every(run->wire, TICK_MS, tick, c);
    take_turn(c);
    return c;
}

/* --- the end --- */

/* Nothing is under way, and nothing will be due before the end. */
static bool settled(const struct courier *c, int64_t until) {
    if (away(c) || slot_busy(c->slot) || c->heard != announce_news(c->run)) return false;
    for (size_t i = 0; i < c->count; i++) {
        const struct post *post = &c->posts[i];
        if (post->phase != POST_IDLE || (!post->empty && post->look < until)) return false;
    }
    return true;
}

/* What is under way is broken off; whoever delivers next sends it again. */
static void break_off(struct courier *c) {
    for (size_t i = 0; i < c->count; i++) {
        struct post *post = &c->posts[i];
        if (post->phase != POST_SENDING) continue;
        http_cancel(post->transfer);
        post->phase = POST_ANSWERED;
        post->look = 0;
        post->outcome = (struct outcome){.what = UNDELIVERED};
        snprintf(post->outcome.answer, sizeof post->outcome.answer, "no answer before the run ended");
    }
}

static void tell_left(struct courier *c) {
    struct run *run = c->run;
    struct error error = error_new(c->arena);
    struct text where = text_new(c->arena);
    struct state state = {c->slot, run->state.schema};
    size_t count = 0;
    int64_t left = 0;
    if (away(c) || slot_busy(c->slot) || c->failed) return;
    frame_set(c->slot, c->arena, NULL);
    slot_expect(c->slot, ANSWER_MS);
    const struct outbox_waiting *waiting = outbox_waiting(&state, c->arena, &c->posts[0].queue, &count, &error);
    for (size_t i = 0; i < count; i++) {
        left += waiting[i].count;
        text_addf(&where, "%s%s%s%s%s", i ? ", " : "", waiting[i].endpoint, waiting[i].answer ? " (" : "",
                  waiting[i].answer ? waiting[i].answer : "", waiting[i].answer ? ")" : "");
    }
    if (!left) return;
    run_tell(run, EVENT_NOTICE,
             arena_printf(c->arena, "webhooks: %s event%s still to be delivered to %s", text_count(c->arena, left),
                          left == 1 ? " is" : "s are", where.data),
             "the next run of the plan sends them, or `pgwinnow notify --flush PLAN`");
}

void courier_stop(struct courier *c) {
    if (!c) return;
    int level = stop_level();
    int64_t until = clock_ms() + END_MS;
    c->ending = true;
    while (clock_ms() < until && stop_level() == level && !settled(c, until)) wire_wait(c->run->wire, TICK_MS);
    c->over = true;
    break_off(c);
    until = clock_ms() + LAST_MS;
    while (clock_ms() < until && !settled(c, 0)) wire_wait(c->run->wire, TICK_MS);
    wire_forget(c->run->wire, c->timer);
    tell_left(c);
    arena_free(c->arena);
}
