/* Looking at rights on the state and at publications, and at what the shared tables of a plan need. */
#include "engine/rights.h"

#include "sql/engine/rights.sql.h"
#include "state/published.h"

/* run asks for itself, just before it creates the schema. */
static void look_at_database(struct run *run, struct error *error) {
    if (!run->explaining) return;
    const char *values[] = {run->state.schema};
    struct rows *rows =
        state_ask(&run->state, run->arena, "reading privileges", &sql_missing_to_create, values, 1, error);
    for (int i = 0; rows && i < rows_count(rows); i++)
        run_lacks(run, rows_text(rows, i, 0), "or a DBA runs `pgwinnow init --print`");
}

static bool discovers(const struct plan *plan) {
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].step->needs & NEEDS_TREE) return true;
    return false;
}

/* Without rows that go the plan's table is read, and no more; what changes it looks for itself. */
static void look_at_table(struct run *run, struct error *error) {
    if (!run->tracking || discovers(run->plan)) return;
    run_lacks_all(run, table_grants(run->desk, run->arena, run->table->oid, error));
}

/* Temporary indexes: only the owner builds one. */
static void look_at_indexes(struct run *run, struct error *error) {
    for (size_t i = 0; i < run->tree->edge_count && run->missing_index == MISSING_CREATE; i++) {
        const struct edge *e = run->tree->edges[i];
        if (e->reached && !e->indexed)
            run_lacks_all(run, index_grants(run->desk, run->arena, e->child->table->oid, error));
    }
}

void rights_look(struct run *run, struct error *error) {
    struct error published = error_new(run->arena);
    if (failed(error)) return;
    run_lacks_all(run, schema_lacking(&run->state, run->arena, error));
    look_at_database(run, error);
    look_at_table(run, error);
    look_at_indexes(run, error);
    if (failed(error)) return;
    if (!run->plan->state.published)
        published_refuse(&run->state, run->arena, "state: { published: accept } in the plan", &published);
    run_refuse(run, &published, error);
}
