/*
 * notify --flush: sends what runs of the plan left in the outbox, in order, endpoint by endpoint, until nothing is left
 * or it is not taken. A runner that delivers at the same time is not disturbed: each takes the first row of a queue,
 * and nobody takes the next before that is over.
 */
#include "commands/notify_flush.h"

#include <stdio.h>
#include <time.h>

#include "base/stop.h"
#include "base/text.h"
#include "commands/desk.h"
#include "commands/grid.h"
#include "events/message.h"
#include "state/outbox.h"
#include "work/delivery.h"

enum { OUTBOX_VERSION = 4, TURN_MS = 200 };

struct flush {
    struct state state;
    struct arena *arena;
    struct wire *wire;
    struct http *http;
    const struct plan *plan;
    const struct outbox_waiting *waiting; /* in the end */
    size_t waiting_count;
};

/* How it went with an endpoint. */
struct flushed {
    const struct endpoint *endpoint;
    int64_t sent, left;
    const char *answer; /* of the last try; NULL: there was none */
    bool refused;
};

/* A request on its way. */
struct delivered {
    struct outcome outcome;
    int tries;
    bool over;
};

static void hear(void *context, const struct http_answer *answer) {
    struct delivered *d = context;
    d->outcome = delivery_judge(answer, d->tries);
    d->over = true;
}

static struct outcome deliver(const struct flush *f, struct arena *arena, const struct endpoint *endpoint,
                              const struct outbox_row *row) {
    struct delivered d = {.tries = row->tries};
    struct http_request request = {.url = endpoint->url,
                                   .body = row->body,
                                   .headers = message_headers(arena, endpoint, row->id, row->body, (int64_t)time(NULL)),
                                   .timeout = endpoint->timeout};
    struct transfer *transfer = http_post(f->http, &request, hear, &d);
    while (!d.over && stop_level() == 0) wire_wait(f->wire, TURN_MS);
    if (d.over) return d.outcome;
    http_cancel(transfer);
    d.outcome = (struct outcome){.what = UNDELIVERED};
    snprintf(d.outcome.answer, sizeof d.outcome.answer, "no answer before it was interrupted");
    return d.outcome;
}

static void write_down(const struct flush *f, struct arena *arena, const struct outbox_queue *queue,
                       const struct outbox_row *row, const struct outcome *o, struct error *error) {
    struct statement statement = o->what == DELIVERED ? outbox_delivered(arena, queue, row->seq, o->answer, error)
                                 : o->what == DELIVERY_GONE
                                     ? outbox_gone(arena, queue, 0, o->answer, error)
                                     : outbox_undelivered(arena, queue, row->seq, o->answer, o->again, error);
    ask(f->state.slot, arena, &statement, error);
}

/* The first of the queue; false when there is none. While somebody else sends it, it is waited for. */
static bool take(const struct flush *f, struct arena *arena, const struct outbox_queue *queue, int64_t ahead,
                 struct outbox_row *row, struct error *error) {
    while (!failed(error) && stop_level() == 0) {
        struct statement next = outbox_next(arena, queue, ahead, true, error);
        if (!outbox_taken(arena, ask(f->state.slot, arena, &next, error), row)) return false;
        if (row->seq) return true;
        wire_sleep(f->wire, TURN_MS);
    }
    return false;
}

static struct outbox_queue queue_of(const struct flush *f, const char *endpoint) {
    return (struct outbox_queue){f->state.schema, f->plan->name, f->plan->environment, endpoint};
}

static void flush_endpoint(const struct flush *f, struct flushed *out, struct error *error) {
    struct arena *scratch = arena_new(f->arena);
    struct outbox_queue queue = queue_of(f, out->endpoint->name);
    struct outbox_row row;
    while (!out->refused && take(f, scratch, &queue, delivery_ahead(out->endpoint->timeout), &row, error)) {
        struct outcome outcome = deliver(f, scratch, out->endpoint, &row);
        write_down(f, scratch, &queue, &row, &outcome, error);
        out->answer = arena_strdup(f->arena, outcome.answer);
        out->refused = outcome.what != DELIVERED;
        out->sent += outcome.what == DELIVERED;
        arena_reset(scratch);
    }
    arena_free(scratch);
}

static const struct endpoint *endpoint_of(const struct plan *plan, const char *name) {
    for (size_t i = 0; i < plan->endpoint_count; i++)
        if (text_equal(plan->endpoints[i].name, name)) return &plan->endpoints[i];
    return NULL;
}

static void count_left(struct flush *f, struct flushed *all, struct error *error) {
    struct outbox_queue queue = queue_of(f, NULL);
    f->waiting = outbox_waiting(&f->state, f->arena, &queue, &f->waiting_count, error);
    for (size_t i = 0; i < f->waiting_count; i++) {
        const struct endpoint *endpoint = endpoint_of(f->plan, f->waiting[i].endpoint);
        if (endpoint) all[endpoint - f->plan->endpoints].left = f->waiting[i].count;
    }
}

/* Nobody can send to those any more. */
static void tell_unknown(const struct flush *f) {
    for (size_t i = 0; i < f->waiting_count; i++) {
        const struct outbox_waiting *w = &f->waiting[i];
        if (endpoint_of(f->plan, w->endpoint)) continue;
        printf("%s event%s for %s, which the plan does not have any more; dropped when %d days old\n",
               text_count(f->arena, w->count), w->count == 1 ? "" : "s", w->endpoint, OUTBOX_KEEP_DAYS);
    }
}

static void tell(const struct flush *f, const struct flushed *all, bool colour) {
    static const char *const headings[] = {"endpoint", ">delivered", ">left", "answered", NULL};
    struct grid grid = grid_new(f->arena, headings);
    for (size_t i = 0; i < f->plan->endpoint_count; i++) {
        struct grid_cell *cells = grid_add(&grid);
        cells[0].text = all[i].endpoint->name;
        cells[1].text = text_count(f->arena, all[i].sent);
        cells[2].text = text_count(f->arena, all[i].left);
        cells[3] = (struct grid_cell){all[i].answer ? all[i].answer : "nothing to send",
                                      all[i].refused ? STYLE_RED : STYLE_PLAIN};
    }
    grid_print(&grid, stdout, "", colour);
    tell_unknown(f);
}

static void judge(const struct plan *plan, const struct flushed *all, struct error *error) {
    size_t refused = 0;
    const struct flushed *first = NULL;
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        refused += all[i].refused;
        if (all[i].refused && !first) first = &all[i];
    }
    if (stop_level() > 0) fail(error, FAULT_STOPPED, "interrupted; what was not delivered stays in the outbox");
    if (!refused) return;
    fail(error, FAULT_FAILED, "%s did not take what waits for it: %s", first->endpoint->name, first->answer);
    if (refused > 1) fail_detail(error, "and %zu more of %zu endpoints", refused - 1, plan->endpoint_count);
    fail_hint(error, "it stays in the outbox: the next run of the plan sends it, or the same command; `pgwinnow notify "
                     "--test` tries the endpoints");
}

void notify_flush(const struct command_line *line, struct arena *arena, const struct plan *plan, struct error *error) {
    struct arena *meanwhile = arena_new(arena);
    struct flush f = {.state = desk_open(line, meanwhile, plan->database, error), .arena = arena, .plan = plan};
    int version = failed(error) ? 0 : schema_version(&f.state, meanwhile, error);
    struct flushed *all = arena_alloc(arena, (plan->endpoint_count + 1) * sizeof *all);
    for (size_t i = 0; i < plan->endpoint_count; i++) all[i].endpoint = &plan->endpoints[i];
    if (version >= OUTBOX_VERSION) {
        struct outbox_queue queue = queue_of(&f, NULL);
        struct statement expire = outbox_expire(meanwhile, &queue, error);
        ask(f.state.slot, meanwhile, &expire, error);
        f.wire = slot_wire(f.state.slot);
        f.http = http_new(f.wire, meanwhile);
        for (size_t i = 0; i < plan->endpoint_count; i++) flush_endpoint(&f, &all[i], error);
        count_left(&f, all, error);
    }
    arena_free(meanwhile);
    if (failed(error)) return;
    judge(plan, all, error);
    if (!line->quiet || failed(error)) tell(&f, all, line->colour);
}
