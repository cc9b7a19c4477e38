/* What the tests of sinks share: a run of made-up events, told into a file that is read back. */
#pragma once
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "events/sinks.h"
#include "unit.h"

enum { STEPS = 3 };

struct listening {
    struct arena *arena; /* the sink's */
    FILE *file;
    struct listener *listener;
    struct event_step steps[STEPS];
    struct event event;
};

static int64_t test_time; /* ms, as the sinks see it */
static inline int64_t test_now(void) { return test_time; }

static inline struct listening *listen_with(struct arena *arena, const char *sink, struct sink_request request) {
    struct listening *l = arena_alloc(arena, sizeof *l);
    l->arena = arena_new(arena);
    l->file = tmpfile();
    request.fd = fileno(l->file);
    request.now = test_now;
    for (int i = 0; sink_table[i]; i++)
        if (strcmp(sink_table[i]->name, sink) == 0) l->listener = sink_table[i]->open(l->arena, &request);
    static const char *const names[STEPS] = {"track", "delete", "vacuum"};
    for (int i = 0; i < STEPS; i++) l->steps[i] = (struct event_step){names[i], STEP_WAITING, -1, -1, 0, 0, -1};
    l->event = (struct event){.run = 7, .plan = "dedupe-listings", .environment = "staging", .table = "public.listings",
                              .steps = l->steps, .step_count = STEPS, .step = STEPS, .rate = -1, .eta_ms = -1,
                              .batch_size = -1, .lag_ms = -1, .waiting_ms = -1, .ms = 0};
    return l;
}

static inline void tell(struct listening *l, enum event_type type) {
    l->event.type = type;
    event_tell(l->listener, &l->event);
}

static inline void start_step(struct listening *l, size_t step, int64_t total) {
    l->event.step = step;
    l->steps[step] = (struct event_step){l->steps[step].name, STEP_RUNNING, 0, total, 0, 0, 0};
    tell(l, EVENT_STEP_STARTED);
}

static inline void finish_step(struct listening *l, int64_t rows, int64_t ms) {
    struct event_step *step = &l->steps[l->event.step];
    step->state = STEP_DONE;
    step->rows = rows;
    step->ms = ms;
    tell(l, EVENT_STEP_FINISHED);
}

/* All that was written, the sink closed. */
static inline char *heard(struct listening *l, struct arena *arena) {
    struct text text = text_new(arena);
    char piece[4096];
    size_t n;
    arena_free(l->arena);
    rewind(l->file);
    while ((n = fread(piece, 1, sizeof piece, l->file)) > 0) text_add_n(&text, piece, n);
    fclose(l->file);
    return text.data;
}
