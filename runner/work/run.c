/* Small questions about a run that every step asks. */
#include "work/run.h"

#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/text.h"
#include "plan/retune.h"
#include "work/pause.h"

const struct settings *run_settings(const struct run *run, size_t step) {
    size_t count = run->plan->step_count;
    return &run->live[step < count ? step : count];
}

void run_take_settings(struct run *run) {
    const struct plan *plan = run->plan;
    run->live = arena_alloc(run->arena, (plan->step_count + 1) * sizeof *run->live);
    for (size_t i = 0; i < plan->step_count; i++) run->live[i] = plan->steps[i].settings;
    run->live[plan->step_count] = plan->settings;
}

/* In place: loops hold pointers into it. */
static void lay_over(struct run *run, const json_t *overrides) {
    const struct plan *plan = run->plan;
    for (size_t i = 0; i <= plan->step_count; i++) {
        struct settings settings = i < plan->step_count ? plan->steps[i].settings : plan->settings;
        retune_all(run->arena, &settings, overrides);
        run->live[i] = settings;
    }
}

static const char *settings_text(struct arena *arena, const json_t *overrides) {
    struct text text = text_new(arena);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)overrides, key, value)
        text_addf(&text, "%s%s=%s", text.length ? ", " : "", key, json_string_value(value));
    return text.length ? text.data : "all as the plan says";
}

void run_retune(struct run *run, const char *overrides) {
    if (text_equal(run->overrides, overrides)) return;
    run->overrides = overrides ? arena_strdup(run->arena, overrides) : NULL;
    json_t *json = overrides ? json_loads(overrides, 0, NULL) : json_object();
    lay_over(run, json);
    run_tell(run, EVENT_NOTICE, arena_printf(run->arena, "settings: %s", settings_text(run->arena, json)), NULL);
    json_decref(json);
}

bool run_cancelled(const struct run *run) { return text_equal(run->wanted, "cancelled") && !run->tidying; }

void run_check_stop(struct run *run, struct error *error) {
    if (run->lease_lost) {
        fail(error, FAULT_HELD, "the lease of run %lld was lost to another runner", (long long)run->holder.run);
        fail_hint(error, "nothing more was written by this one; `pgwinnow status` shows who runs it now");
    } else if (run->lost_history) {
        fail(error, FAULT_CONNECTION, "%s", run->lost_history);
        fail_detail(error, "a standby took over that did not have it yet, or the server crashed with "
                           "synchronous_commit = off");
        fail_hint(error, "the same command goes on from what is there");
        error->final = true;
    } else if (stop_level() > 0) {
        fail(error, FAULT_STOPPED, "stopped by a signal; what was begun is saved");
        fail_hint(error, "the same command goes on from here");
    } else if (run->tidying) {
        return;
    } else if (run->wanted && !(run->wait && text_equal(run->wanted, "paused"))) {
        pause_fail(run, error);
    } else if (run->hold.gave_up) {
        fail(error, FAULT_STOPPED, "gave up after waiting for %s: %s", clock_text(error->arena, run->hold.gave_up),
             run->hold.reason);
        fail_hint(error, "the same command goes on from here; `give_up` of `throttle` says how long it waits");
    } else if (run->max_rows && run->removed >= run->max_rows) {
        fail(error, FAULT_STOPPED, "stopped after %s row%s, as --max-rows asked",
             text_count(error->arena, run->removed), run->removed == 1 ? "" : "s");
        fail_hint(error, "look at the result; the same command without --max-rows goes on from here");
    } else if (run->max_time && clock_ms() - run->began >= run->max_time) {
        fail(error, FAULT_STOPPED, "stopped after %s, as --max-time asked", clock_text(error->arena, run->max_time));
        fail_hint(error, "the same command goes on from here");
    }
}

void run_changes(struct run *run, unsigned oid) {
    run->changes = arena_grow(run->arena, run->changes, &run->change_count, sizeof *run->changes);
    run->changes[run->change_count - 1] = oid;
}

void run_refuse(struct run *run, const struct error *guard, struct error *error) {
    if (!failed(guard) || failed(error)) return;
    if (!run->explaining || guard->fault != FAULT_REFUSED) {
        error_promote(error, guard);
        return;
    }
    run->refusals = arena_grow(run->arena, run->refusals, &run->refusal_count, sizeof *run->refusals);
    run->refusals[run->refusal_count - 1] = error_new(run->arena);
    error_promote(&run->refusals[run->refusal_count - 1], guard);
}

void run_refuse_hidden(const struct table *table, struct error *error) {
    if (!table->row_security) return;
    fail(error, FAULT_REFUSED, "row security of %s hides rows from this role", table->shown);
    fail_hint(error,
              "run as a role that sees them all: the owner (without FORCE ROW LEVEL SECURITY), or one with BYPASSRLS");
}

/* A grant begins its line and ends it, or what it is for follows. */
static bool is_listed(const char *list, const char *grant) {
    size_t length = strlen(grant);
    for (const char *line = list; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, grant, length) == 0 && (!line[length] || strchr("\n ", line[length]))) return true;
    }
    return false;
}

/* GRANT SELECT, DELETE ON t TO r; gives what GRANT SELECT ON t TO r; does. */
static bool is_given(struct arena *arena, const char *list, const char *grant) {
    static const char select[] = "GRANT SELECT ON ", more[] = "GRANT SELECT, ";
    if (strncmp(grant, select, strlen(select)) != 0) return false;
    const char *rest = arena_printf(arena, " ON %s", grant + strlen(select));
    for (const char *line = list; line && (line = strstr(line, more)); line++) {
        size_t length = strcspn(line, "\n");
        const char *there = strstr(line, rest);
        if (there && there < line + length) return true;
    }
    return false;
}

void run_lacks(struct run *run, const char *grant, const char *why) {
    const char *before = run->missing_rights;
    if (is_listed(before, grant) || is_given(run->arena, before, grant)) return;
    run->missing_rights = arena_printf(run->arena, "%s%s%s%s%s", before ? before : "", before ? "\n" : "", grant,
                                       why ? " -- " : "", why ? why : "");
}

void run_lacks_all(struct run *run, const char *lines) {
    while (lines && *lines) {
        size_t length = strcspn(lines, "\n");
        if (length) run_lacks(run, arena_strndup(run->arena, lines, length), NULL);
        lines += length + (lines[length] == '\n');
    }
}

void run_refuse_lacking(struct run *run, struct error *error) {
    if (!run->missing_rights || run->explaining) return;
    fail(error, FAULT_REFUSED, "the role %s lacks rights that the plan needs", slot_user(run->desk));
    fail_detail(error, "%s", run->missing_rights);
    fail_hint(error, "nothing was changed; let the owner of the tables, or a superuser, run these lines");
}

enum { SHORT_WAIT_MS = 1000 };

struct event run_event(const struct run *run, enum event_type type) {
    const struct progress *p = &run->progress;
    const struct event_step *now = run->shown ? &run->shown[run->step] : NULL;
    bool counting = now && run->step < run->plan->step_count && now->total >= 0;
    int64_t left = counting ? now->total - now->rows : -1, waited = p->waiting ? clock_ms() - p->waiting_since : 0;
    if (waited >= SHORT_WAIT_MS) left = -1; /* nobody knows when it goes on */
    return (struct event){
        .type = type,
        .run = run->holder.run,
        .plan = run->plan->name,
        .environment = run->plan->environment,
        .table = run->table ? run->table->shown : run->plan->table.name,
        .steps = run->shown,
        .step_count = run->plan->step_count,
        .step = run->step,
        .rate = p->rate,
        .eta_ms = left >= 0 && p->rate > 0 ? (int64_t)((double)left / p->rate * 1000) : -1,
        .batch_size = p->batch_size,
        .lag_ms = run->lag_ms,
        .doing = p->doing,
        .waiting = p->waiting,
        .waiting_ms = waited,
        .until = p->waiting ? p->until : NULL,
        .ms = clock_ms() - run->began,
    };
}

void run_tell(struct run *run, enum event_type type, const char *message, const char *hint) {
    struct event event = run_event(run, type);
    event.message = message;
    event.hint = hint;
    event_tell(run->listeners, &event);
}
