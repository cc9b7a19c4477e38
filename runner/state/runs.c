/* Rows of runs, steps, objects and the gaps between checkpoints. */
#include "state/runs.h"

#include "base/text.h"
#include "base/version.h"
#include "sql/state/runs.sql.h"

static const char *number(struct arena *arena, int64_t n) { return arena_printf(arena, "%lld", (long long)n); }

static const char *keep(struct arena *arena, const struct rows *rows, int row, int column) {
    const char *text = rows_text(rows, row, column);
    return text ? arena_strdup(arena, text) : NULL;
}

static struct run_row *one_run(struct arena *arena, const struct rows *rows) {
    if (!rows || rows_count(rows) == 0) return NULL;
    struct run_row *run = arena_alloc(arena, sizeof *run);
    *run = (struct run_row){rows_int(rows, 0, 0),    keep(arena, rows, 0, 1), keep(arena, rows, 0, 2),
                            keep(arena, rows, 0, 3), keep(arena, rows, 0, 4), keep(arena, rows, 0, 5),
                            keep(arena, rows, 0, 6), keep(arena, rows, 0, 7), keep(arena, rows, 0, 8),
                            rows_flag(rows, 0, 9)};
    return run;
}

struct run_row *runs_unfinished(const struct state *state, struct arena *arena, const char *plan,
                                const char *environment, struct error *error) {
    const char *values[] = {plan, environment};
    return one_run(arena, state_ask(state, arena, "looking for an unfinished run", &sql_unfinished, values, 2, error));
}

int64_t runs_create(const struct state *state, struct arena *arena, const struct new_run *new, struct error *error) {
    const char *values[] = {new->plan,       new->environment, new->table_name,  number(arena, new->table_oid),
                            new->definition, new->tree,        new->search_path, PGWINNOW_VERSION,
                            new->tree_shown};
    struct rows *rows = state_ask(state, arena, "recording the run", &sql_create_run, values, 9, error);
    return rows && rows_count(rows) ? rows_int(rows, 0, 0) : 0;
}

void runs_show_tree(const struct state *state, struct arena *arena, int64_t run, const char *tree_shown,
                    struct error *error) {
    const char *values[] = {number(arena, run), tree_shown};
    state_ask(state, arena, "recording the tree", &sql_show_tree, values, 2, error);
}

void runs_forget(const struct state *state, struct arena *arena, const struct holder *holder, struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence)};
    state_ask(state, arena, "forgetting a run that never began", &sql_forget_run, values, 2, error);
}

void runs_add_step(const struct state *state, struct arena *arena, int64_t run, size_t step, const char *name,
                   const char *kind, struct error *error) {
    const char *values[] = {number(arena, run), number(arena, (int64_t)step), name, kind};
    state_ask(state, arena, "recording the steps", &sql_add_step, values, 4, error);
}

void runs_must_hold(const struct rows *rows, struct error *error) {
    if (!rows || rows_affected(rows) > 0) return;
    fail(error, FAULT_HELD, "the lease of this run was taken over by another runner");
    fail_hint(error, "nothing more was written by this one; `pgwinnow status` shows who runs it now");
}

void runs_set_state(const struct state *state, struct arena *arena, const struct holder *holder, const char *name,
                    const char *error_json, struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence), name, error_json};
    runs_must_hold(state_ask(state, arena, "recording the run's state", &sql_set_state, values, 4, error), error);
}

void runs_set_tree(const struct state *state, struct arena *arena, const struct holder *holder, const char *fingerprint,
                   struct error *error) {
    const char *values[] = {number(arena, holder->run), number(arena, holder->fence), fingerprint};
    runs_must_hold(state_ask(state, arena, "recording the tree", &sql_set_tree, values, 3, error), error);
}

void runs_retune(const struct state *state, struct arena *arena, int64_t run, const char *given, struct error *error) {
    const char *values[] = {number(arena, run), given};
    struct rows *rows = state_ask(state, arena, "setting the run's settings", &sql_retune, values, 2, error);
    if (rows && rows_affected(rows) == 0)
        fail(error, FAULT_REFUSED, "run %lld is over by now: there is nothing to set any more", (long long)run);
}

const char *runs_ended(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, "looking at the run", &sql_ended, values, 1, error);
    return rows && rows_count(rows) ? keep(arena, rows, 0, 0) : NULL;
}

struct step_row *runs_steps(const struct state *state, struct arena *arena, int64_t run, size_t *count,
                            struct error *error) {
    const char *values[] = {number(arena, run)};
    struct rows *rows = state_ask(state, arena, "reading the steps", &sql_steps, values, 1, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct step_row *steps = arena_alloc(arena, (*count + 1) * sizeof *steps);
    for (int i = 0; i < (int)*count; i++)
        steps[i] = (struct step_row){keep(arena, rows, i, 0), keep(arena, rows, i, 1),   keep(arena, rows, i, 2),
                                     keep(arena, rows, i, 3), (int)rows_int(rows, i, 4), rows_int(rows, i, 5),
                                     rows_int(rows, i, 6),    rows_int(rows, i, 7),      rows_int(rows, i, 8),
                                     rows_int(rows, i, 9)};
    return steps;
}

void runs_set_step(const struct state *state, struct arena *arena, const struct holder *holder, size_t step,
                   const struct step_row *row, struct error *error) {
    const char *values[] = {number(arena, holder->run),
                            number(arena, holder->fence),
                            number(arena, (int64_t)step),
                            row->state,
                            number(arena, row->round),
                            number(arena, row->rows),
                            number(arena, row->total),
                            number(arena, row->spared),
                            number(arena, row->batches),
                            number(arena, row->ms),
                            row->note};
    runs_must_hold(state_ask(state, arena, "recording the step", &sql_set_step, values, 11, error), error);
}

struct batch_sums runs_sums(const struct state *state, struct arena *arena, int64_t run, size_t step, int round,
                            struct error *error) {
    const char *values[] = {number(arena, run), number(arena, (int64_t)step), number(arena, round)};
    struct rows *rows = state_ask(state, arena, "adding up the batches", &sql_sums, values, 3, error);
    if (!rows) return (struct batch_sums){0};
    return (struct batch_sums){rows_int(rows, 0, 0), rows_int(rows, 0, 1), rows_int(rows, 0, 2), rows_int(rows, 0, 3)};
}

void runs_add_object(const struct state *state, struct arena *arena, int64_t run, const char *kind, const char *schema,
                     const char *name, struct error *error) {
    const char *values[] = {number(arena, run), kind, schema, name};
    state_ask(state, arena, "recording what the run makes", &sql_add_object, values, 4, error);
}

void runs_forget_object(const struct state *state, struct arena *arena, int64_t run, const char *kind,
                        const char *schema, const char *name, struct error *error) {
    const char *values[] = {number(arena, run), kind, schema, name};
    state_ask(state, arena, "forgetting what was dropped", &sql_forget_object, values, 4, error);
}

struct object_row *runs_objects(const struct state *state, struct arena *arena, int64_t run, const char *kind,
                                size_t *count, struct error *error) {
    const char *values[] = {number(arena, run), kind};
    struct rows *rows = state_ask(state, arena, "reading what the run made", &sql_objects, values, 2, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct object_row *objects = arena_alloc(arena, (*count + 1) * sizeof *objects);
    for (int i = 0; i < (int)*count; i++)
        objects[i] = (struct object_row){keep(arena, rows, i, 0), keep(arena, rows, i, 1), keep(arena, rows, i, 2)};
    return objects;
}

struct gap *runs_gaps(const struct state *state, struct arena *arena, int64_t run, size_t step, int round, int part,
                      int64_t most, size_t *count, struct error *error) {
    const char *values[] = {number(arena, run), number(arena, (int64_t)step), number(arena, round), number(arena, part),
                            number(arena, most)};
    struct rows *rows = state_ask(state, arena, "finding what is left", &sql_gaps, values, 5, error);
    struct gap *gaps = NULL;
    *count = 0;
    for (int i = 0; rows && i < rows_count(rows); i++) {
        struct gap gap = {rows_int(rows, i, 0), rows_int(rows, i, 1)};
        if (gap.first > gap.last) continue;
        gaps = arena_grow(arena, gaps, count, sizeof *gaps);
        gaps[*count - 1] = gap;
    }
    return gaps;
}
