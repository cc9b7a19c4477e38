/*
 * The indexes that a run builds for itself and drops again. Each is written down as an object of the run before it is
 * built, so whoever comes after a crash knows what to drop.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/sql.h"
#include "sql/work/indexes_temporary.sql.h"
#include "work/indexes.h"

enum { NAME_BYTES = 63 };

/* pgwinnow_RUN_TABLE_EDGE; when the table's name must be cut, its oid keeps two partitions apart. */
static const char *name_of(struct arena *arena, int64_t run, const struct table *table, const struct edge *edge) {
    const char *head = arena_printf(arena, "pgwinnow_%lld_", (long long)run);
    const char *tail = arena_printf(arena, "_%zu", edge->index);
    const char *whole = arena_printf(arena, "%s%s%s", head, table->name, tail);
    if (strlen(whole) <= NAME_BYTES) return whole;
    tail = arena_printf(arena, "_%u%s", table->oid, tail);
    size_t room = NAME_BYTES - strlen(head) - strlen(tail);
    return arena_printf(arena, "%s%.*s%s", head, (int)text_cut(table->name, room), table->name, tail);
}

static struct index_wish wish_of(struct arena *arena, const struct table *table, const struct edge *edge,
                                 const char *name) {
    struct index_wish wish = {.table = table, .name = name, .method = "btree", .count = edge->count};
    wish.elements = arena_alloc(arena, edge->count * sizeof *wish.elements);
    for (size_t i = 0; i < edge->count; i++) {
        const char *column = sql_identifier(arena, edge->columns[i]);
        wish.elements[i] = (struct index_element){
            .text = column, .expression = column, .column = edge->columns[i], .collate = "", .class_options = ""};
    }
    wish.definition = arena_printf(arena, "btree (%s)", edge->index_columns);
    return wish;
}

static bool serves(struct direct *direct, const struct table *table, const struct edge *edge, struct error *error) {
    const char *values[] = {arena_printf(direct->arena, "%u", table->oid),
                            list_texts(direct->arena, edge->columns, edge->count)};
    struct rows *rows = direct_ask(direct, "looking for an index on the children", &sql_serves, NULL, values, 2, error);
    return rows && rows_flag(rows, 0, 0);
}

static void build(struct direct *direct, const struct table *table, const struct edge *edge, struct error *error) {
    struct run *run = direct->run;
    const char *name = name_of(direct->arena, run->holder.run, table, edge);
    struct index_wish wish = wish_of(direct->arena, table, edge, name);
    struct index_found found = index_find(direct, &wish, error);
    if (failed(error) || (found.valid && found.on_table)) return;
    runs_add_object(&run->state, direct->arena, run->holder.run, "index", table->schema, name, error);
    index_build(direct, &wish, error);
    if (text_equal(error->sqlstate, "42501") && !error->hint)
        error->hint = "missing_index: create needs the owner of the table; let its owner build the index, or say "
                      "missing_index: ignore and live with a scan of it for every batch";
    if (!failed(error))
        run_tell(run, EVENT_NOTICE,
                 arena_printf(direct->arena, "built the index %s on %s for the time of the run", name, table->shown),
                 NULL);
}

static void ensure(struct direct *direct, struct edge *edge, struct error *error) {
    size_t count = 0;
    struct leaf *leaves = catalog_leaves(direct->slot, direct->arena, edge->child->table->oid, &count, error);
    unsigned *oids = arena_alloc(direct->arena, (count + 1) * sizeof *oids);
    for (size_t i = 0; i < count; i++) oids[i] = leaves[i].oid;
    struct table **tables = failed(error) ? NULL : catalog_tables(direct->slot, direct->arena, oids, count, error);
    for (size_t i = 0; tables && i < count && !failed(error); i++)
        if (!serves(direct, tables[i], edge, error)) build(direct, tables[i], edge, error);
    if (!failed(error)) edge->indexed = true;
}

void indexes_ensure_temporary(struct run *run, struct error *error) {
    if (run->missing_index != MISSING_CREATE) return;
    struct direct *direct = NULL;
    for (size_t i = 0; i < run->tree->edge_count && !failed(error); i++) {
        struct edge *edge = run->tree->edges[i];
        if (!edge->reached || edge->indexed) continue;
        if (!direct) direct = direct_open(run, run->step, NULL, error);
        if (direct) ensure(direct, edge, error);
    }
    direct_close(direct);
}

void indexes_drop_temporary(struct run *run, struct error *error) {
    if (failed(error)) return;
    struct arena *arena = arena_new(run->arena);
    size_t count = 0;
    struct object_row *objects = runs_objects(&run->state, arena, run->holder.run, "index", &count, error);
    struct direct *direct = count ? direct_open(run, run->step, NULL, error) : NULL;
    for (size_t i = 0; direct && i < count && !failed(error); i++) {
        index_drop(direct, objects[i].schema, objects[i].name, error);
        runs_forget_object(&run->state, arena, run->holder.run, "index", objects[i].schema, objects[i].name, error);
    }
    direct_close(direct);
    arena_free(arena);
}
