/* The batch loop. Owns ranges, retries and pace; leaves what a batch does to the step's part. */
#include "work/loop.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "state/lease.h"
#include "work/announce.h"
#include "work/batch.h"
#include "work/pause.h"
#include "work/retry.h"
#include "work/throttle.h"

enum { ENOUGH_TO_JUDGE = 50, BARRED = 4 };

/* --- ranges that wait for another try --- */

static void push_retry(struct loop *loop, const struct range *range) {
    if (loop->retry_count == loop->retry_room) {
        loop->retry_room = loop->retry_room ? 2 * loop->retry_room : 64;
        struct range *larger = arena_alloc(loop->arena, loop->retry_room * sizeof *larger);
        if (loop->retry_count) memcpy(larger, loop->retries, loop->retry_count * sizeof *larger);
        loop->retries = larger;
    }
    loop->retries[loop->retry_count++] = *range;
}

static bool take_retry(struct batch *batch) {
    struct loop *loop = batch->loop;
    for (size_t i = 0; i < loop->retry_count; i++) {
        if (loop->retries[i].due > clock_ms()) continue;
        if (loop->part->ready && !loop->part->ready(loop, &loop->retries[i])) continue;
        batch->range = loop->retries[i];
        memmove(&loop->retries[i], &loop->retries[i + 1], (loop->retry_count - i - 1) * sizeof *loop->retries);
        loop->retry_count--;
        return true;
    }
    return false;
}

/* The second half becomes a range of its own; false when there is nothing to halve. */
static bool halve(struct batch *batch) {
    struct range *range = &batch->range;
    if (range->last <= range->first) return false;
    struct range rest = *range;
    range->last = range->first + (range->last - range->first) / 2;
    rest.first = range->last + 1;
    rest.tries = rest.races = 0;
    rest.due = 0;
    push_retry(batch->loop, &rest);
    return true;
}

static bool waiting(const struct loop *loop, bool (*which)(const struct range *)) {
    for (size_t i = 0; i < loop->retry_count; i++)
        if (which(&loop->retries[i])) return true;
    return false;
}

bool loop_others_busy(const struct loop *loop, const struct batch *self, bool (*which)(const struct range *)) {
    for (size_t i = 0; i < loop->batch_count; i++) {
        const struct batch *b = &loop->batches[i];
        if (b != self && b->phase != PHASE_IDLE && b->phase != PHASE_CUT && b->phase != PHASE_REST && which(&b->range))
            return true;
    }
    return waiting(loop, which);
}

/* --- judging a failed try --- */

static void wait_for(struct loop *loop, const char *reason) {
    struct progress *p = &loop->run->progress;
    if (!p->waiting) p->waiting_since = clock_ms();
    snprintf(loop->reason, sizeof loop->reason, "%s", reason);
    p->waiting = loop->reason;
    p->until = NULL;
}

/* Puts the range back, to be taken again after a pause; after the last try the part may know another way. */
static void again_later(struct batch *batch, int64_t pause) {
    struct loop *loop = batch->loop;
    if (++batch->range.tries > run_settings(loop->run, loop->step)->locks.retries && !loop->part->stuck(batch, false)) {
        error_promote(loop->error, &batch->error);
        return;
    }
    batch->range.due = clock_ms() + pause;
    push_retry(loop, &batch->range);
    if (pause) wait_for(loop, batch->error.message);
}

static void take_less(struct batch *batch) {
    struct loop *loop = batch->loop;
    if (halve(batch)) {
        batch->range.due = 0;
        push_retry(loop, &batch->range);
    } else if (loop->part->stuck(batch, true)) {
        push_retry(loop, &batch->range);
    } else {
        if (!failed(&batch->error)) /* left out in silence it would count as done */
            fail(&batch->error, FAULT_FAILED, "a batch cannot be made so small that it stays within `batch: max`");
        error_promote(loop->error, &batch->error);
    }
}

/* No row's doing: a name that is gone, a missing right, a full disk. */
static bool of_all_rows(const struct error *error) {
    return text_starts(error->sqlstate, "42") || text_starts(error->sqlstate, "53");
}

/* To find out which part of the range it fails for: halves, and what is left alone once more. */
static bool narrow(struct batch *batch) {
    struct loop *loop = batch->loop;
    if (!loop->part->narrows || of_all_rows(&batch->error) || !loop->part->narrows(batch)) return false;
    if (!halve(batch)) {
        if (batch->range.alone) return false;
        batch->range.alone = true;
        batch->range.races = 0;
    }
    push_retry(loop, &batch->range);
    return true;
}

/* One batch that meets a lock goes on later, and others meanwhile. When all of them do, somebody has the whole table:
 * trying one batch after the other would only use up their tries. */
static void bar(struct batch *batch) {
    struct loop *loop = batch->loop;
    if (batch->range.waits || ++loop->barred < BARRED) return;
    loop->barred_until = clock_ms() + retry_pause(loop->barred - BARRED + 1);
    wait_for(loop, batch->error.message);
}

static void judge(struct batch *batch, enum verdict verdict) {
    struct loop *loop = batch->loop;
    switch (verdict) {
    case VERDICT_LATER:
        pace_halve(&loop->pace);
        bar(batch);
        if (batch->range.waits && halve(batch)) { /* the last pass finds out which row it is */
            push_retry(loop, &batch->range);
            return;
        }
        again_later(batch, retry_pause(batch->range.tries + 1));
        return;
    case VERDICT_SMALLER:
        pace_halve(&loop->pace);
        if (!halve(batch))
            again_later(batch, retry_pause(batch->range.tries + 1));
        else
            push_retry(loop, &batch->range);
        return;
    case VERDICT_RACE:
        if (++batch->range.races >= MOST_RACES) break;
        push_retry(loop, &batch->range);
        return;
    case VERDICT_CONNECT: again_later(batch, 0); return;
    case VERDICT_DONE:
    case VERDICT_FAIL: break;
    }
    if (narrow(batch)) return;
    error_promote(loop->error, &batch->error);
}

/* Half of fifty batches failing is not bad luck. */
static void watch_failures(struct loop *loop, const struct batch *batch) {
    if (loop->failed < ENOUGH_TO_JUDGE || loop->failed * 2 <= loop->tried) return;
    fail(loop->error, FAULT_FAILED, "over half of %lld batches failed; the last: %s", (long long)loop->tried,
         batch->error.message);
    fail_hint(loop->error, "something is in the way all the time; run again when it is gone");
}

void loop_try_failed(struct batch *batch, bool at_hold) {
    struct loop *loop = batch->loop;
    if (batch->too_large) {
        take_less(batch);
        return;
    }
    if (batch->cancelled) {
        run_check_stop(loop->run, loop->error);
        error_promote(loop->error, &batch->error);
        return;
    }
    if (!batch->range.waits) loop->failed++; /* the last pass tries rows that are locked until they are not */
    judge(batch, retry_verdict(&batch->error, at_hold));
    watch_failures(loop, batch);
}

void loop_try_done(struct batch *batch) {
    struct loop *loop = batch->loop;
    struct event_step *shown = loop->run->steps[loop->step].shown;
    int64_t ms = clock_ms() - batch->began, changed = batch->counts.rows + batch->counts.children;
    loop->pace.near = loop->run->hold.near;
    pace_done(&loop->pace, changed, ms);
    loop->barred = 0;
    loop->batch_total++;
    rate_add(&loop->rate, batch->counts.rows + batch->counts.spared, clock_ms());
    loop->run->removed += batch->counts.rows;
    shown->rows += batch->counts.rows;
    shown->spared += batch->counts.spared;
    shown->batches++;
    struct progress *p = &loop->run->progress;
    p->rate = rate_of(&loop->rate);
    p->batch_size = pace_size(&loop->pace);
    p->waiting = NULL;
    if (loop->part->committed) loop->part->committed(batch);
    if (batch->again) {
        batch->range.pass++;
        batch->range.tries = batch->range.races = 0;
        push_retry(loop, &batch->range);
    }
    announce_is_news(loop->run);
    run_tell(loop->run, EVENT_BATCH_COMMITTED, NULL, NULL);
}

/* --- the walk over the workers --- */

static void next(struct batch *batch) {
    struct loop *loop = batch->loop;
    if (clock_ms() < loop->barred_until) return;
    batch_reset(batch);
    if (take_retry(batch)) {
        batch_begin(batch);
        return;
    }
    if (loop->cutting) return;
    enum cut cut = loop->part->cut(batch);
    loop->done = cut == CUT_DONE;
    if (cut == CUT_RANGE) batch_begin(batch);
    if (cut == CUT_ASKED) batch_ask_cut(batch);
}

static bool all_idle(const struct loop *loop) {
    for (size_t i = 0; i < loop->batch_count; i++)
        if (loop->batches[i].phase != PHASE_IDLE) return false;
    return true;
}

/* A pause begins when no batch is open: then the desk is free, too. */
static bool pauses(struct loop *loop) {
    if (!pause_wanted(loop->run) || failed(loop->error)) return false;
    if (all_idle(loop)) pause_point(loop->run, loop->error);
    return true;
}

static void turn(struct loop *loop) {
    bool paused = pauses(loop);
    run_check_stop(loop->run, loop->error);
    bool held = !failed(loop->error) && (paused || throttle_holds(loop->run));
    bool cancels = stop_level() >= 2 || run_cancelled(loop->run);
    int64_t now = clock_ms();
    for (size_t i = 0; i < loop->batch_count; i++) {
        struct batch *b = &loop->batches[i];
        if (cancels && (b->phase == PHASE_ROUND || b->phase == PHASE_CUT)) slot_cancel(b->slot);
        if (b->phase == PHASE_LOST && (now >= b->due || failed(loop->error))) batch_reconnect(b);
        bool rested = now >= b->due || pace_rested(&loop->pace, now - b->ended) || failed(loop->error) || paused;
        if (b->phase == PHASE_REST && rested) b->phase = PHASE_IDLE;
        if (b->phase == PHASE_IDLE && !failed(loop->error) && !held) next(b);
    }
}

/* When the next thing is due that no descriptor tells of. */
static int64_t until_due(const struct loop *loop) {
    int64_t now = clock_ms(), due = now + 200;
    for (size_t i = 0; i < loop->batch_count; i++) {
        const struct batch *b = &loop->batches[i];
        if ((b->phase == PHASE_REST || b->phase == PHASE_LOST) && b->due < due) due = b->due;
        if (b->phase != PHASE_IDLE) continue;
        for (size_t j = 0; j < loop->retry_count; j++)
            if (loop->retries[j].due < due) due = loop->retries[j].due;
    }
    return due > now ? due - now : 0;
}

static struct slot *worker(struct run *run, size_t i, struct error *error) {
    if (!run->workers[i]) run->workers[i] = slot_open(run->wire, run->arena, run->url, "pgwinnow", error);
    if (run->workers[i]) reconnect(run, run->workers[i], error);
    return run->workers[i];
}

/* The first one is the desk. Connections are what a busy server has least of: where there is none left for another
 * worker, those that are there do the work. */
static void open_workers(struct loop *loop, struct arena *arena) {
    struct run *run = loop->run;
    int64_t wanted = run_settings(run, loop->step)->batch.workers;
    size_t most = (size_t)wanted < run->worker_count ? (size_t)wanted : run->worker_count;
    loop->batches = arena_alloc(arena, most * sizeof *loop->batches);
    for (size_t i = 0; i < most && !failed(loop->error); i++) {
        struct error error = error_new(arena);
        struct slot *slot = worker(run, i, &error);
        if (i && error.fault == FAULT_CONNECTION && !slot_lost(run->desk)) {
            run_tell(run, EVENT_NOTICE, arena_printf(run->arena, "going on with %zu of %zu workers", i, most),
                     error.message);
            return;
        }
        error_promote(loop->error, &error);
        if (failed(&error)) return;
        loop->batches[i] = (struct batch){.loop = loop, .slot = slot, .arena = slot_arena(slot)};
        loop->batch_count = i + 1;
    }
}

static int64_t count_recorded(struct loop *loop) {
    struct run *run = loop->run;
    reconnect(run, run->desk, loop->error);
    int round = run->steps[loop->step].round;
    return runs_sums(&run->state, loop->arena, run->holder.run, loop->step, round, loop->error).batches;
}

/* A server that crashed under synchronous_commit = off, or a standby that took over, may not have what was committed
 * last; behind a pooler that happens without any connection of ours being lost. Those batches are in no gap that we
 * know of; when the step is begun again, the gaps are read anew. */
static void check_commits(struct loop *loop) {
    if (failed(loop->error)) return;
    int64_t lost = loop->recorded + loop->batch_total - count_recorded(loop);
    if (lost <= 0 || failed(loop->error)) return;
    fail(loop->error, FAULT_CONNECTION, "the server lost %lld batches that it had committed", (long long)lost);
    fail_hint(loop->error, "it crashed with synchronous_commit = off, or a standby took over; "
                           "the same command does them again");
}

void loop_run(struct run *run, size_t step, const struct part *part, void *job, bool hash_joins, struct error *error) {
    if (failed(error)) return;
    struct arena *arena = arena_new(run->arena);
    struct loop *loop = arena_alloc(arena, sizeof *loop);
    *loop = (struct loop){.run = run,
                          .step = step,
                          .part = part,
                          .job = job,
                          .hash_joins = hash_joins,
                          .error = error,
                          .arena = arena,
                          .pace = pace_new(&run_settings(run, step)->batch),
                          .rate = rate_new(clock_ms())};
    run->progress = (struct progress){.batch_size = pace_size(&loop->pace)};
    loop->recorded = count_recorded(loop);
    open_workers(loop, arena);
    for (turn(loop); !all_idle(loop) || (!failed(error) && !(loop->done && !loop->retry_count)); turn(loop))
        wire_wait(run->wire, until_due(loop));
    error->final = failed(error);
    check_commits(loop);
    run->progress = (struct progress){0};
    for (size_t i = 0; i < loop->batch_count; i++)
        if (loop->batches[i].slot) {
            slot_reset(loop->batches[i].slot);
            slot_expect(loop->batches[i].slot, 0);
        }
}

void loop_explain(struct run *run, size_t step, const struct part *part, void *job, const struct range *range,
                  struct explanation *explanation, struct error *error) {
    struct loop loop = {.run = run,
                        .step = step,
                        .part = part,
                        .job = job,
                        .error = error,
                        .pace = pace_new(&run_settings(run, step)->batch)};
    struct batch batch = {.loop = &loop, .arena = run->arena, .range = *range, .explanation = explanation, .round = 1};
    batch.error = error_new(run->arena);
    part->fill(&batch);
    error_promote(error, &batch.error);
}
