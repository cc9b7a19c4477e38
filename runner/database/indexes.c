/*
 * Finds out whether the rows that reference a parent can be found by an index. Without one each parent that goes costs
 * a scan of the child, by our statements and by the server's own triggers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/reading.h"
#include "sql/database/indexes.sql.h"

struct index_column {
    const char *name, *quoted; /* NULL: an expression */
};

struct index {
    unsigned table, oid;
    const char *predicate;
    struct index_column *columns;
    size_t count;
};

struct indexes {
    struct index *items; /* by table */
    size_t count;
};

static int by_oid(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

static unsigned *leaves_of(struct reading *r, const struct node *node, size_t *count) {
    return partitions_leaves(r->partitions, r->scratch, node->table->oid, node->table->partitioned, count);
}

/* The leaves of all referencing tables, each once. */
static const char *all_leaves(struct reading *r) {
    bool *seen = arena_alloc(r->scratch, r->tree->node_count);
    unsigned *all = NULL;
    size_t count = 0;
    for (size_t i = 0; i < r->tree->edge_count; i++) {
        const struct node *child = r->tree->edges[i]->child;
        if (seen[child->index]) continue;
        seen[child->index] = true;
        size_t below;
        unsigned *leaves = leaves_of(r, child, &below);
        for (size_t l = 0; l < below; l++) {
            all = arena_grow(r->scratch, all, &count, sizeof *all);
            all[count - 1] = leaves[l];
        }
    }
    if (count) qsort(all, count, sizeof *all, by_oid);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || all[kept - 1] != all[i]) all[kept++] = all[i];
    return list_oids(r->scratch, all, kept);
}

static struct indexes read_indexes(struct reading *r) {
    struct indexes indexes = {0};
    const char *value = all_leaves(r);
    struct statement statement = {"reading indexes from the catalog", sql_read_indexes.text, &value, 1};
    struct rows *rows = ask(r->slot, r->scratch, &statement, r->error);
    if (!rows) return indexes;
    struct index_column *columns = arena_alloc(r->scratch, (size_t)(rows_count(rows) + 1) * sizeof *columns);
    for (int i = 0; i < rows_count(rows); i++) {
        unsigned table = (unsigned)rows_int(rows, i, 0), oid = (unsigned)rows_int(rows, i, 1);
        columns[i] = (struct index_column){rows_text(rows, i, 2), rows_text(rows, i, 4)};
        if (!indexes.count || indexes.items[indexes.count - 1].oid != oid) {
            indexes.items = arena_grow(r->scratch, indexes.items, &indexes.count, sizeof *indexes.items);
            indexes.items[indexes.count - 1] =
                (struct index){.table = table, .oid = oid, .predicate = rows_text(rows, i, 3), .columns = &columns[i]};
        }
        indexes.items[indexes.count - 1].count++;
    }
    return indexes;
}

static bool leads(const struct index *index, const char *name, size_t columns) {
    for (size_t i = 0; i < columns; i++)
        if (text_equal(index->columns[i].name, name)) return true;
    return false;
}

/* "(a IS NOT NULL)" of one of the index's first columns, at the start: its length, else 0. */
static size_t not_null_term(struct arena *arena, const char *text, const struct index *index, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        const char *term = arena_printf(arena, "(%s IS NOT NULL)", index->columns[i].quoted);
        if (text_starts(text, term)) return strlen(term);
    }
    return 0;
}

/* A reference that is NULL points at nothing, so an index without those rows still has all that do. */
static bool only_not_null(struct arena *arena, const struct index *index, size_t columns) {
    const char *text = index->predicate;
    bool nested = text_starts(text, "((");
    text += nested;
    for (;;) {
        size_t length = not_null_term(arena, text, index, columns);
        if (!length) return false;
        text += length;
        if (text_equal(text, nested ? ")" : "")) return true;
        if (!text_starts(text, " AND ")) return false;
        text += strlen(" AND ");
    }
}

static bool serves(struct arena *arena, const struct index *index, const struct edge *edge) {
    if (index->count < edge->count) return false;
    for (size_t i = 0; i < edge->count; i++)
        if (!leads(index, edge->columns[i], edge->count)) return false;
    return !index->predicate || only_not_null(arena, index, edge->count);
}

static bool leaf_indexed(struct arena *arena, const struct indexes *indexes, unsigned leaf, const struct edge *edge) {
    size_t low = 0, high = indexes->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (indexes->items[middle].table < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < indexes->count && indexes->items[low].table == leaf; low++)
        if (serves(arena, &indexes->items[low], edge)) return true;
    return false;
}

void reading_indexes(struct reading *r) {
    if (failed(r->error) || !r->tree->edge_count) return;
    struct indexes indexes = read_indexes(r);
    for (size_t i = 0; i < r->tree->edge_count; i++) {
        struct edge *edge = r->tree->edges[i];
        size_t count;
        unsigned *leaves = leaves_of(r, edge->child, &count);
        edge->indexed = true;
        for (size_t l = 0; l < count && edge->indexed; l++)
            edge->indexed = leaf_indexed(r->scratch, &indexes, leaves[l], edge);
    }
}
