/* Connecting, and compiling a plan against the catalog: every name and text of it is looked at before anything is
 * written. */
#include "database/frame.h"
#include "database/lists.h"
#include "engine/engine.h"
#include "engine/rights.h"
#include "sql/engine/compile.sql.h"
#include "steps/trial.h"
#include "work/session.h"
#include "work/shape.h"
#include "work/throttle_check.h"

enum { MOST_WORKERS = 64, COMPILE_LOCK_MS = 5000 };

static const char *state_schema(const struct request *request) {
    return request->schema ? request->schema : "pgwinnow";
}

static const char *plan_path(const struct plan *plan) {
    const char **names = arena_alloc(plan->arena, (plan->search_path.count + 1) * sizeof *names);
    for (size_t i = 0; i < plan->search_path.count; i++) names[i] = plan->search_path.items[i].name;
    return list_names(plan->arena, NULL, names, plan->search_path.count);
}

static void shown_steps(struct run *run) {
    size_t count = run->plan->step_count;
    run->steps = arena_alloc(run->arena, (count + 1) * sizeof *run->steps);
    run->shown = arena_alloc(run->arena, (count + 1) * sizeof *run->shown);
    for (size_t i = 0; i < count; i++) {
        run->shown[i] = (struct event_step){.name = run->plan->steps[i].name, .total = -1};
        run->steps[i] = (struct run_step){.shown = &run->shown[i], .round = 1};
    }
}

/* Only the root, for plans without a discover step. */
static struct tree *lone_tree(struct arena *arena, struct table *table) {
    struct tree *tree = arena_alloc(arena, sizeof *tree);
    struct node *node = arena_alloc(arena, sizeof *node);
    *node = (struct node){
        .table = table, .removed = true, .identity = table->key.columns, .identity_count = table->key.count};
    tree->nodes = arena_alloc(arena, sizeof *tree->nodes);
    tree->nodes[0] = node;
    tree->node_count = 1;
    tree->edges = arena_alloc(arena, sizeof *tree->edges);
    tree->fingerprint = "";
    return tree;
}

struct run *engine_open(struct arena *arena, const struct plan *plan, const struct request *request,
                        struct error *error) {
    struct run *run = arena_alloc(arena, sizeof *run);
    run->arena = arena;
    run->lag_ms = -1;
    run->wire = wire_new(arena);
    run->plan = plan;
    run_take_settings(run);
    run->url = request->database ? request->database : plan->database ? plan->database : "";
    run->direct_url = request->database_direct ? request->database_direct
                      : request->database      ? NULL /* another database, perhaps */
                                               : plan->database_direct;
    run->yes = request->yes;
    run->accepted_tree = request->tree;
    run->listeners = request->listeners;
    run->max_rows = request->max_rows;
    run->max_time = request->max_time;
    run->wait = request->wait;
    run->worker_count = MOST_WORKERS;
    run->workers = arena_alloc(arena, run->worker_count * sizeof *run->workers);
    shown_steps(run);
    struct slot *(*open)(struct wire *, struct arena *, const char *, const char *, struct error *) =
        request->reads ? slot_open_reading : slot_open;
    run->desk = run->workers[0] = open(run->wire, arena, run->url, "pgwinnow", error);
    if (!failed(error)) frame_set_reading(run->desk, arena);
    run->state = (struct state){run->desk, state_schema(request)};
    return run;
}

static void resolve_path(struct run *run, struct error *error) {
    if (run->search_path) return;
    if (run->plan->search_path.count) {
        run->search_path = plan_path(run->plan);
        return;
    }
    struct rows *rows =
        ask(run->desk, run->arena,
            &(struct statement){.about = "reading the search path", .text = sql_search_path.text}, error);
    if (rows) run->search_path = rows_text(rows, 0, 0);
}

/*
 * Behind pg_catalog an operator takes the place of the server's own only where it fits the types better, which ours are
 * written not to leave room for. Before it all of them would.
 */
static void refuse_path(struct run *run, struct error *error) {
    struct statement statement = {.about = "looking at the search path", .text = sql_before_catalog.text};
    struct rows *rows = failed(error) ? NULL : ask(run->desk, run->arena, &statement, error);
    const char *before = rows ? rows_text(rows, 0, 0) : NULL;
    if (!before) return;
    fail(error, FAULT_REFUSED, "the search path \"%s\" has %s before pg_catalog", run->search_path, before);
    fail_detail(error, "Whatever is created there would take the place of the server's own operators and functions.");
    fail_hint(error, "leave pg_catalog out (it is searched first then), or give the plan a search_path of its own");
}

static void compile_when(struct run *run, size_t i, struct problems *problems, struct error *error) {
    const struct sql_text *query = &run->plan->steps[i].when.query;
    if (!query->text || !trial_statement(run, i, query, "when", query->text, problems, error)) return;
    trial_rights(run, i, query, "when", query->text, problems, error);
}

static void compile_steps(struct run *run, struct problems *problems, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count && !failed(error); i++) {
        const struct step *step = run->plan->steps[i].step;
        if (step->compile) step->compile(run, i, problems, error);
        compile_when(run, i, problems, error);
    }
}

void engine_compile(struct run *run, struct problems *problems, struct error *error) {
    resolve_path(run, error);
    if (failed(error)) return;
    struct session session = session_for(run, run->plan->step_count, run->arena);
    session.read_only = true;
    session.lock_timeout = COMPILE_LOCK_MS; /* nothing that it locks is in anybody's way but a change of a definition */
    session_begin(run->desk, run->arena, &session, error);
    refuse_path(run, error);
    run->table = catalog_table(run->desk, run->arena, &run->plan->table, error);
    if (!failed(error)) {
        run->tree = lone_tree(run->arena, run->table);
        compile_steps(run, problems, error);
        throttle_check(run, problems, error);
    }
    if (!problems->count) rights_look(run, error);
    if (!run->explaining && !problems->count && !failed(error)) run->shape = shape_read(run, run->arena, error);
    session_end(run->desk, run->arena, error);
    if (problems->count && error->fault != FAULT_CONNECTION) {
        error_clear(error);
        problems_fail(problems, error, FAULT_USAGE);
    }
    run_refuse_lacking(run, error);
}
