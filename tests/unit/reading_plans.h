/* Plans from texts, with the fake steps, and what tests ask about the problems found. */
#pragma once
#include "complain.h"
#include "fake_steps.h"

struct outcome {
    struct problems problems;
    struct plan *plan;
};

static inline struct outcome read_request(struct arena *arena, const char *text, struct plan_request request) {
    struct outcome o = {.problems = problems_new(arena)};
    if (!request.file) request.file = "dir/p.yaml";
    request.steps = fake_steps;
    o.plan = plan_read_text(arena, &request, text, strlen(text), &o.problems);
    problems_sort(&o.problems);
    return o;
}

static inline struct outcome read_plan(struct arena *arena, const char *text) {
    return read_request(arena, text, (struct plan_request){0});
}

/* A plan around the lines of one index step, which begin in line 6 (and in column 5 when not indented further). */
static inline struct outcome read_index(struct arena *arena, const char *lines) {
    const char *head = "plan: p\ntable: t\nvariables:\n  v: { default: five }\n";
    const char *text = arena_printf(arena, "%ssteps: [ index: {\n%s}]\n", head, lines);
    return read_plan(arena, text);
}

static inline void show(const struct outcome *o) {
    for (size_t i = 0; i < o->problems.count; i++) {
        const struct problem *p = &o->problems.items[i];
        print_error("%d:%d: %s (%s)\n", p->place.line, p->place.column, p->message, p->hint ? p->hint : "");
    }
}

static inline void expect_none(const struct outcome *o) {
    if (!o->problems.count) return;
    show(o);
    COMPLAIN("there should be no problem");
}

/* The n-th problem; line 0: it has no line. `hint` may be NULL: any. */
static inline void expect(const struct outcome *o, size_t n, int line, int column, const char *says, const char *hint) {
    const struct problem *p = n < o->problems.count ? &o->problems.items[n] : NULL;
    bool right = p && p->place.line == line && p->place.column == column && strstr(p->message, says);
    if (right && (!hint || (p->hint && strstr(p->hint, hint)))) return;
    show(o);
    COMPLAIN("problem %zu should be at %d:%d and say '%s' (%s)", n, line, column, says, hint ? hint : "");
}

static inline void expect_only(const struct outcome *o, int line, int column, const char *says, const char *hint) {
    expect(o, 0, line, column, says, hint);
    if (o->problems.count == 1) return;
    show(o);
    COMPLAIN("there should be one problem");
}

/* The whole of the plan's definition in canonical form. */
static inline const char *definition(struct arena *arena, const struct plan *plan) {
    char *dump = json_dumps(plan->definition, JSON_SORT_KEYS | JSON_COMPACT);
    const char *copy = arena_strdup(arena, dump);
    free(dump);
    return copy;
}
