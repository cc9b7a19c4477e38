/*
 * --metrics-file: numbers of the run in Prometheus' text format, for node_exporter's textfile collector and its kind.
 *
 * The file is written anew beside its place and renamed, so that a reader finds the old one or the new one, whole. A
 * failure to write it is told once, as a notice to the listeners behind; it is tried again all the same.
 * docs/metrics.md has every metric. Owns names, units and when it is written; leaves what is true to the events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "base/whole.h"
#include "events/sinks.h"
#include "plan/utf8.h"

enum { EVERY_MS = 5000, MOST_OLD = 1024 * 1024 };

struct metrics {
    struct listener listener;
    struct sink_request request;
    struct arena *arena, *scratch; /* scratch: of one event */
    const char *labels;            /* plan and environment, as they stand in front of others; NULL before an event */
    const char *ended;             /* the state that this session ended in; NULL: it goes on */
    int64_t written_at, heard_at, waited; /* ms; written_at -1: never */
    int exit_code;
    bool waiting, approval;
    double success; /* time of the last one; 0: none that we know of */
    bool told;      /* that it cannot be written */
};

static const char last_success[] = "pgwinnow_last_success_timestamp_seconds";

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)(now.tv_nsec / 1000000) / 1000;
}

/* ---- the format ---- */

/* Bytes that are no UTF-8 would cost the whole file: a scraper refuses it. */
static const char *escaped(struct arena *arena, const char *value) {
    struct text text = text_new(arena);
    bool utf8 = utf8_valid(value);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') text_add(&text, "\\");
        if (*value == '\n')
            text_add(&text, "\\n");
        else
            text_add_n(&text, utf8 || (unsigned char)*value < 127 ? value : "?", 1);
    }
    return text.data;
}

struct page;

struct metric {
    const char *name, *type, *help;
    void (*add)(struct page *);
    size_t field; /* of struct event_step; 0 where there is none */
};

struct page {
    struct text text;
    const struct metrics *metrics;
    const struct event *event;
    const struct metric *metric; /* at hand */
};

/* `more`: further labels, each with a comma in front. */
static void sample(struct page *page, const char *more, double value) {
    text_addf(&page->text, "%s{%s%s} %.*f\n", page->metric->name, page->metrics->labels, more,
              value == (double)(int64_t)value ? 0 : 3, value);
}

static void count(struct page *page, const char *more, int64_t value) {
    if (value >= 0) sample(page, more, (double)value);
}

static void seconds(struct page *page, const char *more, int64_t ms) {
    if (ms >= 0) sample(page, more, (double)ms / 1000);
}

/* ---- the run ---- */

static const char *state_of(const struct metrics *m) {
    if (m->ended) return m->ended;
    return m->request.undoing ? "undoing" : m->waiting ? "waiting" : "running";
}

static void run_info(struct page *page) {
    struct arena *arena = page->text.arena;
    const char *table = page->event->table ? page->event->table : "";
    sample(page,
           arena_printf(arena, ",run=\"%lld\",table=\"%s\",version=\"%s\"", (long long)page->event->run,
                        escaped(arena, table), PGWINNOW_VERSION),
           1);
}

static void run_state(struct page *page) {
    static const char *const states[] = {"running",   "waiting",  "paused",  "failed", "refused",
                                         "cancelled", "finished", "undoing", "undone"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        sample(page, arena_printf(page->text.arena, ",state=\"%s\"", states[i]),
               text_equal(states[i], state_of(page->metrics)));
}

static void start_time(struct page *page) {
    double began = wall_clock() - (double)page->event->ms / 1000;
    if (page->event->ms >= 0) sample(page, "", began);
}

static void duration(struct page *page) { seconds(page, "", page->event->ms); }
static void update_time(struct page *page) { sample(page, "", wall_clock()); }

static void success_time(struct page *page) {
    if (page->metrics->success > 0) sample(page, "", page->metrics->success);
}

static void exit_code(struct page *page) {
    if (page->metrics->ended) sample(page, "", page->metrics->exit_code);
}

static void waiting(struct page *page) { sample(page, "", page->metrics->waiting); }
static void waited(struct page *page) { seconds(page, "", page->metrics->waited); }
static void approval(struct page *page) { sample(page, "", page->metrics->approval); }
static void lag(struct page *page) { seconds(page, "", page->event->lag_ms); }

static void batch_size(struct page *page) {
    if (page->event->batch_size > 0) sample(page, "", (double)page->event->batch_size);
}

/* ---- its steps ---- */

static size_t step_count(const struct page *page) { return page->event->steps ? page->event->step_count : 0; }

static const char *step_label(const struct page *page, const struct event_step *step) {
    return arena_printf(page->text.arena, ",step=\"%s\"", escaped(page->text.arena, step->name));
}

static void step_state(struct page *page) {
    static const char *const states[] = {
        [STEP_WAITING] = "waiting", [STEP_RUNNING] = "running", [STEP_DONE] = "done",
        [STEP_SKIPPED] = "skipped", [STEP_FAILED] = "failed",
    };
    for (size_t i = 0; i < step_count(page); i++)
        for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
            const char *label = step_label(page, &page->event->steps[i]);
            sample(page, arena_printf(page->text.arena, "%s,state=\"%s\"", label, states[s]),
                   page->event->steps[i].state == (enum step_state)s);
        }
}

static int64_t field_of(const struct page *page, const struct event_step *step) {
    return *(const int64_t *)((const char *)step + page->metric->field);
}

static void step_counts(struct page *page) {
    for (size_t i = 0; i < step_count(page); i++)
        count(page, step_label(page, &page->event->steps[i]), field_of(page, &page->event->steps[i]));
}

static void step_seconds(struct page *page) {
    for (size_t i = 0; i < step_count(page); i++)
        seconds(page, step_label(page, &page->event->steps[i]), field_of(page, &page->event->steps[i]));
}

static void step_remaining(struct page *page) {
    const struct event *event = page->event;
    if (event->step < step_count(page) && !page->metrics->ended)
        seconds(page, step_label(page, &event->steps[event->step]), event->eta_ms);
}

/* ---- the file ---- */

#define FIELD(name) offsetof(struct event_step, name)

static const struct metric all_metrics[] = {
    {"pgwinnow_run_info", "gauge", "The latest run of the plan: its number and table, and the program's version.",
     run_info, 0},
    {"pgwinnow_run_state", "gauge", "1 for the state that the run is in, 0 for the others.", run_state, 0},
    {"pgwinnow_run_start_time_seconds", "gauge", "When this session of the run began, in Unix time.", start_time, 0},
    {"pgwinnow_run_duration_seconds", "gauge", "How long this session of the run has taken.", duration, 0},
    {"pgwinnow_run_exit_code", "gauge", "How this session ended; not there while it goes on.", exit_code, 0},
    {"pgwinnow_last_update_timestamp_seconds", "gauge", "When this was written, in Unix time.", update_time, 0},
    {last_success, "gauge", "When a run of the plan last finished, in Unix time; kept over runs.", success_time, 0},
    {"pgwinnow_waiting", "gauge", "1 while the run waits: for its throttle, a lock, a connection.", waiting, 0},
    {"pgwinnow_waiting_seconds_total", "counter", "How long this session of the run has waited.", waited, 0},
    {"pgwinnow_approval_needed", "gauge", "1 while an approve step waits for pgwinnow approve.", approval, 0},
    {"pgwinnow_batch_size_rows", "gauge", "Rows that a batch aims at, children included.", batch_size, 0},
    {"pgwinnow_replica_lag_seconds", "gauge", "Of the standby that is furthest behind of those looked at.", lag, 0},
    {"pgwinnow_step_state", "gauge", "1 for the state that the step is in, 0 for the others.", step_state, 0},
    {"pgwinnow_step_rows_total", "counter", "Rows that the step is done with, in all sessions of the run.", step_counts,
     FIELD(rows)},
    {"pgwinnow_step_expected_rows", "gauge", "Rows that the step has to go through, as far as it is known.",
     step_counts, FIELD(total)},
    {"pgwinnow_step_spared_rows_total", "counter", "Rows left alone, since they no longer qualified.", step_counts,
     FIELD(spared)},
    {"pgwinnow_step_batches_total", "counter", "Batches that the step has committed.", step_counts, FIELD(batches)},
    {"pgwinnow_step_seconds_total", "counter", "Time that the step has taken, in all sessions of the run.",
     step_seconds, FIELD(ms)},
    {"pgwinnow_step_remaining_seconds", "gauge", "Time that the step at hand still takes at its present rate.",
     step_remaining, 0},
};

static struct text contents(const struct metrics *m, const struct event *event) {
    struct page page = {.text = text_new(m->scratch), .metrics = m, .event = event};
    for (size_t i = 0; i < sizeof all_metrics / sizeof *all_metrics; i++) {
        const struct metric *metric = &all_metrics[i];
        struct text before = page.text;
        page.text = text_new(m->scratch);
        page.metric = metric;
        metric->add(&page);
        const char *samples = page.text.data;
        page.text = before;
        if (*samples)
            text_addf(&page.text, "# HELP %s %s\n# TYPE %s %s\n%s", metric->name, metric->help, metric->name,
                      metric->type, samples);
    }
    return page.text;
}

static void tell_problem(struct metrics *m, const struct event *event, const char *why) {
    if (m->told) return;
    m->told = true;
    struct event notice = *event;
    notice.type = EVENT_NOTICE;
    notice.message = arena_printf(m->scratch, "cannot write the metrics file %s: %s", m->request.metrics, why);
    notice.detail = NULL;
    notice.hint = "the run goes on without it, and tries again every five seconds";
    event_tell(m->listener.next, &notice);
}

/* What a run of this plan before us wrote: when one last finished is still true. */
static void read_success(struct metrics *m) {
    FILE *file = fopen(m->request.metrics, "re");
    if (!file) return;
    const char *start = arena_printf(m->scratch, "%s{%s} ", last_success, m->labels);
    char *line = NULL;
    size_t room = 0;
    for (size_t read = 0; read < MOST_OLD && getline(&line, &room, file) > 0; read += strlen(line))
        if (text_starts(line, start)) m->success = strtod(line + strlen(start), NULL);
    free(line);
    fclose(file);
}

/* ---- hearing ---- */

static const char *end_of(const struct metrics *m, const struct event *event) {
    switch (event->type) {
    case EVENT_RUN_FINISHED: return m->request.undoing ? "undone" : "finished";
    case EVENT_RUN_PAUSED: return m->request.undoing ? "undoing" : "paused";
    case EVENT_RUN_CANCELLED: return "cancelled";
    default: return event->exit_code == FAULT_REFUSED || event->exit_code == FAULT_USAGE ? "refused" : "failed";
    }
}

static void take(struct metrics *m, const struct event *event) {
    int64_t now = m->request.now();
    if (!m->labels) {
        m->labels = arena_printf(m->arena, "plan=\"%s\",environment=\"%s\"", escaped(m->scratch, event->plan),
                                 event->environment ? escaped(m->scratch, event->environment) : "");
        m->heard_at = now;
        read_success(m);
    }
    if (m->waiting) m->waited += now - m->heard_at;
    m->heard_at = now;
    m->waiting = event->waiting && !event_ends(event->type);
    if (event->type == EVENT_APPROVAL_NEEDED)
        m->approval = true;
    else if (event->type != EVENT_PROGRESS && event->type != EVENT_NOTICE && event->type != EVENT_RUN_PAUSED)
        m->approval = false;
    if (event->type == EVENT_RUN_STARTED || event->type == EVENT_RUN_RESUMED) m->ended = NULL;
    if (m->request.undoing && event->type == EVENT_STEP_FINISHED) m->ended = "undone"; /* the one step it has */
    if (!event_ends(event->type)) return;
    m->ended = end_of(m, event);
    m->exit_code = event->type == EVENT_RUN_FINISHED ? 0 : event->exit_code;
    if (event->type == EVENT_RUN_FINISHED && !m->request.undoing) m->success = wall_clock();
}

static void hear(struct listener *listener, const struct event *event) {
    struct metrics *m = (struct metrics *)listener;
    arena_reset(m->scratch);
    take(m, event);
    bool often = event->type == EVENT_PROGRESS || event->type == EVENT_BATCH_COMMITTED || event->type == EVENT_NOTICE;
    if (often && m->written_at >= 0 && m->heard_at - m->written_at < EVERY_MS) return;
    m->written_at = m->heard_at;
    struct text text = contents(m, event);
    const char *why = whole_write(m->scratch, m->request.metrics, text.data, text.length, 0644);
    if (why) tell_problem(m, event, why);
}

static struct listener *open_metrics(struct arena *arena, const struct sink_request *request) {
    if (!request->metrics) return NULL;
    struct metrics *m = arena_alloc(arena, sizeof *m);
    m->listener.hear = hear;
    m->request = *request;
    if (!m->request.now) m->request.now = clock_ms;
    m->arena = arena;
    m->scratch = arena_new(arena);
    m->written_at = -1;
    return &m->listener;
}

const struct sink metrics_sink = {"metrics", "numbers for Prometheus, in a file", open_metrics};
