/* Keeping in mind what is to be written down, and when. Owns the two statements; who has a transaction sends them. */
#include "work/record.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "sql/work/record.sql.h"
#include "work/announce.h"

enum {
    LEAST_MS = 1000,
    MOST_MS = 60000,
    SHARE = 500,     /* of the run, a sample */
    LONGEST = 20000, /* of a text, in bytes */
    LONGEST_REASON = 300,
    EARLY_MS = 100 /* beats come a little early or late */
};

struct sent {
    size_t step;
    const char *name, *file, *text;
    int line;
};

struct recorder {
    struct sent *sent;
    size_t count, written;
    int64_t began, sampled;
    size_t step; /* of the last sample, and what it had done by then */
    int64_t rows;
};

void record_open(struct run *run) {
    struct recorder *r = run->recorder = arena_alloc(run->arena, sizeof *r);
    r->began = r->sampled = clock_ms();
}

/* --- statements --- */

static bool is_known(const struct recorder *r, size_t step, const char *name) {
    for (size_t i = r->count; i-- > 0;)
        if (r->sent[i].step == step && text_equal(r->sent[i].name, name)) return true;
    return false;
}

static void keep(struct run *run, const char *name, const char *file, int line, const char *text) {
    struct recorder *r = run->recorder;
    if (!r || !text || run->step >= run->plan->step_count || is_known(r, run->step, name)) return;
    r->sent = arena_grow(run->arena, r->sent, &r->count, sizeof *r->sent);
    r->sent[r->count - 1] =
        (struct sent){run->step, name, file, arena_strndup(run->arena, text, text_cut(text, LONGEST)), line};
}

void record_sent(struct run *run, const struct sql *sql, const char *text) {
    keep(run, sql->name, sql->file, sql->line, text);
}

void record_text(struct run *run, const char *name, struct place place, const char *text) {
    keep(run, name, place.file, place.line, text);
}

static json_t *sent_json(struct arena *arena, const struct sent *s) {
    const char *place = arena_printf(arena, "%s:%d", s->file, s->line);
    return json_pack("{s:I, s:s, s:o, s:o}", "step", (json_int_t)s->step, "name", s->name, "place",
                     json_text_or_null(arena, place), "text", json_text_or_null(arena, s->text));
}

static const char *unwritten(const struct recorder *r, struct arena *arena) {
    json_t *list = json_array();
    for (size_t i = r->written; i < r->count; i++) json_array_append_new(list, sent_json(arena, &r->sent[i]));
    return json_written_off(arena, list, JSON_COMPACT);
}

/* --- what is to be sent --- */

static void add(struct recording *recording, const struct run *run, struct arena *arena, const struct sql *sql,
                const char *const *own, size_t count) {
    struct error error = error_new(arena);
    const char **values = arena_alloc(arena, (count + 2) * sizeof *values);
    values[0] = arena_printf(arena, "%lld", (long long)run->holder.run);
    values[1] = arena_printf(arena, "%lld", (long long)run->holder.fence);
    for (size_t i = 0; i < count; i++) values[i + 2] = own[i];
    const char *text = sql_expand(arena, sql, (struct binding[]){{"state", run->state.schema}, {NULL, NULL}}, &error);
    recording->statements[recording->count++] =
        (struct statement){"writing down how it goes", text, values, (int)count + 2};
}

static struct recording statements(struct run *run, struct arena *arena) {
    const struct recorder *r = run->recorder;
    struct recording recording = {.sent = r ? r->count : 0};
    if (!r || r->written == r->count) return recording;
    const char *own[] = {unwritten(r, arena)};
    add(&recording, run, arena, &sql_write_statements, own, 1);
    return recording;
}

/* --- samples --- */

static bool is_due(const struct run *run, const struct recorder *r, int64_t now) {
    int64_t pause = (now - r->began) / SHARE;
    if (pause < LEAST_MS) pause = LEAST_MS;
    if (pause > MOST_MS) pause = MOST_MS;
    return run->step < run->plan->step_count && run->shown[run->step].state == STEP_RUNNING &&
           now - r->sampled + EARLY_MS >= pause;
}

static const char *number_or_null(struct arena *arena, int64_t n, int64_t least) {
    return n < least ? NULL : arena_printf(arena, "%lld", (long long)n);
}

/* Rows a second since the last sample, or since the step began; where it does not count any, nothing. */
static const char *rate_since(struct recorder *r, const struct run *run, struct arena *arena, int64_t now) {
    const struct event_step *shown = &run->shown[run->step];
    int64_t rows = shown->rows + shown->spared, before = r->step == run->step ? r->rows : rows;
    double seconds = (double)(now - r->sampled) / 1000;
    bool known = r->step == run->step && shown->rows >= 0 && rows >= before && seconds > 0;
    r->step = run->step;
    r->rows = rows;
    double rate = known ? (double)(rows - before) / seconds : run->progress.rate;
    return known || rate > 0 ? arena_printf(arena, "%.1f", rate) : NULL;
}

static const char *reason(const struct run *run, struct arena *arena) {
    const char *waiting = run->progress.waiting;
    return waiting ? arena_strndup(arena, waiting, text_cut(waiting, LONGEST_REASON)) : NULL;
}

struct recording record_due(struct run *run, struct arena *arena) {
    struct recorder *r = run->recorder;
    struct recording recording = statements(run, arena);
    int64_t now = clock_ms();
    if (!r || !is_due(run, r, now)) return recording;
    const char *own[] = {arena_printf(arena, "%zu", run->step), rate_since(r, run, arena, now),
                         number_or_null(arena, run->progress.batch_size, 1), number_or_null(arena, run->lag_ms, 0),
                         reason(run, arena)};
    r->sampled = now;
    add(&recording, run, arena, &sql_write_sample, own, sizeof own / sizeof *own);
    return recording;
}

void record_written(struct run *run, const struct recording *recording) {
    if (run->recorder) run->recorder->written = recording->sent;
}

void record_end(struct run *run, struct error *error) {
    struct arena *scratch = arena_new(run->arena);
    struct recording recording = statements(run, scratch);
    if (recording.count) ask(run->desk, scratch, recording.statements, error);
    announce_end(run, error);
    if (!failed(error)) record_written(run, &recording);
    arena_free(scratch);
}
