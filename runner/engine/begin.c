/* Looking what there is to go on with, refusing what must not be gone on with, and making the rows of a new run. */
#include "engine/begin.h"

#include "base/json.h"
#include "base/text.h"
#include "database/frame.h"
#include "database/tree_json.h"
#include "engine/cancel.h"
#include "engine/changes.h"
#include "engine/lanes.h"
#include "state/control.h"
#include "work/direct.h"

/* --- what there is --- */

static void refuse_changed(const struct run_row *row, const char *changes, struct error *error) {
    fail(error, FAULT_REFUSED, "plan %s was changed since run %lld began", row->plan, (long long)row->run);
    fail_detail(error, "%s", changes);
    fail_hint(error, "take the change back to go on, or start anew with --fresh (which cancels run %lld)",
              (long long)row->run);
}

/* What it removed is coming back: going on with it, or starting anew in the middle of that, would remove it again. */
static void refuse_undoing(const struct run_row *row, struct error *error) {
    if (!text_equal(row->state, "undoing")) return;
    fail(error, FAULT_REFUSED, "run %lld of plan %s is being undone", (long long)row->run, row->plan);
    fail_hint(error, "`pgwinnow undo %lld` brings that to its end; then the plan can run anew", (long long)row->run);
}

/* One that was cancelled while nobody worked on it is over but for its end, which is ours to write. */
static bool gives_way(const struct run_row *row, const struct request *request) {
    return request->fresh || text_equal(row->wanted, "cancelled");
}

/* Before compile: an unfinished run says which path its texts see and which tree was accepted. */
static struct run_row *find(struct run *run, const struct request *request, struct arena *arena, struct error *error) {
    struct run_row *row = runs_unfinished(&run->state, arena, run->plan->name, run->plan->environment, error);
    if (row) refuse_undoing(row, error);
    if (!row || gives_way(row, request) || failed(error)) return row;
    const char *changes = changes_text(arena, row->definition, run->plan->definition);
    if (changes) refuse_changed(row, changes, error);
    run->search_path = row->search_path;
    run->accepted_tree = row->tree;
    return row;
}

/* The tree may have changed while nobody ran. What was settled so far was settled by the old one. */
static void refuse_new_tree(const struct run *run, const struct run_row *row, struct error *error) {
    if (!row->tree || text_equal(row->tree, run->tree->fingerprint)) return;
    fail(error, FAULT_REFUSED, "the foreign keys below %s changed since run %lld began", run->table->shown,
         (long long)row->run);
    fail_detail(error, "tree %s is now %s", row->tree, run->tree->fingerprint);
    fail_hint(error, "look at it with explain; then start anew with --fresh");
}

static void check_until(const struct run *run, const struct request *request, struct error *error) {
    const char **names = arena_alloc(run->arena, (run->plan->step_count + 1) * sizeof *names);
    for (size_t i = 0; i < run->plan->step_count; i++) {
        names[i] = run->plan->steps[i].name;
        if (!request->until || text_equal(request->until, names[i])) return;
    }
    fail(error, FAULT_USAGE, "--until: the plan has no step %s", request->until);
    const char *near = text_nearest(request->until, names, run->plan->step_count);
    fail_hint(error, "its steps have the names in the plan%s%s", near ? "; did you mean " : "", near ? near : "");
}

/* What needs a direct connection must have one before anything is removed, not after. */
static void check_direct(struct run *run, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count && !failed(error); i++) {
        if (!(run->plan->steps[i].step->needs & OUTSIDE_TRANSACTION)) continue;
        direct_close(direct_open(run, i, NULL, error));
        return;
    }
}

/* Not before the new one could enter its lane: a run that must not begin shall not cost the one that is there. */
static void give_way(struct run *run, const struct run_row *row, const struct request *request, struct error *error) {
    run->holder.run = row->run;
    lane_enter(run, &(struct lane_wait){.ms = request->wait, .only_look = true}, error);
    cancel_old(run, row, error);
}

/* Somebody has to say a word first. Whoever is ready to wait goes on, and waits with the lease in his hands. */
static void refuse_waiting(struct run *run, const struct run_row *row, const struct request *request,
                           struct error *error) {
    long long number = row->run;
    if (failed(error) || request->wait) return;
    if (row->hold) {
        fail(error, FAULT_STOPPED, "run %lld of plan %s is on hold", number, row->plan);
        fail_hint(error, "`pgwinnow resume %lld` lets it go on; `pgwinnow status %lld` shows who asked for it", number,
                  number);
    }
    const char *step =
        failed(error) || gives_way(row, request) ? NULL : control_unapproved(&run->state, run->arena, row->run, error);
    if (!step) return;
    fail(error, FAULT_STOPPED, "run %lld of plan %s waits for an approval, at its step %s", number, row->plan, step);
    fail_hint(error, "`pgwinnow approve %lld` gives it; then the same command goes on", number);
}

struct run_row *begin_prepare(struct run *run, const struct request *request, struct problems *problems,
                              struct arena *arena, struct error *error) {
    check_until(run, request, error);
    frame_set(run->desk, run->arena, NULL);
    run_lacks_all(run, schema_lacking(&run->state, arena, error)); /* then compile looks for the rest and refuses */
    int version = failed(error) || run->missing_rights ? 0 : schema_version(&run->state, arena, error);
    struct run_row *row = version ? find(run, request, arena, error) : NULL;
    if (failed(error)) return NULL;
    engine_compile(run, problems, error);
    frame_set(run->desk, run->arena, run->search_path);
    if (!failed(error)) check_direct(run, error);
    if (!failed(error)) schema_init(&run->state, arena, error);
    if (!row || failed(error)) return NULL;
    refuse_waiting(run, row, request, error);
    if (failed(error)) return NULL;
    if (gives_way(row, request)) {
        give_way(run, row, request, error);
        return NULL;
    }
    refuse_new_tree(run, row, error);
    return row;
}

/* --- its rows --- */

int64_t begin_create(struct run *run, struct arena *arena, struct error *error) {
    struct new_run new = {.plan = run->plan->name,
                          .environment = run->plan->environment,
                          .table_name = run->table->shown,
                          .definition = json_written(arena, run->plan->definition, JSON_SORT_KEYS | JSON_COMPACT),
                          .tree = run->tree->fingerprint,
                          .tree_shown = tree_json_text(arena, run->tree),
                          .search_path = run->search_path,
                          .table_oid = run->table->oid};
    int64_t id = runs_create(&run->state, arena, &new, error);
    if (!id && !failed(error)) {
        fail(error, FAULT_HELD, "another run of plan %s began in this moment", run->plan->name);
        fail_hint(error, "`pgwinnow status` shows it");
    }
    return id;
}

/* Those of a run that is gone on with, too: whoever made it may have been killed in between. */
void begin_add_steps(struct run *run, struct arena *arena, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count; i++)
        runs_add_step(&run->state, arena, run->holder.run, i, run->plan->steps[i].name, run->plan->steps[i].step->name,
                      error);
    runs_show_tree(&run->state, arena, run->holder.run, tree_json_text(arena, run->tree), error);
}

bool begin_counts_rows(const struct plan_step *step) { return step->step->needs & (CHANGES_ROWS | TRACKS_ROWS); }

/* The rows of steps that an earlier session wrote. */
void begin_load_steps(struct run *run, struct arena *arena, struct error *error) {
    static const struct {
        const char *name;
        enum step_state state;
    } states[] = {{"done", STEP_DONE}, {"skipped", STEP_SKIPPED}};
    size_t count;
    struct step_row *rows = runs_steps(&run->state, arena, run->holder.run, &count, error);
    for (size_t i = 0; i < count && i < run->plan->step_count; i++) {
        struct event_step *shown = run->steps[i].shown;
        run->steps[i].round = rows[i].round;
        shown->rows = begin_counts_rows(&run->plan->steps[i]) ? rows[i].rows : -1;
        shown->total = rows[i].total;
        shown->spared = rows[i].spared;
        shown->batches = rows[i].batches;
        shown->ms = rows[i].ms;
        run->steps[i].note = rows[i].note;
        for (size_t s = 0; s < 2; s++)
            if (text_equal(rows[i].state, states[s].name)) shown->state = states[s].state;
    }
}
