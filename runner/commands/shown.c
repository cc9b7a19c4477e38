/* Runs as people read them. */
#include "commands/shown.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/grid.h"

enum { LABEL = 10, WIDEST = 4000, TEXT_WIDTH = 98, LEAST_TEXT = 20, MOST_ACTS = 5 };

static enum style style_of(const char *state) {
    static const struct {
        const char *state;
        enum style style;
    } styles[] = {{"running", STYLE_CYAN},       {"waiting", STYLE_YELLOW}, {"paused", STYLE_YELLOW},
                  {"interrupted", STYLE_YELLOW}, {"failed", STYLE_RED},     {"refused", STYLE_RED},
                  {"finished", STYLE_GREEN},     {"done", STYLE_GREEN},     {"undoing", STYLE_YELLOW},
                  {"undone", STYLE_GREEN}};
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (text_equal(styles[i].state, state)) return styles[i].style;
    return STYLE_PLAIN;
}

static bool is(const struct overview *o, const char *state) { return text_equal(o->state, state); }

/* --- a page about one --- */

struct page {
    FILE *out;
    struct arena *arena;
    bool colour;
    size_t width; /* of texts behind their labels */
};

/* "  label     text", wrapped below itself. */
static void say(const struct page *page, const char *label, enum style style, const char *text) {
    const char *rest = text, *part, *head = label;
    while ((part = line_wrap(page->arena, &rest, page->width))) {
        struct line line = line_new(page->arena, WIDEST, page->colour, true);
        line_add(&line, STYLE_DIM, head);
        line_pad(&line, LABEL);
        line_add(&line, style, part);
        fprintf(page->out, "  %s\n", line.text.data);
        head = "";
    }
}

/* A server's text keeps its lines. */
static void say_lines(const struct page *page, const char *label, enum style style, const char *text) {
    const char *head = label;
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        say(page, head, style, arena_strndup(page->arena, text, length));
        head = "";
        text += length + (text[length] == '\n');
    }
}

static const char *state_text(struct arena *arena, const struct overview *o) {
    const char *quiet = clock_text(arena, o->quiet_ms > 0 ? o->quiet_ms : 0);
    if (is(o, "interrupted"))
        return o->holder ? arena_printf(arena, "interrupted: its runner, %s, has been gone for %s", o->holder, quiet)
                         : arena_printf(arena, "interrupted: its runner never got to work, %s ago", quiet);
    if (o->finished_text)
        return arena_printf(arena, "%s at %s, after %s", o->state, o->finished_text, clock_text(arena, o->ms));
    const char *asked = o->wanted && !is(o, o->wanted) ? arena_printf(arena, ", and asked to be %s", o->wanted) : "";
    if (!o->alive) return arena_printf(arena, "%s for %s%s", o->state, quiet, asked);
    return *asked ? arena_printf(arena, "%s%s", o->state, asked) : o->state;
}

static const char *speed_text(struct arena *arena, const struct overview *o) {
    const char *rate = text_count(arena, (long long)(o->rate + 0.5));
    if (o->eta_ms < 0) return arena_printf(arena, "%s rows a second", rate);
    return arena_printf(arena, "%s rows a second, %s left for this step", rate, clock_text(arena, o->eta_ms));
}

const char *shown_go_on(struct arena *arena, const struct overview *o, const struct named *named, const char *option) {
    if (is(o, "undoing")) return arena_printf(arena, "pgwinnow undo %lld", (long long)o->run);
    const char *file = named->file ? named->file : arena_printf(arena, "FILE    (the file of plan %s)", o->plan);
    const char *environment = o->environment ? arena_printf(arena, " --env %s", o->environment) : "";
    return arena_printf(arena, "pgwinnow run%s%s %s", option, environment, file);
}

static void say_archive(const struct page *page, const struct overview *o) {
    struct arena *arena = page->arena;
    bool changed = o->removed > 0 || o->children > 0;
    if (!o->archives || !changed || is(o, "undone") || is(o, "undoing") || o->alive) return;
    const char *until = o->archive_until ? arena_printf(arena, "; kept until %s", o->archive_until) : "";
    const char *without = overview_kept_nothing(o);
    if (without) {
        say(page, "undo", STYLE_PLAIN, arena_printf(arena, "not possible: step %s kept nothing", without));
        return;
    }
    say(page, "undo", STYLE_PLAIN,
        arena_printf(arena, "pgwinnow undo %lld brings back what it removed%s", (long long)o->run, until));
}

static void say_what_next(const struct page *page, const struct overview *o, const struct named *named) {
    struct arena *arena = page->arena;
    if (overview_over(o)) {
        if (o->objects)
            say(page, "left over", STYLE_PLAIN,
                arena_printf(
                    arena, "%lld object%s in the database, such as the list of what went; pgwinnow clean %lld drops %s",
                    (long long)o->objects, o->objects == 1 ? "" : "s", (long long)o->run,
                    o->objects == 1 ? "it" : "them"));
        return;
    }
    if (o->alive && (is(o, "running") || is(o, "waiting") || is(o, "undoing"))) return;
    if (!o->alive && text_equal(o->wanted, "cancelled")) {
        say(page, "ends", STYLE_BOLD,
            arena_printf(arena, "pgwinnow cancel %lld, or the next run of its plan, which then starts anew",
                         (long long)o->run));
        return;
    }
    if (o->hold)
        say(page, "on hold", STYLE_YELLOW, arena_printf(arena, "until `pgwinnow resume %lld`", (long long)o->run));
    if (o->alive && is(o, "paused")) {
        say(page, "go on", STYLE_BOLD, arena_printf(arena, "pgwinnow resume %lld", (long long)o->run));
        return;
    }
    say(page, "go on", STYLE_BOLD, shown_go_on(arena, o, named, ""));
    if (is(o, "refused") || is(o, "failed"))
        say(page, "or anew", STYLE_PLAIN, shown_go_on(arena, o, named, " --fresh"));
}

static void say_guards(const struct page *page, const struct overview *o) {
    for (size_t i = 0; i < o->guard_count; i++) {
        const struct overview_guard *g = &o->guards[i];
        const char *text =
            text_equal(g->state, "armed") ? arena_printf(page->arena, "keeps new duplicates out of %s as %s, since %s",
                                                         g->table, g->constraint, g->since_text)
            : text_equal(g->state, "disarmed")
                ? arena_printf(page->arena, "disarmed; its trigger %s of %s does nothing and is still to be dropped%s",
                               g->trigger, g->table, overview_over(o) ? " (pgwinnow clean)" : "")
                : arena_printf(page->arena, "not there: the trigger %s of %s is missing", g->trigger, g->table);
        say(page, "guard", STYLE_PLAIN, text);
    }
}

/* Nothing is said of those that took all there was. */
static void say_webhooks(const struct page *page, const struct overview *o) {
    for (size_t i = 0; i < o->webhook_count; i++) {
        const struct overview_webhook *w = &o->webhooks[i];
        struct text text = text_new(page->arena);
        if (!w->waiting && !w->dropped && !w->gone) continue;
        text_addf(&text, "%s: %s delivered", w->endpoint, text_count(page->arena, w->delivered));
        if (w->waiting) text_addf(&text, ", %s waiting", text_count(page->arena, w->waiting));
        if (w->dropped) text_addf(&text, ", %s dropped", text_count(page->arena, w->dropped));
        if (w->gone) text_add(&text, ", it wants no more");
        if (w->answer) text_addf(&text, " (%s)", w->answer);
        say(page, "webhook", STYLE_YELLOW, text.data);
    }
}

static const char *rows_text_of(struct arena *arena, const struct overview_step *s) {
    if (s->total >= 0 && s->total != s->rows)
        return arena_printf(arena, "%s of %s", text_count(arena, s->rows), text_count(arena, s->total));
    return s->rows || s->total >= 0 ? text_count(arena, s->rows) : NULL;
}

static void say_steps(const struct page *page, const struct overview *o) {
    static const char *const headings[] = {"step", "state", ">rows", ">spared", ">batches", ">time", "", NULL};
    struct arena *arena = page->arena;
    struct grid grid = grid_new(arena, headings);
    for (size_t i = 0; i < o->step_count; i++) {
        const struct overview_step *s = &o->steps[i];
        struct grid_cell *cells = grid_add(&grid);
        bool stopped = text_equal(s->state, "running") && !o->alive;
        cells[0].text = s->round > 1 ? arena_printf(arena, "%s (round %d)", s->name, s->round) : s->name;
        cells[1] = (struct grid_cell){stopped ? "begun" : s->state, style_of(s->state)};
        cells[2].text = rows_text_of(arena, s);
        cells[3].text = s->spared ? text_count(arena, s->spared) : NULL;
        cells[4].text = s->batches ? text_count(arena, s->batches) : NULL;
        cells[5].text = s->ms >= 0 ? clock_text(arena, s->ms) : NULL;
        cells[6] = (struct grid_cell){s->note, STYLE_DIM};
    }
    fputc('\n', page->out);
    grid_print(&grid, page->out, "  ", page->colour);
}

/* ": batch.size=500, batch.pause="; what was taken back is null, and was typed like that. */
static const char *detail_text(struct arena *arena, const char *detail) {
    json_t *json = detail ? json_loads(detail, 0, NULL) : NULL, *value;
    struct text text = text_new(arena);
    const char *key;
    json_object_foreach(json, key, value) {
        const char *shown = json_is_string(value) ? json_string_value(value)
                            : json_is_null(value) ? ""
                                                  : json_written(arena, value, JSON_COMPACT);
        text_addf(&text, "%s%s=%s", text.length ? ", " : ": ", key, shown);
    }
    json_decref(json);
    return text.data;
}

static void say_acts(const struct page *page, const struct overview *o) {
    size_t first = o->act_count > MOST_ACTS ? o->act_count - MOST_ACTS : 0;
    for (size_t i = first; i < o->act_count; i++) {
        const struct overview_act *a = &o->acts[i];
        say(page, i == first ? "asked" : "", STYLE_PLAIN,
            arena_printf(page->arena, "%s  %s by %s%s", a->at_text, a->act, a->role,
                         detail_text(page->arena, a->detail)));
    }
}

static const char *waiting_text(struct arena *arena, const struct overview *o) {
    const char *before = o->waiting.throttled ? ": " : " for ";
    if (o->waiting.ms < 0) return arena_printf(arena, "for %s", o->waiting.reason);
    return arena_printf(arena, "%s%s%s", clock_text(arena, o->waiting.ms), before, o->waiting.reason);
}

static size_t text_width(size_t width) {
    size_t taken = LABEL + 2;
    if (!width || width > TEXT_WIDTH + taken) return TEXT_WIDTH;
    return width < LEAST_TEXT + taken ? LEAST_TEXT : width - taken;
}

void shown_page(FILE *out, struct arena *arena, const struct overview *o, const struct named *named, bool colour,
                size_t width) {
    struct page page = {out, arena, colour, text_width(width)};
    struct line title = line_new(arena, WIDEST, colour, true);
    line_addf(&title, STYLE_BOLD, "run %lld of plan %s", (long long)o->run, o->plan);
    if (o->environment) line_addf(&title, STYLE_PLAIN, ", environment %s", o->environment);
    line_addf(&title, STYLE_PLAIN, ", table %s", o->table);
    fprintf(out, "%s\n", title.text.data);
    say(&page, "state", style_of(o->state), state_text(arena, o));
    say(&page, "started", STYLE_PLAIN,
        arena_printf(arena, "%s, %s ago, by role %s", o->started_text, clock_text(arena, o->ms), o->role));
    if (o->alive && o->holder && !overview_over(o)) say(&page, "runner", STYLE_PLAIN, o->holder);
    if (o->lane && !overview_over(o)) say(&page, "lane", STYLE_PLAIN, o->lane);
    if (o->settings) say(&page, "set", STYLE_PLAIN, o->settings);
    say_acts(&page, o);
    if (o->waiting.reason) say(&page, "waiting", STYLE_YELLOW, waiting_text(arena, o));
    if (o->waiting.until) say(&page, "until", STYLE_PLAIN, o->waiting.until);
    if (o->rate >= 0) say(&page, "speed", STYLE_PLAIN, speed_text(arena, o));
    if (o->error.message) {
        bool calm = is(o, "paused") || overview_over(o);
        say_lines(&page, "because", calm ? STYLE_PLAIN : STYLE_RED, o->error.message);
        say_lines(&page, "", STYLE_PLAIN, o->error.detail);
        say_lines(&page, "hint", STYLE_PLAIN, o->error.hint);
    }
    say_what_next(&page, o, named);
    say_archive(&page, o);
    say_guards(&page, o);
    say_webhooks(&page, o);
    if (o->step_count) say_steps(&page, o);
}

/* --- lines about many --- */

/* The step at hand: the first that is neither done nor skipped. */
static const struct overview_step *at_hand(const struct overview *o) {
    const struct overview_step *found = NULL;
    for (size_t i = 0; i < o->step_count; i++) {
        const struct overview_step *s = &o->steps[i];
        if (text_equal(s->state, "running")) found = s;
        if (!found && text_equal(s->state, "waiting")) return s;
    }
    return found;
}

void shown_unfinished(FILE *out, struct arena *arena, const struct overview *list, size_t count, bool colour) {
    static const char *const headings[] = {">run", "plan", "environment", "state", "step", ">rows", "why", NULL};
    struct grid grid = grid_new(arena, headings);
    for (size_t i = 0; i < count; i++) {
        const struct overview *o = &list[i];
        const struct overview_step *step = at_hand(o);
        struct grid_cell *cells = grid_add(&grid);
        cells[0].text = arena_printf(arena, "%lld", (long long)o->run);
        cells[1].text = o->plan;
        cells[2].text = o->environment;
        cells[3] = (struct grid_cell){o->state, style_of(o->state)};
        cells[4].text = step ? step->name : NULL;
        cells[5].text = step ? rows_text_of(arena, step) : NULL;
        cells[6].text = o->waiting.reason ? o->waiting.reason : o->error.message;
    }
    grid_print(&grid, out, "", colour);
}

/* Who ended it before its end, or took it back; NULL: nobody did. Of a --fresh nobody is known. */
static const char *ended_by(struct arena *arena, const struct overview *o) {
    const char *act = is(o, "cancelled") ? "cancel" : is(o, "undone") ? "undo" : NULL;
    for (size_t i = o->act_count; act && i-- > 0;)
        if (text_equal(o->acts[i].act, act)) return arena_printf(arena, "%s by %s", o->state, o->acts[i].role);
    return NULL;
}

void shown_over(FILE *out, struct arena *arena, const struct overview *list, size_t count, bool colour) {
    static const char *const headings[] = {">run",     "plan",   "environment", "state",    "ended", ">took",
                                           ">removed", ">below", ">spared",     "begun by", "",      NULL};
    struct grid grid = grid_new(arena, headings);
    for (size_t i = 0; i < count; i++) {
        const struct overview *o = &list[i];
        struct grid_cell *cells = grid_add(&grid);
        cells[0].text = arena_printf(arena, "%lld", (long long)o->run);
        cells[1].text = o->plan;
        cells[2].text = o->environment;
        cells[3] = (struct grid_cell){o->state, style_of(o->state)};
        cells[4].text = o->finished_text;
        cells[5].text = clock_text(arena, o->ms);
        cells[6].text = text_count(arena, o->removed);
        cells[7].text = text_count(arena, o->children);
        cells[8].text = text_count(arena, o->spared);
        cells[9].text = o->role;
        cells[10] = (struct grid_cell){ended_by(arena, o), STYLE_DIM};
    }
    grid_print(&grid, out, "", colour);
}
