/*
 * --output bar: steps that are done stay as lines of the scrollback with a tick, their rows and time; the one at hand
 * stands below with a bar, its rate, what it does and why it waits, drawn again at most ten times a second.
 *
 * Owns the wording and the layout; screen.c draws. The layout degrades by width (the bar moves to a line of its own,
 * columns become a list) and by height (steps to come become one line, then the least telling lines go).
 */
#include <string.h>

#include "base/clock.h"
#include "events/screen.h"
#include "events/sinks.h"

enum {
    FRAME_MS = 100,
    WIDE = 60,
    NARROW = 30,
    LEAST_BAR = 10,
    MOST_BAR = 40,
    MOST_REASON_LINES = 3,
    MOST_DOING_LINES = 2,
    SHORTEST_WAIT_MS = 500 /* that is shown: a lock that somebody holds for a moment would only flicker */
};

struct terminal {
    struct listener listener;
    struct sink_request request;
    struct screen screen;
    struct arena *scratch; /* of one event */
    int64_t drawn_at;
    unsigned frame;   /* turns the spinner */
    size_t open_step; /* the step whose line is still live, + 1; 0: none */
};

/* ---- pieces ---- */

static struct line *add_line(struct terminal *t, struct lines *lines) {
    lines->items = arena_grow(t->scratch, lines->items, &lines->count, sizeof *lines->items);
    struct line *line = &lines->items[lines->count - 1];
    *line = line_new(t->scratch, t->screen.width - 1, t->request.colour, t->request.unicode);
    return line;
}

static const char *separator(const struct terminal *t) { return t->request.unicode ? " · " : " - "; }

static bool wide(const struct terminal *t) { return t->screen.width >= WIDE; }

/* Where the column behind the names starts; longer ones than a third of the screen push it aside in their line. */
static size_t name_column(const struct terminal *t, const struct event *event) {
    size_t longest = 0;
    for (size_t i = 0; i < event->step_count; i++) {
        size_t columns = line_columns(event->steps[i].name);
        if (columns > longest) longest = columns;
    }
    return 4 + (longest < t->screen.width / 3 ? longest : t->screen.width / 3) + 2;
}

static void add_mark(const struct terminal *t, struct line *line, enum step_state state) {
    static const struct {
        const char *unicode, *ascii;
        enum style style;
    } marks[] = {
        [STEP_WAITING] = {"·", ".", STYLE_DIM}, [STEP_RUNNING] = {"▸", ">", STYLE_YELLOW},
        [STEP_DONE] = {"✓", "+", STYLE_GREEN},  [STEP_SKIPPED] = {"○", "-", STYLE_DIM},
        [STEP_FAILED] = {"✗", "x", STYLE_RED},
    };
    line_add(line, STYLE_PLAIN, wide(t) ? "  " : "");
    line_add(line, marks[state].style, t->request.unicode ? marks[state].unicode : marks[state].ascii);
    line_add(line, STYLE_PLAIN, " ");
}

static void add_spinner(const struct terminal *t, struct line *line) {
    static const char *const unicode[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static const char *const ascii[] = {"|", "/", "-", "\\"};
    line_add(line, STYLE_PLAIN, wide(t) ? "  " : "");
    line_add(line, STYLE_YELLOW, t->request.unicode ? unicode[t->frame % 10] : ascii[t->frame % 4]);
    line_add(line, STYLE_PLAIN, " ");
}

static void add_bar(const struct terminal *t, struct line *line, size_t columns, double share) {
    struct text full = text_new(t->scratch), rest = text_new(t->scratch);
    size_t halves = (size_t)(share * (double)columns * 2), whole = halves / 2;
    bool unicode = t->request.unicode, tip = halves % 2 || (!unicode && whole < columns);
    for (size_t i = 0; i < whole; i++) text_add(&full, unicode ? "━" : "=");
    if (tip) text_add(&full, unicode ? "╸" : ">");
    for (size_t i = whole + tip; i < columns; i++) text_add(&rest, unicode ? "─" : ".");
    line_add(line, STYLE_GREEN, full.data);
    line_add(line, STYLE_DIM, rest.data);
}

static double share_done(const struct event_step *step) {
    if (step->total <= 0 || step->rows < 0) return step->total == 0 ? 1 : 0;
    return step->rows >= step->total ? 1 : (double)step->rows / (double)step->total;
}

static const char *count_text(const struct terminal *t, int64_t n) { return text_count(t->scratch, n); }

static const char *rows_so_far(const struct terminal *t, const struct event_step *step) {
    if (step->rows < 0) return "";
    if (step->total < 0) return arena_printf(t->scratch, "%s rows", count_text(t, step->rows));
    const char *total = count_text(t, step->total);
    return arena_printf(t->scratch, "%*s of %s", wide(t) ? (int)strlen(total) : 0, count_text(t, step->rows), total);
}

/* Pieces of a sentence, each whole: one that does not fit starts the next line. */
static void flow(struct terminal *t, struct lines *lines, struct line **line, enum style style, const char *piece) {
    bool first = !*line;
    size_t needed = line_columns(piece) + line_columns(separator(t));
    if (first || (*line)->used + needed > (*line)->width) {
        *line = add_line(t, lines);
        line_add(*line, STYLE_PLAIN, wide(t) ? "    " : "  ");
    } else
        line_add(*line, STYLE_DIM, separator(t));
    line_add(*line, style, piece);
}

static void wrapped(struct terminal *t, struct lines *lines, enum style style, const char *first, const char *text,
                    size_t most) {
    const char *rest = arena_printf(t->scratch, "%s%s", first, text), *part;
    size_t indent = wide(t) ? 4 : 2;
    for (size_t i = 0; i < most; i++) {
        bool last = i + 1 == most;
        part = last ? rest : line_wrap(t->scratch, &rest, t->screen.width - 1 - indent);
        if (!part || !*part) return;
        struct line *line = add_line(t, lines);
        line_pad(line, indent);
        line_add(line, style, part);
    }
}

/* ---- lines that stay ---- */

static void header(struct terminal *t, struct lines *lines, const struct event *event) {
    struct line *line = add_line(t, lines);
    line_addf(line, STYLE_BOLD, "run %lld", (long long)event->run);
    if (event->type == EVENT_RUN_RESUMED) line_add(line, STYLE_PLAIN, " goes on");
    line_add(line, STYLE_DIM, separator(t));
    line_add(line, STYLE_BOLD, event->plan);
    if (event->environment) {
        line_add(line, STYLE_DIM, separator(t));
        line_add(line, STYLE_CYAN, event->environment);
    }
    line_add(line, STYLE_DIM, separator(t));
    line_add(line, STYLE_PLAIN, event->table);
}

static void add_counts(struct terminal *t, struct line *line, const struct event_step *step, size_t column) {
    const char *rows = "", *time = step->ms >= 0 ? clock_text(t->scratch, step->ms) : "";
    bool half = step->state == STEP_RUNNING && step->total > step->rows;
    if (step->rows >= 0 && half)
        rows = arena_printf(t->scratch, "%s of %s", count_text(t, step->rows), count_text(t, step->total));
    else if (step->rows >= 0)
        rows = arena_printf(t->scratch, "%s%s", count_text(t, step->rows),
                            t->screen.width < NARROW ? ""
                            : step->rows == 1        ? " row"
                                                     : " rows");
    if (!wide(t)) {
        if (*rows) line_addf(line, STYLE_PLAIN, " %s", rows);
        if (*time) line_addf(line, STYLE_DIM, " %s", time);
        return;
    }
    line_pad(line, column);
    line_addf(line, STYLE_PLAIN, "%18s", rows);
    line_addf(line, STYLE_DIM, "%14s", time);
}

static void step_line(struct terminal *t, struct lines *lines, const struct event *event, size_t index) {
    const struct event_step *step = &event->steps[index];
    struct line *line = add_line(t, lines);
    add_mark(t, line, step->state);
    line_add(line, step->state == STEP_SKIPPED ? STYLE_DIM : STYLE_PLAIN, step->name);
    if (step->state == STEP_SKIPPED)
        line_add(line, STYLE_DIM, " (skipped)");
    else
        add_counts(t, line, step, name_column(t, event));
    if (step->spared > 0) line_addf(line, STYLE_YELLOW, "  %s spared", count_text(t, step->spared));
}

static void steps_before(struct terminal *t, struct lines *lines, const struct event *event) {
    for (size_t i = 0; i < event->step_count; i++)
        if (event->steps[i].state == STEP_DONE || event->steps[i].state == STEP_SKIPPED) step_line(t, lines, event, i);
}

static void notice(struct terminal *t, struct lines *lines, const struct event *event) {
    enum { WHOLE = 100 }; /* lines: a notice is never cut short, a hostile one is */
    wrapped(t, lines, STYLE_YELLOW, "! ", event->message ? event->message : "", WHOLE);
    if (event->hint) wrapped(t, lines, STYLE_DIM, "", event->hint, WHOLE);
}

/* Why it failed is told once, by the program's top, as the error. */
static void ending(struct terminal *t, struct lines *lines, const struct event *event) {
    static const struct {
        const char *words;
        enum style style;
    } ends[EVENT_TYPES] = {
        [EVENT_RUN_FINISHED] = {"finished in", STYLE_GREEN},
        [EVENT_RUN_FAILED] = {"failed after", STYLE_RED},
        [EVENT_RUN_PAUSED] = {"stopped early, after", STYLE_YELLOW},
        [EVENT_RUN_CANCELLED] = {"cancelled, after", STYLE_YELLOW},
    };
    for (size_t i = 0; t->open_step && i < event->step_count; i++)
        if (i + 1 == t->open_step || event->steps[i].state == STEP_RUNNING) step_line(t, lines, event, i);
    t->open_step = 0;
    struct line *line = add_line(t, lines);
    if (wide(t)) line_addf(line, ends[event->type].style, "run %lld ", (long long)event->run);
    line_addf(line, ends[event->type].style, "%s %s", ends[event->type].words,
              clock_text(t->scratch, event->ms < 0 ? 0 : event->ms));
    if (event->type == EVENT_RUN_FINISHED && event->message)
        wrapped(t, lines, STYLE_PLAIN, "", event->message, MOST_REASON_LINES);
}

/* ---- the live part ---- */

static void bar_line(struct terminal *t, struct lines *lines, const struct event *event, size_t index) {
    const struct event_step *step = &event->steps[index];
    struct line *line = add_line(t, lines);
    size_t column = wide(t) ? name_column(t, event) : 2;
    const char *rows = rows_so_far(t, step);
    add_spinner(t, line);
    line_add(line, STYLE_BOLD, step->name);
    if (step->total < 0) {
        if (wide(t)) line_pad(line, column - 2);
        if (*rows) line_addf(line, STYLE_PLAIN, "  %s", rows);
        return;
    }
    const char *percent = arena_printf(t->scratch, " %3d %%", (int)(share_done(step) * 100));
    size_t taken = line_columns(percent) + 2 + (wide(t) ? line_columns(rows) : 0), room = line->width;
    if (wide(t) && line->used < column && column + taken + LEAST_BAR <= room)
        line_pad(line, column);
    else if (line->used + 2 + taken + LEAST_BAR <= room)
        line_add(line, STYLE_PLAIN, "  ");
    else {
        line = add_line(t, lines);
        line_pad(line, wide(t) ? 4 : 2);
    }
    size_t bar = room > line->used + taken ? room - line->used - taken : 1;
    add_bar(t, line, bar < MOST_BAR ? bar : MOST_BAR, share_done(step));
    line_add(line, STYLE_BOLD, percent);
    if (wide(t)) line_addf(line, STYLE_PLAIN, "  %s", rows);
}

static bool waits(const struct event *event) {
    return event->waiting && (event->waiting_ms < 0 || event->waiting_ms >= SHORTEST_WAIT_MS);
}

/* How fast it goes is no fact while it stands. */
static void facts(struct terminal *t, struct lines *lines, const struct event *event, const struct event_step *step) {
    struct line *line = NULL;
    if (!wide(t) && step->total >= 0) flow(t, lines, &line, STYLE_PLAIN, rows_so_far(t, step));
    if (event->rate >= 0 && !waits(event))
        flow(t, lines, &line, STYLE_PLAIN,
             arena_printf(t->scratch, "%s rows/s", count_text(t, (int64_t)(event->rate + 0.5))));
    if (event->eta_ms >= 0 && !waits(event))
        flow(t, lines, &line, STYLE_PLAIN, arena_printf(t->scratch, "%s left", clock_text(t->scratch, event->eta_ms)));
    if (event->batch_size > 0)
        flow(t, lines, &line, STYLE_DIM, arena_printf(t->scratch, "batches of %s", count_text(t, event->batch_size)));
    if (step->spared > 0)
        flow(t, lines, &line, STYLE_YELLOW, arena_printf(t->scratch, "%s spared", count_text(t, step->spared)));
    if (step->ms >= 0)
        flow(t, lines, &line, STYLE_DIM, arena_printf(t->scratch, "%s so far", clock_text(t->scratch, step->ms)));
}

static void steps_to_come(struct terminal *t, struct lines *lines, const struct event *event, bool short_form) {
    struct line *line = NULL;
    for (size_t i = 0; i < event->step_count; i++) {
        if (event->steps[i].state != STEP_WAITING || i == event->step) continue;
        if (short_form && line) {
            line_addf(line, STYLE_DIM, ", %s", event->steps[i].name);
            continue;
        }
        line = add_line(t, lines);
        if (short_form)
            line_addf(line, STYLE_DIM, "%sthen %s", wide(t) ? "    " : "  ", event->steps[i].name);
        else {
            add_mark(t, line, STEP_WAITING);
            line_add(line, STYLE_DIM, event->steps[i].name);
        }
    }
}

static struct lines live_part(struct terminal *t, const struct event *event) {
    struct lines lines = {0};
    for (size_t i = 0; i < event->step_count; i++)
        if (i == event->step || event->steps[i].state == STEP_RUNNING) bar_line(t, &lines, event, i);
    if (waits(event)) {
        const char *since =
            event->waiting_ms < 0
                ? "waiting: "
                : arena_printf(t->scratch, "waiting for %s: ", clock_text(t->scratch, event->waiting_ms));
        wrapped(t, &lines, STYLE_YELLOW, since, event->waiting, MOST_REASON_LINES);
        if (event->until) wrapped(t, &lines, STYLE_DIM, "until ", event->until, MOST_DOING_LINES);
    }
    if (event->step < event->step_count) facts(t, &lines, event, &event->steps[event->step]);
    if (event->doing) wrapped(t, &lines, STYLE_DIM, "", event->doing, MOST_DOING_LINES);
    struct lines to_come = {0};
    steps_to_come(t, &to_come, event, false);
    if (lines.count + to_come.count >= t->screen.height) {
        to_come = (struct lines){0};
        steps_to_come(t, &to_come, event, true);
    }
    for (size_t i = 0; i < to_come.count; i++) *add_line(t, &lines) = to_come.items[i];
    return lines;
}

/* ---- hearing ---- */

static bool told_now(struct terminal *t, const struct event *event, struct lines *stay) {
    switch (event->type) {
    case EVENT_RUN_STARTED: header(t, stay, event); return true;
    case EVENT_RUN_RESUMED:
        header(t, stay, event);
        steps_before(t, stay, event);
        return true;
    case EVENT_RUN_FINISHED:
    case EVENT_RUN_FAILED:
    case EVENT_RUN_PAUSED:
    case EVENT_RUN_CANCELLED: ending(t, stay, event); return true;
    case EVENT_STEP_STARTED: t->open_step = event->step + 1; return true;
    case EVENT_STEP_FINISHED:
        if (event->step < event->step_count) step_line(t, stay, event, event->step);
        t->open_step = 0;
        return true;
    case EVENT_APPROVAL_NEEDED:
    case EVENT_NOTICE: notice(t, stay, event); return true;
    default: return false;
    }
}

static bool over(const struct event *event) { return event_ends(event->type); }

static void hear(struct listener *listener, const struct event *event) {
    struct terminal *t = (struct terminal *)listener;
    struct lines stay = {0}, live = {0};
    int64_t now = t->request.now();
    arena_reset(t->scratch);
    screen_measure(&t->screen);
    if (!told_now(t, event, &stay) && now - t->drawn_at < FRAME_MS) {
        output_flush(t->screen.output);
        return;
    }
    t->frame++;
    if (!over(event) && t->open_step) live = live_part(t, event);
    if (screen_draw(&t->screen, t->scratch, &stay, &live)) t->drawn_at = now;
}

static struct listener *open_terminal(struct arena *arena, const struct sink_request *request) {
    struct terminal *t = arena_alloc(arena, sizeof *t);
    t->listener.hear = hear;
    t->request = *request;
    if (!t->request.now) t->request.now = clock_ms;
    t->screen = (struct screen){
        .output = output_new(arena, request->fd),
        .fd = request->fd,
        .fixed_width = (size_t)request->width,
        .fixed_height = (size_t)request->height,
    };
    t->scratch = arena_new(arena);
    t->drawn_at = -FRAME_MS;
    return &t->listener;
}

const struct sink bar_sink = {"bar", "a display with a bar, drawn in place", open_terminal};
