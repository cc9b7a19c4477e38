/* Asking something of a run from outside: the common parts of its commands. */
#include "commands/control.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/shown.h"

enum { PATIENCE_MS = 3000, LOOK_MS = 100 };

bool control_is(const struct control *c, const char *state) { return text_equal(c->run->state, state); }

static void refuse_over(const struct control *c, struct error *error) {
    const struct overview *o = c->run;
    if (!overview_over(o)) return;
    fail(error, FAULT_REFUSED, "run %lld of plan %s is over: it is %s since %s", (long long)o->run, o->plan, o->state,
         o->finished_text ? o->finished_text : "some time");
    if (c->named.run)
        fail_hint(error, "`pgwinnow status` lists the runs that are not");
    else
        fail_hint(error, "it is the latest run of its plan; `pgwinnow status` lists the runs that are not over");
}

struct control control_open(struct command_line *line, struct arena *arena, struct error *error) {
    struct control c = {.line = line, .arena = arena, .named = desk_named(line, arena, error)};
    c.state = desk_open(line, arena, c.named.url, error);
    if (!failed(error)) c.run = desk_find(&c.state, arena, &c.named, error);
    if (failed(error)) return c;
    refuse_over(&c, error);
    if (!failed(error) && schema_version(&c.state, arena, error) < STATE_VERSION && !failed(error)) {
        fail(error, FAULT_REFUSED, "the state schema %s is of an older version, which knows nothing of this",
             c.state.schema);
        fail_hint(error, "`pgwinnow init` upgrades it, and so does the next run");
    }
    return c;
}

static void look(struct control *c, struct error *error) {
    struct named exactly = {.run = c->run->run};
    const struct overview *now = desk_find(&c->state, c->arena, &exactly, error);
    if (now) c->run = now;
}

bool control_await(struct control *c, bool (*done)(const struct overview *), struct error *error) {
    int64_t began = clock_ms();
    look(c, error);
    while (!failed(error) && !done(c->run) && c->run->alive && clock_ms() - began < PATIENCE_MS) {
        wire_sleep(slot_wire(c->state.slot), LOOK_MS);
        look(c, error);
    }
    return !failed(error) && done(c->run);
}

static void answer(struct control *c, const struct told *t) {
    const struct overview *o = c->run;
    struct arena *arena = c->arena;
    json_t *json = json_pack(
        "{s:I, s:o, s:o, s:s, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "run", (json_int_t)o->run, "plan",
        json_text_or_null(arena, o->plan), "environment", json_text_or_null(arena, o->environment), "act", t->act,
        "effective", (int)t->effective, "state", json_text_or_null(arena, o->state), "wanted",
        json_text_or_null(arena, o->wanted), "hold", (int)o->hold, "runner",
        o->alive ? json_text_or_null(arena, o->holder) : json_null(), "step", json_text_or_null(arena, t->step),
        "remains", json_text_or_null(arena, t->remains), "next", json_text_or_null(arena, t->next));
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    c->line->answered = true;
}

void control_tell(struct control *c, const struct told *t) {
    if (c->line->json) {
        answer(c, t);
        return;
    }
    if (c->line->quiet) return;
    printf("Run %lld of plan %s %s\n", (long long)c->run->run, c->run->plan, t->text);
    if (t->remains) printf("%s\n", t->remains);
    if (t->next) printf("Next: %s\n", t->next);
}
