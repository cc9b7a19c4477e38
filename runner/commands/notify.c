/*
 * pgwinnow notify: the endpoints of a plan without a run of it. --test sends each a sample and says what it answered;
 * nothing of it is stored, and no database is needed. --flush is notify_flush.c's.
 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "commands/command.h"
#include "commands/grid.h"
#include "commands/notify_flush.h"
#include "commands/read.h"
#include "events/event_json.h"
#include "events/message.h"
#include "wire/http.h"

static const struct command_option notify_options[] = {
    {"test", ARGUMENT_FLAG, offsetof(struct command_line, test), NULL,
     "send every endpoint a sample, and say what it answers", NULL},
    {"flush", ARGUMENT_FLAG, offsetof(struct command_line, flush), NULL, "send what runs of the plan could not deliver",
     NULL},
    {0},
};

/* One sample on its way. */
struct trial {
    const struct endpoint *endpoint;
    struct arena *arena;
    int64_t begun, ms;
    struct http_answer answer;
    bool over;
};

static void hear(void *context, const struct http_answer *answer) {
    struct trial *trial = context;
    trial->answer = *answer;
    if (answer->problem) trial->answer.problem = arena_strdup(trial->arena, answer->problem);
    trial->ms = clock_ms() - trial->begun;
    trial->over = true;
}

/* The first it wants to hear of: a receiver may know no others. */
static enum event_type sample_type(const struct endpoint *endpoint) {
    enum event_type type = 0;
    while (type < EVENT_TYPES - 1 && !message_wanted(endpoint, type)) type++;
    return type;
}

static const char *sample(struct arena *arena, const struct plan *plan, const struct endpoint *endpoint,
                          const char *id) {
    struct event event = {
        .type = sample_type(endpoint),
        .plan = plan->name,
        .environment = plan->environment,
        .table = name_text(arena, &plan->table),
        .rate = -1,
        .eta_ms = -1,
        .lag_ms = -1,
        .waiting_ms = -1,
        .ms = -1,
        .message = "This is a test: no run has begun, and nothing was changed.",
    };
    json_t *data = event_object(arena, &event);
    struct message message = {id, "test", &event, data};
    const char *body = message_body(arena, endpoint, &message);
    json_decref(data);
    return body;
}

static void send(struct http *http, const struct plan *plan, struct trial *trial) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const char *id = arena_printf(trial->arena, "evt_test_%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
    const char *body = sample(trial->arena, plan, trial->endpoint, id);
    struct http_request request = {trial->endpoint->url, body,
                                   message_headers(trial->arena, trial->endpoint, id, body, now.tv_sec),
                                   trial->endpoint->timeout};
    trial->begun = clock_ms();
    http_post(http, &request, hear, trial);
}

static struct trial *send_all(struct arena *arena, const struct plan *plan) {
    struct trial *trials = arena_alloc(arena, plan->endpoint_count * sizeof *trials);
    struct arena *meanwhile = arena_new(arena);
    struct wire *wire = wire_new(meanwhile);
    struct http *http = http_new(wire, meanwhile);
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        trials[i] = (struct trial){.endpoint = &plan->endpoints[i], .arena = arena};
        send(http, plan, &trials[i]);
    }
    for (size_t i = 0; i < plan->endpoint_count && !stop_level();)
        if (trials[i].over)
            i++;
        else
            wire_wait(wire, 1000);
    arena_free(meanwhile);
    return trials;
}

static bool took_it(const struct trial *trial) { return trial->answer.status / 100 == 2; }

static const char *answered(struct arena *arena, const struct trial *trial) {
    int status = trial->answer.status;
    const char *more = status == 410       ? ": it wants no more"
                       : status / 100 == 3 ? ": redirects are not followed, name the new address in the plan"
                       : status == 401 || status == 403 ? ": it does not let us in; is it the right secret?"
                       : status == 429 || status == 503 ? ": not now"
                                                        : "";
    if (!trial->over) return "nothing yet: interrupted";
    if (!status) return trial->answer.problem;
    const char *later = trial->answer.retry_after > 0
                            ? arena_printf(arena, ", again in %s", clock_text(arena, trial->answer.retry_after))
                            : "";
    return arena_printf(arena, "%d%s%s", status, more, later);
}

static void tell(const struct trial *trials, size_t count, struct arena *arena, bool colour) {
    static const char *const headings[] = {"endpoint", "format", ">after", "answered", NULL};
    static const char *const formats[] = {[ENDPOINT_WEBHOOK] = "webhook", [ENDPOINT_SLACK] = "slack"};
    struct grid grid = grid_new(arena, headings);
    for (size_t i = 0; i < count; i++) {
        struct grid_cell *cells = grid_add(&grid);
        cells[0].text = trials[i].endpoint->name;
        cells[1].text = formats[trials[i].endpoint->format];
        cells[2].text = trials[i].over ? clock_text(arena, trials[i].ms) : NULL;
        cells[3] = (struct grid_cell){answered(arena, &trials[i]), took_it(&trials[i]) ? STYLE_GREEN : STYLE_RED};
    }
    grid_print(&grid, stdout, "", colour);
}

static void test_endpoints(struct command_line *line, struct arena *arena, const struct plan *plan,
                           struct error *error) {
    size_t count = plan->endpoint_count, refused = 0;
    const struct trial *trials = send_all(arena, plan);
    for (size_t i = 0; i < count; i++) refused += !took_it(&trials[i]);
    if (!line->quiet || refused) tell(trials, count, arena, line->colour);
    if (!refused) return;
    fail(error, FAULT_FAILED, "%zu of the %zu endpoints of plan %s did not take the sample", refused, count,
         plan->name);
    fail_hint(error, "docs/webhooks.md tells what an endpoint should answer");
}

static void notify_run(struct command_line *line, struct arena *arena, struct error *error) {
    struct problems problems = problems_new(arena);
    if (line->test == line->flush) {
        fail(error, FAULT_USAGE, line->test ? "--test or --flush: not both at once" : "what shall be sent?");
        fail_hint(error,
                  "--test sends a sample to every endpoint of the plan, --flush what its runs could not deliver");
        return;
    }
    const struct plan *plan = read_plan(line, arena, READ_PLACE | READ_ENDPOINTS, &problems, error);
    if (!failed(error) && !plan->endpoint_count) {
        fail(error, FAULT_USAGE, "plan %s names no endpoint", plan->name);
        fail_hint(error, "add them under `notify`: - { url: \"${WEBHOOK_URL}\", secret: \"${WEBHOOK_SECRET}\" }");
    }
    if (failed(error)) return;
    stop_install();
    if (line->flush)
        notify_flush(line, arena, plan, error);
    else
        test_endpoints(line, arena, plan, error);
}

const struct command notify_command = {
    .name = "notify",
    .synopsis = "PLAN",
    .about = "try the endpoints that a plan notifies, or send them what is left",
    .more =
        "--test sends each a sample of the first event it wants to hear of, as run 0, and says what it answered and\n"
        "how long that took. It ends with 0 only if all took it (2xx). No database is needed.\n"
        "--flush sends what runs of the plan left in the outbox, in order, due or not, until nothing is left or an\n"
        "endpoint does not take it (exit code 1). A run may be under way meanwhile.",
    .least = 1,
    .most = 1,
    .options = notify_options,
    .run = notify_run,
};
