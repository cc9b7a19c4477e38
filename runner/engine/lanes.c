/*
 * Waiting before a lane. The statements are state/lanes.h's. Whoever is in there shows by a beat that it lives, or is
 * shut out when its lease is over; the living are waited for as long as --wait says.
 */
#include "engine/lanes.h"

#include "base/clock.h"
#include "base/text.h"
#include "state/lanes.h"
#include "work/retry.h"
#include "work/session.h"

enum { LOOK_MS = 200, QUEUE_MS = 500, FRESH_SECONDS = 3, GATE_MS = 5000, CLEAR_MS = 30000, MOST_TRIES = 10 };

/* --- what may be changed --- */

static bool changes(const struct edge *edge) {
    bool acts = edge->policy == POLICY_DELETE || edge->policy == POLICY_SET_NULL || edge->policy == POLICY_MOVE;
    return edge->carried || edge->follows || (edge->reached && acts);
}

static void add(struct text *list, unsigned oid) { text_addf(list, "%s%u", list->length > 1 ? "," : "", oid); }

const char *lane_tables(const struct run *run, struct arena *arena) {
    struct text list = text_new(arena);
    text_add(&list, "{");
    add(&list, run->table->oid);
    for (size_t i = 0; i < run->tree->edge_count; i++)
        if (changes(run->tree->edges[i])) add(&list, run->tree->edges[i]->child->table->oid);
    for (size_t i = 0; i < run->change_count; i++) add(&list, run->changes[i]);
    text_add(&list, "}");
    return list.data;
}

/* --- who is in there --- */

struct queue {
    struct run *run;
    struct arena *arena; /* of one look */
    struct lane_wait *wait;
    struct lane_claim claim;
    int64_t began;
    struct lane_blocker seen; /* at the last look; run 0: nobody */
    const char *told;
};

static struct session session_of(struct queue *queue, int64_t lock_timeout) {
    struct session session = session_for(queue->run, queue->run->plan->step_count, queue->arena);
    session.application = "pgwinnow: lanes";
    session.search_path = "pg_catalog"; /* nothing of the plan's is asked */
    session.lock_timeout = lock_timeout;
    session.statement_timeout = CLEAR_MS;
    return session;
}

static struct lane_blocker *look(struct queue *queue, struct error *error) {
    struct run *run = queue->run;
    struct session session = session_of(queue, GATE_MS);
    struct holder holder = {run->holder.run, queue->wait->only_look ? 0 : run->holder.fence};
    if (slot_lost(run->desk)) slot_reopen(run->desk, error);
    session_begin(run->desk, queue->arena, &session, error);
    struct lane_blocker *found = lanes_enter(&run->state, queue->arena, &holder, &queue->claim, error);
    session_end(run->desk, queue->arena, error);
    return failed(error) ? NULL : found;
}

static void clear(struct queue *queue, const struct lane_blocker *dead, struct error *error) {
    struct run *run = queue->run;
    struct session session = session_of(queue, CLEAR_MS);
    session_begin(run->desk, queue->arena, &session, error);
    lanes_clear(&run->state, queue->arena, dead, error);
    session_end(run->desk, queue->arena, error);
}

static const char *who(struct arena *arena, const struct lane_blocker *b) {
    return arena_printf(arena, "run %lld of plan %s%s%s", (long long)b->run, b->plan, b->environment ? ", " : "",
                        b->environment ? b->environment : "");
}

static const char *reason(struct arena *arena, const struct lane_blocker *b) {
    if (b->table) return arena_printf(arena, "%s, which changes %s too", who(arena, b), b->table);
    return arena_printf(arena, "%s, which is in lane %s", who(arena, b), b->lane);
}

static void held(struct queue *queue, const struct lane_blocker *b, struct error *error) {
    const char *by = who(queue->arena, b);
    if (b->table)
        fail(error, FAULT_HELD, "table %s is being changed by %s", b->table, by);
    else
        fail(error, FAULT_HELD, "lane %s is taken by %s", b->lane, by);
    fail_detail(error, "by %s, whose last sign of life was %.0f s ago", b->holder, b->age < 0 ? 0 : b->age);
    fail_hint(error, b->table ? "wait until it ends, or let this one wait for it: --wait 1h"
                              : "wait until it ends, or let this one wait for it: --wait 1h; plans that may run at the "
                                "same time get lanes of their own (`lane: NAME`)");
}

/* Whoever beat within the last seconds and is connected lives; of all others the next beat tells. */
static bool lives(const struct queue *queue, const struct lane_blocker *b) {
    bool beat = queue->seen.run == b->run && queue->seen.fence == b->fence && b->age < queue->seen.age;
    return beat || (b->there && b->age < FRESH_SECONDS);
}

/* --- waiting --- */

/* Told when it begins and when somebody else is in the way. */
static void tell(struct queue *queue, const struct lane_blocker *b, struct error *error) {
    struct run *run = queue->run;
    const char *why = reason(queue->arena, b);
    if (text_equal(queue->told, why)) return;
    queue->told = arena_strdup(run->arena, why);
    run->progress.waiting = queue->told;
    if (!run->progress.waiting_since) run->progress.waiting_since = clock_ms();
    run_tell(run, EVENT_NOTICE, arena_printf(queue->arena, "waiting for %s", why), NULL);
    if (queue->wait->only_look || queue->wait->undoing) return;
    lanes_queue(&run->state, queue->arena, &run->holder, why, error);
    queue->wait->waited = true;
}

static void wait_for(struct queue *queue, const struct lane_blocker *b, struct error *error) {
    bool patient = clock_ms() - queue->began < queue->wait->ms, living = lives(queue, b);
    queue->seen = (struct lane_blocker){.run = b->run, .fence = b->fence, .age = b->age};
    if (living && !patient) {
        held(queue, b, error);
        return;
    }
    if (patient || clock_ms() - queue->began > GATE_MS) tell(queue, b, error);
    wire_sleep(queue->run->wire, clock_jitter(living ? QUEUE_MS : LOOK_MS, 0.2));
}

/* A look that met a lock or a lost connection says nothing yet. */
static bool try_again(struct queue *queue, const struct error *tried, int tries) {
    enum verdict verdict = retry_verdict(tried, false);
    if ((verdict != VERDICT_LATER && verdict != VERDICT_CONNECT) || tries > MOST_TRIES) return false;
    wire_sleep(queue->run->wire, retry_pause(tries));
    return true;
}

/* One look, and what follows from it. True: once more. */
static bool turn(struct queue *queue, int *tries, struct error *error) {
    struct error tried = error_new(queue->arena);
    struct lane_blocker *found = look(queue, &tried);
    if (found && found->dead)
        clear(queue, found, &tried);
    else if (found)
        wait_for(queue, found, &tried);
    if (!failed(&tried)) *tries = 0;
    if (failed(&tried) && try_again(queue, &tried, ++*tries)) return true;
    error_promote(error, &tried);
    return found && !failed(error);
}

void lane_enter(struct run *run, struct lane_wait *wait, struct error *error) {
    struct queue queue = {.run = run, .wait = wait, .began = clock_ms()};
    if (!wait->undoing && !failed(error))
        queue.claim = (struct lane_claim){run->plan->lane, lane_tables(run, run->arena)};
    int tries = 0;
    bool again = !failed(error);
    while (again) {
        queue.arena = arena_new(run->arena);
        again = turn(&queue, &tries, error);
        if (again) run_check_stop(run, error);
        again = again && !failed(error);
        arena_free(queue.arena);
    }
    run->progress = (struct progress){0};
}
