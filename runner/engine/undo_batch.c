/*
 * The part of the batch loop that takes one transaction of the run back: its statements in reverse; for each, what
 * cannot come back is judged and left (or refused), then the rest comes back in one statement.
 */
#include <string.h>

#include "base/text.h"
#include "database/bindings.h"
#include "database/lists.h"
#include "engine/undo_job.h"
#include "sql/engine/undo_batch.sql.h"
#include "work/loop.h"
#include "work/retry.h"

enum stage { STAGE_LIST, STAGE_JUDGE, STAGE_PARENTS, STAGE_WRITE };

/* One statement of the run, in one table. */
struct piece {
    int64_t statement, batch;
    const struct undo_table *table;
    int64_t rows;
};

struct try {
    enum stage stage;
    struct piece *pieces;
    size_t count, first, end;         /* those of the statement at hand: first to end */
    const struct undo_table **judged; /* whose answers come next */
    size_t asked, heard;
    int64_t expected, written, left; /* rows of the statement at hand */
    bool more_left;                  /* a row was left in this round: its children may have to stay out too */
};

static struct undo_job *job_of(const struct batch *batch) { return batch->loop->job; }

static struct try *try_of(struct batch *batch) {
    if (!batch->own) batch->own = arena_alloc(batch->arena, sizeof(struct try));
    return batch->own;
}

/* --- which batch --- */

/* Strictly one after the other: what a batch left must be seen by the one before it in the run. */
static enum cut undo_cut(struct batch *batch) {
    struct undo_job *job = job_of(batch);
    if (batch->loop->retry_count) return CUT_WAIT;
    if (job->done >= job->turns) return CUT_DONE;
    batch->range = (struct range){.first = job->done + 1, .last = job->done + 1, .pass = 1};
    return CUT_RANGE;
}

static void undo_cut_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    (void)batch;
    (void)sql;
    (void)rows;
}

static void undo_fill(struct batch *batch) {
    struct bindings b = {0};
    bind(&b, "plan", job_of(batch)->plan_table);
    const char *values[] = {batch_number(batch, batch->range.first)};
    batch_queue(batch, "reading what a batch of the run did", &sql_undo_statements, &b, values, 1);
}

static void take_list(struct batch *batch, const struct rows *rows) {
    struct try *try = try_of(batch);
    try->count = (size_t)rows_count(rows);
    try->pieces = arena_alloc(batch->arena, (try->count + 1) * sizeof *try->pieces);
    for (int i = 0; i < rows_count(rows); i++)
        try->pieces[i] = (struct piece){rows_int(rows, i, 0), rows_int(rows, i, 4),
                                        undo_table_of(job_of(batch), (unsigned)rows_int(rows, i, 1)),
                                        rows_int(rows, i, 2) + rows_int(rows, i, 3)};
}

/* --- judging --- */

static void queue(struct batch *batch, const char *about, const struct sql *sql, const struct bindings *b) {
    struct try *try = try_of(batch);
    const char *values[] = {batch_number(batch, try->pieces[try->first].batch),
                            batch_number(batch, try->pieces[try->first].statement)};
    batch_queue(batch, about, sql, b, values, 2);
}

static void queue_judgements(struct batch *batch,
                             const char *(*judge)(const struct undo_job *, struct arena *, const struct undo_table *,
                                                  enum undo_view, struct error *)) {
    struct try *try = try_of(batch);
    try->asked = try->heard = 0;
    try->judged = arena_alloc(batch->arena, (try->end - try->first) * sizeof *try->judged);
    try->more_left = false;
    for (size_t i = try->first; i < try->end; i++) {
        const struct undo_table *t = try->pieces[i].table;
        const char *text = judge(job_of(batch), batch->arena, t, VIEW_NOW, &batch->error);
        if (!text) continue;
        try->judged[try->asked++] = t;
        struct bindings b = {0};
        bind(&b, "left", job_of(batch)->left_table);
        bind(&b, "table", arena_printf(batch->arena, "%u", t->oid));
        bind(&b, "judged", text);
        queue(batch, arena_printf(batch->arena, "looking whether rows of %s can come back", t->table->shown),
              &sql_leave, &b);
    }
}

static void refuse(struct batch *batch, const struct undo_table *t, const struct rows *rows) {
    fail(&batch->error, FAULT_REFUSED, "a row of %s, %s, cannot come back: %s", t->table->shown, rows_text(rows, 0, 0),
         rows_text(rows, 0, 1));
    fail_hint(&batch->error, "it came up while the undo was under way; what is taken back so far stays so. "
                             "Go on with --on-conflict skip or force, or put the row right and undo again");
}

static void take_judgement(struct batch *batch, const struct rows *rows) {
    struct try *try = try_of(batch);
    const struct undo_table *t = try->judged[try->heard++];
    if (!rows_count(rows)) return;
    if (job_of(batch)->request->on_conflict == UNDO_STOP) refuse(batch, t, rows);
    try->left += rows_count(rows);
    try->more_left = true;
}

/* --- writing --- */

static const char *names(struct arena *arena, const struct undo_table *t, const char *alias) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i]->generated) continue;
        text_addf(&text, "%s%s%s%s", text.length ? ", " : "", alias ? alias : "", alias ? "." : "",
                  sql_identifier(arena, t->columns[i]->name));
    }
    return text.data;
}

static bool is_key(const struct undo_table *t, const struct column *column) {
    for (size_t i = 0; i < t->key_count; i++)
        if (t->keys[i].number == column->number) return true;
    return false;
}

static bool settable(const struct column *column) { return !column->generated && !column->identity_always; }

/* Only columns that the run changed are named, so that triggers on other columns stay quiet. */
static const char *sets_back(struct arena *arena, const struct undo_table *t) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = sql_identifier(arena, t->columns[i]->name);
        if (!t->changes[i] || !settable(t->columns[i])) continue;
        text_addf(&text, "%s%s = ", text.length ? ", " : "", name);
        if (t->key_count)
            text_addf(&text, "CASE WHEN %s THEN o.%s ELSE c.%s END", undo_unlike(arena, "o", "a", name), name, name);
        else /* it is as the run left it, or it would not have been found */
            text_addf(&text, "o.%s", name);
    }
    return text.data;
}

static const char *sets_all(struct arena *arena, const struct undo_table *t) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < t->column_count; i++) {
        const char *name = sql_identifier(arena, t->columns[i]->name);
        if (!settable(t->columns[i]) || is_key(t, t->columns[i])) continue;
        text_addf(&text, "%s%s = o.%s", text.length ? ", " : "", name, name);
    }
    const char *key = sql_identifier(arena, t->keys[0].name);
    return text.length ? text.data : arena_printf(arena, "%s = c.%s", key, key);
}

static struct bindings bindings_of(struct batch *batch, const struct undo_table *t) {
    struct undo_job *job = job_of(batch);
    struct bindings b = undo_bindings(job, t);
    bind(&b, "these", undo_these(job, batch->arena, t, "o", VIEW_NOW, &batch->error));
    bind(&b, "stays_out", "true"); /* said by `these` */
    return b;
}

struct parts {
    struct text parts, counts;
    size_t count;
};

static const char *add_part(struct batch *batch, struct parts *p, const struct sql *sql, struct bindings b) {
    const char *name = arena_printf(batch->arena, "pgwinnow_%zu", ++p->count);
    bind(&b, "part", name);
    const char *text = sql_expand(batch->arena, sql, b.items, &batch->error);
    if (!text) return NULL;
    text_addf(&p->parts, "%s%s", p->count > 1 ? ",\n" : "", text);
    text_addf(&p->counts, "%s(SELECT pg_catalog.count(*) FROM %s)", p->count > 1 ? " + " : "", name);
    return name;
}

static const char *behind(struct batch *batch, const char *changes) {
    struct bindings b = {0};
    if (!changes) return "true";
    bind(&b, "changes", changes);
    return sql_expand(batch->arena, &sql_behind, b.items, &batch->error);
}

static void add_inserts(struct batch *batch, struct parts *p, const struct undo_table *t, const char *changes) {
    bool force = job_of(batch)->request->on_conflict == UNDO_FORCE && t->key_count;
    struct bindings b = bindings_of(batch, t), over = b;
    const char *same = undo_same_key(batch->arena, t, "c", "o");
    bind(&b, "names", names(batch->arena, t, NULL));
    bind(&b, "columns", names(batch->arena, t, "o"));
    bind(&b, "there",
         force ? arena_printf(batch->arena, "EXISTS (SELECT FROM %s AS c WHERE %s)", t->table->from, same) : "false");
    bind(&b, "behind", behind(batch, changes));
    add_part(batch, p, &sql_insert_removed, b);
    if (!force) return;
    bind(&over, "sets", sets_all(batch->arena, t));
    bind(&over, "same_key", same);
    add_part(batch, p, &sql_overwrite, over);
}

static const char *add_changes(struct batch *batch, struct parts *p, const struct undo_table *t) {
    struct undo_job *job = job_of(batch);
    struct bindings b = bindings_of(batch, t);
    bind(&b, "sets", sets_back(batch->arena, t));
    if (t->key_count) {
        bool force = job->request->on_conflict == UNDO_FORCE;
        bind(&b, "same_key", undo_same_key(batch->arena, t, "c", "a"));
        bind(&b, "differs", force ? "false" : undo_differs(batch->arena, t, true, NULL));
        return add_part(batch, p, &sql_change_back, b);
    }
    bind(&b, "image", undo_image(batch->arena, t, "a", false));
    bind(&b, "present_image", undo_image(batch->arena, t, "c", true));
    bind(&b, "those", undo_these(job, batch->arena, t, "a", VIEW_NOW, &batch->error));
    bind(&b, "after_stays_out", "true");
    return add_part(batch, p, &sql_change_back_keyless, b);
}

/* Instead of the server's checks, which do not run without triggers. */
static void queue_references(struct batch *batch, const struct undo_table *t) {
    struct undo_job *job = job_of(batch);
    for (size_t i = 0; i < t->outgoing_count; i++) {
        const struct undo_reference *r = &t->outgoing[i];
        const char *given;
        struct bindings b = {0};
        bind(&b, "points", undo_points(batch->arena, t, r, &given));
        bind(&b, "given", given);
        bind(&b, "parent", r->other_sql);
        bind(&b, "shown", undo_shown(batch->arena, t, NULL));
        bind(&b, "images",
             undo_images(job, batch->arena, t, undo_touches(t, r->own, r->count), VIEW_NOW, &batch->error));
        queue(batch, arena_printf(batch->arena, "checking the foreign key %s", r->name), &sql_lock_parents, &b);
    }
    for (size_t i = 0; i < t->incoming_count; i++) {
        const struct undo_reference *r = &t->incoming[i];
        if (!undo_touches(t, r->own, r->count)) continue;
        struct text points = text_new(batch->arena), same = text_new(batch->arena);
        for (size_t c = 0; c < r->count; c++) {
            const char *own = sql_identifier(batch->arena, r->own[c]), *and = c ? " AND " : "";
            text_addf(&points, "%sa.%s %s p.%s", and, own, r->equal[c], sql_identifier(batch->arena, r->others[c]));
            text_addf(&same, "%sc.%s::text = a.%s::text", and, own, own);
        }
        struct bindings b = undo_bindings(job, t);
        bind(&b, "these", undo_these(job, batch->arena, t, "a", VIEW_NOW, &batch->error));
        bind(&b, "shown", undo_shown(batch->arena, t, "a"));
        bind(&b, "child", r->other_sql);
        bind(&b, "points", points.data);
        bind(&b, "same_reference", same.data);
        queue(batch, arena_printf(batch->arena, "checking the foreign key %s", r->name), &sql_find_orphan, &b);
    }
}

static void queue_write(struct batch *batch) {
    struct try *try = try_of(batch);
    bool off = job_of(batch)->request->triggers_off;
    struct parts parts = {text_new(batch->arena), text_new(batch->arena), 0};
    for (size_t i = try->first; i < try->end; i++) {
        const struct undo_table *t = try->pieces[i].table;
        const char *changes = t->any_changes ? add_changes(batch, &parts, t) : NULL;
        add_inserts(batch, &parts, t, changes);
    }
    struct bindings b = {0};
    bind(&b, "parts", parts.parts.data);
    bind(&b, "counts", parts.counts.data);
    if (off) batch_queue(batch, "switching triggers off", &sql_triggers_off, &(struct bindings){0}, NULL, 0);
    queue(batch, arena_printf(batch->arena, "bringing rows of %s back", try->pieces[try->first].table->table->shown),
          &sql_bring_back, &b);
    if (!off) return;
    batch_queue(batch, "switching triggers on", &sql_triggers_on, &(struct bindings){0}, NULL, 0);
    for (size_t i = try->first; i < try->end; i++) queue_references(batch, try->pieces[i].table);
}

/* A race: a row came or changed between the judgement and the write. Judged anew it is seen. */
static void race(struct batch *batch, const char *what) {
    if (batch->range.races < MOST_RACES - 1) {
        fail(&batch->error, FAULT_FAILED, "%s", what);
        memcpy(batch->error.sqlstate, "23505", sizeof batch->error.sqlstate);
        return;
    }
    fail(&batch->error, FAULT_FAILED, "%s", what);
    fail_hint(&batch->error,
              "a trigger may keep rows out or change their keys: look at it, or undo with --triggers off");
}

static void take_written(struct batch *batch, const struct rows *rows) {
    struct try *try = try_of(batch);
    try->written = rows_int(rows, 0, 0);
    if (try->written + try->left == try->expected) return;
    race(batch, arena_printf(batch->arena, "%lld of %lld rows came back", (long long)try->written,
                             (long long)(try->expected - try->left)));
}

static void take_check(struct batch *batch, const struct rows *rows) {
    if (!rows_count(rows)) return;
    race(batch,
         arena_printf(batch->arena, "a row that was brought back breaks a foreign key: %s", rows_text(rows, 0, 0)));
}

/* --- the rounds --- */

static void undo_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    if (sql == &sql_undo_statements)
        take_list(batch, rows);
    else if (sql == &sql_leave)
        take_judgement(batch, rows);
    else if (sql == &sql_bring_back)
        take_written(batch, rows);
    else if (sql == &sql_lock_parents || sql == &sql_find_orphan)
        take_check(batch, rows);
}

/* The statement before the one that is done, in the run's order. */
static bool next_statement(struct batch *batch) {
    struct try *try = try_of(batch);
    try->first = try->end;
    if (try->first >= try->count) return false;
    try->expected = try->written = try->left = 0;
    while (try->end < try->count && try->pieces[try->end].statement == try->pieces[try->first].statement)
        try->expected += try->pieces[try->end++].rows;
    return true;
}

static bool undo_more(struct batch *batch) {
    struct try *try = try_of(batch);
    switch (try->stage) {
    case STAGE_WRITE:
        batch->counts.rows += try->written;
        batch->counts.spared += try->left;
        /* fall through */
    case STAGE_LIST:
        if (!next_statement(batch)) return false;
        try->stage = STAGE_JUDGE;
        queue_judgements(batch, undo_judged);
        return true;
    case STAGE_JUDGE:
        try->stage = STAGE_PARENTS;
        queue_judgements(batch, undo_judged_parents);
        return true;
    case STAGE_PARENTS:
        if (try->more_left) { /* whoever needs a row that was left stays out as well, and so on */
            queue_judgements(batch, undo_judged_parents);
            return true;
        }
        try->stage = STAGE_WRITE;
        queue_write(batch);
        return true;
    }
    return false;
}

static void undo_committed(struct batch *batch) { job_of(batch)->done = batch->range.last; }

static bool undo_stuck(struct batch *batch, bool too_large) {
    (void)batch;
    (void)too_large;
    return false;
}

/* The server objects to something that no look at rows finds: a rule that came since, a row that points at what the run
 * put there. Smaller batches would tell no more. */
static bool undo_narrows(struct batch *batch) {
    struct error *error = &batch->error;
    if (batch->failed_sql != &sql_bring_back || !text_starts(error->sqlstate, "23") || error->hint) return false;
    error->hint =
        arena_printf(batch->arena,
                     "nothing of this batch came back, and what is taken back so far stays so; put right what "
                     "the server names, and `pgwinnow undo %lld` goes on",
                     (long long)batch->loop->run->holder.run);
    return false;
}

static const struct part undo_part = {.cut = undo_cut,
                                      .cut_answer = undo_cut_answer,
                                      .fill = undo_fill,
                                      .answer = undo_answer,
                                      .more = undo_more,
                                      .committed = undo_committed,
                                      .stuck = undo_stuck,
                                      .narrows = undo_narrows,
                                      .given = true};

void undo_batches(struct undo_job *job, struct error *error) {
    loop_run(job->run, job->step, &undo_part, job, job->keyless, error);
}
