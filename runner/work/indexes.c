/*
 * Indexes of partitioned tables, and the way to those of plain ones. Nothing is kept: which partitions have theirs
 * attached is read from the catalog, so it does not matter where an earlier try was cut.
 */
#include "work/indexes.h"

#include <string.h>

#include "base/text.h"
#include "database/sql.h"
#include "sql/work/indexes.sql.h"
#include "work/index_match.h"

enum { NAME_BYTES = 63, MOST_PASSES = 5 };

bool indexes_stand(struct direct *direct, const struct index_wish *wish, const char **name, struct error *error) {
    struct index_found found = index_find(direct, wish, error);
    *name = NULL;
    if (failed(error)) return false;
    if (!found.oid)
        *name = index_twin(direct->slot, direct->arena, wish, error);
    else if ((found.valid || !found.on_table) && index_is_wish(direct, wish, &found, error))
        *name = wish->name;
    return *name && !failed(error);
}

/* --- partitions --- */

/* The parent's and the partition's name when both fit, else what is cut is made good by the oid. */
static const char *partition_name(struct arena *arena, const char *name, const struct table *table) {
    const char *both = arena_printf(arena, "%s_%s", name, table->name);
    if (strlen(both) <= NAME_BYTES) return both;
    const char *oid = arena_printf(arena, "_%u", table->oid);
    return arena_printf(arena, "%.*s%s", (int)text_cut(name, NAME_BYTES - strlen(oid)), name, oid);
}

static struct rows *partitions(struct direct *direct, const struct index_wish *wish, unsigned index,
                               struct error *error) {
    const char *values[] = {arena_printf(direct->arena, "%u", wish->table->oid),
                            arena_printf(direct->arena, "%u", index)};
    return direct_ask(direct, "reading the partitions' indexes", &sql_partitions, NULL, values, 2, error);
}

static void attach(struct direct *direct, const struct index_wish *wish, const struct table *partition,
                   const char *name, struct error *error) {
    struct bindings b = index_wish_bindings(direct->arena, wish);
    bind(&b, "partition", sql_qualified(direct->arena, partition->schema, name));
    direct_short(direct, arena_printf(direct->arena, "attaching the index %s to %s", name, wish->name), &sql_attach, &b,
                 error);
}

/* One partition: its own index, whatever is below it, attached. False when it ends here. */
static bool build_partition(struct direct *direct, const struct index_wish *wish, const char *definition,
                            const struct rows *rows, int row, struct index_result *result, struct error *error) {
    const char *attached = rows_text(rows, row, 2);
    if (attached && rows_flag(rows, row, 3)) return true;
    if (rows_text(rows, row, 1)[0] == 'f') {
        fail(error, FAULT_REFUSED, "%s has a foreign table as a partition, %s: no index of it can be complete",
             wish->table->shown, rows_text(rows, row, 4));
        return false;
    }
    struct table *table = catalog_table_by_oid(direct->slot, direct->arena, (unsigned)rows_int(rows, row, 0), error);
    if (!table) return false;
    struct index_wish own = *wish;
    own.table = table;
    own.name = attached ? attached : partition_name(direct->arena, wish->name, table);
    own.definition = definition;
    own.partition = true;
    struct index_result built = indexes_build(direct, &own, error);
    if (built.outcome == INDEX_DUPLICATES) *result = built;
    if (failed(error) || built.outcome == INDEX_DUPLICATES) return false;
    if (!attached) attach(direct, wish, table, built.name, error);
    return !failed(error);
}

static bool build_partitions(struct direct *direct, const struct index_wish *wish, const struct index_found *found,
                             struct index_result *result, struct error *error) {
    const char *definition = index_definition_text(direct->slot, direct->arena, found->oid, error);
    struct rows *rows = partitions(direct, wish, found->oid, error);
    for (int i = 0; rows && i < rows_count(rows); i++)
        if (!build_partition(direct, wish, definition, rows, i, result, error)) return false;
    return !failed(error);
}

static bool make_parent(struct direct *direct, const struct index_wish *wish, struct index_result *result,
                        struct error *error) {
    const char *twin = index_twin(direct->slot, direct->arena, wish, error);
    if (twin) {
        *result = (struct index_result){INDEX_STANDS, arena_strdup(direct->run->arena, twin), NULL};
        return false;
    }
    struct bindings b = index_wish_bindings(direct->arena, wish);
    direct_short(direct, arena_printf(direct->arena, "creating the index %s of %s", wish->name, wish->table->shown),
                 &sql_create_parent, &b, error);
    return !failed(error);
}

/* A partition that is added meanwhile gets its index from the server; one that was attached may lack it: look again. */
static struct index_result build_partitioned(struct direct *direct, const struct index_wish *wish,
                                             struct error *error) {
    struct index_result result = {.outcome = INDEX_STANDS, .name = wish->name};
    for (int pass = 0; pass < MOST_PASSES && !failed(error); pass++) {
        struct index_found found = index_find(direct, wish, error);
        if (!failed(error) && !found.oid) {
            if (!make_parent(direct, wish, &result, error)) return result;
            found = index_find(direct, wish, error);
        }
        if (failed(error) || !index_is_wish(direct, wish, &found, error)) break;
        if (found.valid) return result;
        result.outcome = INDEX_BUILT;
        if (!build_partitions(direct, wish, &found, &result, error)) break;
    }
    if (result.outcome == INDEX_DUPLICATES && !failed(error)) return result;
    fail(error, FAULT_FAILED, "the index %s of %s stays invalid though every partition has its own", wish->name,
         wish->table->shown);
    result.outcome = INDEX_NONE;
    return result;
}

struct index_result indexes_build(struct direct *direct, const struct index_wish *wish, struct error *error) {
    if (failed(error)) return (struct index_result){0};
    return wish->table->partitioned ? build_partitioned(direct, wish, error) : index_build(direct, wish, error);
}

void indexes_drop(struct direct *direct, const struct table *table, const char *name, struct error *error) {
    struct index_wish wish = {.table = table, .name = name};
    struct index_found found = index_find(direct, &wish, error);
    if (failed(error) || !found.oid || !found.on_table) return;
    if (found.kind != 'I') {
        index_drop(direct, table->schema, name, error);
        return;
    }
    struct bindings b = {0};
    bind(&b, "index", sql_qualified(direct->arena, table->schema, name));
    direct_short(direct, arena_printf(direct->arena, "dropping the index %s", name), &sql_drop_partitioned, &b, error);
}

void indexes_explain(const struct index_wish *wish, struct explanation *explanation, struct error *error) {
    if (!wish->table->partitioned) {
        index_build_explain(wish, explanation, error);
        return;
    }
    text_addf(&explanation->said,
              "%s is partitioned: an index on it alone, one on each partition built concurrently, each then attached\n",
              wish->table->shown);
    struct bindings b = index_wish_bindings(explanation->arena, wish);
    const char *text = sql_expand(explanation->arena, &sql_create_parent, b.items, error);
    if (text) explain_statement(explanation, &sql_create_parent, text);
}
