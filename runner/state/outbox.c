/* Events and the outbox as statements. Leaves what is in them, and when to send it, to work/. */
#include "state/outbox.h"

#include "sql/state/outbox.sql.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static const char *expand(struct arena *arena, const char *schema, const struct sql *sql, struct error *error) {
    return sql_expand(arena, sql, (struct binding[]){{"state", schema}, {NULL, NULL}}, error);
}

const char *outbox_uid(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, "reading the run's name for events", &sql_run_uid, values, 1, error);
    return rows && rows_count(rows) ? arena_strdup(arena, rows_text(rows, 0, 0)) : NULL;
}

const char *outbox_put_text(struct arena *arena, const char *schema, struct error *error) {
    return expand(arena, schema, &sql_put, error);
}

static struct statement about(struct arena *arena, const char *what, const struct outbox_queue *queue,
                              const struct sql *sql, const char *const *values, int count, struct error *error) {
    const char *const *kept = arena_copy(arena, values, (size_t)count * sizeof *values);
    return (struct statement){what, expand(arena, queue->schema, sql, error), kept, count};
}

struct statement outbox_next(struct arena *arena, const struct outbox_queue *q, int64_t ahead, bool at_once,
                             struct error *error) {
    const char *values[] = {q->plan, q->environment, q->endpoint, number(arena, ahead), at_once ? "true" : "false"};
    return about(arena, "looking what is to be delivered", q, &sql_next, values, 5, error);
}

bool outbox_taken(struct arena *arena, const struct rows *rows, struct outbox_row *row) {
    *row = (struct outbox_row){0};
    if (!rows || !rows_count(rows)) return false;
    row->seq = rows_int(rows, 0, 0);
    row->wait = rows_int(rows, 0, 5);
    if (!row->seq) return true;
    row->run = rows_int(rows, 0, 1);
    row->id = arena_strdup(arena, rows_text(rows, 0, 2));
    row->body = arena_strdup(arena, rows_text(rows, 0, 3));
    row->tries = (int)rows_int(rows, 0, 4);
    return true;
}

struct statement outbox_delivered(struct arena *arena, const struct outbox_queue *q, int64_t seq, const char *answer,
                                  struct error *error) {
    const char *values[] = {number(arena, seq), answer};
    return about(arena, "recording a delivery", q, &sql_delivered, values, 2, error);
}

struct statement outbox_undelivered(struct arena *arena, const struct outbox_queue *q, int64_t seq, const char *answer,
                                    int64_t again, struct error *error) {
    const char *values[] = {number(arena, seq), answer, number(arena, again)};
    return about(arena, "recording that an endpoint did not take it", q, &sql_undelivered, values, 3, error);
}

struct statement outbox_gone(struct arena *arena, const struct outbox_queue *q, int64_t run, const char *answer,
                             struct error *error) {
    const char *values[] = {q->plan, q->environment, q->endpoint, answer, run ? number(arena, run) : NULL};
    return about(arena, "recording that an endpoint is gone", q, &sql_gone, values, 5, error);
}

struct statement outbox_expire(struct arena *arena, const struct outbox_queue *q, struct error *error) {
    const char *values[] = {q->plan, q->environment, number(arena, OUTBOX_KEEP_DAYS)};
    return about(arena, "dropping what could not be delivered for too long", q, &sql_expire, values, 3, error);
}

struct outbox_waiting *outbox_waiting(const struct state *state, struct arena *arena, const struct outbox_queue *q,
                                      size_t *count, struct error *error) {
    const char *values[] = {q->plan, q->environment};
    struct rows *rows = state_ask(state, arena, "counting what is to be delivered", &sql_waiting, values, 2, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct outbox_waiting *all = arena_alloc(arena, (*count + 1) * sizeof *all);
    for (int i = 0; i < (int)*count; i++)
        all[i] = (struct outbox_waiting){rows_text(rows, i, 0), rows_text(rows, i, 2), rows_int(rows, i, 1)};
    return all;
}
