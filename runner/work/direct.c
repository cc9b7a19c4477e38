/* Opening the direct connection, and the three ways to use it. Owns its settings; what is sent is its users'. */
#include "work/direct.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "database/frame.h"
#include "sql/work/direct.sql.h"
#include "work/pause.h"
#include "work/reconnect.h"
#include "work/record.h"
#include "work/retry.h"
#include "work/session.h"
#include "work/watch.h"

static const struct bindings nothing = {0};

static void set_session(struct direct *direct, struct error *error) {
    struct session session = session_for(direct->run, direct->step, direct->arena);
    const char *values[] = {session.search_path, session.application};
    ask(direct->slot, direct->arena,
        &(struct statement){"setting up the direct connection", sql_session.text, values, 2}, error);
    for (size_t i = 0; direct->settings && i < direct->settings->count && !failed(error); i++) {
        const struct entry *entry = &direct->settings->items[i];
        const char *pair[] = {entry->key, entry->value.text};
        const char *about = arena_printf(direct->arena, "setting %s (%s:%d:%d)", entry->key, entry->key_place.file,
                                         entry->key_place.line, entry->key_place.column);
        ask(direct->slot, direct->arena, &(struct statement){about, sql_setting.text, pair, 2}, error);
        if (error->fault == FAULT_FAILED) error->fault = FAULT_USAGE;
    }
}

static void refuse_pooler(struct direct *direct, struct error *error) {
    if (failed(error) || !slot_pooled(direct->slot, error)) return;
    bool own = direct->run->direct_url != NULL;
    fail(error, FAULT_REFUSED,
         "the connection to database %s goes through a pooler: concurrent indexes and VACUUM cannot",
         slot_database(direct->slot));
    fail_hint(error, own ? "`database_direct` leads to a pooler too: give the server's own address there"
                         : "give the server's own address as `database_direct` in the plan's environment, or with "
                           "--database-direct");
}

static struct rows *place(struct direct *direct, struct slot *slot, struct error *error) {
    return ask(slot, direct->arena, &(struct statement){.about = "asking which server it is", .text = sql_place.text},
               error);
}

/* Past the pooler, but to the same place: an index that is built elsewhere would be taken for ours. */
static void refuse_elsewhere(struct direct *direct, struct error *error) {
    if (!direct->run->direct_url) return;
    const struct rows *ours = place(direct, direct->run->desk, error), *there = place(direct, direct->slot, error);
    if (failed(error) || (text_equal(rows_text(ours, 0, 0), rows_text(there, 0, 0)) &&
                          text_equal(rows_text(ours, 0, 1), rows_text(there, 0, 1))))
        return;
    fail(error, FAULT_REFUSED, "the direct connection leads elsewhere: to database %s of the server at %s",
         rows_text(there, 0, 0), slot_host(direct->slot));
    fail_detail(error, "the run is in database %s of a server that was started at %s; that one was at %s",
                rows_text(ours, 0, 0), rows_text(ours, 0, 1), rows_text(there, 0, 1));
    fail_hint(error, "`database_direct` or --database-direct must lead to the very server that the pooler leads to");
}

/* In transactions with limits of our own: until then the role's count. */
static void set_up(struct direct *direct, struct error *error) {
    frame_set_reading(direct->slot, direct->arena);
    refuse_pooler(direct, error);
    if (!failed(error)) refuse_elsewhere(direct, error);
    if (!failed(error)) set_session(direct, error);
    slot_frame(direct->slot, NULL, 0);
}

struct direct *direct_open(struct run *run, size_t step, const struct entries *settings, struct error *error) {
    if (failed(error)) return NULL;
    struct arena *arena = arena_new(run->arena);
    struct direct *direct = arena_alloc(arena, sizeof *direct);
    *direct = (struct direct){.run = run, .step = step, .arena = arena, .settings = settings};
    const char *url = run->direct_url ? run->direct_url : run->url;
    direct->slot = slot_open(run->wire, arena, url, "pgwinnow", error);
    if (!failed(error)) set_up(direct, error);
    if (failed(error)) {
        arena_free(arena);
        return NULL;
    }
    direct->watch = watch_open(run, arena);
    run->outside = direct->slot;
    return direct;
}

void direct_close(struct direct *direct) {
    if (!direct) return;
    direct->run->outside = NULL;
    watch_close(direct->watch);
    arena_free(direct->arena);
}

/* 57014 of our own doing is a stop, and no failure. */
static void stopped(struct direct *direct, struct error *error) {
    if (!failed(error) || !text_equal(error->sqlstate, "57014") || !slot_cancelled(direct->slot)) return;
    struct error why = error_new(direct->arena);
    run_check_stop(direct->run, &why);
    if (!failed(&why)) return;
    error_clear(error);
    error_promote(error, &why);
}

struct rows *direct_ask(struct direct *direct, const char *about, const struct sql *sql,
                        const struct bindings *bindings, const char *const *values, int count, struct error *error) {
    if (failed(error)) return NULL;
    const char *text = sql_expand(direct->arena, sql, (bindings ? bindings : &nothing)->items, error);
    struct rows *rows = ask(direct->slot, direct->arena, &(struct statement){about, text, values, count}, error);
    stopped(direct, error);
    return rows;
}

/* For the report: what it changes, not what it asks. */
static void note(struct direct *direct, const struct sql *sql, const struct bindings *bindings) {
    struct error ignored = error_new(direct->arena);
    const char *text = sql_expand(direct->arena, sql, (bindings ? bindings : &nothing)->items, &ignored);
    record_sent(direct->run, sql, text);
}

struct rows *direct_long(struct direct *direct, const char *doing, const char *about, const struct sql *sql,
                         const struct bindings *bindings, struct error *error) {
    pause_point(direct->run, error);
    if (failed(error)) return NULL;
    direct->run->progress.doing = doing;
    watch_begin(direct->watch, direct->slot, doing);
    note(direct, sql, bindings);
    struct rows *rows = direct_ask(direct, about, sql, bindings, NULL, 0, error);
    watch_end(direct->watch);
    return rows;
}

/* A clean-up at the run's end belongs to no step. */
static const struct lock_settings *locks(const struct direct *direct) {
    return &run_settings(direct->run, direct->step)->locks;
}

static void try_short(struct direct *direct, const char *about, const struct sql *sql, const struct bindings *bindings,
                      struct error *error) {
    struct session session = session_for(direct->run, direct->step, direct->arena);
    session.lock_timeout = locks(direct)->ddl_timeout;
    session_begin(direct->slot, direct->arena, &session, error);
    direct_ask(direct, about, sql, bindings, NULL, 0, error);
    session_end(direct->slot, direct->arena, error);
}

void direct_short(struct direct *direct, const char *about, const struct sql *sql, const struct bindings *bindings,
                  struct error *error) {
    pause_point(direct->run, error);
    if (failed(error)) return;
    direct->tries = 0;
    note(direct, sql, bindings);
    do try_short(direct, about, sql, bindings, error);
    while (direct_again(direct, error));
    if (text_equal(error->sqlstate, "55P03") && !error->hint)
        error->hint = "somebody holds a lock on the table all the time; run again at a quieter moment, or raise "
                      "locks.ddl_timeout (others queue behind us that long) or locks.retries";
    direct->tries = 0;
}

void direct_waits(struct direct *direct, const char *why) {
    struct progress *progress = &direct->run->progress;
    if (why && !progress->waiting) progress->waiting_since = clock_ms();
    if (why) snprintf(direct->waiting, sizeof direct->waiting, "%s", why);
    progress->waiting = why ? direct->waiting : NULL;
}

/* The desk is lost with the same server; it is asked again after us. */
static void connect_again(struct direct *direct, struct error *error) {
    reconnect(direct->run, direct->run->desk, error);
    if (reconnect(direct->run, direct->slot, error)) set_up(direct, error);
}

static bool mends(const struct error *error) {
    if (!failed(error)) return false;
    enum verdict verdict = retry_verdict(error, false);
    return verdict == VERDICT_LATER || verdict == VERDICT_CONNECT;
}

bool direct_again(struct direct *direct, struct error *error) {
    struct run *run = direct->run;
    while (mends(error) && direct->tries++ < locks(direct)->retries) {
        bool lost = slot_lost(direct->slot);
        direct_waits(direct, error->message);
        error_clear(error);
        wire_sleep(run->wire, retry_pause(direct->tries));
        direct_waits(direct, NULL);
        run_check_stop(run, error);
        if (lost && !failed(error)) connect_again(direct, error);
        if (!failed(error)) return true;
    }
    error->final = mends(error);
    return false;
}
