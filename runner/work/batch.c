/*
 * One batch on one slot. Every transaction starts with its settings and the hold, so the fence is taken before anything
 * is changed; nothing here waits, each flush ends in a callback that goes on to the next phase.
 */
#include "work/batch.h"

#include "base/clock.h"
#include "base/text.h"
#include "state/lease.h"
#include "work/announce.h"
#include "work/explanation.h"
#include "work/reconnect.h"
#include "work/record.h"
#include "work/retry.h"
#include "work/session.h"
#include "work/shape.h"

enum { RECONNECT_TURN_MS = 50 };
enum { SETUP = SESSION_STATEMENTS + 1 }; /* statements of round 1 that are not the part's: the session and the hold */

const char *batch_number(struct batch *batch, int64_t n) { return arena_printf(batch->arena, "%lld", (long long)n); }

static void send(struct batch *batch, const struct sql *sql, const struct statement *statement) {
    batch->sent = arena_grow(batch->arena, batch->sent, &batch->sent_count, sizeof *batch->sent);
    batch->sent[batch->sent_count - 1] = sql;
    slot_queue(batch->slot, statement);
}

void batch_queue(struct batch *batch, const char *about, const struct sql *sql, const struct bindings *bindings,
                 const char *const *values, int count) {
    const char *text = sql_expand(batch->arena, sql, bindings->items, &batch->error);
    if (failed(&batch->error)) return;
    if (batch->explanation) {
        explain_statement(batch->explanation, sql, text);
        return;
    }
    record_sent(batch->loop->run, sql, text);
    const char *const *kept = count ? arena_copy(batch->arena, values, (size_t)count * sizeof *values) : NULL;
    send(batch, sql, &(struct statement){about, text, kept, count});
}

void batch_reset(struct batch *batch) {
    slot_reset(batch->slot);
    batch->error = error_new(batch->arena);
    batch->counts = (struct counts){0};
    batch->too_large = batch->again = batch->cancelled = false;
    batch->found = 0;
    batch->round = 0;
    batch->own = NULL;
    batch->failed_sql = NULL;
    batch->sent = NULL;
    batch->sent_count = 0;
}

static void flush(struct batch *batch, enum phase phase, void (*answer)(void *, int, const struct rows *),
                  void (*done)(void *, const struct error *)) {
    batch->phase = phase;
    slot_flush(batch->slot, &(struct slot_client){answer, done, batch});
}

/* --- the end of a try --- */

static void rest(struct batch *batch) {
    batch->phase = PHASE_REST;
    const struct pace *pace = &batch->loop->pace;
    int64_t now = clock_ms();
    int64_t ms = now - batch->began;
    batch->ended = now + pace_ease(pace, ms);
    batch->due = batch->ended + (batch->loop->part->given ? pace_share(pace, ms) : pace_pause(pace));
}

static void over(struct batch *batch, bool at_hold) {
    loop_try_failed(batch, at_hold);
    if (slot_lost(batch->slot)) {
        batch->phase = PHASE_LOST;
        batch->due = clock_ms();
    } else {
        batch->phase = PHASE_IDLE;
    }
}

static void rolled_back(void *context, const struct error *error) {
    (void)error;
    over(context, false);
}

static void roll_back(struct batch *batch) {
    if (slot_lost(batch->slot)) {
        over(batch, false);
        return;
    }
    slot_queue(batch->slot, &(struct statement){.about = "rolling back", .text = "ROLLBACK"});
    flush(batch, PHASE_ROLLBACK, NULL, rolled_back);
}

/* --- the COMMIT whose answer was lost had gone through: its counts are in the checkpoint --- */

static void hear_checkpoint(void *context, int index, const struct rows *rows) {
    struct batch *batch = context;
    if (index != 1 || rows_count(rows) == 0) return;
    batch->found = rows_int(rows, 0, 0);
    batch->counts =
        (struct counts){.rows = rows_int(rows, 0, 1), .children = rows_int(rows, 0, 2), .spared = rows_int(rows, 0, 3)};
}

/* The part hears of the range that is done; what the earlier try did not take is a range of its own. */
static void checkpoint_read(void *context, const struct error *error) {
    struct batch *batch = context;
    if (error || !batch->found) {
        if (error) error_clear(&batch->error);
        if (error) error_promote(&batch->error, error);
        over(batch, false);
        return;
    }
    const struct range *r = &batch->range;
    struct range left = {.first = batch->found + 1,
                         .last = r->last,
                         .part = r->part,
                         .pass = r->pass,
                         .mode = r->mode,
                         .by = r->by,
                         .waits = r->waits};
    if (batch->found < r->last) batch->range.last = batch->found;
    loop_try_done(batch);
    if (left.first > left.last) {
        rest(batch);
        return;
    }
    batch_reset(batch);
    batch->range = left;
    batch_begin(batch);
}

static void read_checkpoint(struct batch *batch) {
    const struct range *r = &batch->range;
    const struct run *run = batch->loop->run;
    const char *values[] = {batch_number(batch, run->holder.run),
                            batch_number(batch, (int64_t)batch->loop->step),
                            batch_number(batch, run->steps[batch->loop->step].round),
                            batch_number(batch, r->part),
                            batch_number(batch, r->pass),
                            batch_number(batch, r->first)};
    struct error error = error_new(batch->arena);
    const char *text = lease_checkpoint_text(batch->arena, run->state.schema, &error);
    slot_queue(batch->slot, &(struct statement){.about = "rolling back", .text = "ROLLBACK"});
    slot_queue(batch->slot,
               &(struct statement){"reading a checkpoint", text, arena_copy(batch->arena, values, sizeof values), 6});
    flush(batch, PHASE_CHECKPOINT, hear_checkpoint, checkpoint_read);
}

/* --- rounds --- */

/* The first statement of the last trip says that the tables are not what the plan was compiled against. No smaller
 * batch would do better. */
static bool tables_changed(const struct batch *batch, const struct error *error) {
    return batch->compares && slot_failed_at(batch->slot) == 0 && shape_is_changed(error);
}

static void committed(void *context, const struct error *error) {
    struct batch *batch = context;
    if (error) {
        if (tables_changed(batch, error)) error_promote(batch->loop->error, error);
        error_promote(&batch->error, error);
        roll_back(batch);
        return;
    }
    loop_try_done(batch);
    rest(batch);
}

static void queue_comparison(struct batch *batch) {
    const struct run *run = batch->loop->run;
    size_t step = batch->loop->step;
    batch->compares = run->shape && step < run->plan->step_count && run->plan->steps[step].step->needs & USES_FAMILIES;
    if (!batch->compares) return;
    slot_queue(batch->slot, &(struct statement){"comparing the tables with what they were", run->shape->same,
                                                run->shape->values, 3});
}

/* For endpoints that want to hear of batches. */
static void queue_event(struct batch *batch) {
    struct run *run = batch->loop->run;
    const struct range *r = &batch->range;
    struct event_step after = *run->steps[batch->loop->step].shown;
    struct statement statement;
    after.rows += batch->counts.rows;
    after.spared += batch->counts.spared;
    after.batches++;
    const char *key = arena_printf(batch->arena, "%d %d %lld", r->part, r->pass, (long long)r->first);
    if (announce_batch(run, batch->arena, batch->loop->step, &after, key, &statement))
        slot_queue(batch->slot, &statement);
}

/* As an array, without the zeros at its end; NULL when there is nothing to tell. */
static const char *edges_text(struct batch *batch) {
    const struct counts *c = &batch->counts;
    size_t count = c->edge_count;
    while (count && !c->edges[count - 1]) count--;
    if (!count) return NULL;
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%lld", i ? "," : "{", (long long)c->edges[i]);
    text_add(&text, "}");
    return text.data;
}

static void commit(struct batch *batch) {
    queue_comparison(batch);
    const struct range *r = &batch->range;
    const struct run *run = batch->loop->run;
    const struct counts *c = &batch->counts;
    const char *values[] = {batch_number(batch, run->holder.run),
                            batch_number(batch, (int64_t)batch->loop->step),
                            batch_number(batch, run->steps[batch->loop->step].round),
                            batch_number(batch, r->part),
                            batch_number(batch, r->pass),
                            batch_number(batch, r->first),
                            batch_number(batch, c->rows),
                            batch_number(batch, c->children),
                            batch_number(batch, c->spared),
                            batch_number(batch, clock_ms() - batch->began),
                            edges_text(batch)};
    const char *text = lease_counts_text(batch->arena, run->state.schema, &batch->error);
    slot_queue(batch->slot, &(struct statement){"writing the checkpoint", text,
                                                arena_copy(batch->arena, values, sizeof values), 11});
    queue_event(batch);
    slot_queue(batch->slot, &(struct statement){.about = "committing the batch", .text = "COMMIT"});
    flush(batch, PHASE_COMMIT, NULL, committed);
}

static void hear(void *context, int index, const struct rows *rows) {
    struct batch *batch = context;
    if (failed(&batch->error)) return;
    const struct sql *sql = (size_t)index < batch->sent_count ? batch->sent[index] : NULL;
    if (sql) {
        batch->loop->part->answer(batch, sql, rows);
    } else if (batch->round == 1 && index == SETUP - 1 && rows_affected(rows) == 0) {
        batch->loop->run->lease_lost = true;
        run_check_stop(batch->loop->run, &batch->error);
    }
}

static void round_done(void *context, const struct error *error);

static void note_failure(struct batch *batch, const struct error *error) {
    int at = slot_failed_at(batch->slot);
    if (!failed(&batch->error) && at >= 0 && (size_t)at < batch->sent_count) batch->failed_sql = batch->sent[at];
    error_promote(&batch->error, error);
}

static void another_round(struct batch *batch) {
    batch->round++;
    flush(batch, PHASE_ROUND, hear, round_done);
}

/* The part's answers come first: what it refused (its own error) is kept over what the server said afterwards. */
static void round_done(void *context, const struct error *error) {
    struct batch *batch = context;
    bool at_hold = error && batch->round == 1 && slot_failed_at(batch->slot) == SETUP - 1;
    batch->cancelled = slot_cancelled(batch->slot);
    if (error) note_failure(batch, error);
    if (at_hold && retry_verdict(&batch->error, true) == VERDICT_DONE) {
        read_checkpoint(batch);
        return;
    }
    if (failed(&batch->error) || batch->too_large) {
        roll_back(batch);
        return;
    }
    batch->sent = NULL;
    batch->sent_count = 0;
    const struct part *part = batch->loop->part;
    bool more = part->more && part->more(batch);
    if (failed(&batch->error) || batch->too_large)
        roll_back(batch);
    else if (more)
        another_round(batch);
    else
        commit(batch);
}

static void queue_hold(struct batch *batch) {
    const struct run *run = batch->loop->run;
    const struct range *r = &batch->range;
    const char *values[] = {
        batch_number(batch, run->holder.run),   batch_number(batch, (int64_t)batch->loop->step),
        batch_number(batch, run->holder.fence), batch_number(batch, r->first),
        batch_number(batch, r->last),           batch_number(batch, run->steps[batch->loop->step].round),
        batch_number(batch, r->part),           batch_number(batch, r->pass)};
    const char *text = lease_hold_text(batch->arena, run->state.schema, &batch->error);
    send(batch, NULL,
         &(struct statement){"holding the lease", text, arena_copy(batch->arena, values, sizeof values), 8});
}

static void queue_session(struct batch *batch, bool read_only) {
    struct session session = session_for(batch->loop->run, batch->loop->step, batch->arena);
    session.pinned = true;
    session.hash_joins = batch->loop->hash_joins;
    session.read_only = read_only;
    struct statement *statements = arena_alloc(batch->arena, SESSION_STATEMENTS * sizeof *statements);
    session_statements(&session, batch->arena, statements);
    session_expect(batch->slot, &session);
    for (int i = 0; i < SESSION_STATEMENTS; i++) send(batch, NULL, &statements[i]);
}

void batch_begin(struct batch *batch) {
    batch->loop->tried++;
    batch->began = clock_ms();
    queue_session(batch, false);
    queue_hold(batch);
    batch->loop->part->fill(batch);
    another_round(batch);
}

/* --- the cut: a question in a transaction of its own, since the hold must name the range --- */

static void hear_cut(void *context, int index, const struct rows *rows) {
    struct batch *batch = context;
    const struct sql *sql = (size_t)index < batch->sent_count ? batch->sent[index] : NULL;
    if (sql) batch->loop->part->cut_answer(batch, sql, rows);
}

static void cut_rolled_back(void *context, const struct error *error) {
    struct batch *batch = context;
    (void)error;
    batch->phase = PHASE_IDLE;
}

/* A failed question costs nothing: it is asked again after a pause, over a new connection if need be. */
static void cut_failed(struct batch *batch, const struct error *error) {
    enum verdict verdict = retry_verdict(error, false);
    if (verdict == VERDICT_FAIL || verdict == VERDICT_SMALLER) error_promote(batch->loop->error, error);
    if (slot_lost(batch->slot)) {
        batch->phase = PHASE_LOST;
        batch->due = clock_ms();
        return;
    }
    slot_queue(batch->slot, &(struct statement){.about = "rolling back", .text = "ROLLBACK"});
    flush(batch, PHASE_CUT, NULL, cut_rolled_back);
}

static void cut_done(void *context, const struct error *error) {
    struct batch *batch = context;
    batch->loop->cutting = false;
    if (error) {
        cut_failed(batch, error);
        return;
    }
    error_promote(batch->loop->error, &batch->error);
    batch->phase = PHASE_IDLE;
    if (batch->range.first > batch->range.last || failed(batch->loop->error)) return;
    struct range range = batch->range;
    batch_reset(batch);
    batch->range = range;
    batch_begin(batch);
}

void batch_question(struct batch *batch, const char *about, const struct sql *sql, const struct bindings *bindings,
                    const char *const *values, int count) {
    queue_session(batch, true);
    batch_queue(batch, about, sql, bindings, values, count);
}

void batch_ask_cut(struct batch *batch) {
    batch->loop->cutting = true;
    batch->range = (struct range){.first = 1, .last = 0};
    send(batch, NULL, &(struct statement){.about = "ending a question", .text = "COMMIT"});
    flush(batch, PHASE_CUT, hear_cut, cut_done);
}

void batch_reconnect(struct batch *batch) {
    struct error error = error_new(batch->arena);
    if (failed(batch->loop->error)) {
        batch->phase = PHASE_IDLE;
        return;
    }
    if (reconnect_turn(batch->loop->run, batch->slot, &batch->reconnect, &error)) {
        batch->phase = PHASE_IDLE;
        return;
    }
    batch->due = clock_ms() + RECONNECT_TURN_MS;
    error_promote(batch->loop->error, &error);
}
