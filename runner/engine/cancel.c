/*
 * Ending runs as cancelled. Whoever cancels waits for it, so nothing here waits for others: what a lock is in the way
 * of stays, is told, and is `pgwinnow clean`'s.
 */
#include "engine/cancel.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "database/frame.h"
#include "engine/engine.h"
#include "engine/heartbeat.h"
#include "sql/engine/cancel.sql.h"
#include "work/announce.h"
#include "work/direct.h"
#include "work/family.h"
#include "work/guard.h"
#include "work/index_build.h"
#include "work/reconnect.h"
#include "work/retry.h"

enum { TRIES = 5, CANCEL_MS = 1000 };

/* --- what goes --- */

/* One try: nobody queues behind a concurrent drop, but it may wait for old transactions for as long as they live. */
static void drop_index(struct direct *direct, const char *schema, const char *name, struct error *error) {
    direct->tries = TRIES * 1000;
    index_drop(direct, schema, name, error);
}

static struct direct *open_direct(struct run *run, struct arena *arena, struct error *error) {
    struct entry impatient = {.key = "lock_timeout", .key_place = {.file = "pgwinnow"}, .value = {.text = "1s"}};
    struct entries settings = {.items = arena_copy(arena, &impatient, sizeof impatient), .count = 1};
    return direct_open(run, run->step, arena_copy(arena, &settings, sizeof settings), error);
}

static void drop_temporary(struct run *run, struct arena *arena, struct direct *direct, const struct object_row *index,
                           struct error *error) {
    drop_index(direct, index->schema, index->name, error);
    runs_forget_object(&run->state, arena, run->holder.run, "index", index->schema, index->name, error);
}

static struct rows *cut_short(struct run *run, struct arena *arena, struct error *error) {
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run)};
    return state_ask(&run->state, arena, "looking for indexes that were cut short", &sql_cut_short, values, 1, error);
}

static void drop_indexes(struct run *run, struct arena *arena) {
    struct error error = error_new(arena);
    size_t count = 0;
    struct object_row *objects = runs_objects(&run->state, arena, run->holder.run, "index", &count, &error);
    struct rows *rows = cut_short(run, arena, &error);
    size_t cut = rows ? (size_t)rows_count(rows) : 0;
    struct direct *direct = count + cut ? open_direct(run, arena, &error) : NULL;
    for (size_t i = 0; direct && i < count; i++) {
        struct error tried = error_new(arena);
        drop_temporary(run, arena, direct, &objects[i], &tried);
    }
    for (int i = 0; direct && i < (int)cut; i++) {
        struct error tried = error_new(arena);
        if (rows_flag(rows, i, 3)) drop_index(direct, rows_text(rows, i, 0), rows_text(rows, i, 1), &tried);
    }
    direct_close(direct);
}

/* --- what stays --- */

static void add_rows(struct run *run, const struct rows *rows, struct text *text) {
    int64_t removed = rows_int(rows, 0, 0), children = rows_int(rows, 0, 1);
    const char *until = rows_text(rows, 0, 2);
    if (!removed && !children) {
        text_add(text, "no row was removed");
        return;
    }
    text_addf(text, "%s row%s removed", text_count(text->arena, removed), removed == 1 ? "" : "s");
    if (children) text_addf(text, ", %s below", text_count(text->arena, children));
    if (until)
        text_addf(text, ": `pgwinnow undo %lld` brings them back; their archive is kept until %s",
                  (long long)run->holder.run, until);
    else
        text_add(text, ": nothing was kept of them, so they cannot be brought back");
}

static void add_named(struct text *text, const char *what, const char *names, const char *then) {
    if (names) text_addf(text, "\n%s%s%s", what, names, then);
}

static const char *remains(struct run *run, struct arena *arena, struct error *error) {
    const char *number = arena_printf(arena, "%lld", (long long)run->holder.run);
    const char *values[] = {number}, *clean = arena_printf(arena, ": `pgwinnow clean %s` drops it", number);
    struct rows *rows = state_ask(&run->state, arena, "looking for what remains", &sql_remains, values, 1, error);
    if (!rows || !rows_count(rows)) return NULL;
    struct text text = text_new(arena);
    add_rows(run, rows, &text);
    add_named(&text, "the list of what went or was to go is left: ", rows_text(rows, 0, 3), clean);
    add_named(&text, "an index that the run had built for itself could not be dropped yet: ", rows_text(rows, 0, 4),
              clean);
    add_named(&text, "the guard is disarmed, but could not be dropped yet: ", rows_text(rows, 0, 5), clean);
    add_named(&text, "stays as it is, by steps that were done: ", rows_text(rows, 0, 6), "");
    rows = cut_short(run, arena, error);
    for (int i = 0; rows && i < rows_count(rows); i++)
        text_addf(&text, "\nan invalid index is left: DROP INDEX%s %s;", rows_flag(rows, i, 4) ? " CONCURRENTLY" : "",
                  rows_text(rows, i, 2));
    return text.data;
}

/* --- in this order: what others notice goes first --- */

/* What was cancelled may have ended by itself before the cancel came: that must not hit what is tidied up with. */
static void settle_desk(struct run *run, struct arena *arena, struct error *error) {
    for (int64_t began = clock_ms(); slot_cancelling(run->desk) && clock_ms() - began < CANCEL_MS;)
        wire_wait(run->wire, 1);
    if (slot_lost(run->desk)) slot_reopen(run->desk, error);
    if (!failed(error) && slot_in_transaction(run->desk))
        ask(run->desk, arena, &(struct statement){.about = "rolling back", .text = "ROLLBACK"}, error);
}

static void tidy(struct run *run, struct error *how) {
    struct arena *arena = arena_new(run->arena);
    struct error guards = error_new(arena), tables = error_new(arena), reading = error_new(arena);
    settle_desk(run, arena, &guards);
    guards_end(run, -1, &guards);
    drop_indexes(run, arena);
    families_drop(&run->state, arena, run->holder.run, &tables);
    const char *detail = remains(run, arena, &reading);
    if (detail) how->detail = arena_strdup(how->arena, detail);
    if (failed(&guards))
        how->detail = arena_printf(how->arena, "%s%sthe guard stands still: %s", detail ? detail : "",
                                   detail ? "\n" : "", guards.message);
    arena_free(arena);
}

/* Once more when the connection was lost under it; each part finds what is still there. */
void cancel_tidy(struct run *run, struct error *how) {
    run->tidying = true;
    tidy(run, how);
    if (slot_lost(run->desk)) tidy(run, how);
}

/* --- runs that nobody works on --- */

/* The steps that a run shows are those of the plan as it is now, which need not be its. */
static void write_state(struct run *run, const struct error *how, struct arena *arena, struct error *error) {
    struct event event = run_event(run, EVENT_RUN_CANCELLED);
    event.step = event.step_count = 0;
    event.message = how->message;
    event.detail = how->detail;
    event.exit_code = FAULT_STOPPED;
    announce_begin(run, error);
    runs_set_state(&run->state, arena, &run->holder, "cancelled", json_of_error(arena, how), error);
    announce(run, &event, error);
    announce_end(run, error);
}

static void write_end(struct run *run, struct error *how, struct error *error) {
    struct arena *arena = arena_new(run->arena);
    for (int tries = 1; !failed(error); tries++) {
        struct error tried = error_new(arena);
        if (reconnect(run, run->desk, &tried)) write_state(run, how, arena, &tried);
        if (!failed(&tried)) break;
        enum verdict verdict = retry_verdict(&tried, false);
        if (tries >= TRIES || (verdict != VERDICT_LATER && verdict != VERDICT_CONNECT))
            error_promote(error, &tried);
        else
            wire_sleep(run->wire, retry_pause(tries));
    }
    arena_free(arena);
}

static void end_ours(struct run *run, const char *why, struct error *how, struct error *error) {
    announce_open(run, error);
    fail(how, FAULT_STOPPED, "%s", why);
    cancel_tidy(run, how);
    write_end(run, how, error);
}

/* Somebody else may hold it and live: FAULT_HELD. Or has held it, since we looked, and ended it: then there is nothing
 * left to end. */
static void end(struct run *run, const char *why, struct error *how, struct error *error) {
    run->tidying = true;
    struct heartbeat *heartbeat = heartbeat_start(run, error);
    const char *ended = heartbeat ? runs_ended(&run->state, run->arena, run->holder.run, error) : NULL;
    if (text_equal(ended, "undoing")) {
        fail(error, FAULT_REFUSED, "run %lld of plan %s is being undone by now", (long long)run->holder.run,
             run->plan->name);
        fail_hint(error, "`pgwinnow undo %lld` brings that to its end", (long long)run->holder.run);
    }
    if (heartbeat && !ended && !failed(error)) end_ours(run, why, how, error);
    heartbeat_stop(heartbeat, error);
    run->tidying = false;
    run->wanted = run->wanted_by = NULL;
    run->announcer = NULL;
}

void cancel_old(struct run *run, const struct run_row *old, struct error *error) {
    if (failed(error)) return;
    struct error how = error_new(run->arena);
    bool asked = text_equal(old->wanted, "cancelled");
    run->holder.run = old->run;
    end(run, asked ? "cancelled, as it was asked for while nobody worked on it" : "cancelled by --fresh", &how, error);
    if (!failed(error) && failed(&how))
        run_tell(run, EVENT_NOTICE,
                 arena_printf(run->arena, "run %lld, which was not over, is %s", (long long)old->run, how.message),
                 how.detail);
    run->holder = (struct holder){0};
}

static struct run *open_run(struct arena *arena, const struct overview *o, const struct cancel_request *request,
                            struct error *error) {
    struct plan *plan = plan_defaults(arena);
    plan->name = o->plan;
    plan->environment = o->environment;
    plan->table.name = o->table;
    struct request as_run = {.database = request->database,
                             .database_direct = request->database_direct,
                             .schema = request->schema,
                             .listeners = request->listeners};
    struct run *run = engine_open(arena, plan, &as_run, error);
    if (failed(error)) return NULL;
    run->holder.run = o->run;
    run->search_path = "pg_catalog"; /* nothing of the plan's is asked */
    frame_set(run->desk, arena, NULL);
    return run;
}

void engine_cancel(struct arena *arena, const struct overview *o, const struct cancel_request *request,
                   struct error *error) {
    struct run *run = open_run(arena, o, request, error);
    struct error how = error_new(arena);
    if (run) end(run, "cancelled while nobody worked on it", &how, error);
}
