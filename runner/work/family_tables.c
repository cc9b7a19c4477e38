/* The helper tables of a pass: made before the first batch, dropped when the step is over. Owns their names with
 * family_text. */
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/family_tables.sql.h"
#include "state/private.h"
#include "work/family_job.h"
#include "work/family_text.h"
#include "work/move.h"
#include "work/tracking.h"

static void make(struct family *f, const char *about, const struct sql *sql, const struct bindings *b,
                 struct error *error) {
    const char *text = sql_expand(f->arena, sql, b->items, error);
    ask(f->run->desk, f->arena, &(struct statement){.about = about, .text = text}, error);
}

/* Written down before it is made: what a kill leaves behind is found by clean. */
static void note(struct family *f, const char *kind, const char *format, size_t node, struct error *error) {
    const struct run *run = f->run;
    const char *name = node == SIZE_MAX
                           ? arena_printf(f->arena, "%s_%lld", format, (long long)run->holder.run)
                           : arena_printf(f->arena, "%s_%lld_%zu", format, (long long)run->holder.run, node);
    runs_add_object(&run->state, f->arena, run->holder.run, kind, run->state.schema, name, error);
}

static void make_family(struct family *f, const struct node *node, struct error *error) {
    struct bindings b = {0};
    note(f, "tracking", "family", node->index, error);
    bind(&b, "family", family_table(f->run, f->arena, node));
    bind(&b, "definitions", node_definitions(f->arena, node));
    bind(&b, "columns", node_numbered(f->arena, NULL, node));
    bind(&b, "stays", move_stay_definitions(f, f->arena, node));
    make(f, "making a family table", &sql_create_family, &b, error);
}

static void make_list(struct family *f, const struct node *node, struct error *error) {
    struct bindings b = {0};
    note(f, "tracking", "list", node->index, error);
    bind(&b, "list", family_list(f->run, f->arena, node));
    bind(&b, "definitions", node_definitions(f->arena, node));
    bind(&b, "columns", node_numbered(f->arena, NULL, node));
    make(f, "making a list table", &sql_create_list, &b, error);
    f->lists[node->index].there = true;
}

static void make_order(struct family *f, struct error *error) {
    struct bindings b = {0};
    note(f, "sequence", "order", SIZE_MAX, error);
    bind(&b, "order", family_order(f->run, f->arena));
    make(f, "making the lists' sequence", &sql_create_order, &b, error);
}

/* Where the plan's table is reached as a child, what goes is looked up among tracked rows and survivors. */
static void protect(struct family *f, struct error *error) {
    const struct tracking *t = f->run->tracking;
    size_t count = f->run->table->key.count;
    const char *name = tracking_name(f->run, f->arena, f->round);
    for (int side = 0; side < 2; side++) {
        const char **names = side ? t->survivors : t->columns;
        if (!names) continue;
        struct bindings b = {0};
        bind(&b, "name", sql_identifier(f->arena, arena_printf(f->arena, "%s_%s", name, side ? "survivor" : "key")));
        bind(&b, "track", tracking_sql(f->run, f->arena, f->round));
        bind(&b, "columns", list_names(f->arena, NULL, (const char *const *)names, count));
        make(f, "indexing the tracking table", &sql_create_protection, &b, error);
    }
}

/* Its rows are dropped when moves collide. */
static bool dropped(const struct family *f, const struct node *node) {
    return f->moves && node->dropped && node->identity_count;
}

static bool listed(const struct family *f, const struct node *node) {
    for (size_t i = 0; i < f->tree->edge_count; i++)
        if (f->tree->edges[i]->child == node && f->settled[i] && goes_by_key(f->tree->edges[i])) return true;
    return false;
}

void family_tables_make(struct family *f, struct error *error) {
    bool any = false;
    make_family(f, f->tree->nodes[0], error);
    for (size_t i = 0; i < f->tree->node_count; i++) {
        const struct node *node = f->tree->nodes[i];
        if (i > 0 && (listed(f, node) || dropped(f, node))) make_family(f, node, error);
        if (i == 0 && (listed(f, node) || dropped(f, node))) protect(f, error);
        if (!listed(f, node)) continue;
        make_list(f, node, error);
        any = true;
    }
    if (heavy_moves_make(f, error) || any) make_order(f, error);
    move_tables_make(f, error);
    private_keep(&f->run->state, f->arena, error);
}

static bool of_families(const char *name) {
    static const char *const kinds[] = {"family_", "list_", "move_", "moves_", "pairs_", "merge_"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_starts(name, kinds[i])) return true;
    return false;
}

/* The tracking table itself stays: people look at what was spared. */
void families_drop(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    size_t count;
    struct object_row *objects = runs_objects(state, arena, run, NULL, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++) {
        const struct object_row *o = &objects[i];
        bool sequence = text_equal(o->kind, "sequence");
        if (!sequence && !of_families(o->name)) continue;
        struct bindings b = {0};
        bind(&b, sequence ? "order" : "table", sql_qualified(arena, o->schema, o->name));
        const char *text = sql_expand(arena, sequence ? &sql_drop_order : &sql_drop_table, b.items, error);
        ask(state->slot, arena,
            &(struct statement){.about = arena_printf(arena, "dropping %s.%s", o->schema, o->name), .text = text},
            error);
        runs_forget_object(state, arena, run, o->kind, o->schema, o->name, error);
    }
}
